"""The runs that are to be made: one by hand, or one for each slot of a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windlass.models.common import format_time
from windlass.models.run import RunSlot, Trigger, WorkflowRunSpec
from windlass.models.schedule import Interval
from windlass.names import slot_run_name
from windlass.plan.schedule import ScheduleError, Timetable, compile_schedule
from windlass.testing.definition import Definition
from windlass.testing.errors import InvalidWorkflow


@dataclass(frozen=True, slots=True)
class Request:
    """A run to make."""

    at: datetime
    name: str
    spec: WorkflowRunSpec


def requests(
    definition: Definition, start: datetime, end: datetime | None, params: Mapping[str, Any]
) -> Iterator[Request]:
    """The runs from `start` to `end`; of a schedule without an `end` the first slot after `start`."""
    timetable = timetable_of(definition, start)
    if timetable is None:
        yield Request(start, f"{definition.name}-1", WorkflowRunSpec(workflow=definition.name, params=dict(params)))
        return
    until = end if end is not None else timetable.next_after(start)
    for slot in timetable.between(start, until) if until is not None else ():
        yield _of_slot(definition, timetable, slot, params)


def timetable_of(definition: Definition, created: datetime) -> Timetable | None:
    """The slots of the Workflow's schedule; None when it follows no clock."""
    schedule = definition.spec.schedule
    if schedule is None or schedule.cron is None:
        return None
    try:
        return compile_schedule(
            schedule,
            identity=f"{definition.namespace}/{definition.name}",
            holidays=definition.holidays,
            created=created,
        )
    except ScheduleError as error:
        raise InvalidWorkflow(definition.name, error.findings) from None


def _of_slot(definition: Definition, timetable: Timetable, slot: datetime, params: Mapping[str, Any]) -> Request:
    schedule = definition.spec.schedule
    assert schedule is not None, "a timetable is of a schedule"
    begins = timetable.interval_start(slot)
    logical_date = begins if schedule.interval is Interval.DATA_INTERVAL else slot
    spec = WorkflowRunSpec(
        workflow=definition.name,
        params=dict(params),
        logical_date=format_time(logical_date),
        slot=RunSlot(
            trigger=Trigger.SCHEDULE,
            scheduled_at=format_time(slot),
            interval_start=format_time(begins),
            interval_end=format_time(slot),
            previous=format_time(begins),
        ),
    )
    return Request(slot, slot_run_name(definition.name, slot), spec)
