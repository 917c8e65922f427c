"""The serial grant of turns: it answers as the pure planner does of all runs, wakes exactly those who may go, and
forgets what is over."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.clock import START
from windlass.engine.history import RunIndex
from windlass.engine.record import RunKey
from windlass.engine.turns import Turns
from windlass.models.common import format_time
from windlass.models.run import RunPhase
from windlass.models.workflow import RunPolicy, WorkflowSpec
from windlass.plan.history import RunSummary
from windlass.plan.turns import TurnKind, turn_among, waits

TASKS = [{"name": "a", "command": ["true"]}]


def spec(limit: int | None = 1, policy: str = "Queue", **fields: Any) -> WorkflowSpec:
    concurrency: dict[str, Any] = {"policy": policy} | ({"maxActiveRuns": limit} if limit is not None else {})
    return WorkflowSpec.model_validate({"tasks": TASKS, "concurrency": concurrency, **fields})


class Line:
    """The runs of one Workflow, as an API server would tell of them, and those that were woken."""

    def __init__(self, definition: WorkflowSpec) -> None:
        self.spec = definition
        self.index = RunIndex()
        self.woken: dict[str, None] = {}
        self.turns = Turns(self.index, lambda key: self.woken.__setitem__(key.name, None))
        self.turns.opened()
        self.bodies: dict[str, dict[str, Any]] = {}
        self.granted: set[str] = set()
        self._version = 0

    def make(self, name: str, **fields: Any) -> None:
        self._version += 1
        created = fields.pop("created", self._version)
        self.bodies[name] = {
            "metadata": {
                "name": name,
                "namespace": "data",
                "uid": f"uid-{name}-{self._version}",
                "creationTimestamp": format_time(START + timedelta(seconds=created)),
            },
            "spec": {"workflow": "etl", **fields},
            "status": {},
        }
        self._tell(name)
        self.woken[name] = None  # its event is a key in the queue

    def set(self, name: str, phase: str, **status: Any) -> None:
        self.bodies[name]["status"] = {"phase": phase, **status}
        if phase not in ("Queued", "Pending"):
            self.granted.discard(name)
        self._tell(name)

    def delete(self, name: str) -> None:
        self.granted.discard(name)
        self.index.gone(self.bodies.pop(name))
        self.turns.put_aside(RunKey("data", name))
        self.woken.pop(name, None)

    def ask(self, name: str, **options: Any) -> TurnKind:
        self.woken.pop(name, None)
        body = self.bodies[name]
        answer = self.turns.ask(RunKey("data", name), body["metadata"]["uid"], self.spec, **options)
        if answer.kind is TurnKind.GO:
            self.granted.add(name)
        return answer.kind

    def settle(self) -> list[str]:
        """Have all that were woken ask, in their order; those that were let go."""
        went: list[str] = []
        while self.woken:
            name = next(iter(self.woken))
            self.woken.pop(name)
            if name not in self.bodies or not waits(self.summary(name)) or name in self.granted:
                continue
            kind = self.ask(name)
            if kind is TurnKind.GO:
                went.append(name)
            elif kind is TurnKind.END:
                self.set(name, "Cancelled")
        return went

    def summary(self, name: str) -> RunSummary:
        found = self.index.get(RunKey("data", name))
        assert found is not None
        return found

    def summaries(self) -> list[RunSummary]:
        """All runs; those that were let go count as under way."""
        return [
            replace(run, phase=RunPhase.RUNNING) if run.name in self.granted and run.backfill is None else run
            for run in self.index
        ]

    def remembered(self) -> dict[str, int]:
        return {name: len(part) for name, part in vars(self.turns).items() if isinstance(part, dict | set) and part}

    def _tell(self, name: str) -> None:
        self._version += 1
        self.bodies[name]["metadata"]["resourceVersion"] = str(self._version)
        self.index.seen(self.bodies[name])


def test_a_turn_that_was_granted_is_held_before_it_is_seen() -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    assert (line.ask("a"), line.ask("b"), line.ask("a")) == (TurnKind.GO, TurnKind.WAIT, TurnKind.GO)


def test_the_end_of_a_run_wakes_one() -> None:
    line = Line(spec())
    for name in "abcd":
        line.make(name)
    assert line.settle() == ["a"]
    line.set("a", "Running")
    assert line.woken == {}
    line.set("a", "Succeeded")
    assert [*line.woken] == ["b"]
    assert line.settle() == ["b"]


def test_nobody_goes_before_all_runs_are_known() -> None:
    woken: list[RunKey] = []
    turns = Turns(RunIndex(), woken.append)
    assert not turns.admits(RunKey("data", "a"))
    assert not turns.admits(RunKey("data", "b"))
    turns.opened()
    assert (woken, turns.admits(RunKey("data", "c"))) == ([RunKey("data", "a"), RunKey("data", "b")], True)


def test_a_run_that_is_gone_gets_no_turn() -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    gone = line.bodies["a"]
    line.delete("a")
    asked = line.turns.ask(RunKey("data", "a"), gone["metadata"]["uid"], line.spec)
    assert (asked.kind, asked.reason, line.ask("b")) == (TurnKind.ASIDE, "", TurnKind.GO)


def test_a_run_made_again_under_its_name_asks_anew() -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    assert line.ask("a") is TurnKind.GO
    line.delete("a")
    line.make("a")
    assert (line.ask("b"), line.ask("a")) == (TurnKind.GO, TurnKind.WAIT)


def test_who_stumbles_holds_nobody_up() -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    assert line.ask("b") is TurnKind.WAIT
    line.woken.clear()
    line.turns.stumbled(RunKey("data", "a"), for_good=False)
    assert line.settle() == ["b"]
    assert line.ask("a") is TurnKind.WAIT


@pytest.mark.parametrize("for_good", [False, True])
def test_a_turn_is_lost_only_to_a_refusal(for_good: bool) -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    line.settle()
    line.turns.stumbled(RunKey("data", "a"), for_good=for_good)
    assert line.settle() == (["b"] if for_good else [])


def test_a_thousand_runs_that_wait_wake_one_at_a_time() -> None:
    line = Line(spec())
    names = [f"r{number:04}" for number in range(1000)]
    for name in names:
        line.make(name)
    assert line.settle() == names[:1]
    for before, after in pairwise(names):
        line.set(before, "Running")
        line.set(before, "Succeeded")
        assert [*line.woken] == [after]
        assert line.settle() == [after]


def test_a_run_that_waits_is_settled_until_it_is_woken() -> None:
    line = Line(spec())
    line.make("a")
    line.make("b")
    line.settle()
    key = RunKey("data", "b")
    assert line.turns.settled(key)
    line.set("a", "Succeeded")
    assert not line.turns.settled(key)


POLICIES = [RunPolicy.QUEUE, RunPolicy.SKIP, RunPolicy.REPLACE]
NAMES = [f"r{number}" for number in range(9)]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    limit=st.sampled_from([1, 1, 2, 3, None]),
    policy=st.sampled_from(POLICIES),
    past=st.booleans(),
)
def test_it_answers_as_of_all_runs_and_leaves_nobody_asleep_who_may_go(
    seed: int, limit: int | None, policy: RunPolicy, past: bool
) -> None:
    dice = random.Random(seed)
    line = Line(spec(limit, policy.value, dependsOnPast=past))
    for _ in range(40):
        _something_happens(line, dice)
        line.settle()
        held = [run for run in line.summaries() if run.active and run.backfill is None]
        assert limit is None or len(held) <= limit
        for run in line.summaries():
            if waits(run) and run.name not in line.granted:
                expected = turn_among(run, line.summaries(), line.spec).kind
                assert expected is not TurnKind.GO, f"{run.name} sleeps and may go"
                assert expected is line.ask(run.name)
        line.settle()
    for name in [*line.bodies]:
        line.delete(name)
    assert line.remembered() == {}


def _something_happens(line: Line, dice: random.Random) -> None:
    new = [name for name in NAMES if name not in line.bodies]
    running = [name for name, body in line.bodies.items() if body["status"].get("phase") == "Running"]
    what = dice.choice(["make", "make", "start", "end", "end", "delete", "retry"])
    if what == "make" and new:
        due = format_time(START + timedelta(hours=dice.randrange(6)))
        fields: dict[str, Any] = {"logicalDate": due, "created": dice.randrange(4)}
        if dice.random() < 0.3:
            fields["priority"] = dice.choice([-5, 5])
        if dice.random() < 0.6:
            fields["slot"] = {"trigger": "Schedule", "scheduledAt": due}
            if dice.random() < 0.2:
                fields["slot"] |= {"trigger": "Backfill", "backfill": "b"}
        line.make(dice.choice(new), **fields)
    elif what == "start" and line.granted:
        line.set(dice.choice(sorted(line.granted)), "Running")
    elif what == "end" and running:
        line.set(dice.choice(running), dice.choice(["Succeeded", "Succeeded", "Failed"]), startedAt=format_time(START))
    elif what == "delete" and line.bodies:
        line.delete(dice.choice(sorted(line.bodies)))
    elif what == "retry":
        ended = [name for name, body in line.bodies.items() if body["status"].get("phase") == "Failed"]
        if ended and len(running) + len(line.granted) < (line.spec.run_limit or 99):
            line.set(dice.choice(ended), "Running")
