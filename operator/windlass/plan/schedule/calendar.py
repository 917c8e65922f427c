"""Calendars: which days are open for slots, and what becomes of the slots of those that are not."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from windlass.models.common import DATE_PATTERN
from windlass.models.findings import Finding
from windlass.models.schedule import Calendar, CalendarConfigMap, Schedule, Shift, Weekday
from windlass.plan.schedule.days import Days, bits, of_weekdays, shape

LONGEST_SHIFT: Final = 366
"""Days: a slot that finds no open day within them is skipped."""
_CRON_WEEKDAYS: Final = {weekday: place % 7 for place, weekday in enumerate(Weekday, 1)}
_ALL: Final = (1 << 32) - 2
_DAY_LINE: Final = re.compile(r"(?P<day>\S+)(?:\s.*)?")

Months = Mapping[tuple[int, int], int]
"""Days as bit sets, by year and month."""


@dataclass(frozen=True, slots=True)
class OpenDays:
    """The days that are open, by these rules, of which the first that speaks of a day counts:

    1. a date of `exclude` is closed; 2. a date of `include` is open; 3. a weekday of `exclude` is closed;
    4. where `include` names weekdays, only these are open; 5. where `include` has dates and nothing names weekdays,
    only these dates are open; 6. else a day is open.
    """

    closed_dates: Months
    open_dates: Months
    weekdays: tuple[int, ...]
    """The days that rules 3 to 6 leave open, by the weekday of the month's first day."""

    def in_month(self, year: int, month: int) -> int:
        """The open days of a month as a bit set."""
        first, length = shape(year, month)
        found = (self.weekdays[first] | self.open_dates.get((year, month), 0)) & (1 << length + 1) - 2
        return found & ~self.closed_dates.get((year, month), 0)

    def years(self) -> tuple[int, int] | None:
        """Where only dates are open: the years around them, by any clock. None where weekdays are."""
        if any(self.weekdays) or not self.open_dates:
            return None
        return min(self.open_dates)[0] - 1, max(self.open_dates)[0] + 1

    def is_open(self, ordinal: int) -> bool:
        """Whether one day is open."""
        day = date.fromordinal(ordinal)
        return bool(self.in_month(day.year, day.month) >> day.day & 1)


@dataclass(frozen=True, slots=True)
class OnOpenDays:
    """Days as a calendar leaves them: those that are closed are skipped."""

    days: Days
    open_days: OpenDays

    def in_month(self, year: int, month: int) -> int:
        return self.days.in_month(year, month) & self.open_days.in_month(year, month)


@dataclass(frozen=True, slots=True)
class Shifted:
    """Days as a calendar leaves them: each that is closed gives its times to the next or previous open day."""

    days: Days
    open_days: OpenDays
    step: int
    """1: to the next open day. -1: to the previous one."""

    def in_month(self, year: int, month: int) -> int:
        wanted, opened = self.days.in_month(year, month), self.open_days.in_month(year, month)
        length = monthrange(year, month)[1]
        forward = self.step > 0
        first = date(year, month, 1).toordinal()
        waiting = bool(opened) and self._arrives(first if forward else first + length - 1)
        found = wanted & opened
        for day in range(1, length + 1) if forward else range(length, 0, -1):
            if opened >> day & 1:
                found |= waiting << day
                waiting = False
            else:
                waiting = waiting or bool(wanted >> day & 1)
        return found

    def _arrives(self, edge: int) -> bool:
        """Whether one of the closed days beyond the edge of a month gives its times to that month."""
        for back in range(1, LONGEST_SHIFT + 1):
            ordinal = edge - self.step * back
            if not 1 <= ordinal <= date.max.toordinal() or self.open_days.is_open(ordinal):
                return False
            day = date.fromordinal(ordinal)
            if self.days.in_month(day.year, day.month) >> day.day & 1:
                return True
        return False


def on_calendar(days: Days, schedule: Schedule, open_days: OpenDays | None) -> Days:
    """The days as the calendar of a schedule leaves them."""
    if open_days is None:
        return days
    if schedule.shift is Shift.SKIP:
        return OnOpenDays(days, open_days)
    return Shifted(days, open_days, 1 if schedule.shift is Shift.NEXT else -1)


def open_days_of(schedule: Schedule, holidays: Mapping[str, frozenset[date]]) -> OpenDays | None:
    """The open days of a schedule; None when it has no calendar. KeyError for a ConfigMap that is not in `holidays`."""
    exclude, include = schedule.exclude, schedule.include
    if exclude is None and include is None:
        return None
    excluded, included = exclude or Calendar(), include or Calendar()
    closed, opened = of_weekdays(_numbers(excluded)), of_weekdays(_numbers(included))
    if included.weekdays:
        weekdays = tuple(some & ~others for some, others in zip(opened, closed, strict=True))
    elif _has_dates(included) and not excluded.weekdays:
        weekdays = (0,) * 7
    else:
        weekdays = tuple(_ALL & ~others for others in closed)
    return OpenDays(_months(_dates(excluded, holidays)), _months(_dates(included, holidays)), weekdays)


def config_maps(schedule: Schedule) -> tuple[CalendarConfigMap, ...]:
    """The ConfigMaps that the calendar of a schedule reads."""
    calendars = (schedule.exclude, schedule.include)
    return tuple(found.config_map for found in calendars if found is not None and found.config_map is not None)


def days_of(source: CalendarConfigMap, data: Mapping[str, str]) -> tuple[frozenset[date], list[Finding]]:
    """The days that the data of a ConfigMap names for a calendar, and what in it can't be read."""
    if source.key is not None and source.key not in data:
        there = f"it has {', '.join(sorted(data))}" if data else "it is empty"
        return frozenset(), [Finding(("data",), f"there is no key {source.key}", there)]
    found: set[date] = set()
    wrong: list[Finding] = []
    for key, text in sorted(data.items()):
        if source.key not in (None, key):
            continue
        if source.key is None and re.fullmatch(DATE_PATTERN, key):
            text = key
        for number, line in enumerate(text.splitlines(), 1):
            written = line.partition("#")[0].strip().lstrip("- ")
            if not written:
                continue
            word = written.split()[0].strip("\"',")
            try:
                if not re.fullmatch(DATE_PATTERN, word):
                    raise ValueError(word)
                found.add(date.fromisoformat(word))
            except ValueError:
                wrong.append(Finding(("data", key), f'line {number}: "{word[:40]}" is no day', "write 2026-12-25"))
    return frozenset(found), wrong


def _numbers(calendar: Calendar) -> tuple[int, ...]:
    return tuple(_CRON_WEEKDAYS[weekday] for weekday in calendar.weekdays)


def _has_dates(calendar: Calendar) -> bool:
    return bool(calendar.dates) or calendar.config_map is not None


def _dates(calendar: Calendar, holidays: Mapping[str, frozenset[date]]) -> Iterable[date]:
    found = {date.fromisoformat(text) for text in calendar.dates}
    return found | holidays[calendar.config_map.ref] if calendar.config_map is not None else found


def _months(dates: Iterable[date]) -> Months:
    found: dict[tuple[int, int], int] = {}
    for day in dates:
        place = (day.year, day.month)
        found[place] = found.get(place, 0) | bits([day.day])
    return found
