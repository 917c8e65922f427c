"""Calendars: which days are open, and where the slots of the others go. June 2026 begins on a Monday."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from support.schedules import local, moment, timetable
from windlass.models.schedule import CalendarConfigMap
from windlass.plan.schedule import days_of

WEEKEND = {"weekdays": ["SAT", "SUN"]}
HOLIDAYS = {"dates": ["2026-06-05", "2026-06-08"]}
DAYS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "no calendar": ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    "without weekends": ({"exclude": WEEKEND}, [1, 2, 3, 4, 5, 8, 9, 10]),
    "without dates": ({"exclude": HOLIDAYS}, [1, 2, 3, 4, 6, 7, 9, 10]),
    "without both": ({"exclude": WEEKEND | HOLIDAYS}, [1, 2, 3, 4, 9, 10]),
    "only weekdays": ({"include": {"weekdays": ["MON", "WED"]}}, [1, 3, 8, 10]),
    "only weekdays, without dates": ({"include": {"weekdays": ["MON", "FRI"]}, "exclude": HOLIDAYS}, [1]),
    "only dates": ({"include": HOLIDAYS}, [5, 8]),
    "only dates, without one": ({"include": HOLIDAYS, "exclude": {"dates": ["2026-06-08"]}}, [5]),
    "dates beside weekdays": ({"include": {"weekdays": ["MON"], "dates": ["2026-06-06"]}}, [1, 6, 8]),
    "a Saturday to work on": ({"exclude": WEEKEND, "include": {"dates": ["2026-06-06"]}}, [1, 2, 3, 4, 5, 6, 8, 9, 10]),
    "a date that both name is closed": ({"exclude": HOLIDAYS, "include": HOLIDAYS | {"weekdays": ["MON"]}}, [1]),
    "a weekday that both name is closed": (
        {"exclude": {"weekdays": ["MON"]}, "include": {"weekdays": ["MON", "TUE"]}}, [2, 9],
    ),
    "shift to the next day": ({"exclude": WEEKEND | HOLIDAYS, "shift": "Next"}, [1, 2, 3, 4, 9, 10]),
    "shift to the day before": ({"exclude": WEEKEND | HOLIDAYS, "shift": "Previous"}, [1, 2, 3, 4, 9, 10]),
}  # fmt: skip
SHIFTS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "the last of the month, a Sunday, to Friday": (
        "0 9 L * *", {"exclude": WEEKEND, "shift": "Previous"}, ["05-29 09:00", "06-30 09:00", "07-31 09:00"],
    ),
    "the first of the month, to Monday": (
        "0 9 1 * *", {"exclude": WEEKEND, "shift": "Next"},
        ["05-01 09:00", "06-01 09:00", "07-01 09:00", "08-03 09:00"],
    ),
    "the last of the month, into the next": (
        "0 9 L 5 *", {"exclude": WEEKEND, "shift": "Next"}, ["06-01 09:00"],
    ),
    "the first of the month, into the one before": (
        "0 9 1 8 *", {"exclude": WEEKEND, "shift": "Previous"}, ["07-31 09:00"],
    ),
    "over a weekend and a holiday": (
        "0 9 5 6 *", {"exclude": WEEKEND | HOLIDAYS, "shift": "Next"}, ["06-09 09:00"],
    ),
    "two that meet are one": (
        "0 9 6,7,8 6 *", {"exclude": WEEKEND, "shift": "Next"}, ["06-08 09:00"],
    ),
    "two expressions that meet at one moment are one slot, at others two": (
        ["0 9 6 6 *", "0 9,10 8 6 *"], {"exclude": WEEKEND, "shift": "Next"}, ["06-08 09:00", "06-08 10:00"],
    ),
    "all times of a day go together": (
        "*/30 9 6 6 *", {"exclude": WEEKEND, "shift": "Previous"}, ["06-05 09:00", "06-05 09:30"],
    ),
    "skip": ("0 9 6,8 6 *", {"exclude": WEEKEND}, ["06-08 09:00"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DAYS.values(), ids=DAYS.keys())
def test_open_days(case: tuple[dict[str, Any], list[int]]) -> None:
    fields, days = case
    found = timetable("0 9 * * *", **fields).between(moment("2026-05-31 12:00"), moment("2026-06-10 12:00"))
    assert [slot.day for slot in found] == days


@pytest.mark.parametrize("case", SHIFTS.values(), ids=SHIFTS.keys())
def test_shifts(case: tuple[str | list[str], dict[str, Any], list[str]]) -> None:
    cron, fields, slots = case
    table = timetable(cron, **fields)
    found = list(table.between(moment("2026-05-01"), moment("2026-08-15")))
    assert [f"{slot:%m-%d %H:%M}" for slot in found] == slots
    assert [table.previous_before(slot) for slot in found[1:]] == found[:-1]


def test_a_slot_that_finds_no_open_day_within_a_year_is_skipped() -> None:
    include = {"dates": ["2026-06-06", "2029-06-06"]}
    found = timetable("0 9 1 1 *", include=include, shift="Next").between(moment("2025-01-01"), moment("2040-01-01"))
    assert [f"{slot:%Y-%m-%d}" for slot in found] == ["2026-06-06", "2029-06-06"]


def test_days_are_those_of_the_time_zone() -> None:
    table = timetable("0 8 * * *", "Asia/Seoul", exclude=WEEKEND)
    assert local(table, "2026-06-04 12:00", "2026-06-08 12:00") == [
        "2026-06-05 08:00 +09:00",
        "2026-06-08 08:00 +09:00",
    ]


def test_a_shifted_slot_may_meet_a_change_of_the_clocks() -> None:
    table = timetable("30 2 * * SAT", "Europe/Berlin", exclude={"weekdays": ["SAT"]}, shift="Next")
    assert local(table, "2026-03-27", "2026-04-06") == ["2026-03-29 03:00 +02:00", "2026-04-05 02:30 +02:00"]


def test_the_days_of_config_maps() -> None:
    holidays = {"kr/2026": frozenset({date(2026, 6, 3)}), "more": frozenset({date(2026, 6, 4)})}
    table = timetable(
        "0 9 * * *",
        holidays=holidays,
        exclude={"configMap": {"name": "kr", "key": "2026"}, "dates": ["2026-06-01"]},
        include={"configMap": {"name": "more"}, "weekdays": ["MON", "TUE", "WED"]},
    )
    found = table.between(moment("2026-05-31 12:00"), moment("2026-06-07"))
    assert [slot.day for slot in found] == [2, 4]


FIRST, SECOND = date(2026, 1, 1), date(2026, 12, 25)
DATA: dict[str, tuple[dict[str, str], str | None, set[date], list[str]]] = {
    "a day a line": ({"days": "2026-01-01\n2026-12-25\n"}, "days", {FIRST, SECOND}, []),
    "all keys": ({"kr": "2026-01-01", "de": "2026-12-25"}, None, {FIRST, SECOND}, []),
    "one key of several": ({"kr": "2026-01-01", "de": "2026-12-25"}, "de", {SECOND}, []),
    "days as keys": ({"2026-01-01": "New Year", "2026-12-25": ""}, None, {FIRST, SECOND}, []),
    "comments and blanks": (
        {"days": "# Korea\n\n2026-01-01 New Year\n  2026-12-25   # Christmas\r\n"}, "days", {FIRST, SECOND}, [],
    ),
    "a list as YAML or JSON has it": ({"days": '- 2026-01-01\n- "2026-12-25",\n'}, "days", {FIRST, SECOND}, []),
    "what is no day": (
        {"days": "2026-01-01\n25.12.2026\n2026-02-30"}, "days", {FIRST},
        [
            'data.days: line 2: "25.12.2026" is no day; write 2026-12-25',
            'data.days: line 3: "2026-02-30" is no day; write 2026-12-25',
        ],
    ),
    "no such key": ({"kr": "2026-01-01"}, "de", set(), ["data: there is no key de; it has kr"]),
    "nothing at all": ({}, "de", set(), ["data: there is no key de; it is empty"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DATA.values(), ids=DATA.keys())
def test_days_of_a_config_map(case: tuple[dict[str, str], str | None, set[date], list[str]]) -> None:
    data, key, days, wrong = case
    found, findings = days_of(CalendarConfigMap(name="holidays", key=key), data)
    assert (found, [str(item) for item in findings]) == (days, wrong)
