"""Slots: the real instants at which a schedule fires, in order.

In each stretch of time with one offset the wall clock runs evenly, so wall times that match are instants there:

    wildcard   each match of the stretch
    fixed      each match that was not told before; and the first instant of the stretch, when the clocks have passed
               over a match
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from windlass.plan.schedule.cron import Expression
from windlass.plan.schedule.days import Days, day_from, day_until
from windlass.plan.schedule.zones import DAY, LAST_YEAR, Stretch, instant, moment_of, stretches_before, stretches_from

HORIZON: Final = 100
"""Years: what doesn't fire within them never does. A 29 February on a given weekday may keep away for 40."""
_EPOCH_DAY: Final = 719_163
"""The ordinal of 1 January 1970."""


@dataclass(frozen=True, slots=True)
class Line:
    """One expression on the days that its calendar leaves, in its zone. Instants and wall times are in seconds."""

    expression: Expression
    days: Days
    zone: ZoneInfo
    years: tuple[int, int] = (1, LAST_YEAR)
    """The first and the last year in which a slot can be; what is known of a calendar that is a list of dates."""

    def slot_from(self, at: int) -> int | None:
        """The first slot that is not before `at`; None when there is none within the horizon."""
        for stretch in stretches_from(self.zone, at, min(moment_of(at).year + HORIZON, self.years[1])):
            if at <= stretch.start and self._passed_over(stretch):
                return stretch.start
            earliest = max(at, stretch.start) + stretch.offset
            if not self.expression.wildcard:
                earliest = max(earliest, stretch.told)
            wall = self._first(earliest, stretch.wall_end)
            if wall is not None:
                return wall - stretch.offset
        return None

    def slot_before(self, at: int) -> int | None:
        """The last slot before `at`; None when there is none within the horizon."""
        for stretch in stretches_before(self.zone, at, max(moment_of(at).year - HORIZON, self.years[0])):
            earliest = stretch.wall_start
            if not self.expression.wildcard:
                earliest = max(earliest, stretch.told)
            wall = self._last(earliest, min(at, stretch.end) + stretch.offset)
            if wall is not None:
                return wall - stretch.offset
            if self._passed_over(stretch):
                return stretch.start
        return None

    def is_moved(self, at: int) -> bool:
        """Whether a slot stands for wall times that a change of the clocks has passed over."""
        stretch = next(stretches_from(self.zone, at, moment_of(at).year))
        return at == stretch.start and self._passed_over(stretch)

    def _passed_over(self, stretch: Stretch) -> bool:
        if self.expression.wildcard or stretch.told >= stretch.wall_start:
            return False
        return self._first(stretch.told, stretch.wall_start) is not None

    def _first(self, earliest: int, end: int) -> int | None:
        """The first wall time that matches from `earliest` to before `end`."""
        if earliest >= end:
            return None
        today, second = divmod(earliest, DAY)
        day = _day_from(self.days, today, end)
        if day == today:
            time = self.expression.time_from(second)
            if time is not None:
                wall = day * DAY + time
                return wall if wall < end else None
            day = _day_from(self.days, today + 1, end)
        if day is None:
            return None
        wall = day * DAY + self.expression.hours[0] + self.expression.minutes[0]
        return wall if wall < end else None

    def _last(self, earliest: int, end: int) -> int | None:
        """The last wall time that matches from `earliest` to before `end`."""
        if earliest >= end:
            return None
        today, second = divmod(end, DAY)
        day = _day_until(self.days, today, earliest)
        if day == today:
            time = self.expression.time_before(second)
            if time is not None:
                wall = day * DAY + time
                return wall if wall >= earliest else None
            day = _day_until(self.days, today - 1, earliest)
        if day is None:
            return None
        wall = day * DAY + self.expression.hours[-1] + self.expression.minutes[-1]
        return wall if wall >= earliest else None


def _day_from(days: Days, day: int, end: int) -> int | None:
    found = day_from(days, day + _EPOCH_DAY, (end - 1) // DAY + _EPOCH_DAY)
    return None if found is None else found - _EPOCH_DAY


def _day_until(days: Days, day: int, earliest: int) -> int | None:
    found = day_until(days, day + _EPOCH_DAY, earliest // DAY + _EPOCH_DAY)
    return None if found is None else found - _EPOCH_DAY


@dataclass(frozen=True, slots=True)
class Timetable:
    """The slots of a schedule. All moments are aware; those that are returned are in UTC, to the second."""

    zone: ZoneInfo
    lines: tuple[Line, ...] = ()
    start: int | None = None
    end: int | None = None
    """The first and the last instant that a slot may have."""
    once: datetime | None = None
    """The only slot of `@once`; None too while nobody knows when its Workflow was created."""
    is_once: bool = False
    """`@once`: one slot, at the schedule's `start` or else at the Workflow's creation."""
    is_continuous: bool = False
    """`@continuous`: no slots; a run follows the end of the last one."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot that is later than `moment`; None when there is none."""
        if self.once is not None:
            return self.once if self.once > moment else None
        at = instant(moment) + 1
        if self.start is not None and at < self.start:
            at = self.start
        found = self._slot_from(at)
        return None if found is None or (self.end is not None and found > self.end) else moment_of(found)

    def previous_before(self, moment: datetime) -> datetime | None:
        """The last slot that is earlier than `moment`; None when there is none."""
        if self.once is not None:
            return self.once if self.once < moment else None
        at = instant(moment) + (1 if moment.microsecond else 0)
        if self.end is not None and at > self.end:
            at = self.end + 1
        found = self._slot_before(at)
        return None if found is None or (self.start is not None and found < self.start) else moment_of(found)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots that are later than `after`, and not later than `until`, in order."""
        found = self.next_after(after)
        while found is not None and found <= until:
            yield found
            found = self.next_after(found)

    def interval_start(self, slot: datetime) -> datetime:
        """Where the data interval of a slot begins: at the slot before, though it were before `start`; for the first
        that there ever was, at the slot itself."""
        found = None if self.once is not None else self._slot_before(instant(slot))
        return slot if found is None else moment_of(found)

    def local(self, slot: datetime) -> datetime:
        """A slot as clocks of the schedule's zone show it; in an hour that is shown twice, `fold` says which time."""
        return slot.astimezone(self.zone)

    def is_moved(self, slot: datetime) -> bool:
        """Whether the clocks of the zone never show the time that a slot was meant for: it is the first moment after
        the change that left it out."""
        return any(line.is_moved(instant(slot)) for line in self.lines)

    def _slot_from(self, at: int) -> int | None:
        if len(self.lines) == 1:
            return self.lines[0].slot_from(at)
        return min((found for line in self.lines if (found := line.slot_from(at)) is not None), default=None)

    def _slot_before(self, at: int) -> int | None:
        return max((found for line in self.lines if (found := line.slot_before(at)) is not None), default=None)
