"""The WorkflowRun resource: one execution of a Workflow, and in its status everything that happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from windlass.models.common import JsonObject, Model, Timestamp
from windlass.models.workflow import WorkflowSpec


class Stop(StrEnum):
    """How a run is stopped: Cancel lets `finally` run, Terminate lets nothing run any more."""

    CANCEL = "Cancel"
    TERMINATE = "Terminate"


class RunPhase(StrEnum):
    """Where a run stands. The last four are ends."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    REFUSED = "Refused"

    @property
    def ended(self) -> bool:
        return self in _ENDED_RUN


_ENDED_RUN = frozenset({RunPhase.SUCCEEDED, RunPhase.FAILED, RunPhase.CANCELLED, RunPhase.REFUSED})


class TaskPhase(StrEnum):
    """Where a task stands. The last five are ends."""

    WAITING = "Waiting"
    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    RETRYING = "Retrying"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UPSTREAM_FAILED = "UpstreamFailed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        return self in _ENDED_TASK


_ENDED_TASK = frozenset(
    {TaskPhase.SUCCEEDED, TaskPhase.FAILED, TaskPhase.UPSTREAM_FAILED, TaskPhase.SKIPPED, TaskPhase.CANCELLED}
)


class FailureClass(StrEnum):
    """Whose fault a failed attempt is, and so which budget it spends."""

    APP = "App"
    OOM = "OOM"
    TIMEOUT = "Timeout"
    INFRA = "Infra"
    START = "Start"
    LAUNCH = "Launch"


class WorkflowRunSpec(Model):
    """What to run. Immutable but for `suspend` and `stop`."""

    workflow: Annotated[str, Field(min_length=1, max_length=49)] | None = None
    """The name of the Workflow, in the run's namespace."""
    workflow_spec: WorkflowSpec | None = None
    """A definition of its own, for a one-off run. Exactly one of this and `workflow` is given."""
    params: dict[str, Any] = {}
    """Values of the parameters; a sensitive one is `{secretKeyRef: {name, key}}`."""
    logical_date: Timestamp | None = None
    """The moment that the run is about. Its creation time by default."""
    suspend: bool = False
    """No new task starts while true."""
    stop: Stop | None = None
    """Absent, Cancel or Terminate; never back."""


class Attempt(Model):
    """One pod of a task, from its launch to its end."""

    number: int
    """From 1."""
    pod: str | None = None
    uid: str | None = None
    """The pod's UID, once it was seen."""
    node: str | None = None
    created_at: Timestamp | None = None
    """When the pod was made."""
    started_at: Timestamp | None = None
    """When the main container started."""
    finished_at: Timestamp | None = None
    class_: FailureClass | None = Field(default=None, alias="class")
    """Absent for a good attempt and for one under way."""
    reason: str | None = None
    exit_code: int | None = None
    message: str | None = None
    hint: str | None = None
    """What the reader may do about it."""
    memory: str | None = None
    """The memory limit of this attempt, when it grew after an OOM kill."""


class TaskStatus(Model):
    """What happened to a task."""

    name: str
    phase: TaskPhase = TaskPhase.WAITING
    reason: str | None = None
    message: str | None = None
    retry_at: Timestamp | None = None
    ready_at: Timestamp | None = None
    """When the trigger rule said start."""
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    attempts: list[Attempt] = []
    """The last three in full."""
    dropped: int | None = None
    """How many earlier attempts are no longer listed."""
    app_failures: int | None = None
    """Failures so far that spend `retry.limit`."""
    infra_failures: int | None = None
    """Failures so far that spend `retry.infraLimit`."""
    outputs: JsonObject | None = None


class SourceStatus(Model):
    """The code that the run is pinned to."""

    repo: str
    ref: str
    commit: str | None = None
    """The commit that `ref` was when the run started."""
    step: TaskStatus | None = None
    """The step that resolved it."""


class Condition(Model):
    """A metav1.Condition."""

    type: str
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    reason: str
    message: str = ""
    last_transition_time: Timestamp
    observed_generation: int | None = None


class WorkflowRunStatus(Model):
    """Everything that happened to a run."""

    phase: RunPhase | None = None
    reason: str | None = None
    message: str | None = None
    progress: str | None = None
    """Ended tasks of all: `3/7`."""
    trigger: str | None = None
    """What made the run: Manual."""
    workflow: str | None = None
    """The Workflow's name, also for the columns of a run with a definition of its own."""
    revision: str | None = None
    """The ControllerRevision that holds the definition the run is pinned to."""
    params: dict[str, Any] | None = None
    """The parameters' values, defaults included."""
    slot: str | None = None
    source: SourceStatus | None = None
    workspace: str | None = None
    """The PersistentVolumeClaim of the run's workspace."""
    queued_at: Timestamp | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    duration: str | None = None
    """How long the run took, set at its end: `1m20s`."""
    stop_reason: str | None = None
    """Why the run is being stopped: Cancelled, Terminated, TimedOut, SourceFailed."""
    stopping_at: Timestamp | None = None
    """When it began to be stopped."""
    observed_generation: int | None = None
    conditions: list[Condition] = []
    tasks: list[TaskStatus] = []
