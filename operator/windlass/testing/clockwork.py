"""A Workflow's schedule in a simulation: which runs are made when is planned by the planner of Workflows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from windlass.models.common import format_time, parse_time
from windlass.models.schedule import Schedule
from windlass.models.workflow import WorkflowStatus
from windlass.names import short_hash
from windlass.plan.history import RunSummary
from windlass.plan.schedule import ScheduleError, Timetable, compile_schedule
from windlass.plan.scheduling import WorkflowPlan, WorkflowSeen, plan_workflow
from windlass.plan.terms import Terms, terms_of
from windlass.testing.definition import Definition
from windlass.testing.errors import InvalidWorkflow


def workflow_uid(definition: Definition) -> str:
    """The UID of the Workflow in its simulations."""
    return short_hash("workflow", definition.namespace, definition.name)


@dataclass(slots=True)
class Clockwork:
    """A Workflow with a schedule, and what its status says."""

    definition: Definition
    terms: Terms
    timetable: Timetable
    created_at: datetime
    status: WorkflowStatus

    def plan(self, runs: Mapping[str, RunSummary], now: datetime) -> WorkflowPlan:
        """What is to be done for the Workflow; its status is taken for stored."""
        plan = plan_workflow(self._seen(runs), now)
        self.status = plan.status
        return plan

    def _seen(self, runs: Mapping[str, RunSummary]) -> WorkflowSeen:
        last = self.status.last_slot
        return WorkflowSeen(
            namespace=self.definition.namespace,
            name=self.definition.name,
            uid=workflow_uid(self.definition),
            generation=1,
            created_at=self.created_at,
            status=self.status,
            terms=self.terms,
            timetable=self.timetable,
            stored_slot=parse_time(last) if last is not None else None,
            runs=runs,
        )


def clockwork(definition: Definition, start: datetime, end: datetime | None) -> Clockwork | None:
    """The schedule of a Workflow that is created at `start`; None when it has no clock.

    No slot after `end` fires; without an `end`, none after the first slot.
    """
    schedule = definition.spec.schedule
    if schedule is None or schedule.cron is None:
        return None
    timetable = _timetable(definition, schedule, start)
    until = end or (start if timetable.is_continuous else timetable.once or timetable.next_after(start) or start)
    if schedule.end is not None:
        until = min(until, parse_time(schedule.end))
    last = math.floor(until.timestamp())
    once = timetable.once if timetable.once is not None and timetable.once <= until else None
    ending = schedule.model_copy(update={"end": format_time(until)})
    terms = replace(terms_of(definition.spec), schedule=ending)
    return Clockwork(definition, terms, replace(timetable, end=last, once=once), start, WorkflowStatus())


def _timetable(definition: Definition, schedule: Schedule, created: datetime) -> Timetable:
    try:
        return compile_schedule(
            schedule,
            identity=f"{definition.namespace}/{definition.name}",
            holidays=definition.holidays,
            created=created,
        )
    except ScheduleError as error:
        raise InvalidWorkflow(definition.name, error.findings) from None
