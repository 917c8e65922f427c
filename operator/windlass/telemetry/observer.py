"""Translates what the engine reports into metrics, Kubernetes Events and lines of the log.

What lies between two stored statuses of a run has happened for good, and is told once: `windlass.runs` is the logger of
it. Messages of tasks and values of parameters are not in its lines: they may hold what is nobody's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from windlass.loglines import of_run
from windlass.models.backfill import BackfillStatus
from windlass.models.common import parse_time
from windlass.models.instances import Instances
from windlass.models.run import Attempt, RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.plan.backfill_types import BackfillView
from windlass.plan.deadline import missed_at
from windlass.plan.types import Program, RunEvent, RunView
from windlass.resources import RUNS, Resource
from windlass.telemetry.events import build_event
from windlass.telemetry.metrics import Metrics, TaskOf

logger = logging.getLogger("windlass.runs")
_OF_ITS_OWN: Final = frozenset({"", "MaxActiveTasks", "Suspended", "WaitingForPool"})
"""Reasons of a task that waits which its author has chosen, or none."""


class EngineObserver:
    """Counts and tells what the engine does. `instance` names this process in events."""

    def __init__(self, metrics: Metrics, now: Callable[[], datetime], instance: str = "windlass") -> None:
        self._metrics = metrics
        self._now = now
        self._instance = instance
        self.queue_changed = metrics.queue_changed
        self.queue_waited = metrics.queue_waited
        self.reconciled = metrics.reconciled
        self.stray_removed = metrics.stray_removed
        self.slot_fired = metrics.slot_fired
        self.slots_passed = metrics.slots_passed

    def event(self, run: dict[str, Any], event: RunEvent, resource: Resource = RUNS, about: str = "") -> dict[str, Any]:
        """The Kubernetes Event that says it."""
        self._metrics.event_told(event.type, event.reason)
        return build_event(run, event, self._now(), instance=self._instance, resource=resource, about=about)

    def backfill_stored(self, backfill: BackfillView, before: BackfillStatus, after: BackfillStatus) -> None:
        """Count and tell what lies between two stored statuses of a backfill."""
        of = (backfill.namespace, backfill.spec.workflow)
        for outcome in ("succeeded", "failed", "cancelled", "skipped"):
            # A run that failed and succeeds after all was counted before.
            many = (getattr(after, outcome) or 0) - (getattr(before, outcome) or 0)
            if many > 0:
                self._metrics.backfill_slots_done(*of, outcome, many)
        if after.phase is not None and after.phase.ended and not (before.phase is not None and before.phase.ended):
            self._metrics.backfill_ended(*of, str(after.phase))
            name = f"{backfill.namespace}/{backfill.name}"
            logger.info("backfill %s ended: %s, %s", name, after.phase, after.reason)
        elif after.started_at is not None and before.started_at is None:
            name = f"{backfill.namespace}/{backfill.name}"
            logger.info("backfill %s of Workflow %s started: %s slots", name, backfill.spec.workflow, after.total)

    def status_stored(
        self, run: RunView, before: WorkflowRunStatus, after: WorkflowRunStatus, program: Program | None
    ) -> None:
        """Count and tell what lies between two stored statuses of a run."""
        changes = _Changes(self._metrics, run)
        changes.run(before, after)
        known = {task.name: task for task in before.tasks}
        for task in after.tasks:
            earlier = known.get(task.name)
            if task is not earlier:
                changes.task(earlier, task)
        step = after.source.step if after.source else None
        earlier = before.source.step if before.source else None
        if step is not None and step is not earlier:
            changes.task(earlier, step)
        changes.run_end(before, after)


class _Changes:
    """What happened to one run between two writes of its status."""

    def __init__(self, metrics: Metrics, run: RunView) -> None:
        self._metrics = metrics
        self._run = run
        self._workflow = run.spec.workflow or ""

    def run(self, before: WorkflowRunStatus, after: WorkflowRunStatus) -> None:
        """The run itself, but for its end, which comes after that of its tasks."""
        if _began(after.phase) and not _began(before.phase):
            self._metrics.run_began(self._run.namespace, self._workflow)
            what = f"Workflow {self._workflow}" if self._workflow else "a definition of its own"
            self._tell(logging.INFO, "run admitted: %s", what)
        late = missed_at(after)
        if late is not None and missed_at(before) is None:
            self._metrics.deadline_missed(self._run.namespace, self._workflow, late.timestamp())
            self._tell(logging.WARNING, "run is late: its deadline was %s", after.deadline)
        if after.stop_reason and not before.stop_reason:
            self._tell(logging.INFO, "run is being stopped: %s", after.stop_reason)

    def run_end(self, before: WorkflowRunStatus, after: WorkflowRunStatus) -> None:
        """The run's end."""
        if not _ended(after.phase) or _ended(before.phase):
            return
        seconds = _between(after.started_at, after.finished_at)
        at = parse_time(after.finished_at).timestamp() if after.finished_at else None
        self._metrics.run_ended(self._run.namespace, self._workflow, str(after.phase), seconds, at)
        if after.phase is RunPhase.REFUSED:
            self._tell(logging.WARNING, "run refused: %s", after.reason)
        else:
            took = "" if seconds is None else f" after {seconds:.1f} s"
            self._tell(logging.INFO, "run ended: %s, %s%s", after.phase, after.reason, took)

    def task(self, before: TaskStatus | None, after: TaskStatus) -> None:
        """A task, the source's step among them."""
        of = TaskOf(self._run.namespace, self._workflow, after.name)
        known = {attempt.number: attempt for attempt in before.attempts} if before is not None else {}
        for attempt in after.attempts:
            self._attempt(of, before, after, known.get(attempt.number), attempt)
        if after.instances is not None and (before is None or before.instances is not after.instances):
            self._instances(of, before.instances if before is not None else None, after.instances)
        if after.phase is TaskPhase.RETRYING and not (before is not None and before.phase is TaskPhase.RETRYING):
            self._tell(logging.INFO, "task is tried again at %s", after.retry_at, task=after.name)
        waits = after.phase is TaskPhase.QUEUED and (after.reason or "") not in _OF_ITS_OWN
        if waits and (before is None or before.reason != after.reason):
            self._tell(logging.INFO, "task waits: %s", after.reason, task=after.name)
        if after.phase.ended and not (before is not None and before.phase.ended):
            failed = after.phase is TaskPhase.FAILED and after.attempts and after.attempts[-1].class_
            seconds = _between(after.started_at, after.finished_at)
            self._metrics.task_ended(of, after.phase, failed or "", seconds)
            level = logging.INFO if after.phase is TaskPhase.FAILED else logging.DEBUG
            self._tell(level, "task ended: %s, %s", after.phase, after.reason, task=after.name)

    def _instances(self, of: TaskOf, before: Instances | None, after: Instances) -> None:
        """The attempts of the instances of a forEach. Those of one that has ended well are only counted by then."""
        known = before.states if before is not None else (None,) * after.total
        for old, new in zip(known, after.states, strict=False):
            if new is None or new is old:
                continue
            earlier = {attempt.number: attempt for attempt in old.attempts} if old is not None else {}
            for attempt in new.attempts:
                self._attempt(of, old, new, earlier.get(attempt.number), attempt)
            number = new.dropped or 0
            if new.attempts or not number or (old is not None and old.phase.ended):
                continue
            if number not in earlier:
                self._metrics.attempt_began(of, number)
            self._metrics.attempt_ended(of, "")

    def _attempt(
        self, of: TaskOf, task_before: TaskStatus | None, task: TaskStatus, before: Attempt | None, after: Attempt
    ) -> None:
        if after.created_at and not (before and before.created_at):
            retry_at = task_before.retry_at if task_before is not None else None
            ready_at = task.ready_at if after.number == 1 else retry_at
            self._metrics.attempt_began(of, after.number)
            self._tell(logging.DEBUG, "pod launched", task=task.name, attempt=after)
            if (delay := _between(ready_at, after.created_at)) is not None:
                self._metrics.pod_created(delay)
        if after.started_at and not (before and before.started_at):
            delay = _between(after.created_at, after.started_at)
            if delay is not None:
                self._metrics.pod_running(delay)
        if after.finished_at and not (before and before.finished_at):
            self._metrics.attempt_ended(of, after.class_ or "")
            if after.class_:
                code = "" if after.exit_code is None else f", exit code {after.exit_code}"
                node = f", on {after.node}" if after.node else ""
                what = f"{after.class_}, {after.reason}{code}{node}"
                self._tell(logging.INFO, "attempt failed: %s", what, task=task.name, attempt=after)
            else:
                self._tell(logging.DEBUG, "attempt succeeded", task=task.name, attempt=after)

    def _tell(
        self, level: int, message: str, *values: object, task: str | None = None, attempt: Attempt | None = None
    ) -> None:
        if not logger.isEnabledFor(level):
            return
        number, pod = (attempt.number, attempt.pod) if attempt is not None else (None, None)
        run = self._run
        log = of_run(logger, run.namespace, run.name, run.uid, task=task, attempt=number, pod=pod)
        log.log(level, message, *values)


def _began(phase: RunPhase | None) -> bool:
    return phase is not None and phase is not RunPhase.PENDING and not phase.ended


def _ended(phase: RunPhase | None) -> bool:
    return phase is not None and phase.ended


def _between(begin: str | None, end: str | None) -> float | None:
    """Seconds from one instant to another; none are negative, as clocks of two machines may have it."""
    if begin is None or end is None:
        return None
    return max(0.0, (parse_time(end) - parse_time(begin)).total_seconds())
