"""What an action on a run is given, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from windlass.models.action import RunActionSpec, Verb
from windlass.models.run import WorkflowRunStatus


@dataclass(frozen=True, slots=True)
class Action:
    """A RunAction as it was read."""

    uid: str
    name: str
    spec: RunActionSpec
    created_at: datetime
    verified: bool = True
    """The cluster has checked that it was `spec.requestedBy`, and that they may."""

    @property
    def author(self) -> str:
        """Who asks, and why, for a message: `by alice: the source was late`."""
        return f"by {self.spec.requested_by}" + (f": {self.spec.reason}" if self.spec.reason else "")


@dataclass(frozen=True, slots=True)
class Change:
    """What an action makes of a run, before it is noted down in it."""

    status: WorkflowRunStatus
    message: str
    tasks: tuple[str, ...] = ()
    """Those that it changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action."""

    status: WorkflowRunStatus
    """The run's status with the action noted down in it; the very same when it was refused."""
    applied: bool
    message: str
    """What was done, or why not."""
    tasks: tuple[str, ...] = ()


class ActionRefused(Exception):
    """The action can't be applied to the run as it stands. Its text says why, and what to do instead."""


ABOUT_RUN = frozenset({Verb.SUSPEND, Verb.RESUME, Verb.CANCEL, Verb.TERMINATE})
"""The verbs that need no task."""
