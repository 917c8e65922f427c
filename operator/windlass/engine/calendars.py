"""The days that ConfigMaps hold for the calendars of schedules: read when they are needed, and kept for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from windlass.engine.ports import Api, Clock
from windlass.errors import Forbidden, NotFound
from windlass.models.findings import summary
from windlass.models.schedule import CalendarConfigMap, Schedule
from windlass.plan.schedule import days_of
from windlass.plan.schedule.calendar import config_maps
from windlass.plan.workflow_types import Problem
from windlass.resources import CONFIG_MAPS

KEEP: Final = 300.0
"""Seconds that what was read holds."""
RETRY: Final = 30.0
"""Seconds until one that is not there, or can't be used, is read again."""


@dataclass(frozen=True, slots=True)
class _Read:
    data: Mapping[str, str] | None
    """None: it is not there."""
    error: str
    """Why it can't be read at all."""
    until: float
    """On the monotonic clock."""


class Calendars:
    """ConfigMaps of days, by where they are: one request each, however many schedules name them."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._read: dict[tuple[str, str], _Read] = {}

    async def of(self, namespace: str, schedule: Schedule) -> dict[str, frozenset[date]] | Problem:
        """The days of each ConfigMap that a schedule names, by its `ref`, or why there are none; raises as `days`."""
        found = {}
        for source in config_maps(schedule):
            days = await self.days(namespace, source)
            if isinstance(days, Problem):
                return days
            found[source.ref] = days
        return found

    async def days(self, namespace: str, source: CalendarConfigMap) -> frozenset[date] | Problem:
        """The days of a calendar, or why there are none. Raises what may pass: no answer, a server in trouble."""
        found = await self._config_map(namespace, source.name)
        where = f"the ConfigMap {source.name} of the schedule's calendar"
        if found.error:
            return Problem("CalendarForbidden", f"{where} can't be read: {found.error}; the schedule waits")
        if found.data is None:
            return Problem("CalendarMissing", f"{where} is not there: create it; the schedule waits for it")
        days, wrong = days_of(source, found.data)
        if wrong:
            return Problem("CalendarInvalid", f"{where}: {summary(wrong)}; the schedule waits")
        return days

    async def _config_map(self, namespace: str, name: str) -> _Read:
        key, now = (namespace, name), self._clock.monotonic()
        known = self._read.get(key)
        if known is not None and known.until > now:
            return known
        try:
            body = await self._api.get(CONFIG_MAPS, namespace, name)
        except NotFound:
            fresh = _Read(None, "", now + RETRY)
        except Forbidden as error:
            fresh = _Read(None, error.message, now + RETRY)
        else:
            data = body.get("data")
            fresh = _Read(data if isinstance(data, dict) else {}, "", now + KEEP)
        self._read[key] = fresh
        self._sweep(now)
        return fresh

    def _sweep(self, now: float) -> None:
        """Let go of what nobody asks for any more."""
        for key in [key for key, read in self._read.items() if read.until + KEEP < now]:
            del self._read[key]
