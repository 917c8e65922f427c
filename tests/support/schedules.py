"""Schedules for tests: short to write, and their slots short to compare."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from windlass.models.schedule import Schedule
from windlass.plan.schedule import Timetable, compile_schedule


def schedule(cron: str | list[str] | None = None, zone: str = "UTC", **fields: Any) -> Schedule:
    """A schedule as a manifest would have it, its fields in camelCase."""
    written = {"timeZone": zone, **fields} | ({"cron": cron} if cron is not None else {})
    return Schedule.model_validate(written, by_alias=True, by_name=False)


def timetable(
    cron: str | list[str],
    zone: str = "UTC",
    *,
    identity: str = "data/daily",
    holidays: dict[str, frozenset[date]] | None = None,
    created: datetime | None = None,
    **fields: Any,
) -> Timetable:
    """The timetable of a schedule."""
    return compile_schedule(schedule(cron, zone, **fields), identity=identity, holidays=holidays, created=created)


def moment(text: str) -> datetime:
    """`2026-03-29 01:00` is in UTC; another offset can be written."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def local(table: Timetable, after: str, until: str) -> list[str]:
    """The slots after one moment until another, as clocks there show them: `2026-03-29 03:00 +02:00`."""
    return [_shown(table.local(slot)) for slot in table.between(moment(after), moment(until))]


def _shown(at: datetime) -> str:
    text = at.isoformat(sep=" ", timespec="minutes")
    return f"{text[:16]} {text[16:]}"
