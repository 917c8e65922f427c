"""Which days of a month match: sets of days are bit sets, in which bit 5 stands for the fifth."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from windlass.plan.schedule.fields import Field


class Days(Protocol):
    """Days of the calendar, month by month."""

    def in_month(self, year: int, month: int) -> int:
        """The days of a month as a bit set."""
        ...


def bits(values: Iterable[int]) -> int:
    """A bit set of small numbers."""
    found = 0
    for value in values:
        found |= 1 << value
    return found


def shape(year: int, month: int) -> tuple[int, int]:
    """The weekday of a month's first day, 0 for Sunday, and how many days it has."""
    weekday, length = monthrange(year, month)
    return (weekday + 1) % 7, length


@lru_cache(maxsize=256)
def of_weekdays(weekdays: tuple[int, ...]) -> tuple[int, ...]:
    """For each weekday of a month's first day, the days 1 to 31 that are one of `weekdays`; 0 is Sunday."""
    return tuple(bits(day for day in range(1, 32) if (first + day - 1) % 7 in weekdays) for first in range(7))


@dataclass(frozen=True, slots=True)
class DayRule:
    """The three day fields of an expression."""

    months: int
    """The months as a bit set."""
    dates: int
    """The days of the month that are written as numbers, as a bit set."""
    weekdays: tuple[int, ...]
    """The days of the weekdays that are written, as `of_weekdays` gives them."""
    day_of_month: Field
    day_of_week: Field
    both: bool
    """A day must match both fields: one of them begins with `*`. Else either is enough."""

    def in_month(self, year: int, month: int) -> int:
        """The days of a month that match, as a bit set."""
        if not self.months >> month & 1:
            return 0
        first, length = shape(year, month)
        by_date, by_weekday = self.dates, self.weekdays[first]
        if self.day_of_month.from_last or self.day_of_month.nearest or self.day_of_month.last_weekday:
            by_date |= _of_month(self.day_of_month, first, length)
        if self.day_of_week.nth or self.day_of_week.last:
            by_weekday |= _of_week(self.day_of_week, first, length)
        whole = (1 << length + 1) - 2
        return (by_date & by_weekday if self.both else by_date | by_weekday) & whole


def _of_month(field: Field, first: int, length: int) -> int:
    days = [length - back for back in field.from_last if back < length]
    days += [_nearest(day, first, length) for day in field.nearest if day <= length]
    if field.last_weekday:
        days.append(_nearest(length, first, length))
    return bits(days)


def _nearest(day: int, first: int, length: int) -> int:
    """The day from Monday to Friday that is nearest to `day`, in the same month."""
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


def _of_week(field: Field, first: int, length: int) -> int:
    days = [1 + (weekday - first) % 7 + 7 * (place - 1) for weekday, place in field.nth]
    last = (first + length - 1) % 7
    days += [length - (last - weekday) % 7 for weekday in field.last]
    return bits(day for day in days if day <= length)


def day_from(days: Days, earliest: int, latest: int) -> int | None:
    """The first day of `days` from `earliest` to `latest`, as ordinals of dates; None when there is none."""
    if earliest > latest:
        return None
    start = date.fromordinal(earliest)
    year, month, skipped = start.year, start.month, start.day
    first = earliest - skipped + 1
    while first <= latest:
        found = days.in_month(year, month) >> skipped << skipped
        if found:
            day = first + (found & -found).bit_length() - 2
            return day if day <= latest else None
        first += monthrange(year, month)[1]
        year, month, skipped = (year, month + 1, 0) if month < 12 else (year + 1, 1, 0)
    return None


def day_until(days: Days, latest: int, earliest: int) -> int | None:
    """The last day of `days` from `latest` back to `earliest`, as ordinals of dates; None when there is none."""
    if earliest > latest:
        return None
    end = date.fromordinal(latest)
    year, month = end.year, end.month
    first = latest - end.day + 1
    kept = (1 << end.day + 1) - 1
    while True:
        found = days.in_month(year, month) & kept
        if found:
            day = first + found.bit_length() - 2
            return day if day >= earliest else None
        if first <= earliest:
            return None
        year, month, kept = (year, month - 1, -1) if month > 1 else (year - 1, 12, -1)
        first -= monthrange(year, month)[1]
