"""Time zones as stretches of time in which their offset to UTC doesn't change.

    real time   ──────────┬──────────▶        the clock is put forward: wall times between `told` and the wall
    wall clock  ──── told │ wall ────▶        time of the stretch's start are never shown (a gap);
                                              put back: the wall times before `told` are shown again

Instants are whole seconds since 1970 in UTC; wall times are the same number for the same reading of a clock in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
DAY: Final = 86_400
PROBE: Final = 3 * DAY
"""How far apart offsets are looked at. Since 1970 no zone's clocks were changed twice within six days."""
LAST_YEAR: Final = 9990
"""Nothing is looked for beyond it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time with one offset: all of it, or as much of it as lies in one year of UTC."""

    start: int
    end: int
    offset: int
    told: int
    """All wall times before this one were shown, or passed over, before the stretch begins."""

    @property
    def wall_start(self) -> int:
        return self.start + self.offset

    @property
    def wall_end(self) -> int:
        return self.end + self.offset


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which the clocks of a zone are changed."""

    at: int
    before: int
    after: int
    """The offsets, in seconds."""


def instant(moment: datetime) -> int:
    """A moment in whole seconds since 1970, rounded down."""
    return (moment - EPOCH) // SECOND


def moment_of(seconds: int) -> datetime:
    """The moment that an instant is, in UTC."""
    return EPOCH + timedelta(seconds=seconds)


def offset_at(zone: ZoneInfo, at: int) -> int:
    """The zone's offset to UTC at an instant, in seconds."""
    offset = moment_of(at).astimezone(zone).utcoffset()
    assert offset is not None  # a ZoneInfo has one at any time
    return offset // SECOND


def stretches_from(zone: ZoneInfo, at: int, last_year: int) -> Iterator[Stretch]:
    """The stretches that end after `at`, the earliest first, to the end of a year."""
    for year in range(moment_of(at).year, min(last_year, LAST_YEAR) + 1):
        for stretch in stretches_of(zone, year):
            if stretch.end > at:
                yield stretch


def stretches_before(zone: ZoneInfo, at: int, first_year: int) -> Iterator[Stretch]:
    """The stretches that begin before `at`, the latest first, back to the beginning of a year."""
    for year in range(moment_of(at).year, max(first_year, 2) - 1, -1):
        for stretch in reversed(stretches_of(zone, year)):
            if stretch.start < at:
                yield stretch


def changes_between(zone: ZoneInfo, after: int, until: int) -> Iterator[Change]:
    """The changes of the clocks later than `after`, up to `until`."""
    for year in range(moment_of(after).year, moment_of(until).year + 1):
        for change in _changes(zone, year):
            if after < change.at <= until:
                yield change


@lru_cache(maxsize=4096)
def stretches_of(zone: ZoneInfo, year: int) -> tuple[Stretch, ...]:
    """The stretches of a year of UTC."""
    start, end = _begin(year), _begin(year + 1)
    offset = offset_at(zone, start - 1)
    # Clocks that were put back just before the year go on to tell again what they told.
    told = max([start + offset, *(change.at + change.before for change in _changes(zone, year - 1))])
    found: list[Stretch] = []
    for change in _changes(zone, year):
        if change.at > start:
            found.append(Stretch(start, change.at, offset, told))
            start = change.at
        told = change.at + change.before
        offset = change.after
    return (*found, Stretch(start, end, offset, told))


@lru_cache(maxsize=4096)
def _changes(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    """The changes of a year of UTC."""
    found: list[Change] = []
    end = _begin(year + 1) - 1
    earlier = _begin(year) - 1
    before = offset_at(zone, earlier)
    while earlier < end:
        later = min(earlier + PROBE, end)
        after = offset_at(zone, later)
        while before != after:
            at = _first_other(zone, earlier, later, before)
            found.append(Change(at, before, offset_at(zone, at)))
            earlier, before = at, found[-1].after
        earlier = later
    return tuple(found)


def _first_other(zone: ZoneInfo, low: int, high: int, offset: int) -> int:
    """The first instant after `low` whose offset is another than `offset`; that of `high` is."""
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _begin(year: int) -> int:
    return instant(datetime(year, 1, 1, tzinfo=UTC))
