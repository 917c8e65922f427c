"""Whose turn it is, in tables over whole lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from windlass.models.run import RunPhase, Trigger
from windlass.models.workflow import WorkflowSpec
from windlass.plan.history import RunSummary
from windlass.plan.turns import Turn, TurnKind, last_success, turn_among

R = RunPhase


def run(
    name: str, phase: RunPhase | None = None, *, at: float = 0, slot: float | None = None, **fields: Any
) -> RunSummary:
    """A run that was made so many hours after the start, for a slot so many hours after it."""
    moment = START + timedelta(hours=at)
    due = None if slot is None else START + timedelta(hours=slot)
    return replace(
        RunSummary(
            namespace="data",
            name=name,
            uid=f"uid-{name}",
            version=1,
            workflow="etl",
            owner=None,
            phase=phase,
            trigger=None if slot is None else Trigger.SCHEDULE,
            slot=due,
            logical_date=due or moment,
            priority=None,
            created_at=moment,
            started_at=moment if phase in (R.RUNNING, R.SUCCEEDED, R.FAILED) else None,
        ),
        **fields,
    )


def spec(limit: int | None = 1, policy: str = "Queue", **fields: Any) -> WorkflowSpec:
    concurrency: dict[str, Any] = {"policy": policy} | ({"maxActiveRuns": limit} if limit is not None else {})
    return WorkflowSpec.model_validate(
        {"tasks": [{"name": "a", "command": ["true"]}], "concurrency": concurrency, **fields}
    )


@dataclass(frozen=True)
class Case:
    """The run that asks, the others, and the answer."""

    asks: RunSummary
    others: list[RunSummary]
    turn: Turn
    spec: WorkflowSpec = field(default_factory=spec)


GO = Turn(TurnKind.GO)
B = run("b", at=1)


def wait(message: str) -> Turn:
    return Turn(TurnKind.WAIT, "MaxActiveRuns", f"maxActiveRuns is {message}")


CASES = {
    "alone": Case(B, [], GO),
    "after runs that have ended": Case(B, [run("a", R.SUCCEEDED), run("c", R.REFUSED)], GO),
    "one is under way": Case(B, [run("a", R.RUNNING)], wait("1: a is under way; it is next")),
    "one is suspended": Case(B, [run("a", R.SUSPENDED)], wait("1: a is under way; it is next")),
    "one is being deleted, and under way": Case(
        B, [run("a", R.RUNNING, deleting=True)], wait("1: a is under way; it is next")
    ),
    "two are under way": Case(
        B, [run("a", R.RUNNING), run("c", R.RUNNING)], wait("2: a and c are under way; it is next"), spec(2)
    ),
    "many are under way": Case(
        B,
        [run(name, R.RUNNING) for name in "acde"],
        wait("3: a and 3 more are under way; it is next"),
        spec(3),
    ),
    "there is room for another": Case(B, [run("a", R.RUNNING)], GO, spec(2)),
    "an earlier one waits": Case(
        B, [run("a")], Turn(TurnKind.WAIT, "MaxActiveRuns", "others go first; 2. in the line when it came")
    ),
    "an earlier one waits, and is being deleted": Case(B, [run("a", deleting=True)], GO),
    "an earlier one waits, and there is room for both": Case(B, [run("a")], GO, spec(2)),
    "a later one waits": Case(B, [run("c", at=2)], GO),
    "a later one of higher priority waits": Case(
        B,
        [run("c", at=2, priority=1), run("a", R.RUNNING)],
        wait("1: a is under way; 2. in the line when it came"),
    ),
    "an earlier one of lower priority waits": Case(B, [run("a", priority=-1)], GO),
    "an earlier one waits whose priority is the Workflow's, below": Case(
        replace(B, priority=0), [run("a")], GO, spec(priority=-7)
    ),
    "two of one moment: by name": Case(run("a", at=1), [B], GO),
    "no limit": Case(B, [run(name, R.RUNNING) for name in "acdefgh"], GO, spec(None)),
    "a schedule, and nothing said": Case(
        B,
        [run("a", R.RUNNING)],
        wait("1: a is under way; it is next"),
        spec(None, schedule={"cron": "0 2 * * *"}),
    ),
    "a run of a backfill": Case(replace(B, backfill="b"), [run("a", R.RUNNING)], GO),
    "a run of a backfill is under way": Case(B, [run("a", R.RUNNING, backfill="b")], GO),
    "Skip: one is under way": Case(
        B,
        [run("a", R.RUNNING)],
        Turn(TurnKind.END, "SkippedByPolicy", "maxActiveRuns is 1: a is under way, and the policy is Skip"),
        spec(policy="Skip"),
    ),
    "Skip: the first come goes": Case(B, [run("a")], GO, spec(policy="Skip")),
    "Replace: one is under way": Case(
        B,
        [run("a", R.RUNNING)],
        Turn(TurnKind.WAIT, "Replacing", "waits for the end of a, for which it is run instead", stop=("a",)),
        spec(policy="Replace"),
    ),
    "Replace: a newer one waits": Case(
        B,
        [run("a", R.RUNNING), run("c", at=2)],
        Turn(
            TurnKind.END,
            "Replaced",
            "newer runs take the place of this one: maxActiveRuns is 1, and the policy is Replace",
        ),
        spec(policy="Replace"),
    ),
    "Replace: a newer one of lower priority waits": Case(
        B,
        [run("a", R.RUNNING), run("c", at=2, priority=-1)],
        Turn(TurnKind.WAIT, "Replacing", "waits for the end of a, for which it is run instead", stop=("a",)),
        spec(policy="Replace"),
    ),
    "Replace: the oldest of two": Case(
        run("c", at=3),
        [run("a", R.RUNNING, at=1), B, run("d", R.RUNNING, at=0)],
        Turn(TurnKind.WAIT, "Replacing", "waits for the end of d and a, for which it is run instead", stop=("d", "a")),
        spec(2, policy="Replace"),
    ),
    "Replace: there is room": Case(B, [run("a", R.RUNNING)], GO, spec(2, policy="Replace")),
    "Replace: what is under way has a higher priority": Case(
        B,
        [run("a", R.RUNNING, priority=3)],
        wait("1: a is under way, of higher priority"),
        spec(policy="Replace"),
    ),
}


def past(message: str, slot: float) -> Turn:
    awaits = START + timedelta(hours=slot)
    return Turn(TurnKind.ASIDE, "DependsOnPast", f"waits for the success of {message}", awaits=awaits)


FAILED = "which has failed: retry it, or mark what failed as succeeded"
S3 = run("s3", slot=3)
PAST = spec(9, dependsOnPast=True)
PASTS = {
    "the first slot": Case(S3, [run("hand", R.FAILED)], GO, PAST),
    "the slot before has succeeded": Case(S3, [run("s2", R.SUCCEEDED, slot=2), run("s1", R.FAILED, slot=1)], GO, PAST),
    "the slot before has failed": Case(S3, [run("s2", R.FAILED, slot=2)], past(f"s2, {FAILED}", 2), PAST),
    "the slot before is under way": Case(S3, [run("s2", R.RUNNING, slot=2)], past("s2, which has not ended", 2), PAST),
    "the slot before waits too": Case(S3, [run("s2", slot=2)], past("s2, which has not ended", 2), PAST),
    "the slot before was cancelled": Case(
        S3,
        [run("s2", R.CANCELLED, slot=2, started_at=START)],
        past("s2, which was cancelled: retry it, or mark what failed as succeeded", 2),
        PAST,
    ),
    "the slot before was cancelled before it started": Case(
        S3, [run("s2", R.CANCELLED, slot=2), run("s1", R.FAILED, slot=1)], past(f"s1, {FAILED}", 1), PAST
    ),
    "the slot before was refused": Case(
        S3,
        [run("s2", R.REFUSED, slot=2)],
        past("s2, which was refused: delete it, and run its slot again by a backfill", 2),
        PAST,
    ),
    "a gap": Case(S3, [run("s1", R.FAILED, slot=1)], past(f"s1, {FAILED}", 1), PAST),
    "later slots don't matter": Case(S3, [run("s4", R.FAILED, slot=4)], GO, PAST),
    "another run of its own slot doesn't matter": Case(S3, [run("again", R.FAILED, slot=3)], GO, PAST),
    "the slot before failed, and was made good by a backfill": Case(
        S3, [run("s2", R.FAILED, slot=2), run("again", R.SUCCEEDED, slot=2, backfill="b")], GO, PAST
    ),
    "the slot before failed, and is run again": Case(
        S3,
        [run("s2", R.FAILED, slot=2), run("again", R.RUNNING, slot=2, backfill="b")],
        past("again, which has not ended", 2),
        PAST,
    ),
    "the run of a Workflow of that name that was before": Case(
        replace(S3, owner="new"), [run("s2", R.FAILED, slot=2, owner="old")], GO, PAST
    ),
    "the run of a backfill waits too": Case(
        replace(S3, backfill="b"), [run("s2", R.FAILED, slot=2)], past(f"s2, {FAILED}", 2), PAST
    ),
    "a run without a slot": Case(run("hand", at=5), [run("s2", R.FAILED, slot=2)], GO, PAST),
    "who waits for the past stands in nobody's way": Case(
        run("hand", at=5), [run("s1", R.FAILED, slot=1), run("s2", slot=2)], GO, spec(1, dependsOnPast=True)
    ),
    "nobody said so": Case(S3, [run("s2", R.FAILED, slot=2)], GO, spec(9)),
}


@pytest.mark.parametrize("case", [*CASES.values(), *PASTS.values()], ids=[*CASES, *PASTS])
def test_turn(case: Case) -> None:
    assert turn_among(case.asks, case.others, case.spec) == case.turn
    assert turn_among(case.asks, [*reversed(case.others), case.asks], case.spec).kind is case.turn.kind


GOOD = {
    "none": ([run("a", R.FAILED), run("b", R.RUNNING)], None),
    "the latest by its logical date": (
        [run("b", R.SUCCEEDED, at=1), run("a", R.SUCCEEDED, at=2), run("c", R.FAILED, at=2.5)],
        "a",
    ),
    "none from then or later": ([run("b", R.SUCCEEDED, at=3), run("c", R.SUCCEEDED, at=4)], None),
    "of two, the one that ended last": (
        [
            run("b", R.SUCCEEDED, at=1, finished_at=START + timedelta(hours=9)),
            run("a", R.SUCCEEDED, at=1, finished_at=START + timedelta(hours=8)),
        ],
        "b",
    ),
    "one made by hand counts": ([run("slot", R.SUCCEEDED, slot=1), run("hand", R.SUCCEEDED, at=2)], "hand"),
    "not of the Workflow of that name that was before": ([run("a", R.SUCCEEDED, at=1, owner="old")], None),
}  # fmt: skip


@pytest.mark.parametrize(("others", "name"), GOOD.values(), ids=GOOD.keys())
def test_the_last_good_run(others: list[RunSummary], name: str | None) -> None:
    found = last_success(run("me", at=3, owner="new"), others)
    assert (found.name if found else None) == name
