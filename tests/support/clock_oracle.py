"""When a schedule fires, found by looking at a clock minute by minute: slow, and simple enough to believe."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

MINUTE = timedelta(minutes=1)
Matches = Callable[[datetime], bool]


@dataclass(frozen=True)
class Tick:
    """One minute of real time: what the clock shows, and the wall times that it has just passed over."""

    at: datetime
    wall: datetime
    shown_before: bool
    passed_over: tuple[datetime, ...]


def ticks(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Tick]:
    """The minutes from `start` to before `end`. What was shown before `start` is known for two days."""
    at = start - timedelta(days=2)
    expected = at.astimezone(zone).replace(tzinfo=None)
    while at < end:
        wall = at.astimezone(zone).replace(tzinfo=None)
        passed = []
        while expected < wall:
            passed.append(expected)
            expected += MINUTE
        if at >= start:
            yield Tick(at, wall, wall < expected, tuple(passed))
        expected = max(expected, wall + MINUTE)
        at += MINUTE


def slots(found: list[Tick], matches: Matches, *, wildcard: bool) -> list[datetime]:
    """The slots of an expression among the ticks."""
    if wildcard:
        return [tick.at for tick in found if matches(tick.wall)]
    return [
        tick.at
        for tick in found
        if (not tick.shown_before and matches(tick.wall)) or any(matches(wall) for wall in tick.passed_over)
    ]


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The moments at which the zone's offset changes, found hour by hour and then minute by minute."""
    found = []
    at, step = start, timedelta(hours=1)
    offset = at.astimezone(zone).utcoffset()
    while at < end:
        if (at + step).astimezone(zone).utcoffset() != offset:
            minute = at
            while minute.astimezone(zone).utcoffset() == offset:
                minute += MINUTE
            found.append(minute)
            offset = (at + step).astimezone(zone).utcoffset()
        at += step
    return found


def transitions(name: str) -> list[int]:
    """The instants since 1970 at which a zone's offset changes, as its file in the database lists them (RFC 8536)."""
    found = [Path(root, name) for root in TZPATH if Path(root, name).is_file()]
    data = found[0].read_bytes() if found else files("tzdata.zoneinfo").joinpath(name).read_bytes()
    first = struct.unpack(">6l", data[20:44])
    begin = 44 + first[3] * 5 + first[4] * 6 + first[5] + first[2] * 8 + first[1] + first[0]
    count, types = struct.unpack(">6l", data[begin + 20 : begin + 44])[3:5]
    begin += 44
    times = struct.unpack(f">{count}q", data[begin : begin + 8 * count])
    kinds = data[begin + 8 * count : begin + 9 * count]
    begin += 9 * count
    offsets = [struct.unpack(">l", data[begin + 6 * kind : begin + 6 * kind + 4])[0] for kind in range(types)]
    changed = [
        at
        for number, (at, kind) in enumerate(zip(times, kinds, strict=True))
        if number and offsets[kind] != offsets[kinds[number - 1]]
    ]
    return [at for at in changed if at >= 0]
