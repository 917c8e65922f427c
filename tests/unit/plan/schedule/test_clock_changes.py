"""What becomes of slots when the clocks are changed: known days of known zones, as their clocks show the slots."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from support.schedules import local, moment, timetable


@dataclass(frozen=True)
class Case:
    zone: str
    cron: str
    after: str
    until: str
    slots: list[str]


BERLIN_SPRING = ("2026-03-28 12:00", "2026-03-30 12:00")
BERLIN_AUTUMN = ("2026-10-24 12:00", "2026-10-26 12:00")
CASES = {
    "Berlin, forward, fixed in the gap: after it": Case(
        "Europe/Berlin", "30 2 * * *", *BERLIN_SPRING, ["2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"]
    ),
    "Berlin, forward, several fixed times in the gap: one slot": Case(
        "Europe/Berlin", "0,15,30 2 * * *", "2026-03-28 12:00", "2026-03-29 12:00", ["2026-03-29 03:00 +02:00"]
    ),
    "Berlin, forward, fixed in the gap and right after it: one slot": Case(
        "Europe/Berlin", "0 2,3 * * *", "2026-03-28 12:00", "2026-03-29 12:00", ["2026-03-29 03:00 +02:00"]
    ),
    "Berlin, forward, fixed before and after the gap": Case(
        "Europe/Berlin", "59 1,3 * * *", "2026-03-28 12:00", "2026-03-29 12:00",
        ["2026-03-29 01:59 +01:00", "2026-03-29 03:59 +02:00"],
    ),
    "Berlin, forward, each hour by a star": Case(
        "Europe/Berlin", "0 * * * *", "2026-03-28 23:30", "2026-03-29 02:30",
        ["2026-03-29 01:00 +01:00", "2026-03-29 03:00 +02:00", "2026-03-29 04:00 +02:00"],
    ),
    "Berlin, forward, a star and an hour in the gap: none": Case(
        "Europe/Berlin", "*/20 2 * * *", "2026-03-28 12:00", "2026-03-30 00:10", ["2026-03-30 02:00 +02:00"]
    ),
    "Berlin, back, fixed in the hour shown twice: the first time": Case(
        "Europe/Berlin", "30 2 * * *", *BERLIN_AUTUMN, ["2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"]
    ),
    "Berlin, back, fixed at the end of that hour": Case(
        "Europe/Berlin", "0 2,3 * * *", "2026-10-24 12:00", "2026-10-25 12:00",
        ["2026-10-25 02:00 +02:00", "2026-10-25 03:00 +01:00"],
    ),
    "Berlin, back, each hour by a star": Case(
        "Europe/Berlin", "0 * * * *", "2026-10-24 23:30", "2026-10-25 02:30",
        ["2026-10-25 02:00 +02:00", "2026-10-25 02:00 +01:00", "2026-10-25 03:00 +01:00"],
    ),
    "Berlin, back, a star and that hour: both times": Case(
        "Europe/Berlin", "*/30 2 * * *", "2026-10-24 12:00", "2026-10-25 12:00",
        [
            "2026-10-25 02:00 +02:00", "2026-10-25 02:30 +02:00",
            "2026-10-25 02:00 +01:00", "2026-10-25 02:30 +01:00",
        ],
    ),
    "Berlin, back, each hour by its number is fixed: once each": Case(
        "Europe/Berlin", "0 0-23 * * *", "2026-10-24 23:30", "2026-10-25 02:30",
        ["2026-10-25 02:00 +02:00", "2026-10-25 03:00 +01:00"],
    ),
    "New York, forward, fixed in the gap": Case(
        "America/New_York", "15 2 * * *", "2026-03-08 00:00", "2026-03-09 12:00",
        ["2026-03-08 03:00 -04:00", "2026-03-09 02:15 -04:00"],
    ),
    "New York, forward, on that weekday alone": Case(
        "America/New_York", "15 2 * * SUN", "2026-03-02 00:00", "2026-03-16 00:00",
        ["2026-03-08 03:00 -04:00", "2026-03-15 02:15 -04:00"],
    ),
    "New York, back, fixed": Case(
        "America/New_York", "30 1 * * *", "2026-11-01 00:00", "2026-11-02 12:00",
        ["2026-11-01 01:30 -04:00", "2026-11-02 01:30 -05:00"],
    ),
    "New York, back, by a star": Case(
        "America/New_York", "30 */1 * * *", "2026-11-01 05:00", "2026-11-01 07:00",
        ["2026-11-01 01:30 -04:00", "2026-11-01 01:30 -05:00"],
    ),
    "Lord Howe, forward by half an hour, fixed": Case(
        "Australia/Lord_Howe", "15 2 * * *", "2026-10-03 00:00", "2026-10-04 20:00",
        ["2026-10-04 02:30 +11:00", "2026-10-05 02:15 +11:00"],
    ),
    "Lord Howe, forward by half an hour, by a star": Case(
        "Australia/Lord_Howe", "*/15 * * * *", "2026-10-03 15:10", "2026-10-03 15:50",
        ["2026-10-04 01:45 +10:30", "2026-10-04 02:30 +11:00", "2026-10-04 02:45 +11:00"],
    ),
    "Lord Howe, back by half an hour, fixed": Case(
        "Australia/Lord_Howe", "45 1 * * *", "2026-04-04 00:00", "2026-04-05 20:00",
        ["2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"],
    ),
    "Lord Howe, back by half an hour, by a star": Case(
        "Australia/Lord_Howe", "15,45 * * * *", "2026-04-04 14:10", "2026-04-04 16:00",
        ["2026-04-05 01:15 +11:00", "2026-04-05 01:45 +11:00", "2026-04-05 01:45 +10:30", "2026-04-05 02:15 +10:30"],
    ),
    "Seoul never changes": Case(
        "Asia/Seoul", "0 0 * * *", "2026-03-28 12:00", "2026-03-30 12:00",
        ["2026-03-29 00:00 +09:00", "2026-03-30 00:00 +09:00"],
    ),
    "Casablanca, back when Ramadan begins, fixed": Case(
        "Africa/Casablanca", "30 2 * * *", "2026-02-14 12:00", "2026-02-16 12:00",
        ["2026-02-15 02:30 +01:00", "2026-02-16 02:30 +00:00"],
    ),
    "Casablanca, forward when Ramadan ends, fixed": Case(
        "Africa/Casablanca", "30 2 * * *", "2026-03-21 12:00", "2026-03-23 12:00",
        ["2026-03-22 03:00 +01:00", "2026-03-23 02:30 +01:00"],
    ),
    "Sao Paulo, forward at midnight, a daily slot": Case(
        "America/Sao_Paulo", "0 0 * * *", "2018-11-03 12:00", "2018-11-05 12:00",
        ["2018-11-04 01:00 -02:00", "2018-11-05 00:00 -02:00"],
    ),
    "Sao Paulo, forward at midnight, by a star": Case(
        "America/Sao_Paulo", "*/30 0 * * *", "2018-11-03 12:00", "2018-11-05 02:10", ["2018-11-05 00:00 -02:00"]
    ),
    "Sao Paulo, back at midnight into the day before, fixed": Case(
        "America/Sao_Paulo", "30 23 * * *", "2018-02-17 12:00", "2018-02-19 12:00",
        ["2018-02-17 23:30 -02:00", "2018-02-18 23:30 -03:00"],
    ),
    "Sao Paulo, back at midnight, a daily slot": Case(
        "America/Sao_Paulo", "0 0 * * *", "2018-02-17 12:00", "2018-02-19 12:00",
        ["2018-02-18 00:00 -03:00", "2018-02-19 00:00 -03:00"],
    ),
    "Sao Paulo, back at midnight, each hour": Case(
        "America/Sao_Paulo", "0 * * * *", "2018-02-18 00:30", "2018-02-18 03:30",
        ["2018-02-17 23:00 -02:00", "2018-02-17 23:00 -03:00", "2018-02-18 00:00 -03:00"],
    ),
    "Sao Tome, back in the last hour of a year of UTC, fixed": Case(
        "Africa/Sao_Tome", "30 23 * * *", "1883-12-31 12:00", "1884-01-01 12:00", ["1883-12-31 23:30 +00:26:56"]
    ),
    "Apia loses a day, daily: its slot is at the first moment after it": Case(
        "Pacific/Apia", "0 10 * * *", "2011-12-29 00:00", "2012-01-01 00:00",
        ["2011-12-29 10:00 -10:00", "2011-12-31 00:00 +14:00", "2011-12-31 10:00 +14:00", "2012-01-01 10:00 +14:00"],
    ),
    "Apia loses a day, midnight: the two are one": Case(
        "Pacific/Apia", "0 0 * * *", "2011-12-29 00:00", "2012-01-01 00:00",
        ["2011-12-29 00:00 -10:00", "2011-12-31 00:00 +14:00", "2012-01-01 00:00 +14:00"],
    ),
    "Apia loses a Friday, on Fridays": Case(
        "Pacific/Apia", "0 10 * * FRI", "2011-12-24 00:00", "2012-01-07 00:00",
        ["2011-12-31 00:00 +14:00", "2012-01-06 10:00 +14:00"],
    ),
    "Apia loses a day, by a star": Case(
        "Pacific/Apia", "*/30 10 30 12 *", "2011-12-24 00:00", "2012-01-07 00:00", []
    ),
}  # fmt: skip
"""The windows of time are in UTC."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_slots_around_a_change(case: Case) -> None:
    table = timetable(case.cron, case.zone)
    assert local(table, case.after, case.until) == case.slots
    found = list(table.between(moment(case.after), moment(case.until)))
    backwards = []
    slot = table.previous_before(moment(case.until).replace(second=1))
    while slot is not None and slot > moment(case.after):
        backwards.append(slot)
        slot = table.previous_before(slot)
    assert backwards == found[::-1]


def test_a_slot_that_stands_for_times_never_shown_is_known() -> None:
    table = timetable("0,30 2 * * *", "Europe/Berlin")
    slots = table.between(moment("2026-03-28 12:00"), moment("2026-03-30 12:00"))
    assert [table.is_moved(slot) for slot in slots] == [True, False, False]


def test_expressions_of_one_schedule_keep_their_own_rule() -> None:
    table = timetable(["30 2 * * *", "*/30 2 * * *"], "Europe/Berlin")
    assert local(table, "2026-10-24 12:00", "2026-10-25 12:00") == [
        "2026-10-25 02:00 +02:00",
        "2026-10-25 02:30 +02:00",
        "2026-10-25 02:00 +01:00",
        "2026-10-25 02:30 +01:00",
    ]
    assert local(table, "2026-03-28 12:00", "2026-03-29 12:00") == ["2026-03-29 03:00 +02:00"]
