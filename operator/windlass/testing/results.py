"""What a simulation found: runs, their tasks, the attempts, and what each attempt's container was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from windlass.build.expansion import expand
from windlass.build.pod import PodRequest, build_pod
from windlass.models.common import format_time, parse_time
from windlass.models.run import FailureClass, RunPhase, TaskPhase, WorkflowRunStatus
from windlass.models.workflow import WorkflowStatus
from windlass.names import MAIN_CONTAINER
from windlass.plan.deadline import DEADLINE_MISSED
from windlass.plan.progress import human_duration
from windlass.testing.errors import UnknownRun, UnknownTask

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One pod of a task. Moments are in UTC."""

    number: int
    """From 1."""
    created_at: datetime
    index: int | None = None
    """Of an instance of a forEach, from 0."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: FailureClass | None = None
    """Whose fault its failure is; None for a good attempt and for one under way."""
    reason: str | None = None
    exit_code: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What happened to a task of a run. Moments are in UTC."""

    name: str
    phase: TaskPhase
    reason: str | None = None
    message: str | None = None
    ready_at: datetime | None = None
    """When its trigger rule said start."""
    started_at: datetime | None = None
    """When the container of its first attempt started."""
    finished_at: datetime | None = None
    outputs: Any = None
    """An object; of a forEach the list of its instances'."""
    tries: tuple[Attempt, ...] = ()
    """Of a forEach: instance by instance."""
    instances: tuple[TaskPhase, ...] = ()
    """The phases of the instances of a forEach, in their order."""

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return len(self.tries)

    @property
    def duration(self) -> timedelta | None:
        """From the start of its first attempt to its end, waits between attempts included."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    def __repr__(self) -> str:
        told = [self.name, str(self.phase)]
        if self.instances:
            told.append(f"{len(self.instances)} instances")
        if self.attempts > max(1, len(self.instances)):
            told.append(f"{self.attempts} attempts")
        if self.duration is not None:
            told.append(human_duration(self.duration))
        if self.phase is not TaskPhase.SUCCEEDED and (self.message or self.reason):
            told.append(str(self.message or self.reason))
        return f"<Task {', '.join(told)}>"


@dataclass(frozen=True, slots=True)
class Launch:
    """A pod that was made, and what its main container was given, templates filled in."""

    task: str
    attempt: int
    index: int | None
    """Of an instance of a forEach, from 0."""
    at: datetime
    request: PodRequest = field(repr=False)

    @property
    def manifest(self) -> JsonObject:
        """The pod's manifest, as the controller makes it."""
        return build_pod(self.request)

    @property
    def image(self) -> str:
        """The container's image."""
        return str(self._container()["image"])

    @property
    def command(self) -> tuple[str, ...]:
        """The container's command as the process gets it; that of a script ends with the script."""
        return self._words("command")

    @property
    def args(self) -> tuple[str, ...]:
        """The container's arguments as the process gets them."""
        return self._words("args")

    @property
    def script(self) -> str | None:
        """The script; None for a task that has none."""
        return self.request.body.script

    @property
    def environment(self) -> dict[str, str]:
        """The container's variables as the process gets them, but for those that come from Secrets and the like."""
        found: dict[str, str] = {}
        for entry in self._container().get("env") or ():
            if "valueFrom" not in entry:
                found[entry["name"]] = expand(entry.get("value") or "", found)
        return found

    @property
    def environment_from(self) -> dict[str, JsonObject]:
        """Where the other variables come from: `{"TOKEN": {"secretKeyRef": {"name": "db", "key": "token"}}}`."""
        env = self._container().get("env") or ()
        return {entry["name"]: entry["valueFrom"] for entry in env if "valueFrom" in entry}

    def _words(self, key: str) -> tuple[str, ...]:
        variables = self.environment
        return tuple(expand(word, variables) for word in self._container().get(key) or ())

    def _container(self) -> JsonObject:
        containers = self.manifest["spec"]["containers"]
        return next(dict(one) for one in containers if one["name"] == MAIN_CONTAINER)


