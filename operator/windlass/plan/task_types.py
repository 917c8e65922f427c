"""What tasks want beside a pod, and what they are told: slots of a Pool, runs of other Workflows, objects.

The planner and the engine share these values, as they do those of `plan.types`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from windlass.models.run import RunPhase, Stop
from windlass.plan.sights import ObjectQuestion


@dataclass(frozen=True, slots=True)
class PoolWant:
    """A pod that is to be made once a Pool has slots for it."""

    pool: str
    """The Pool's name, in the run's namespace."""
    pod: str
    task: str
    slots: int
    priority: int
    since: datetime
    """When the task became ready."""


class PoolAnswerKind(StrEnum):
    """What a Pool says to a pod that wants slots."""

    GRANTED = "Granted"
    WAITS = "Waits"
    MISSING = "Missing"
    """There is no Pool of this name."""
    TOO_SMALL = "TooSmall"
    """The Pool has fewer slots in all than the pod wants."""


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """What a Pool said when it was last asked."""

    kind: PoolAnswerKind
    position: int = 0
    """From 1, among those who wait."""
    waiting: int = 0
    """How many wait."""
    slots: int = 0
    """How many the pool has in all."""


@dataclass(frozen=True, slots=True)
class ChildView:
    """A run that a task of another run has started."""

    name: str
    uid: str
    phase: RunPhase | None
    message: str | None = None
    created_at: str | None = None
    stop: Stop | None = None
    """What its `spec.stop` says."""
    outputs: Mapping[str, Any] | None = None
    """Of its tasks, by name; None: the run was not read, and so is its message not known."""


@dataclass(frozen=True, slots=True)
class ChildLaunch:
    """A run to create for a task."""

    name: str
    task: str
    attempt: int
    workflow: str
    params: Mapping[str, Any]
    logical_date: str | None
    """The parent's, if it says one."""
    chain: Sequence[str]
    """The Workflows that led here, the parent's the last one."""


@dataclass(frozen=True, slots=True)
class ChildStop:
    """A run to stop, with the one that started it."""

    name: str
    uid: str
    stop: Stop


@dataclass(frozen=True, slots=True)
class ObjectLaunch:
    """An object to make for a task, as its service account."""

    key: str
    """What refusals of it are known by: a name derived from run, task and attempt."""
    service_account: str
    body: Mapping[str, Any]
    apply: bool
    """Set its fields, whoever has made it; else it must not be there before."""
    attempt: int


@dataclass(frozen=True, slots=True)
class ObjectRemoval:
    """An object to delete."""

    question: ObjectQuestion
    uid: str

    @property
    def key(self) -> str:
        """What refusals of it are known by."""
        return f"delete {self.uid}"
