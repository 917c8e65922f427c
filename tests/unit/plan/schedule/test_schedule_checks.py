"""What is wrong with a schedule: where, what, and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.schedules import moment, schedule, timetable
from windlass.models.findings import Severity, errors
from windlass.plan.schedule import ScheduleError, check_schedule, compile_schedule

FIVE = "minute, hour, day of month, month, day of week"
MORE = "*, or a range, list or step of them"
STEP = "write a number from 1 after the /, as in */15"
NEVER = "never fires: no month that it names has such a day; write L for the last day of a month, or name another month"
OPEN = "open one of its days, or write shift: Next"
CRONS = {
    "nothing": ("", f"the expression is empty; write five fields: {FIVE}"),
    "blanks": ("   ", f"the expression is empty; write five fields: {FIVE}"),
    "four fields": ("0 2 * *", f'"0 2 * *" has 4 fields, not five; write {FIVE}, * for any'),
    "one field": ("5", f'"5" has 1 field, not five; write {FIVE}, * for any'),
    "six fields with seconds": (
        "0 30 2 * * ?",
        '"0 30 2 * * ?" has 6 fields, not five: there are no seconds and no years here; write "30 2 * * ?"',
    ),
    "six fields with a year": (
        "30 2 * * ? 2026",
        '"30 2 * * ? 2026" has 6 fields, not five: there are no seconds and no years here; write "30 2 * * ?"',
    ),
    "seven fields": (
        "0 30 2 * * ? *",
        '"0 30 2 * * ? *" has 7 fields, not five: there are no seconds and no years here; write "30 2 * * ?"',
    ),
    "six fields of nothing": ("a b c d e f", f'"a b c d e f" has 6 fields, not five; write {FIVE}'),
    "reboot": (
        "@reboot",
        "@reboot has no meaning here: a cluster is never started; write @once for one run, or @continuous for a run as "
        "soon as the last has ended",
    ),
    "every": ("@every 15m", '"@every 15m": there is no @every; write "*/15 * * * *" for each quarter of an hour'),
    "a misspelt alias": ("@dayly", '"@dayly" is no expression; did you mean "@daily"?'),
    "an alias of nobody": (
        "@xyz",
        '"@xyz" is no expression; write one of @yearly, @annually, @quarterly, @monthly, @weekly, @daily, @midnight, '
        "@hourly, @once, @continuous, or five fields",
    ),
    "a time zone": (
        "CRON_TZ=Asia/Seoul 0 2 * * *",
        '"CRON_TZ=Asia/Seoul 0 2 * * *": a time zone is no part of an expression; write timeZone: Asia/Seoul, and the '
        'expression "0 2 * * *"',
    ),
    "a minute too high": ("60 2 * * *", '"60 2 * * *": 60 is no minute (character 1); write 0 to 59'),
    "an hour too high": ("0 24 * * *", '"0 24 * * *": 24 is no hour (character 3); write 0 to 23'),
    "a day of month 0": ("0 2 0 * *", '"0 2 0 * *": 0 is no day of month (character 5); write 1 to 31'),
    "a month too high": ("0 2 1 13 *", '"0 2 1 13 *": 13 is no month (character 7); write 1 to 12'),
    "a weekday too high": ("0 2 * * 8", '"0 2 * * 8": 8 is no day of week (character 9); write 0 to 7'),
    "the end of a range too high": ("0-75 2 * * *", '"0-75 2 * * *": 75 is no minute (character 3); write 0 to 59'),
    "in a list": ("0 2,4,25 * * *", '"0 2,4,25 * * *": 25 is no hour (character 7); write 0 to 23'),
    "a negative value": ("-5 2 * * *", f'"-5 2 * * *": "-5" is no minute (character 1); write 0 to 59, {MORE}'),
    "a word": ("0 two * * *", f'"0 two * * *": "two" is no hour (character 3); write 0 to 23, {MORE}'),
    "a whole name of a weekday": (
        "0 2 * * MONDAY", '"0 2 * * MONDAY": "MONDAY" is no day of week (character 9); write MON',
    ),
    "a whole name of a month": ("0 2 1 July *", '"0 2 1 July *": "July" is no month (character 7); write JUL'),
    "a name of nothing": (
        "0 2 * * MON-FRY",
        '"0 2 * * MON-FRY": "FRY" is no day of week (character 13); write 0 to 7, or SUN to SAT',
    ),
    "a name in the wrong field": (
        "0 2 MON * *",
        '"0 2 MON * *": "MON" is no day of month (character 5); write 1 to 31, ' + MORE,
    ),
    "a step of nothing": ("*/ 2 * * *", f'"*/ 2 * * *": "" is no step (character 3); {STEP}'),
    "a step of zero": ("*/0 2 * * *", f'"*/0 2 * * *": "0" is no step (character 3); {STEP}'),
    "two commas": (
        "0,,5 2 * * *", '"0,,5 2 * * *": there is nothing between two commas (character 3); take a comma out',
    ),
    "digits of another script": ("٣ 2 * * *", f'"٣ 2 * * *": "٣" is no minute (character 1); write 0 to 59, {MORE}'),
    "a question mark for an hour": (
        "0 ? * * *",
        '"0 ? * * *": ? is for a day of month or a day of week, not for the hour (character 3); write *',
    ),
    "L for a weekday alone": (
        "0 2 * * L",
        '"0 2 * * L": L alone is no day of week (character 9); write 5L for the last Friday of the month, or SAT',
    ),
    "a weekday of the month in the wrong field": (
        "0 2 FRI#2 * *",
        '"0 2 FRI#2 * *": FRI#2 names a weekday of the month (character 5); write it as the day of week, the last '
        "field",
    ),
    "a sixth Friday": (
        "0 2 * * FRI#6",
        '"0 2 * * FRI#6": FRI#6: a month has no 6. of a weekday (character 13); write FRI#1 to FRI#5, or FRIL for the '
        "last",
    ),
    "a range of weekdays of the month": (
        "0 2 * * MON-FRI#2",
        '"0 2 * * MON-FRI#2": MON-FRI#2: # takes one day (character 16); write FRI#2, and MON#1,TUE#1 for several',
    ),
    "W before the day": ("0 2 W15 * *", '"0 2 W15 * *": W15 is no day of month (character 5); write 15W'),
    "W in the wrong field": (
        "0 2 * * 5W",
        '"0 2 * * 5W": 5W is no day of week (character 9); W belongs to the day of month, the third field',
    ),
    "a hash that wraps": ("H(30-10) 2 * * *", '"H(30-10) 2 * * *": H(30-10) wraps (character 1); write H(10-30)'),
    "a hash beyond the field": ("H(0-75) 2 * * *", '"H(0-75) 2 * * *": 75 is no minute (character 5); write 0 to 59'),
    "what can never fire: 30 February": (
        "0 0 30 2 *",
        f'"0 0 30 2 *" {NEVER}',
    ),
    "what can never fire: a 31st": (
        "0 0 31 4,6,9,11 *",
        f'"0 0 31 4,6,9,11 *" {NEVER}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CRONS.values(), ids=CRONS.keys())
def test_bad_expressions(case: tuple[str, str]) -> None:
    cron, says = case
    assert [str(found) for found in check_schedule(schedule(cron), ("spec", "schedule"))] == [
        f"spec.schedule.cron: {says}"
    ]
    with pytest.raises(ScheduleError) as caught:
        compile_schedule(schedule(cron), identity="data/daily")
    assert str(caught.value) == f"spec.schedule.cron: {says}"


def test_each_bad_expression_of_a_list_is_told_at_its_place() -> None:
    found = check_schedule(schedule(["0 2 * * *", "61 * * * *", "@often"]), ("spec", "schedule"))
    assert [item.where for item in found] == ["spec.schedule.cron[1]", "spec.schedule.cron[2]"]


ZONES = {
    "a misspelt zone": ("Asia/Soul", "did you mean Asia/Seoul or Asia/Oral?"),
    "the wrong continent": ("America/Berlin", "did you mean Europe/Berlin?"),
    "a city": ("seoul", "did you mean Asia/Seoul?"),
    "a city of two words": ("New York", "did you mean America/New_York?"),
    "another case": ("europe/berlin", "did you mean Europe/Berlin?"),
    "an abbreviation": ("KST", "write a name such as Asia/Seoul"),
    "an offset": (
        "UTC+9",
        "write the name of a place such as Asia/Seoul, or Etc/GMT-9 (its sign is the other way round)",
    ),
    "an offset with minutes": ("+05:30", "write the name of a place such as Asia/Seoul"),
    "no offset": ("GMT+00:00", "write the name of a place such as Asia/Seoul, or UTC"),
    "a part of the world": ("America", "write a name of the IANA database such as Asia/Seoul"),
    "a way out of the database": ("../../etc/passwd", "write a name of the IANA database such as Asia/Seoul"),
    "an absolute path": ("/etc/localtime", "write a name of the IANA database such as Asia/Seoul"),
    "leap seconds": ("right/Europe/Berlin", "did you mean Europe/Berlin?"),
    "the machine's own": ("localtime", "write a name of the IANA database such as Asia/Seoul"),
    "junk": ("\x00", "write a name of the IANA database such as Asia/Seoul"),
    "another script": ("Азия", "write a name of the IANA database such as Asia/Seoul"),
}


@pytest.mark.parametrize("case", ZONES.values(), ids=ZONES.keys())
def test_unknown_zones(case: tuple[str, str]) -> None:
    zone, fix = case
    found = check_schedule(schedule("@daily", zone), ("spec", "schedule"))
    assert [(item.where, item.message, item.fix) for item in found] == [
        ("spec.schedule.timeZone", f'there is no time zone "{zone}"', fix)
    ]


SATURDAYS = {"weekdays": ["SAT"]}
ALL_DAYS = {"weekdays": ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]}
SCHEDULES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "neither cron nor after": (
        {}, ['s: nothing says when runs are made; write cron: "0 2 * * *", or after: {any: […]}'],
    ),
    "cron and after": (
        {"cron": "@daily", "after": {"any": [{"workflow": "a"}]}},
        ["s.after: a schedule follows the clock or other runs, not both; leave cron or after out"],
    ),
    "a calendar of what follows": (
        {"after": {"any": [{"asset": "a"}]}, "exclude": SATURDAYS},
        ["s.exclude: a calendar is for the slots of cron; leave it out beside after"],
    ),
    "end before start": (
        {"cron": "@daily", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        ["s.end: 2026-01-01T00:00:00Z is before start, 2026-01-02T00:00:00Z; write a later end"],
    ),
    "end before start, by another offset": (
        {"cron": "@hourly", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T05:00:00+09:00"},
        ["s.end: 2026-01-01T05:00:00+09:00 is before start, 2026-01-01T00:00:00Z; write a later end"],
    ),
    "no slot between start and end": (
        {"cron": "@yearly", "start": "2026-02-01T00:00:00Z", "end": "2026-12-31T00:00:00Z"},
        ["s.end: no slot is between 2026-02-01T00:00:00Z and 2026-12-31T00:00:00Z; write a later end"],
    ),
    "once, among others": (
        {"cron": ["@once", "@daily"]},
        ["s.cron[0]: @once stands alone, not in a list of expressions; leave it or the others out"],
    ),
    "continuous, with a calendar": (
        {"cron": "@continuous", "exclude": SATURDAYS},
        ["s.exclude: @continuous has no days that a calendar could choose; leave it out"],
    ),
    "all days are excluded": (
        {"cron": "@daily", "exclude": ALL_DAYS},
        ['s.exclude: the calendar leaves no day on which "@daily" fires; ' + OPEN],
    ),
    "all days are excluded, and shifted to nowhere": (
        {"cron": "@daily", "exclude": ALL_DAYS, "shift": "Next"},
        ['s.exclude: the calendar leaves no day on which "@daily" fires; open one of its days'],
    ),
    "its only day is excluded": (
        {"cron": ["@daily", "0 2 * * SAT"], "exclude": SATURDAYS},
        ['s.exclude: the calendar leaves no day on which "0 2 * * SAT" fires; ' + OPEN],
    ),
    "days are included on which it doesn't fire": (
        {"cron": "0 2 * * SUN", "include": SATURDAYS},
        ['s.include: the calendar leaves no day on which "0 2 * * SUN" fires; ' + OPEN],
    ),
    "several mistakes at once": (
        {"cron": "61 * * * *", "timeZone": "KST", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        [
            "s.end: 2026-01-01T00:00:00Z is before start, 2026-01-02T00:00:00Z; write a later end",
            's.cron: "61 * * * *": 61 is no minute (character 1); write 0 to 59',
            's.timeZone: there is no time zone "KST"; write a name such as Asia/Seoul',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_bad_schedules(case: tuple[dict[str, Any], list[str]]) -> None:
    fields, says = case
    assert [str(found) for found in check_schedule(schedule(**fields), ("s",))] == says


GOOD: dict[str, dict[str, Any]] = {
    "an expression": {"cron": "0 2 * * *"},
    "29 February": {"cron": "0 2 29 2 *"},
    "a weekday beside a day that never comes": {"cron": "0 2 30 2 FRI"},
    "a 29 February that is a Sunday": {"cron": "0 2 29 2 */7"},
    "its days are shifted": {"cron": "0 2 * * SAT", "exclude": SATURDAYS, "shift": "Previous"},
    "a calendar whose days nobody knows yet": {"cron": "@daily", "include": {"configMap": {"name": "days"}}},
    "end is start": {"cron": "@daily", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
    "a link to a zone": {"cron": "@daily", "timeZone": "Asia/Calcutta"},
    "what follows": {"after": {"all": [{"workflow": "a", "on": "Ended", "within": "24h"}, {"asset": "b"}]}},
    "once": {"cron": "@once"},
    "continuous": {"cron": ["@continuous"]},
}


@pytest.mark.parametrize("fields", GOOD.values(), ids=GOOD.keys())
def test_good_schedules(fields: dict[str, Any]) -> None:
    assert check_schedule(schedule(**fields), ("s",)) == []


def test_a_step_that_leaves_one_value_is_a_warning() -> None:
    (found,) = check_schedule(schedule("*/90 * * * *"), ("s",))
    assert (str(found), found.severity) == (
        "s.cron: */90 is 0 alone: a step counts within the minute; write 0",
        Severity.WARNING,
    )
    assert timetable("*/90 * * * *").next_after(moment("2026-01-01 00:00")) == moment("2026-01-01 01:00")


def test_a_calendar_whose_days_are_not_given_has_no_timetable() -> None:
    with pytest.raises(
        ScheduleError, match=r"spec.schedule: the days of the ConfigMap kr/days are not known; create it"
    ):
        timetable("@daily", exclude={"configMap": {"name": "kr", "key": "days"}})


def test_a_zone_that_looks_as_if_its_clocks_were_changed_is_a_warning() -> None:
    (found,) = check_schedule(schedule("@daily", "EST"), ("s",))
    assert (str(found), found.severity) == (
        "s.timeZone: the clocks of EST are never changed; write America/New_York if yours are",
        Severity.WARNING,
    )


PARTS = st.sampled_from([*"0123456789*/-,?LWHlwh#() @", "MON", "feb", "@daily", "@once", "59", "1-5", "*/", " * * *"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(PARTS, max_size=14).map("".join)))
def test_any_text_has_a_timetable_or_a_finding_at_its_place(cron: str) -> None:
    found = errors(check_schedule(schedule(cron), ("s",)))
    assert {item.where for item in found} <= {"s.cron"}
    if not found:
        table = timetable(cron)
        slot = table.next_after(moment("2026-01-01"))
        assert slot is not None or table.is_once or table.is_continuous


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.text(min_size=1, max_size=64), st.sampled_from([".", "..", "Europe", "zone.tab", "UTC/", "/", "a/" * 32])
    )
)
def test_any_name_of_a_zone_is_one_or_a_finding_at_its_place(zone: str) -> None:
    assert {item.where for item in check_schedule(schedule("@daily", zone), ("s",))} <= {"s.timeZone"}
