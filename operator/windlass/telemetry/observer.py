"""Translates what the engine reports into metrics and Kubernetes Events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from windlass.models.common import parse_time
from windlass.models.run import Attempt, RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.plan.types import Program, RunEvent, RunView
from windlass.telemetry.events import build_event
from windlass.telemetry.metrics import Metrics, TaskOf


class EngineObserver:
    """Counts what the engine does. `instance` names this process in events."""

    def __init__(self, metrics: Metrics, now: Callable[[], datetime], instance: str = "windlass") -> None:
        self._metrics = metrics
        self._now = now
        self._instance = instance
        self.queue_changed = metrics.queue_changed
        self.queue_waited = metrics.queue_waited
        self.reconciled = metrics.reconciled
        self.stray_removed = metrics.stray_removed

    def event(self, run: dict[str, Any], event: RunEvent) -> dict[str, Any]:
        """The Kubernetes Event that says it."""
        self._metrics.event_told(event.type, event.reason)
        return build_event(run, event, self._now(), instance=self._instance)

    def status_stored(
        self, run: RunView, before: WorkflowRunStatus, after: WorkflowRunStatus, program: Program | None
    ) -> None:
        """Count what lies between two stored statuses of a run."""
        namespace, workflow = run.namespace, run.spec.workflow or ""
        if _began(after.phase) and not _began(before.phase):
            self._metrics.run_began(namespace, workflow)
        if _ended(after.phase) and not _ended(before.phase):
            seconds = _between(after.started_at, after.finished_at)
            at = parse_time(after.finished_at).timestamp() if after.finished_at else None
            self._metrics.run_ended(namespace, workflow, str(after.phase), seconds, at)
        known = {task.name: task for task in before.tasks}
        for task in after.tasks:
            earlier = known.get(task.name)
            if task is not earlier:
                self._task_changed(TaskOf(namespace, workflow, task.name), earlier, task)
        step = after.source.step if after.source else None
        earlier = before.source.step if before.source else None
        if step is not None and step is not earlier:
            self._task_changed(TaskOf(namespace, workflow, step.name), earlier, step)

    def _task_changed(self, of: TaskOf, before: TaskStatus | None, after: TaskStatus) -> None:
        known = {attempt.number: attempt for attempt in before.attempts} if before is not None else {}
        for attempt in after.attempts:
            self._attempt_changed(of, before, after, known.get(attempt.number), attempt)
        if after.phase.ended and not (before is not None and before.phase.ended):
            failed = after.phase is TaskPhase.FAILED and after.attempts and after.attempts[-1].class_
            seconds = _between(after.started_at, after.finished_at)
            self._metrics.task_ended(of, after.phase, failed or "", seconds)

    def _attempt_changed(
        self, of: TaskOf, task_before: TaskStatus | None, task: TaskStatus, before: Attempt | None, after: Attempt
    ) -> None:
        if after.created_at and not (before and before.created_at):
            retry_at = task_before.retry_at if task_before is not None else None
            ready_at = task.ready_at if after.number == 1 else retry_at
            self._metrics.attempt_began(of, after.number)
            if (delay := _between(ready_at, after.created_at)) is not None:
                self._metrics.pod_created(delay)
        if after.started_at and not (before and before.started_at):
            delay = _between(after.created_at, after.started_at)
            if delay is not None:
                self._metrics.pod_running(delay)
        if after.finished_at and not (before and before.finished_at):
            self._metrics.attempt_ended(of, after.class_ or "")


def _began(phase: RunPhase | None) -> bool:
    return phase is not None and phase is not RunPhase.PENDING and not phase.ended


def _ended(phase: RunPhase | None) -> bool:
    return phase is not None and phase.ended


def _between(begin: str | None, end: str | None) -> float | None:
    """Seconds from one instant to another; none are negative, as clocks of two machines may have it."""
    if begin is None or end is None:
        return None
    return max(0.0, (parse_time(end) - parse_time(begin)).total_seconds())
