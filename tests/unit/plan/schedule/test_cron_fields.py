"""What each part of an expression means: the first slots of the year that it gives, in UTC."""

from __future__ import annotations

from itertools import islice

import pytest

from support.schedules import moment, timetable

START = "2026-01-01 00:00"  # a Thursday; January has five Thursdays, Fridays and Saturdays

TIMES = {
    "a minute and an hour": ("30 2 * * *", ["01-01 02:30", "01-02 02:30"]),
    "every minute": ("* * * * *", ["01-01 00:01", "01-01 00:02"]),
    "a step": ("*/20 * * * *", ["01-01 00:20", "01-01 00:40", "01-01 01:00"]),
    "a step of a range": ("10-30/10 5 * * *", ["01-01 05:10", "01-01 05:20", "01-01 05:30", "01-02 05:10"]),
    "a step from a value": ("50/5 0 * * *", ["01-01 00:50", "01-01 00:55", "01-02 00:50"]),
    "a list of values, ranges and steps": ("0,5-6,*/40 0 * * *", ["01-01 00:05", "01-01 00:06", "01-01 00:40"]),
    "a range that wraps": ("0 23-1 * * *", ["01-01 01:00", "01-01 23:00", "01-02 00:00"]),
    "a step of a range that wraps": ("0 22-3/2 * * *", ["01-01 02:00", "01-01 22:00", "01-02 00:00", "01-02 02:00"]),
    "a range of one value is that value": ("5-5 0 * * *", ["01-01 00:05", "01-02 00:05"]),
    "leading zeros": ("05 02 01 * *", ["01-01 02:05", "02-01 02:05"]),
    "wide blanks": ("  0  2 1\t* *", ["01-01 02:00", "02-01 02:00"]),
}
DAYS = {
    "names of months": ("JAN,mar,Dec", "*", 1, ["01-01", "03-01", "12-01"]),
    "a range of months that wraps": ("NOV-FEB", "*", 1, ["01-01", "02-01", "11-01", "12-01"]),
    "a step of months": ("*/5", "*", 1, ["01-01", "06-01", "11-01"]),
    "names of weekdays": ("*", "MON,fri", "*", ["01-02", "01-05", "01-09"]),
    "a range of weekdays that wraps": ("*", "SAT-MON", "*", ["01-03", "01-04", "01-05", "01-10"]),
    "a range of weekdays to 7": ("*", "5-7", "*", ["01-02", "01-03", "01-04", "01-09"]),
    "a range of weekdays from 7": ("*", "7-1", "*", ["01-04", "01-05", "01-11"]),
    "SUN, 0 and 7 are one day": ("*", "SUN,0,7", "*", ["01-04", "01-11"]),
    "a step of weekdays that wraps": ("*", "FRI-TUE/2", "*", ["01-02", "01-04", "01-06", "01-09"]),
    "a question mark is a star: weekday": ("*", "MON", "?", ["01-05", "01-12"]),
    "a question mark is a star: day": ("*", "?", 15, ["01-15", "02-15"]),
    "two question marks": ("*", "?", "?", ["01-01", "01-02"]),
    "a day or a weekday": ("*", "MON", 13, ["01-05", "01-12", "01-13", "01-19"]),
    "a day that begins with a star and a weekday: both": ("*", "SUN", "*/2", ["01-11", "01-25", "02-01"]),
    "a weekday that begins with a star and a day: both": ("*", "*/2", "1-7", ["01-01", "01-03", "01-04", "01-06"]),
    "the last day": ("*", "*", "L", ["01-31", "02-28", "03-31"]),
    "three days before the last": ("*", "*", "L-3", ["01-28", "02-25", "03-28"]),
    "a day before the last that short months lack": ("*", "*", "L-30", ["01-01", "03-01", "05-01"]),
    "several from the last": ("*", "*", "15,L-1,L", ["01-15", "01-30", "01-31", "02-15"]),
    "the last day or a Monday": ("1", "MON", "L", ["01-05", "01-12", "01-19", "01-26", "01-31"]),
    "the last Friday": ("*", "5L", "*", ["01-30", "02-27", "03-27"]),
    "the last Friday, the other way": ("*", "L5", "*", ["01-30", "02-27", "03-27"]),
    "the last Friday by name": ("*", "FRIL", "*", ["01-30", "02-27", "03-27"]),
    "the last Sunday as 7": ("*", "7L", "*", ["01-25", "02-22"]),
    "the second Friday": ("*", "FRI#2", "*", ["01-09", "02-13", "03-13"]),
    "the fifth Friday, where there is one": ("*", "5#5", "*", ["01-30", "05-29", "07-31"]),
    "the first Sunday as 7": ("*", "7#1", "*", ["01-04", "02-01"]),
    "several of them, and a plain one": ("*", "MON#1,FRI#2,THU", "*", ["01-01", "01-05", "01-08", "01-09"]),
    "a day or the second Friday": ("1", "FRI#2", "20", ["01-09", "01-20"]),
    "the last weekday": ("*", "*", "LW", ["01-30", "02-27", "03-31"]),
    "the weekday nearest to the 15th": (
        "*",
        "*",
        "15W",
        ["01-15", "02-16", "03-16", "04-15", "05-15", "06-15", "07-15"],
    ),
    "the weekday nearest to the 1st stays in its month": ("*", "*", "1W", ["01-01", "02-02", "03-02"]),
    "the weekday nearest to a Saturday the 1st is the 3rd": ("8", "*", "1W", ["08-03"]),
    "the weekday nearest to the 31st stays in its month": ("1,5", "*", "31W", ["01-30", "05-29"]),
    "the weekday nearest to a Sunday, the last": ("5", "*", "31W", ["05-29"]),
    "the weekday nearest to a day that a month lacks": ("2,3", "*", "30W", ["03-30"]),
    "lower case": ("jan", "fril", "*", ["01-30"]),
}
ALIASES = {
    "@yearly": ["01-01 00:00"],
    "@annually": ["01-01 00:00"],
    "@quarterly": ["04-01 00:00", "07-01 00:00", "10-01 00:00", "01-01 00:00"],
    "@monthly": ["02-01 00:00", "03-01 00:00"],
    "@weekly": ["01-04 00:00", "01-11 00:00"],
    "@daily": ["01-02 00:00", "01-03 00:00"],
    "@midnight": ["01-02 00:00", "01-03 00:00"],
    "@hourly": ["01-01 01:00", "01-01 02:00"],
    "@Hourly": ["01-01 01:00", "01-01 02:00"],
}


