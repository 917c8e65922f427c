"""In each zone of the database: no slot is lost, none is doubled, and their order is strict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import clock_oracle
from support.schedules import timetable
from windlass.plan.schedule.zones import PROBE, Change, changes_between, instant, moment_of

FIRST, LAST = 2011, 2031
"""The years that are looked at; Samoa lost a day in the first."""
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


@dataclass(frozen=True)
class Expression:
    text: str
    matches: Callable[[datetime], bool]
    wildcard: bool


EXPRESSIONS = (
    Expression("* * * * *", lambda wall: True, True),
    Expression("*/20 * * * *", lambda wall: wall.minute % 20 == 0, True),
    Expression("5 */2 * * *", lambda wall: wall.minute == 5 and wall.hour % 2 == 0, True),
    Expression("0 0 * * *", lambda wall: (wall.hour, wall.minute) == (0, 0), False),
    Expression("30 2 * * *", lambda wall: (wall.hour, wall.minute) == (2, 30), False),
    Expression("0,59 0-3,22-23 * * *", lambda wall: wall.minute in (0, 59) and (wall.hour + 2) % 24 < 6, False),
    Expression("10 1 * * SUN", lambda wall: (wall.hour, wall.minute, wall.weekday()) == (1, 10, 6), False),
    Expression(
        "45 2 L * FRI",
        lambda wall: (wall.hour, wall.minute) == (2, 45)
        and (wall.weekday() == 4 or (wall + timedelta(days=1)).day == 1),
        False,
    ),
)  # fmt: skip


@cache
def changes(name: str) -> tuple[Change, ...]:
    zone = ZoneInfo(name)
    return tuple(
        changes_between(zone, instant(datetime(FIRST, 1, 1, tzinfo=UTC)), instant(datetime(LAST, 1, 1, tzinfo=UTC)))
    )


@cache
def representatives() -> tuple[str, ...]:
    """One zone for each way of changing the clocks; many names are of zones that agree in these years."""
    start = datetime(FIRST, 1, 1, tzinfo=UTC)
    found = {(start.astimezone(ZoneInfo(name)).utcoffset(), changes(name)): name for name in ZONES}
    return tuple(sorted(found.values()))


def test_the_database_is_there() -> None:
    assert len(ZONES) > 400
    assert len(representatives()) > 80


def test_no_two_changes_are_so_near_that_one_could_be_passed_over() -> None:
    """What `PROBE` relies on, in the files of the database themselves."""
    near = min(later - earlier for name in ZONES for earlier, later in pairwise(clock_oracle.transitions(name)))
    assert near > 2 * PROBE


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ZONES), st.integers(FIRST, LAST - 1), st.integers(1, 300))
def test_changes_are_those_that_an_hour_by_hour_search_finds(name: str, year: int, day: int) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)
    end = start + timedelta(days=60)
    found = [moment_of(change.at) for change in changes_between(ZoneInfo(name), instant(start), instant(end))]
    assert found == clock_oracle.changes(ZoneInfo(name), start, end)


@pytest.mark.parametrize("part", range(4))
def test_around_each_change_the_slots_are_those_of_a_clock_on_the_wall(part: int) -> None:
    """Minute by minute for 30 hours on both sides, once for each kind of change that a zone has had."""
    for name in representatives()[part::4]:
        kinds = {
            (change.before, change.after, (change.at + change.before) % 86_400): change for change in changes(name)
        }
        for change in kinds.values():
            _check_around(name, moment_of(change.at))


def _check_around(name: str, change: datetime) -> None:
    start, end = change - timedelta(hours=30), change + timedelta(hours=30)
    found = list(clock_oracle.ticks(ZoneInfo(name), start, end))
    for expression in EXPRESSIONS:
        expected = clock_oracle.slots(found, expression.matches, wildcard=expression.wildcard)
        table = timetable(expression.text, name)
        if len(expected) > 500:
            near = [slot for slot in expected if abs(slot - change) < timedelta(hours=2)]
            assert list(table.between(near[0] - timedelta(seconds=1), near[-1])) == near, (name, expression.text)
            continue
        slots = list(table.between(start - timedelta(seconds=1), end - timedelta(seconds=1)))
        assert slots == expected, (name, expression.text)
        assert [table.previous_before(slot) for slot in slots[1:]] == slots[:-1], (name, expression.text)


def test_a_daily_slot_fires_once_for_each_day_of_the_calendar() -> None:
    """Also for a day that was never shown: then at the first moment of the next."""
    for name in representatives():
        zone = ZoneInfo(name)
        start, end = datetime(2011, 1, 2, 12, tzinfo=zone), datetime(2013, 1, 2, 12, tzinfo=zone)
        slots = list(timetable("30 2 * * *", name).between(start, end))
        lost = sum(change.after - change.before >= 86_400 for change in changes(name))
        assert len(slots) == (end.date() - start.date()).days, name
        assert len({slot.astimezone(zone).date() for slot in slots}) == len(slots) - lost, name
        assert all(earlier < later for earlier, later in pairwise(slots)), name


def test_an_hourly_slot_by_a_star_fires_at_each_full_hour_that_is_shown() -> None:
    """Where offsets are whole hours these are all hours of real time."""
    start, end = datetime(2026, 2, 1, 0, 30, tzinfo=UTC), datetime(2026, 4, 30, 0, 30, tzinfo=UTC)
    hours = int((end - start) / timedelta(hours=1))
    for name in representatives():
        this_year = [change for change in changes(name) if start <= moment_of(change.at) <= end]
        whole = start.astimezone(ZoneInfo(name)).utcoffset() % timedelta(hours=1) == timedelta(0)
        if this_year and whole and all(change.after % 3600 == 0 for change in this_year):
            slots = list(timetable("0 * * * *", name).between(start, end))
            assert len(slots) == hours, name
            assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(hours=1)}, name
