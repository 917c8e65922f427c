"""The moments of a run: what it is about, when it was due, and which good run came before it.

A slot's moments stand in the run's spec. What else a run has to know of other runs and of its Workflow's schedule is
fixed in its status when it is admitted, so that each of its plans reads the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from windlass.models.common import format_time, parse_time
from windlass.models.run import DataInterval, GoodRun, RunSlot, TriggerSource
from windlass.models.workflow import WorkflowSpec
from windlass.plan.partial import Earlier
from windlass.plan.types import RunView

_NO_RUN: Final = Earlier()


@dataclass(frozen=True, slots=True)
class Times:
    """The moments of a run."""

    logical_date: datetime
    """What it is about."""
    scheduled_at: datetime
    """When it was due; for a run made by hand its logical date."""
    start: datetime
    """The beginning of its data interval."""
    end: datetime
    """The end of its data interval."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a run is told of its Workflow when it is admitted, for good."""

    interval: tuple[datetime, datetime] | None = None
    """The data interval of a run without a slot, by its Workflow's schedule; None where there is none."""
    previous: GoodRun | None = None
    """The last good run before it."""
    earlier: Earlier = _NO_RUN
    """The run that outputs are taken from, for one of a part of the tasks."""


def logical_date(run: RunView) -> datetime:
    """The moment that a run is about."""
    return parse_time(run.spec.logical_date) if run.spec.logical_date else run.created_at


def times_of(run: RunView) -> Times:
    """The moments of a run. A slot without an interval, and a run without a schedule, are about a moment."""
    logical, slot = logical_date(run), run.spec.slot
    interval = interval_of(slot) or run.status.interval
    scheduled = parse_time(slot.scheduled_at) if slot is not None else logical
    if interval is None:
        return Times(logical, scheduled, logical, logical)
    return Times(logical, scheduled, parse_time(interval.start), parse_time(interval.end))


def interval_of(slot: RunSlot | None) -> DataInterval | None:
    """The data interval that a slot names."""
    if slot is None or slot.interval_start is None or slot.interval_end is None:
        return None
    return DataInterval(start=_utc(slot.interval_start), end=_utc(slot.interval_end))


def zone_of(spec: WorkflowSpec) -> tzinfo:
    """The time zone of a definition: its schedule's, UTC where there is none or nobody knows it."""
    if spec.schedule is None or spec.schedule.time_zone == "UTC":
        return UTC
    try:
        return ZoneInfo(spec.schedule.time_zone)
    except (KeyError, OSError, ValueError):  # what admission refuses; an old definition may still be asked
        return UTC


def previous_success(good: GoodRun | None, zone: tzinfo) -> dict[str, Any] | None:
    """A good run as templates read it."""
    if good is None:
        return None
    logical = parse_time(good.logical_date).astimezone(zone)
    interval = good.interval
    return {
        "run": good.run,
        "logical_date": logical,
        "data_interval_start": parse_time(interval.start).astimezone(zone) if interval is not None else logical,
        "data_interval_end": parse_time(interval.end).astimezone(zone) if interval is not None else logical,
    }


def triggers(slot: RunSlot | None, zone: tzinfo) -> list[Mapping[str, Any]]:
    """The runs that a run follows, as templates read them."""
    return [_trigger(source, zone) for source in slot.sources] if slot is not None else []


def _trigger(source: TriggerSource, zone: tzinfo) -> dict[str, Any]:
    return {
        "workflow": source.workflow,
        "run": source.run,
        "uid": source.uid,
        "slot": parse_time(source.slot).astimezone(zone) if source.slot is not None else None,
        "asset": source.asset,
        "finished_at": parse_time(source.finished_at).astimezone(zone) if source.finished_at is not None else None,
        "fields": source.fields,
    }


def _utc(text: str) -> str:
    return format_time(parse_time(text))
