"""Instants and lengths of time, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def parse(text: str | None) -> datetime | None:
    """The instant that an RFC 3339 text names; None for none."""
    return datetime.fromisoformat(text) if text else None


def length(seconds: float) -> str:
    """`0.4s`, `12s`, `3m5s`, `2h10m`, `3d4h`."""
    if seconds < 0:
        return "0s"
    if seconds < 9.95 and round(seconds, 1) != round(seconds):
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for size, unit, rest_size, rest_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // rest_size
            return f"{whole // size}{unit}{rest}{rest_unit}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"


def between(start: str | None, end: str | None, at: datetime) -> str:
    """How long something took, or has taken at `at`; nothing when it has not begun."""
    begun = parse(start)
    if begun is None:
        return ""
    return length(((parse(end) or at) - begun).total_seconds())


def age(start: str | None, at: datetime) -> str:
    """How long ago, in one unit, as kubectl's AGE; `-` for never."""
    begun = parse(start)
    if begun is None:
        return "-"
    seconds = max(0, int((at - begun).total_seconds()))
    for size, unit, most in ((1, "s", 120), (60, "m", 120), (3600, "h", 48)):
        if seconds < size * most:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"
