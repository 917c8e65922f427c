"""Which sets of events make runs, and what is told of those that do not: tables over whole plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.common import format_time
from windlass.models.run import RunPhase, Trigger
from windlass.models.schedule import AfterSource, Schedule
from windlass.models.workflow import RunPolicy, WorkflowStatus
from windlass.names import following_number, following_run_name
from windlass.plan.cursors import KEPT, MOST_KEPT, Cursor, Cursors
from windlass.plan.following import MOST_CREATES, MOST_QUEUED, is_wanted, plan_following
from windlass.plan.history import AssetEvent, RunSummary
from windlass.plan.sources import SourceEvent, events_of, source_key
from windlass.plan.terms import Terms
from windlass.plan.workflow_types import WorkflowPlan, WorkflowSeen

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)
CREATED = NOW - timedelta(days=10)


def run(name: str, ago: float, **fields: Any) -> RunSummary:
    """A good run of the Workflow that its name begins with, which ended so many minutes ago."""
    at = NOW - timedelta(minutes=ago)
    known: dict[str, Any] = {
        "namespace": "data",
        "name": name,
        "uid": f"uid-{name}",
        "version": 1,
        "workflow": name[0],
        "owner": None,
        "phase": RunPhase.SUCCEEDED,
        "trigger": None,
        "slot": None,
        "logical_date": at - timedelta(hours=1),
        "priority": None,
        "created_at": at - timedelta(minutes=5),
        "finished_at": at,
    }
    return RunSummary(**{**known, **fields})


def seen(schedule: Schedule, runs: Sequence[RunSummary], own: Sequence[RunSummary] = (), **fields: Any) -> WorkflowSeen:
    assert schedule.after is not None
    sources = schedule.after.all or schedule.after.any
    followed = tuple(tuple(events_of(source, _of(source, runs))) for source in sources)
    known: dict[str, Any] = {"status": WorkflowStatus(), **fields}
    return WorkflowSeen(
        namespace="data",
        name="z",
        uid="uid-z",
        generation=1,
        created_at=CREATED,
        terms=Terms(schedule, run_limit=known.pop("run_limit", 1), policy=known.pop("policy", RunPolicy.QUEUE)),
        runs={one.name: one for one in own},
        followed=followed,
        **known,
    )


def _of(source: AfterSource, runs: Sequence[RunSummary]) -> list[RunSummary]:
    return [one for one in runs if source.asset is not None or one.workflow == source.workflow]


def plan(view: WorkflowSeen, now: datetime = NOW) -> WorkflowPlan:
    assert view.terms is not None
    assert view.terms.schedule is not None
    assert view.terms.schedule.after is not None
    return plan_following(view, view.terms, view.terms.schedule, view.terms.schedule.after, now)


def after(*words: str, how: str = "all", **fields: Any) -> Schedule:
    """`a`: the Workflow a; `a<1h`: within an hour; `x/y`: an asset."""
    sources = [_source(word) for word in words]
    return Schedule.model_validate({"after": {how: sources}, **fields})


def _source(word: str) -> dict[str, Any]:
    name, _, within = word.partition("<")
    return {("asset" if "/" in name else "workflow"): name, **({"within": within} if within else {})}


def made(result: WorkflowPlan) -> list[str]:
    return ["+".join(source.run for source in request.slot.sources) for request in result.creates]


class Case(NamedTuple):
    schedule: Schedule
    runs: tuple[RunSummary, ...]
    made: list[str]
    waits: str = ""


DAILY = run("b1", 5, assets=(AssetEvent("x/y", NOW - timedelta(minutes=7), "t", has_fields=False),))
CASES = {
    "nothing has happened": Case(after("a", "b"), (), [], "waits for a (Succeeded) and b (Succeeded)"),
    "one of two": Case(after("a", "b"), (run("a1", 5),), [], "waits for b (Succeeded); has a (Succeeded) of run a1"),
    "both": Case(after("a", "b"), (run("a1", 5), run("b1", 3)), ["a1+b1"], "waits for a (Succeeded) and b (Succeeded)"),
    "the order of the sources, not of the events": Case(after("b", "a"), (run("a1", 5), run("b1", 3)), ["b1+a1"]),
    "the newest of each": Case(after("a", "b"), (run("a1", 9), run("a2", 5), run("b1", 7)), ["a2+b1"]),
    "an asset": Case(after("a", "x/y"), (run("a1", 9), DAILY), ["a1+b1"]),
    "within": Case(after("a<10m", "b"), (run("a1", 9), run("b1", 5)), ["a1+b1"]),
    "not within": Case(
        after("a<10m", "b"),
        (run("a1", 16), run("b1", 5)),
        [],
        "waits for a (Succeeded) again, as that of run a1 is older than 10m; has b (Succeeded) of run b1",
    ),
    "to the second": Case(after("a<10m", "b"), (run("a1", 15), run("b1", 5)), ["a1+b1"]),
    "within is about the others, not about now": Case(after("a<10m", "b"), (run("a1", 900), run("b1", 895)), ["a1+b1"]),
    "any": Case(
        after("a", "b", how="any"),
        (run("b1", 5), run("a1", 9)),
        ["a1", "b1"],
        "waits for a (Succeeded) or b (Succeeded)",
    ),
    "one event of two sources": Case(after("b", "b", how="any"), (run("b1", 5),), ["b1"]),
    "a run and its asset": Case(after("b", "x/y", how="any"), (DAILY,), ["b1", "b1"]),
    "before the Workflow was": Case(after("a", how="any"), (run("a1", 60 * 24 * 11),), []),
    "before start": Case(after("a", how="any", start="2025-04-01T11:58:00Z"), (run("a1", 5), run("a2", 1)), ["a2"]),
    "after end": Case(after("a", how="any", end="2025-04-01T11:58:00Z"), (run("a1", 5), run("a2", 1)), ["a1"]),
    "suspended": Case(after("a", how="any", suspend=True), (run("a1", 5),), []),
    "too late": Case(after("a", how="any", startingDeadline="3m"), (run("a1", 5), run("a2", 1)), ["a2"]),
    "its own": Case(after("a", how="any"), (run("a1", 5, chain=("q", "z")),), []),
    "not ended": Case(after("a", how="any"), (run("a1", 5, phase=RunPhase.RUNNING),), []),
    "failed": Case(after("a", how="any"), (run("a1", 5, phase=RunPhase.FAILED),), []),
    "being deleted": Case(after("a", how="any"), (run("a1", 5, deleting=True),), []),
    "many sources are counted": Case(
        after(*"abcdefg"),
        (),
        [],
        "waits for a (Succeeded), b (Succeeded), c (Succeeded), d (Succeeded) and 3 more",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_fires(case: Case) -> None:
    view = seen(case.schedule, case.runs)
    result = plan(view)
    assert made(result) == case.made
    if case.waits:
        assert result.status.waiting_for == case.waits
    again = plan(replace(view, status=result.status))
    assert (again.creates, again.status) == ((), result.status), "what was dealt with makes no run again"
    assert plan(view) == result


def test_a_run_is_about_what_the_newest_event_is_about() -> None:
    interval = (NOW - timedelta(days=1), NOW)
    events = (run("a1", 9, chain=("q",)), run("b1", 5, interval=interval, slot=NOW - timedelta(hours=2), chain=("q",)))
    (request,) = plan(seen(after("a", "b"), events)).creates
    assert request.logical_date == events[1].logical_date
    assert request.name == following_run_name("z", "uid-z", 1)
    assert request.slot.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True) == {
        "trigger": "Workflow",
        "scheduledAt": "2025-04-01T11:55:00Z",
        "intervalStart": "2025-03-31T12:00:00Z",
        "intervalEnd": "2025-04-01T12:00:00Z",
        "sources": [
            {"workflow": "a", "run": "a1", "uid": "uid-a1", "finishedAt": "2025-04-01T11:51:00Z"},
            {
                "workflow": "b",
                "run": "b1",
                "uid": "uid-b1",
                "slot": "2025-04-01T10:00:00Z",
                "finishedAt": "2025-04-01T11:55:00Z",
            },
        ],
        "chain": ["q", "a", "b"],
    }


def own(number: int, *answered: RunSummary, **fields: Any) -> RunSummary:
    """A run of the Workflow itself, which answers the ends of these."""
    name = following_run_name("z", "uid-z", number)
    consumed = tuple(event.id for one in answered for event in events_of(AfterSource(workflow="a"), (one,)))
    known = {"workflow": "z", "owner": "uid-z", "trigger": Trigger.WORKFLOW, "consumed": consumed, **fields}
    return run(name, 1, **known)


def test_a_run_that_was_made_before_its_maker_died_counts() -> None:
    first, second, third = run("a1", 9), run("b1", 8), run("a2", 3)
    died = own(1, first, second)
    result = plan(seen(after("a", "b"), (first, second, third), (died,)))
    assert (made(result), Cursors.read(result.status.cursors).number) == ([], 1)
    assert result.status.waiting_for == "waits for b (Succeeded); has a (Succeeded) of run a2"
    any_of = plan(seen(after("a", "b", how="any"), (first, second, third), (own(1, second),)))
    assert made(any_of) == ["a1", "a2"]
    assert [following_number(request.name) for request in any_of.creates] == [2, 3]


def test_a_stranger_with_the_name_is_passed_over() -> None:
    stranger = replace(own(1), owner=None, trigger=None)
    (request,) = plan(seen(after("a"), (run("a1", 5),), (stranger,))).creates
    assert following_number(request.name) == 2


def test_suspended_and_resumed() -> None:
    events = (run("a1", 9), run("b1", 8), run("a2", 3))
    was = WorkflowStatus(reason="Suspended", digest="x", cursors=Cursors(0, _since("a", "b")).stored())
    for how, catch_up, expected in (
        ("any", "None", ["a2"]),
        ("any", "Latest", ["a2"]),
        ("any", "All", ["a1", "b1", "a2"]),
        ("all", "All", ["a2+b1"]),
    ):
        view = seen(after("a", "b", how=how, catchUp=catch_up), events, status=was)
        result = plan(view)
        assert made(result) == expected
        assert plan(replace(view, status=result.status)).creates == ()
    limited = seen(after("a", "b", how="any", catchUp="All", catchUpLimit=2), events, status=was)
    assert made(plan(limited)) == ["b1", "a2"]


def _since(*workflows: str) -> dict[str, Cursor]:
    return {source_key(AfterSource(workflow=name)): Cursor(CREATED) for name in workflows}


def test_a_source_that_is_added_begins_with_the_edit() -> None:
    edited = NOW - timedelta(minutes=6)
    was = WorkflowStatus(digest="x", cursors=Cursors(0, _since("a")).stored())
    events = (run("a1", 9), run("b1", 8), run("b2", 3))
    result = plan(seen(after("a", "b", how="any"), events, status=was, edited_at=edited))
    assert made(result) == ["a1", "b2"]
    lost = seen(after("a", how="any"), events, status=WorkflowStatus(digest="lost"))
    assert made(plan(lost)) == []


def test_limits() -> None:
    events = tuple(run(f"a{number:03}", 200 - number / 2) for number in range(60))
    going = own(1, phase=RunPhase.RUNNING, finished_at=None)
    skipping = plan(seen(after("a", how="any"), events[:3], (going,), policy=RunPolicy.SKIP))
    assert (made(skipping), skipping.status.skipped) == ([], 3)
    assert [(notice.type, notice.reason) for notice in skipping.events] == [("Normal", "SlotSkipped")]
    paced = plan(seen(after("a", how="any"), events))
    assert (len(paced.creates), paced.wake_at) == (MOST_CREATES, NOW + timedelta(seconds=1))
    waiting = tuple(own(number, phase=RunPhase.QUEUED, finished_at=None) for number in range(1, MOST_QUEUED))
    full = plan(seen(after("a", how="any"), events, waiting))
    assert (made(full), full.hungry, full.status.reason) == (["a000"], True, "CatchingUp")


def test_its_own_is_told_once() -> None:
    view = seen(after("a", how="any"), (run("a1", 5, chain=("z", "q")),))
    result = plan(view)
    assert [(notice.reason, notice.note) for notice in result.events] == [
        ("FollowsItself", "run a1 makes no run: its Workflow follows this one in turn, z → q → a → z")
    ]
    assert plan(replace(view, status=result.status)).events == ()


def test_what_history_keeps() -> None:
    events = tuple(events_of(AfterSource(workflow="a"), [run(f"a{number}", 100 - number) for number in range(5)]))
    wanted = [is_wanted(after("a", "b"), event, events) for event in events]
    assert wanted == [False] * 4 + [True]
    wanted = [is_wanted(after("a", how="any", catchUpLimit=2), event, events) for event in events]
    assert wanted == [False] * 3 + [True] * 2
    between = {"start": format_time(events[1].at), "end": format_time(events[3].at)}
    wanted = [is_wanted(after("a", how="any", **between), event, events) for event in events]
    assert wanted == [False, True, True, True, False]


# Cursors


def event(number: int, seconds: float) -> SourceEvent:
    return SourceEvent(f"e{number}", CREATED + timedelta(seconds=seconds), run(f"a{number}", 5))


TIMES = st.lists(st.floats(0, 5000), max_size=400)


@given(TIMES, st.integers(1, 50))
def test_cursors_forget_nothing_and_do_not_move_back(times: list[float], at_once: int) -> None:
    events = [event(number, seconds) for number, seconds in enumerate(times)]
    for how in (Cursor.past, Cursor.through):
        cursor = Cursor(CREATED)
        for begin in range(0, len(events), at_once):
            before, cursor = cursor, how(cursor, events[begin : begin + at_once])
            assert cursor.since >= before.since
            assert all(map(cursor.knows, events[: begin + at_once]))
            assert len(cursor.done) <= max(MOST_KEPT, len(events)) if how is Cursor.through else True
        assert Cursors.read(Cursors(1, {"a": cursor}).stored()) == Cursors(1, {"a": cursor})


@given(st.permutations([event(number, number * 7.0) for number in range(KEPT)]))
def test_events_that_are_heard_of_out_of_order_are_all_new(events: list[SourceEvent]) -> None:
    cursor = Cursor(CREATED)
    for one in events:
        assert not cursor.knows(one)
        cursor = cursor.past([one])
    assert all(map(cursor.knows, events))


def test_cursors_stay_small() -> None:
    cursor = Cursor(CREATED)
    for number in range(1000):
        cursor = cursor.past([event(number, number * 3600.0)])
    assert len(cursor.done) == KEPT
    for number in range(1000, 3000):
        cursor = cursor.past([event(number, 3_600_000 + number * 0.1)])
    assert len(cursor.done) == MOST_KEPT
    for number in range(3000, 3010):
        cursor = cursor.through([event(number, 4_000_000 + number)])
    assert len(cursor.done) == 1


JUNK: tuple[Any, ...] = (
    None,
    {},
    {"number": "x", "sources": []},
    {"sources": {"a": None, "b": {"since": "never"}, "c": {"since": 5, "done": {}}, "d": {"done": {}}}},
    {"sources": {"a": {"since": format_time(NOW), "done": {"x": "y"}}}},
)


@pytest.mark.parametrize("junk", JUNK)
def test_what_somebody_spoilt_is_as_if_it_were_not_there(junk: Any) -> None:
    assert Cursors.read(junk) == Cursors()


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400)), max_size=12, unique=True),
    st.lists(st.integers(0, 12), max_size=6),
    st.sampled_from(["any", "all"]),
)
def test_whenever_one_looks_each_event_is_answered_once(
    ends: list[tuple[str, int]], looks: list[int], how: str
) -> None:
    """The events come to be known one by one; at some of these moments somebody plans, and may lose the status."""
    runs = [run(f"{name}{number}", 500 - minute) for number, (name, minute) in enumerate(ends)]
    status, answers = WorkflowStatus(), []
    made_runs: list[RunSummary] = []
    for known in (*sorted(looks), len(runs)):
        result = plan(seen(after("a", "b", how=how), runs[:known], made_runs, status=status))
        for request in result.creates:
            sources = [source.run for source in request.slot.sources]
            answers.append(sources)
            mine = own(following_number(request.name), *(one for one in runs if one.name in sources))
            made_runs.append(replace(mine, name=request.name))
        status = result.status if known % 2 else status  # the write of the status is lost with its maker
    flat = [name for one in answers for name in one]
    assert len(flat) == len(set(flat))
    if how == "any":
        assert sorted(flat) == sorted(one.name for one in runs)