@dataclass(frozen=True, slots=True)
class Event:
    """What people would be told by a Kubernetes Event."""

    at: datetime
    reason: str
    """Of a run TaskFailed, TaskRetrying, DeadlineMissed…; of a Workflow SlotsMissed, SlotSkipped…"""
    note: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as it was when the simulation ended. Moments are in UTC."""

    name: str
    workflow: str
    trigger: str
    """Manual, Schedule…"""
    logical_date: datetime
    slot: datetime | None
    """The slot of the schedule that it is for."""
    created_at: datetime
    phase: RunPhase
    reason: str | None
    message: str | None
    started_at: datetime | None
    finished_at: datetime | None
    params: Mapping[str, Any]
    tasks: tuple[Task, ...]
    """In the order of the definition, those of `finally` last."""
    events: tuple[Event, ...] = field(repr=False)
    """What people would be told of the run."""
    all_launches: tuple[Launch, ...] = field(repr=False)
    """The pods that were made, in their order."""
    status: WorkflowRunStatus = field(repr=False)
    """As the controller would have written it."""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Its object, but for the status."""

    @property
    def manifest(self) -> JsonObject:
        """The whole object, as the API server would have it."""
        return {**self.body, "status": self.status.model_dump(mode="json", by_alias=True, exclude_none=True)}

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    @property
    def late(self) -> bool:
        """Whether it missed its `deadline`."""
        return any(event.reason == DEADLINE_MISSED for event in self.events)

    def task(self, name: str) -> Task:
        """What happened to a task. UnknownTask when there is none of that name."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise UnknownTask(name, [task.name for task in self.tasks], f"the run {self.name}")

    def launches(self, task: str) -> tuple[Launch, ...]:
        """The pods of a task, in their order. UnknownTask when there is no task of that name."""
        self.task(task)
        return tuple(launch for launch in self.all_launches if launch.task == task)

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the tasks whose container started, by when it did."""
        started = [(task.started_at, task.name) for task in self.tasks if task.started_at is not None]
        return tuple(name for _, name in sorted(started, key=lambda found: found[0]))

    @property
    def phases(self) -> dict[str, str]:
        """The phase of each task."""
        return {task.name: str(task.phase) for task in self.tasks}

    def __repr__(self) -> str:
        counts = Counter(str(task.phase) for task in self.tasks)
        took = f" in {human_duration(self.duration)}" if self.duration is not None else ""
        told = ", ".join(f"{count} {phase}" for phase, count in counts.items())
        return f"<Run {self.name} {self.phase}{took}: {told}>"


@dataclass(frozen=True, slots=True)
class Simulation(Sequence[Run]):
    """What happened, run by run, in the order in which the runs were made."""

    workflow: str
    start: datetime
    end: datetime
    runs: tuple[Run, ...]
    status: WorkflowStatus | None = field(default=None, repr=False)
    """That of the Workflow with a schedule, as the controller would have written it."""
    events: tuple[Event, ...] = field(default=(), repr=False)
    """What people would be told of the Workflow."""
    waits_for: str | None = None
    """What the next run of a Workflow that follows others waits for: `waits for asset sales/daily`."""

    @property
    def missed(self) -> int:
        """Slots that were not run since they were noticed too late."""
        return (self.status.missed or 0) if self.status is not None else 0

    @property
    def skipped(self) -> int:
        """Slots that were not run since others were under way."""
        return (self.status.skipped or 0) if self.status is not None else 0

    def run(self, which: str | datetime) -> Run:
        """The run of this name, or of this slot or logical date. UnknownRun when there is none."""
        for run in self.runs:
            if which in (run.name, run.slot, run.logical_date):
                return run
        if isinstance(which, str) and (moment := _moment(which)) is not None:
            return self.run(moment)
        name = which if isinstance(which, str) else format_time(which)
        raise UnknownRun(name, [run.name for run in self.runs])

    @property
    def succeeded(self) -> bool:
        """Whether all runs succeeded."""
        return all(run.phase is RunPhase.SUCCEEDED for run in self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __getitem__(self, place: Any) -> Any:
        return self.runs[place]

    def __repr__(self) -> str:
        counts = Counter(str(run.phase) for run in self.runs)
        told = ", ".join(f"{count} {phase}" for phase, count in counts.items()) or "no runs"
        return f"<Simulation of {self.workflow} from {format_time(self.start)} to {format_time(self.end)}: {told}>"


def _moment(text: str) -> datetime | None:
    try:
        return parse_time(text)
    except ValueError:
        return None
