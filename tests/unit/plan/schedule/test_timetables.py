"""Where a timetable begins and ends, and the two kinds that have no wall times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.schedules import moment, schedule, timetable
from windlass.plan.schedule import compile_schedule

START, END = "2026-03-01T09:00:00Z", "2026-03-03T09:00:00Z"


def test_start_and_end_are_slots_themselves() -> None:
    table = timetable("0 9 * * *", start=START, end=END)
    slots = list(table.between(moment("2020-01-01"), moment("2030-01-01")))
    assert [f"{slot:%m-%d %H:%M}" for slot in slots] == ["03-01 09:00", "03-02 09:00", "03-03 09:00"]
    assert table.next_after(moment("2020-01-01")) == slots[0]
    assert table.next_after(slots[-1]) is None
    assert table.previous_before(slots[0]) is None
    assert table.previous_before(moment("2030-01-01")) == slots[-1]


def test_start_and_end_may_have_a_fraction_of_a_second() -> None:
    table = timetable("0 9 * * *", start="2026-03-01T09:00:00.5Z", end="2026-03-02T09:00:00.5Z")
    assert list(table.between(moment("2020-01-01"), moment("2030-01-01"))) == [moment("2026-03-02 09:00")]


def test_a_moment_may_have_a_fraction_of_a_second() -> None:
    table, slot, little = timetable("0 9 * * *"), moment("2026-03-02 09:00"), timedelta(microseconds=1)
    assert (table.next_after(slot - little), table.next_after(slot)) == (slot, slot + timedelta(days=1))
    assert (table.previous_before(slot + little), table.previous_before(slot)) == (slot, slot - timedelta(days=1))


def test_between_leaves_out_its_beginning_and_takes_its_end() -> None:
    table = timetable("0 * * * *")
    found = table.between(moment("2026-03-02 09:00"), moment("2026-03-02 11:00"))
    assert list(found) == [moment("2026-03-02 10:00"), moment("2026-03-02 11:00")]


def test_a_data_interval_begins_at_the_slot_before_though_it_were_before_start() -> None:
    table = timetable("0 9 * * *", start=START)
    assert table.interval_start(moment("2026-03-01 09:00")) == moment("2026-02-28 09:00")
    once = timetable("@once", start=START)
    assert once.interval_start(moment("2026-03-01 09:00")) == moment("2026-03-01 09:00")


def test_moments_may_have_any_offset_and_slots_are_in_utc() -> None:
    found = timetable("0 9 * * *", "Asia/Seoul").next_after(datetime.fromisoformat("2026-03-02T08:30:00+09:00"))
    assert found == moment("2026-03-02 00:00")
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize("fields", [{"start": START}, {}], ids=["at its start", "at its creation"])
def test_once(fields: dict[str, str]) -> None:
    slot = moment("2026-03-01 09:00")
    table = timetable("@once", created=slot + timedelta(microseconds=700), **fields)
    assert (table.is_once, table.once, table.is_continuous) == (True, slot, False)
    assert (table.next_after(slot - timedelta(seconds=1)), table.next_after(slot)) == (slot, None)
    assert (table.previous_before(slot + timedelta(seconds=1)), table.previous_before(slot)) == (slot, None)
    assert list(table.between(moment("2020-01-01"), moment("2030-01-01"))) == [slot]


def test_once_before_anybody_knows_when() -> None:
    table = timetable("@once")
    assert (table.is_once, table.next_after(moment("2020-01-01")), table.previous_before(moment("2030-01-01"))) == (
        True,
        None,
        None,
    )


def test_once_after_its_end_is_never() -> None:
    table = timetable("@once", created=moment("2026-03-05"), end=END)
    assert (table.is_once, table.once, table.next_after(moment("2020-01-01"))) == (True, None, None)


def test_continuous_has_no_slots() -> None:
    table = timetable(" @Continuous ", start=START)
    assert table.start == moment("2026-03-01 09:00").timestamp()
    assert (table.is_continuous, table.is_once) == (True, False)
    assert (table.next_after(moment("2020-01-01")), table.previous_before(moment("2030-01-01"))) == (None, None)


def test_what_follows_others_has_no_slots() -> None:
    table = compile_schedule(schedule(after={"any": [{"workflow": "a"}]}), identity="data/b")
    assert (table.is_continuous, table.next_after(moment("2020-01-01"))) == (False, None)


def test_far_away_in_time_nothing_breaks() -> None:
    table = timetable("0 9 * * *", "Europe/Berlin")
    assert table.next_after(datetime(9999, 12, 30, tzinfo=UTC)) is None
    assert table.previous_before(datetime(1, 1, 2, tzinfo=UTC)) is None
    assert table.next_after(datetime(2999, 7, 1, tzinfo=UTC)) == datetime(2999, 7, 1, 7, tzinfo=UTC)


def test_a_calendar_that_is_over_is_known_at_once() -> None:
    """Not looked through for a hundred years at each question."""
    table = timetable("0 9 * * *", "Europe/Berlin", include={"dates": ["2026-03-01", "2026-12-31"]})
    assert [line.years for line in table.lines] == [(2025, 2027)]
    assert table.next_after(moment("2026-12-31 08:00")) is None
    assert table.previous_before(moment("2026-03-01 08:00")) is None
    assert table.previous_before(moment("2095-01-01")) == moment("2026-12-31 08:00")
