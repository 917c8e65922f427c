"""What the engine remembers of one run between two reconciles: all of it can be had again from the API.

stored   the status as the API server has it, for all we know
draft    the status as planned, ahead of `stored` until it is written
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from windlass import names
from windlass.engine.ports import Body
from windlass.loglines import of_run
from windlass.models.common import parse_time
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.action_types import Outcome
from windlass.plan.types import Program, Refusal, RunEvent, RunView


class RunKey(NamedTuple):
    """A run, by where it is. A run that was deleted and made again has the same key and another UID."""

    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Body) -> RunKey:
        meta = obj["metadata"]
        return cls(meta["namespace"], meta["name"])

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def version_of(obj: Body) -> int:
    """An object's resourceVersion; versions of one object grow (Kubernetes 1.35 says so, earlier ones do so)."""
    return int(obj["metadata"]["resourceVersion"])


def workflow_label(spec: WorkflowRunSpec, run: str) -> str:
    """The workflow that a run's pods are labelled with: its own name stands for one with a definition of its own."""
    return spec.workflow or run[: names.MAX_NAME].rstrip("-.")


@dataclass(slots=True)
class RunRecord:
    """One run in work. Only the reconcile of its key changes it, `absorb` apart."""

    key: RunKey
    uid: str
    body: Body
    version: int
    spec: WorkflowRunSpec
    stored: WorkflowRunStatus
    draft: WorkflowRunStatus
    program: Program | None = None
    confirmed_at: float | None = None
    """When, on the monotonic clock, an answer of the API last proved that the run exists in this version."""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    """How often in a row the create of a pod was put off."""
    made: dict[str, tuple[float, Body]] = field(default_factory=dict)
    """Objects that tasks have just made, by name: when, on the monotonic clock, and as the API gave them."""
    events: list[RunEvent] = field(default_factory=list)
    """To be told once the status that they belong to is stored."""
    answers: dict[str, Outcome] = field(default_factory=dict)
    """What became of actions, by their UIDs: to be told once the status that they belong to is stored."""
    writing: Body | None = None
    """The status whose write is under way: its event may come before its answer."""
    conflicts: int = 0
    """How many writes in a row were based on an old version."""
    write_due: float | None = None
    """When, on the monotonic clock, the draft is to be written at the latest."""
    next_write: float = 0.0
    """No coalesced write before this moment."""

    @property
    def dirty(self) -> bool:
        return self.draft is not self.stored

    @property
    def deleting(self) -> bool:
        return "deletionTimestamp" in self.body["metadata"]

    @property
    def ended(self) -> bool:
        return self.draft.phase is not None and self.draft.phase.ended

    def log(self, logger: logging.Logger) -> logging.LoggerAdapter[logging.Logger]:
        """`logger`, whose lines are then about this run."""
        return of_run(logger, self.key.namespace, self.key.name, self.uid)

    def view(self) -> RunView:
        """The run as the planner reads it, with the draft for its status."""
        meta = self.body["metadata"]
        return RunView(
            namespace=self.key.namespace,
            name=self.key.name,
            uid=self.uid,
            generation=meta.get("generation", 1),
            created_at=created_at(self.body),
            spec=self.spec,
            status=self.draft,
            workflow=workflow_label(self.spec, self.key.name),
        )


def created_at(body: Body) -> datetime:
    """When the object was made."""
    return parse_time(body["metadata"]["creationTimestamp"])
