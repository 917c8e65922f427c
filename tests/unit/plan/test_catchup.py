"""Which slots are due, and which of the late ones are run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.common import format_time
from windlass.models.schedule import CatchUp, Schedule
from windlass.plan.catchup import MOST_COUNTED, Due, due_slots
from windlass.plan.schedule import compile_schedule

CREATED = datetime(2025, 4, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment of the day: "12:05"."""
    return datetime.fromisoformat(f"2025-04-01T{text}Z")


class Case(NamedTuple):
    now: str
    schedule: Mapping[str, Any] = MappingProxyType({})
    run: tuple[str, ...] = ()
    missed: tuple[int, str, str] | None = None
    """How many, the first, the last."""
    after: str = "12:00"
    state: Mapping[str, Any] = MappingProxyType({})
    through: str | None = "="
    """The last slot looked at; =: the last that is run or missed."""


ALL = {"catchUp": "All"}
LATEST = {"catchUp": "Latest"}
CASES = {
    "nothing is due before the next slot": Case("12:04:59"),
    "a slot is due at its very moment": Case("12:05", run=("12:05",)),
    "a slot was dealt with": Case("12:05", after="12:05"),
    "None: a slot is run while it is late by ten minutes": Case(
        "12:14:59", run=("12:10",), missed=(1, "12:05", "12:05")),
    "None: the last of several, when it is not too late": Case("12:31", run=("12:30",), missed=(5, "12:05", "12:25")),
    "None: hourly, and too late": Case("13:10:01", {"cron": "0 * * * *"}, missed=(1, "13:00", "13:00")),
    "None: a deadline is a longer tolerance": Case(
        "13:10:01", {"cron": "0 * * * *", "startingDeadline": "1h"}, run=("13:00",)
    ),
    "None: a deadline that has passed": Case(
        "13:10:01", {"cron": "0 * * * *", "startingDeadline": "10m"}, missed=(1, "13:00", "13:00")
    ),
    "each slot that is on time is run, though a later one is due": Case(
        "12:02", {"cron": "* * * * *"}, run=("12:01", "12:02")
    ),
    "a deadline below ten seconds loses no slot": Case("12:05:09", {"startingDeadline": "0s"}, run=("12:05",)),
    "and no more than that": Case("12:05:11", {"startingDeadline": "1s"}, missed=(1, "12:05", "12:05")),
    "Latest: the last, however late": Case(
        "15:30", {**LATEST, "cron": "0 * * * *"}, run=("15:00",), missed=(2, "13:00", "14:00")
    ),
    "Latest: but not beyond its deadline": Case(
        "15:30", {**LATEST, "cron": "0 * * * *", "startingDeadline": "20m"}, missed=(3, "13:00", "15:00")
    ),
    "All": Case("12:21", ALL, run=("12:05", "12:10", "12:15", "12:20")),
    "All: the latest, up to the limit": Case(
        "12:21", {**ALL, "catchUpLimit": 2}, run=("12:15", "12:20"), missed=(2, "12:05", "12:10")
    ),
    "All: not beyond the deadline": Case(
        "12:21", {**ALL, "startingDeadline": "7m"}, run=("12:15", "12:20"), missed=(2, "12:05", "12:10")
    ),
    "what lies before the creation was promised to nobody": Case(
        "12:21", {**LATEST}, run=("12:20",), state={"promised": at("12:15")}
    ),
    "All: what lies before the creation is run": Case(
        "12:11", ALL, run=("12:05", "12:10"), state={"promised": at("12:30")}
    ),
    "resumed, None: nothing of that time is run": Case("12:20:30", state={"resumed": True}, through="12:20"),
    "resumed, None: nothing was due": Case("12:04", state={"resumed": True}),
    "resumed, Latest": Case("12:21", LATEST, run=("12:20",), state={"resumed": True}),
    "resumed, All": Case("12:11", ALL, run=("12:05", "12:10"), state={"resumed": True}),
    "held: the slots have waited": Case("12:31", {"catchUpLimit": 3}, run=("12:20", "12:25", "12:30"),
                                        missed=(3, "12:05", "12:15"), state={"held": True}),
}  # fmt: skip


def plan(schedule: Schedule, after: datetime, now: datetime, **state: Any) -> Due:
    timetable = compile_schedule(schedule, identity="data/etl", created=CREATED)
    return due_slots(timetable, schedule, after, now, **{"promised": CREATED, **state})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_due_slots(case: Case) -> None:
    schedule = Schedule.model_validate({"cron": "*/5 * * * *", **case.schedule})
    run, missed = tuple(map(at, case.run)), case.missed
    through: datetime | None = max([*run, *([at(missed[2])] if missed else [])], default=None)
    if case.through != "=":
        through = at(case.through) if case.through else None
    assert plan(schedule, at(case.after), at(case.now), **case.state) == Due(
        slots=run,
        through=through,
        missed=missed[0] if missed else 0,
        first_missed=at(missed[1]) if missed else None,
        last_missed=at(missed[2]) if missed else None,
    )


def test_years_of_missed_slots_are_not_counted_to_the_end() -> None:
    schedule = Schedule.model_validate({"cron": "* * * * *", **ALL, "catchUpLimit": 3})
    due = plan(schedule, CREATED, CREATED + timedelta(days=2000))
    assert (len(due.slots), due.missed, due.uncounted) == (3, MOST_COUNTED, True)


@given(
    catch_up=st.sampled_from([*CatchUp]),
    limit=st.integers(1, 20),
    deadline=st.none() | st.integers(0, 7200),
    minutes=st.integers(1, 59),
    behind=st.integers(0, 6 * 3600),
)
def test_each_due_slot_is_run_or_missed(
    catch_up: CatchUp, limit: int, deadline: int | None, minutes: int, behind: int
) -> None:
    schedule = Schedule(
        cron=f"*/{minutes} * * * *",
        catch_up=catch_up,
        catch_up_limit=limit,
        starting_deadline=None if deadline is None else f"{deadline}s",
    )
    timetable = compile_schedule(schedule, identity="data/etl", created=CREATED)
    now = at("18:00:30")
    after = now - timedelta(seconds=behind)
    due = plan(schedule, after, now)
    everything = [*timetable.between(after, now)]
    assert len(due.slots) + due.missed == len(everything)
    assert set(due.slots) <= set(everything)
    assert list(due.slots) == sorted(due.slots)
    assert due.through == (everything[-1] if everything else None)
    # Told slot by slot, as time passes, none is missed.
    last, run = after, []
    while last < now:
        last = min(now, timetable.next_after(last) or now)
        run += plan(schedule, last - timedelta(seconds=1), last).slots
    assert run == everything, format_time(after)