@pytest.mark.parametrize(("cron", "expected"), TIMES.values(), ids=TIMES.keys())
def test_times(cron: str, expected: list[str]) -> None:
    found = timetable(cron).between(moment(START), moment("2027-01-01"))
    assert [f"{slot:%m-%d %H:%M}" for slot in islice(found, len(expected))] == expected


@pytest.mark.parametrize(("month", "weekday", "day", "expected"), DAYS.values(), ids=DAYS.keys())
def test_days(month: str, weekday: str, day: str | int, expected: list[str]) -> None:
    table = timetable(f"0 12 {day} {month} {weekday}")
    found = table.between(moment(START), moment("2027-01-01"))
    assert [f"{slot:%m-%d}" for slot in islice(found, len(expected))] == expected


@pytest.mark.parametrize(("cron", "expected"), ALIASES.items(), ids=ALIASES.keys())
def test_aliases(cron: str, expected: list[str]) -> None:
    found = timetable(cron).between(moment(START), moment("2028-01-01"))
    assert [f"{slot:%m-%d %H:%M}" for slot in islice(found, len(expected))] == expected


def test_rare_days() -> None:
    assert timetable("0 0 29 2 *").next_after(moment("2096-03-01")) == moment("2104-02-29")
    assert timetable("0 0 29 2 */7").next_after(moment("2088-03-01")) == moment("2128-02-29")
    assert timetable("0 0 29 2 *").previous_before(moment("2104-02-29")) == moment("2096-02-29")


def test_several_expressions_are_one_timetable() -> None:
    table = timetable(["0 9 * * MON", "0 9 5 * *", "30 17 * * FRI"])
    found = table.between(moment(START), moment("2026-01-13"))
    assert [f"{slot:%m-%d %H:%M}" for slot in found] == ["01-02 17:30", "01-05 09:00", "01-09 17:30", "01-12 09:00"]
    assert table.previous_before(moment("2026-01-09 17:30")) == moment("2026-01-05 09:00")


class TestHash:
    def test_is_the_same_at_any_time_and_differs_between_workflows(self) -> None:
        slots = [timetable("H H * * *", identity=f"data/w{n}").next_after(moment(START)) for n in range(200)]
        again = [timetable("H H * * *", identity=f"data/w{n}").next_after(moment(START)) for n in range(200)]
        assert slots == again
        assert len(set(slots)) > 150

    def test_is_known(self) -> None:
        """Another value would move the slots of everybody at an upgrade."""
        found = timetable("H H H * H", identity="data/daily").next_after(moment(START))
        assert found == moment("2026-01-06 20:39")

    def test_spreads_over_the_whole_field(self) -> None:
        minutes = {timetable("H * * * *", identity=f"data/w{n}").next_after(moment(START)) for n in range(1000)}
        assert len(minutes) == 60

    def test_stays_in_its_range(self) -> None:
        for number in range(100):
            slot = timetable("H(10-14) H(22-23) * * *", identity=f"data/w{number}").next_after(moment(START))
            assert slot is not None
            assert (slot.hour in (22, 23), 10 <= slot.minute <= 14) == (True, True)

    def test_steps_from_a_hashed_value(self) -> None:
        for number in range(50):
            found = timetable("H/15 * * * *", identity=f"data/w{number}").between(
                moment(START), moment("2026-01-01 02:00")
            )
            minutes = sorted({slot.minute for slot in found})
            assert (minutes[0] < 15, [later - minutes[0] for later in minutes]) == (True, [0, 15, 30, 45])

    def test_steps_in_a_range(self) -> None:
        for number in range(50):
            found = timetable("H(0-29)/10 0 * * *", identity=f"data/w{number}").between(
                moment("2025-12-31 12:00"), moment("2026-01-01 12:00")
            )
            minutes = [slot.minute for slot in found]
            assert (len(minutes), minutes[0] < 10, max(minutes) < 30) == (3, True, True)

    def test_takes_a_day_that_every_month_has(self) -> None:
        for number in range(100):
            found = list(
                timetable("0 0 H * *", identity=f"data/w{number}").between(moment("2025-12-31"), moment("2026-12-31"))
            )
            assert len(found) == 12
