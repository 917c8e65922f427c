"""What the planner of backfills is given, and what it answers: frozen values, shared with the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from windlass.models.backfill import BackfillRun, BackfillSpec, BackfillStatus
from windlass.models.schedule import Schedule
from windlass.models.workflow import WorkflowSpec
from windlass.plan.history import RunSummary
from windlass.plan.types import RunEvent
from windlass.plan.workflow_types import Problem, RunRequest


class Slots(Protocol):
    """The slots of a schedule, without its beginning and its end."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        ...

    def previous_before(self, moment: datetime) -> datetime | None:
        """The last slot earlier than `moment`."""
        ...


@dataclass(frozen=True, slots=True)
class BackfillView:
    """A backfill as it was read."""

    namespace: str
    name: str
    uid: str
    generation: int
    created_at: datetime
    spec: BackfillSpec
    status: BackfillStatus


@dataclass(frozen=True, slots=True)
class WorkflowFound:
    """The Workflow that a backfill names, as it is now."""

    uid: str
    spec: WorkflowSpec | None
    """None when it can't be read, and once the backfill has started."""
    complaint: str = ""
    """Why it can't be read."""


@dataclass(frozen=True, slots=True)
class BackfillSeen:
    """Everything that one plan is made from."""

    backfill: BackfillView
    workflow: WorkflowFound | None
    """None: there is none of that name."""
    schedule: Schedule | None = None
    """The one that is pinned in the status; before the start the Workflow's own."""
    slots: Slots | None = None
    """Its slots; None when it has none, or can't be used."""
    trouble: str = ""
    """Why it can't be used."""
    waits_for: Problem | None = None
    """What is missing for now: a ConfigMap of its calendar."""
    runs: Mapping[str, RunSummary] = field(default_factory=dict)
    """All runs of the Workflow by their name."""
    gone: frozenset[str] = frozenset()
    """Runs that an answer of the API has just proved not to exist."""
    hindrance: str = ""
    """Why the API has just refused to make a run."""
    total: int | None = None
    """How many slots the range has, once they were counted."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The range of a backfill that is about to start: its oldest and its newest slot."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What to do next for a backfill. Equal inputs give equal plans.

    The status speaks of what is seen, and so of none of `creates`: it is written whether these succeed or not.
    """

    status: BackfillStatus
    """The very object that was seen, when nothing has changed."""
    count: Basis | None = None
    """The slots of this range must be counted, then it is planned again."""
    confirm: tuple[str, ...] = ()
    """Runs that the status names and the index lacks: to be read live, then planned again."""
    creates: tuple[RunRequest, ...] = ()
    """Made one after the other; the first that can't be made ends it."""
    cancels: tuple[BackfillRun, ...] = ()
    """Runs that are to be told to stop."""
    events: tuple[RunEvent, ...] = ()
    """Told once the status is stored."""
    again: bool = False
    """There is more to look at: plan again soon."""
    wake_at: datetime | None = None
    """When to plan again though nothing has happened."""
