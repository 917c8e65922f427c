"""Durations as kubectl shows them."""

from __future__ import annotations

from datetime import datetime

from windlass.dev.api.texts import parsed_time


def human_duration(seconds: float) -> str:
    """`45s`, `3m20s`, `5h`, `2d3h`: two units while the first is small."""
    if seconds < -1:
        return "<invalid>"
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _pair(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return _pair(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _pair(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}" + (f"{second}{second_unit}" if second else "")


def age(text: str | None, now: datetime) -> str:
    """How long ago a timestamp was."""
    if not text:
        return "<unknown>"
    try:
        return human_duration((now - parsed_time(text)).total_seconds())
    except ValueError:
        return "<unknown>"
