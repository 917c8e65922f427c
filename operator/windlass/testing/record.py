"""What is kept of a run while it is simulated, and the result that is made of it.

A status keeps the last three attempts of a task; here all are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from windlass.build.pod import PodRequest
from windlass.models import run as models
from windlass.models.common import parse_time
from windlass.models.run import RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.names import SOURCE_STEP
from windlass.plan.context import trigger_of
from windlass.plan.types import Launch as PlannedLaunch
from windlass.plan.types import PodView, RunEvent, RunView
from windlass.testing.results import Attempt, Event, Launch, Run, Task


@dataclass(slots=True)
class Records:
    """Attempts by task, instance and number, and the launches in their order."""

    attempts: dict[tuple[str, int | None, int], Attempt] = field(default_factory=dict)
    launches: list[Launch] = field(default_factory=list)
    events: list[tuple[datetime, RunEvent]] = field(default_factory=list)
    _known: dict[str, TaskStatus] = field(default_factory=dict)

    def launched(self, launch: PlannedLaunch, request: PodRequest, now: datetime) -> None:
        """A pod was made."""
        self.launches.append(Launch(launch.task, launch.attempt, launch.index, now, request))

    def take(self, status: WorkflowRunStatus, events: tuple[RunEvent, ...], now: datetime) -> None:
        """Take what a new status says of attempts."""
        self.events += [(now, event) for event in events]
        step = status.source.step if status.source else None
        for task in [*status.tasks, *([step] if step else [])]:
            if self._known.get(task.name) is task:
                continue
            self._known[task.name] = task
            for attempt in task.attempts:
                self.attempts[task.name, None, attempt.number] = _attempt(attempt, now)

    def ended(self, pod: PodView) -> None:
        """A pod's result was taken. Of an instance of a forEach the status keeps no more than it needs."""
        if pod.index is None:
            return
        result = pod.result
        self.attempts[pod.task, pod.index, pod.attempt] = Attempt(
            number=pod.attempt,
            index=pod.index,
            created_at=pod.created_at,
            started_at=pod.started_at,
            finished_at=pod.finished_at,
            failure=result.failure if result is not None else None,
            reason=result.reason if result is not None and result.failure is not None else None,
            exit_code=result.exit_code if result is not None else None,
            message=result.message or None if result is not None and result.failure is not None else None,
        )


def result(run: RunView, records: Records, body: Mapping[str, Any]) -> Run:
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
        body=body,
    )


def _task(task: TaskStatus, records: Records) -> Task:
    mine = [key for key in records.attempts if key[0] == task.name]
    return Task(
        name=task.name,
        phase=task.phase,
        reason=task.reason,
        message=task.message,
        ready_at=_moment(task.ready_at),
        started_at=_moment(task.started_at),
        finished_at=_moment(task.finished_at),
        outputs=task.outputs if task.instances is None else task.instances.outputs(),
        tries=tuple(records.attempts[key] for key in sorted(mine, key=lambda key: (key[1] or 0, key[2]))),
        instances=tuple(map(_instance, task.instances.states)) if task.instances is not None else (),
    )


def _instance(state: TaskStatus | None) -> TaskPhase:
    return state.phase if state is not None else TaskPhase.WAITING


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
