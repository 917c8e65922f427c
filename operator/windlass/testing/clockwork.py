"""A Workflow's schedule in a simulation: which runs are made when is planned by the planner of Workflows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
from windlass.testing.following import Followed, followed
from windlass.testing.results import Simulation


def workflow_uid(definition: Definition) -> str:
    """The UID of the Workflow in its simulations."""
    return short_hash("workflow", definition.namespace, definition.name)


@dataclass(slots=True)
class Clockwork:
    """A Workflow that makes runs by itself, and what its status says."""

    definition: Definition
    terms: Terms
    timetable: Timetable | None
    """None where it follows others."""
    created_at: datetime
    status: WorkflowStatus
    followed: Followed | None = None
    """What it follows."""
    waits_for: str | None = None
    """What its next run waits for, in words; at the end what it would have waited for."""

    def plan(self, runs: Mapping[str, RunSummary], now: datetime) -> WorkflowPlan:
        """What is to be done for the Workflow; its status is taken for stored."""
        plan = plan_workflow(self._seen(runs, now), now)
        self.status = plan.status
        self.waits_for = plan.status.waiting_for or self.waits_for
        if self.followed is not None:
            return replace(plan, creates=tuple(map(self.followed.with_fields, plan.creates)))
        return plan

    def moments(self) -> Iterator[datetime]:
        """When something happens that it may follow."""
        return self.followed.moments() if self.followed is not None else iter(())

    def _seen(self, runs: Mapping[str, RunSummary], now: datetime) -> WorkflowSeen:
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
            followed=self.followed.until(now) if self.followed is not None else (),
        )


def clockwork(
    definition: Definition, start: datetime, end: datetime | None, others: Sequence[Simulation] = ()
) -> Clockwork | None:
    """The schedule of a Workflow that is created at `start`; None when it has no clock, and nothing that it follows.

    No slot after `end` fires; without an `end`, none after the first slot. Of what is followed nothing after `end`
    counts.
    """
    schedule = definition.spec.schedule
    if schedule is not None and schedule.after is not None and others:
        ends = [moment for moment in (schedule.end, format_time(end) if end is not None else None) if moment]
        bounded = schedule.model_copy(update={"end": min(ends, key=parse_time, default=None)})
        terms = replace(terms_of(definition.spec), schedule=bounded)
        return Clockwork(definition, terms, None, start, WorkflowStatus(), followed(schedule.after, others))
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
