"""What holds for any expression, in any zone, at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support import clock_oracle
from support.schedules import timetable
from windlass.plan.schedule.zones import changes_between, instant, moment_of

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul", "Africa/Casablanca",
    "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Chatham", "Antarctica/Troll", "Asia/Gaza",
    "America/Santiago", "Asia/Tehran", "Europe/Dublin", "America/Caracas",
)  # fmt: skip
BOUNDS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}


@dataclass(frozen=True)
class Field:
    """A field as it is written, and the values that it means."""

    text: str
    values: frozenset[int]


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    low, high = BOUNDS[name]
    numbers = st.integers(low, high)
    kind = draw(st.sampled_from(["star", "star", "step", "value", "list", "range", "range step"]))
    if kind == "star":
        return Field("*", frozenset(range(low, high + 1)))
    if kind == "step":
        step = draw(st.integers(1, high - low))
        return Field(f"*/{step}", frozenset(range(low, high + 1, step)))
    if kind == "list":
        values = draw(st.lists(numbers, min_size=1, max_size=4))
        return Field(",".join(map(str, values)), frozenset(values))
    first = draw(numbers)
    if kind == "value":
        return Field(str(first), frozenset({first}))
    if first == high:
        return Field(str(first), frozenset({first}))
    last, step = draw(st.integers(first + 1, high)), draw(st.integers(1, 5)) if kind == "range step" else 1
    return Field(f"{first}-{last}/{step}" if step > 1 else f"{first}-{last}", frozenset(range(first, last + 1, step)))


@dataclass(frozen=True)
class Expression:
    """An expression, and a plain reading of it."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def text(self) -> str:
        return " ".join(part.text for part in (self.minute, self.hour, self.day, self.month, self.weekday))

    @property
    def wildcard(self) -> bool:
        return self.minute.text[0] == "*" or self.hour.text[0] == "*"

    def matches(self, wall: datetime) -> bool:
        by_day, by_weekday = wall.day in self.day.values, wall.isoweekday() % 7 in self.weekday.values
        both = self.day.text[0] == "*" or self.weekday.text[0] == "*"
        return (
            wall.minute in self.minute.values
            and wall.hour in self.hour.values
            and wall.month in self.month.values
            and (by_day and by_weekday if both else by_day or by_weekday)
        )


EXPRESSIONS = st.builds(Expression, *(fields(name) for name in BOUNDS))
MOMENTS = st.datetimes(datetime(2009, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
ON_ANY_DAY = st.builds(
    Expression, fields("minute"), fields("hour"), *(st.just(Field("*", frozenset(range(32)))) for _ in range(3))
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS)
def test_there_is_nothing_between_a_moment_and_the_next_slot(
    expression: Expression, zone: str, moment: datetime
) -> None:
    assume(_fires(expression))
    table = timetable(expression.text, zone)
    after, before = table.next_after(moment), table.previous_before(moment)
    assert after is not None
    assert before is not None
    assert before < moment < after
    assert (after.microsecond, after.second) == (0, 0)
    assert table.next_after(before) in (after, moment)
    assert table.previous_before(after) in (before, moment)
    assert table.next_after(after - timedelta(microseconds=1)) == after
    assert table.previous_before(before + timedelta(microseconds=1)) == before


@settings(max_examples=60, deadline=None)
@given(st.one_of(EXPRESSIONS, ON_ANY_DAY), st.sampled_from(ZONES), st.integers(0, 60), st.integers(-20, 20))
def test_the_slots_of_two_days_around_a_change_are_those_of_a_clock(
    expression: Expression, zone: str, number: int, hours: int
) -> None:
    assume(_fires(expression))
    found = list(changes_between(ZoneInfo(zone), instant(datetime(2009, 1, 1, tzinfo=UTC)), 2_000_000_000))
    middle = moment_of(found[number % len(found)].at) if found else datetime(2026, 2, 28, tzinfo=UTC)
    start = middle + timedelta(hours=hours - 24)
    end = start + timedelta(hours=48)
    ticks = list(clock_oracle.ticks(ZoneInfo(zone), start, end))
    expected = clock_oracle.slots(ticks, expression.matches, wildcard=expression.wildcard)
    second = timedelta(seconds=1)
    slots = list(timetable(expression.text, zone).between(start - second, end - second))
    assert slots == expected


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, MOMENTS)
def test_in_utc_croniter_agrees(expression: Expression, moment: datetime) -> None:
    assume(_fires(expression))
    theirs = croniter(expression.text, moment, ret_type=datetime, implement_cron_bug=True)
    assert timetable(expression.text).next_after(moment) == theirs.get_next()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(EXPRESSIONS, min_size=1, max_size=3),
    st.sampled_from(ZONES),
    MOMENTS,
    st.sampled_from(["Skip", "Next", "Previous"]),
    st.sets(st.sampled_from(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]), max_size=5),
)
def test_order_is_strict_with_any_calendar(
    expressions: list[Expression], zone: str, moment: datetime, shift: str, closed: set[str]
) -> None:
    assume(all(len(found.month.values) > 2 and len(found.day.values) > 3 for found in expressions))
    assume(shift != "Skip" or all(found.weekday.text == "*" for found in expressions))
    exclude = {"weekdays": sorted(closed), "dates": [(moment.date() + timedelta(days=3)).isoformat()]}
    table = timetable([found.text for found in expressions], zone, exclude=exclude, shift=shift)
    slots = []
    slot = table.next_after(moment)
    for _ in range(10):
        assert slot is not None
        slots.append(slot)
        slot = table.next_after(slot)
    assert all(earlier < later for earlier, later in pairwise(slots))
    assert [table.previous_before(slot) for slot in slots[1:]] == slots[:-1]
    passed = [slot for slot in slots if not table.is_moved(slot)]
    assert not {f"{table.local(slot):%a}".upper() for slot in passed} & closed


def _fires(expression: Expression) -> bool:
    """Whether it has a day in 28 years, after which the days of the week come again."""
    time = {"hour": min(expression.hour.values), "minute": min(expression.minute.values)}
    first = datetime(2026, 1, 1).replace(**time)
    return any(expression.matches(first + timedelta(days=number)) for number in range(28 * 366))
