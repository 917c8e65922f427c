"""A run in a simulation, and what the world knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from windlass.models.common import format_time
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.names import short_hash
from windlass.plan.history import RunSummary, summarize
from windlass.plan.sights import ObjectQuestion
from windlass.plan.task_types import ChildView
from windlass.plan.types import PodView, Refusal, RunView
from windlass.testing.clockwork import workflow_uid
from windlass.testing.definition import Definition
from windlass.testing.record import Records


@dataclass(slots=True, eq=False)
class RunInWork:
    """A run, its pods, and what is yet to be answered."""

    number: int
    """From 0, in the order in which they were made."""
    view: RunView
    definition: Definition
    body: dict[str, Any]
    """Its object, but for the status."""
    summary: RunSummary
    pods: dict[str, PodView] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    children: dict[str, ChildView] = field(default_factory=dict)
    """The runs that its tasks have started, by name."""
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The objects that its tasks have made, by name."""
    questions: tuple[ObjectQuestion, ...] = ()
    """The objects that its last plan asked for."""
    asked: set[str] = field(default_factory=set)
    """Approvals whose answer is on its way, and tasks that wait for what is on its way."""
    come: dict[str, tuple[bool, datetime]] = field(default_factory=dict)
    """By task, what has come that it waited for: whether it is good, and when."""
    records: Records = field(default_factory=Records)
    wake_at: datetime | None = None
    waits_for_slot: bool = False
    """Of `maxActiveTasks`."""
    replaced_by: str | None = None
    """The run for which it is to be stopped."""

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def ended(self) -> bool:
        return self.view.status.phase is not None and self.view.status.phase.ended

    def take(self, status: WorkflowRunStatus) -> bool:
        """Take a planned status for stored; whether the run stands differently among the others now."""
        if status is self.view.status:
            return False
        before = self.view.status
        self.view = replace(self.view, status=status)
        if (before.phase, before.started_at, before.finished_at) == (
            status.phase,
            status.started_at,
            status.finished_at,
        ):
            return False
        self.summary = summarize({**self.body, "status": _short(status)})
        return True


def new_run(number: int, name: str, spec: WorkflowRunSpec, definition: Definition, at: datetime) -> RunInWork:
    """A run that nobody has looked at yet. One with a slot is its Workflow's own."""
    uid = _uid(definition.namespace, name)
    owners = [{"kind": "Workflow", "uid": workflow_uid(definition)}] if spec.slot is not None else []
    body = {
        "metadata": {
            "namespace": definition.namespace,
            "name": name,
            "uid": uid,
            "resourceVersion": "1",
            "creationTimestamp": format_time(at),
            "ownerReferences": owners,
        },
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    view = RunView(
        namespace=definition.namespace,
        name=name,
        uid=uid,
        generation=1,
        created_at=at,
        spec=spec,
        status=WorkflowRunStatus(),
        workflow=definition.name,
    )
    return RunInWork(number, view, definition, body, summarize(body))


def _short(status: WorkflowRunStatus) -> dict[str, Any]:
    """What of a status a summary is made from."""
    interval = status.interval
    return {
        "phase": status.phase.value if status.phase is not None else None,
        "startedAt": status.started_at,
        "finishedAt": status.finished_at,
        "interval": {"start": interval.start, "end": interval.end} if interval is not None else None,
    }


def _uid(namespace: str, name: str) -> str:
    digest = short_hash("run", namespace, name) + short_hash("uid", namespace, name)
    return f"{digest[:8]}-{digest[8:12]}-4000-8000-{digest[12:]:0<12}"
