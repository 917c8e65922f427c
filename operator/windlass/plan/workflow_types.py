"""What the planner of a Workflow is given and what it answers: frozen values.

WorkflowSeen (terms, timetable, status, runs) ──plan_workflow(seen, now)──▶ WorkflowPlan (status, creates, deletes, …)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.models.run import RunSlot, Trigger, TriggerSource
from windlass.models.schedule import Interval, Schedule
from windlass.models.workflow import WorkflowStatus
from windlass.plan.history import RunSummary
from windlass.plan.schedule import Timetable
from windlass.plan.sources import SourceEvent
from windlass.plan.terms import Terms

LATE: Final = timedelta(minutes=1)
"""A slot that waited longer than this says nothing of how prompt the schedule is."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a Workflow's schedule stands still: no slot is lost meanwhile, but for what `catchUp` says of late ones."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkflowSeen:
    """Everything that one plan is made from."""

    namespace: str
    name: str
    uid: str
    generation: int
    created_at: datetime
    status: WorkflowStatus
    terms: Terms | None = None
    """None when the spec can't be read."""
    timetable: Timetable | None = None
    """None without a clock, and while there is a problem."""
    problem: Problem | None = None
    edited_at: datetime | None = None
    """When the spec was last written, where that is known."""
    stored_slot: datetime | None = None
    """The last slot as the API server has it: `status` may be ahead of it."""
    runs: Mapping[str, RunSummary] = field(default_factory=dict)
    """All runs that name the Workflow, by name."""
    followed: tuple[tuple[SourceEvent, ...], ...] = ()
    """The events of each source of `schedule.after`, in the order of the sources."""
    needed: Callable[[RunSummary], bool] = lambda run: False
    """Whether somebody else needs a run that is history."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to make."""

    name: str
    logical_date: datetime
    slot: RunSlot
    late: bool = False
    """It catches up: its delay says nothing of how prompt the schedule is."""
    params: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheduled_at(self) -> datetime:
        return parse_time(self.slot.scheduled_at)

    def with_sources(self, sources: Sequence[TriggerSource]) -> RunRequest:
        """The same with other words about what it follows."""
        return replace(self, slot=self.slot.model_copy(update={"sources": list(sources)}))


@dataclass(frozen=True, slots=True)
class Notice:
    """A Kubernetes Event about a Workflow. The same `about` again is the same event."""

    type: str
    reason: str
    note: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowPlan:
    """What to do next for a Workflow. Equal inputs give equal plans."""

    status: WorkflowStatus
    """To be stored after `creates` exist; the very object that was seen, when nothing changed."""
    creates: tuple[RunRequest, ...] = ()
    """In the order of their slots."""
    deletes: tuple[RunSummary, ...] = ()
    events: tuple[Notice, ...] = ()
    """To be told once the status is stored."""
    wake_at: datetime | None = None
    """When to plan again though nothing has happened."""
    hungry: bool = False
    """The end of a run may let another be made: it is to be planned for at once."""


def slot_request(
    schedule: Schedule, name: str, slot: datetime, begin: datetime, previous: datetime | None, now: datetime
) -> RunRequest:
    """The run of a slot of the clock, whose data interval begins at `begin`."""
    due = format_time(slot)
    return RunRequest(
        name=name,
        logical_date=begin if schedule.interval is Interval.DATA_INTERVAL else slot,
        slot=RunSlot(
            trigger=Trigger.SCHEDULE,
            scheduled_at=due,
            interval_start=format_time(begin),
            interval_end=due,
            previous=format_time(previous) if previous is not None else None,
        ),
        late=now - slot > LATE,
    )
