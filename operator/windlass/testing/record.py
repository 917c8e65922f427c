"""What is kept of a run while it is simulated, and the result that is made of it.

A status keeps the last three attempts of a task; here all are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from windlass.build.pod import PodRequest
from windlass.models import run as models
from windlass.models.common import parse_time
from windlass.models.run import RunPhase, TaskStatus, WorkflowRunStatus
from windlass.names import SOURCE_STEP
from windlass.plan.context import trigger_of
from windlass.plan.types import Launch as PlannedLaunch
from windlass.plan.types import PodPhase, PodView, RunEvent, RunView
from windlass.testing.results import Attempt, Event, Launch, Run, Task


@dataclass(slots=True)
class Records:
    """Attempts by task and number, and the launches in their order."""

    attempts: dict[str, dict[int, Attempt]] = field(default_factory=dict)
    launches: list[Launch] = field(default_factory=list)
    events: list[tuple[datetime, RunEvent]] = field(default_factory=list)
    _known: dict[str, TaskStatus] = field(default_factory=dict)

    def launched(self, launch: PlannedLaunch, request: PodRequest, now: datetime) -> None:
        """A pod was made."""
        self.launches.append(Launch(launch.task, launch.attempt, now, request))

    def take(self, status: WorkflowRunStatus, events: tuple[RunEvent, ...], now: datetime) -> None:
        """Take what a new status says of attempts."""
        self.events += [(now, event) for event in events]
        step = status.source.step if status.source else None
        for task in [*status.tasks, *([step] if step else [])]:
            if self._known.get(task.name) is task:
                continue
            self._known[task.name] = task
            known = self.attempts.setdefault(task.name, {})
            for attempt in task.attempts:
                known[attempt.number] = _attempt(attempt, now)

    def is_over(self, pod: PodView) -> bool:
        """Whether the pod has ended, and its result was taken."""
        attempt = self.attempts.get(pod.task, {}).get(pod.attempt)
        return pod.phase is PodPhase.ENDED and attempt is not None and attempt.finished_at is not None


def result(run: RunView, records: Records) -> Run:
    """What a simulation tells of a run."""
    status = run.status
    return Run(
        name=run.name,
        workflow=run.workflow,
        trigger=trigger_of(run),
        logical_date=parse_time(run.spec.logical_date) if run.spec.logical_date else run.created_at,
        slot=parse_time(run.spec.slot.scheduled_at) if run.spec.slot else None,
        created_at=run.created_at,
        phase=status.phase or RunPhase.PENDING,
        reason=status.reason,
        message=status.message,
        started_at=_moment(status.started_at),
        finished_at=_moment(status.finished_at),
        params=status.params or {},
        tasks=tuple(_task(task, records) for task in status.tasks),
        events=tuple(Event(at, event.reason, event.note) for at, event in records.events),
        all_launches=tuple(launch for launch in records.launches if launch.task != SOURCE_STEP),
        status=status,
    )


def _task(task: TaskStatus, records: Records) -> Task:
    attempts = records.attempts.get(task.name, {})
    return Task(
        name=task.name,
        phase=task.phase,
        reason=task.reason,
        message=task.message,
        ready_at=_moment(task.ready_at),
        started_at=_moment(task.started_at),
        finished_at=_moment(task.finished_at),
        outputs=task.outputs,
        tries=tuple(attempts[number] for number in sorted(attempts)),
    )


def _attempt(attempt: models.Attempt, now: datetime) -> Attempt:
    return Attempt(
        number=attempt.number,
        created_at=_moment(attempt.created_at) or now,
        started_at=_moment(attempt.started_at),
        finished_at=_moment(attempt.finished_at),
        failure=attempt.class_,
        reason=attempt.reason,
        exit_code=attempt.exit_code,
        message=attempt.message,
    )


def _moment(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
