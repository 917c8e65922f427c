"""The WorkflowRun resource: one execution of a Workflow, and in its status everything that happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from windlass.models.action import ActionRecord, TaskOrder
from windlass.models.asset import MAX_ASSETS, ProducedAsset
from windlass.models.branching import GroupStatus
from windlass.models.child import ParentRun
from windlass.models.common import OBJECT_NAME_PATTERN, Instant, JsonObject, Model, Timestamp, list_map
from windlass.models.condition import Condition
from windlass.models.instances import Instances
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


class Trigger(StrEnum):
    """What makes runs by itself. A run without a slot was made by hand: Manual."""

    SCHEDULE = "Schedule"
    BACKFILL = "Backfill"
    WORKFLOW = "Workflow"


class TriggerSource(Model):
    """A run that another run follows."""

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)]
    """Its Workflow."""
    run: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=63)]
    """Its name."""
    uid: Annotated[str, Field(max_length=64)] | None = None
    """Its UID."""
    slot: Instant | None = None
    """The slot that it was for."""
    asset: Annotated[str, Field(max_length=253)] | None = None
    """The asset that it produced, where the run follows data."""
    finished_at: Instant | None = None
    """When it ended, or its task that produced the asset."""
    fields: Annotated[JsonObject, Field(max_length=100)] = {}
    """What it says of the asset, from its task's outputs."""


class RunSlot(Model):
    """The slot of a schedule that a run is for, or the event that it answers. Written by the controller."""

    trigger: Trigger
    """What made the run."""
    scheduled_at: Instant
    """When the run was due."""
    interval_start: Instant | None = None
    """The beginning of the time that the run is about: the slot before this one, where there is a clock."""
    interval_end: Instant | None = None
    """The end of the time that the run is about."""
    previous: Instant | None = None
    """The slot before, which `dependsOnPast` waits for."""
    backfill: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)] | None = None
    """The Backfill that made the run."""
    sources: Annotated[list[TriggerSource], Field(max_length=100)] = []
    """The runs that this one follows."""
    chain: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=100)] = []
    """The Workflows whose runs led here, one following the other: none of them follows this run in turn."""


class WorkflowRunSpec(Model):
    """What to run. Immutable but for `suspend` and `stop`."""

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)] | None = None
    """The name of the Workflow, in the run's namespace."""
    workflow_spec: WorkflowSpec | None = None
    """A definition of its own, for a one-off run. Exactly one of this and `workflow` is given."""
    params: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """Values of the parameters; a sensitive one is `{secretKeyRef: {name, key}}`."""
    logical_date: Instant | None = None
    """The moment that the run is about, RFC 3339 with a zone. The run's creation time by default."""
    tasks: Annotated[list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=1000)] = []
    """Only these tasks are run, and those of `finally`. What they depend on is taken over, with its outputs, from an
    earlier run; all others are skipped. All tasks by default."""
    outputs_from: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)] | None = None
    """With `tasks`: the name of the run that the outputs of the others are taken from. The Workflow's last good run by
    default."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    """Of the runs of the Workflow that wait for their turn, the one of the highest priority goes first. The Workflow's
    `priority` by default."""
    parent: ParentRun | None = None
    """Which run started this one, as a task of its own. Written by the controller."""
    slot: RunSlot | None = None
    """The slot that the run is for. The controller gives it to the runs that it makes; absent for a run made by
    hand."""
    suspend: bool = False
    """No new task starts while true; what runs goes on."""
    stop: Stop | None = None
    """Ends the run: Cancel stops its tasks and lets `finally` run, Terminate stops everything. It goes from nothing to
    Cancel to Terminate, never back."""


class Attempt(Model):
    """One pod of a task, from its launch to its end."""

    number: int
    """From 1."""
    pod: str | None = None
    """The pod's name."""
    object: str | None = None
    """The name of the object that the task has made, instead of a pod."""
    kind: str | None = None
    """Its apiVersion and kind: `batch/v1/Job`."""
    run: str | None = None
    """The name of the run that the task has started, instead of a pod."""
    uid: str | None = None
    """The pod's UID, once it was seen."""
    node: str | None = None
    """The node that it ran on."""
    created_at: Timestamp | None = None
    """When the pod was made."""
    started_at: Timestamp | None = None
    """When the main container started."""
    finished_at: Timestamp | None = None
    """When the main container ended."""
    class_: FailureClass | None = Field(default=None, alias="class")
    """Whose fault its failure is. Absent for a good attempt and for one under way."""
    reason: str | None = None
    """How it ended, in a word."""
    exit_code: int | None = None
    """The exit code of the main container."""
    message: str | None = None
    """What is known of its failure: the last lines of its log, or Kubernetes' own words."""
    hint: str | None = None
    """What the reader may do about it."""
    memory: str | None = None
    """The memory limit of this attempt, when it grew after an OOM kill."""


class TaskStatus(Model):
    """What happened to a task."""

    name: str
    """The task's name."""
    phase: TaskPhase = TaskPhase.WAITING
    """Where the task stands."""
    reason: str | None = None
    """Why it stands there, in a word."""
    message: str | None = None
    """The same in a sentence."""
    retry_at: Timestamp | None = None
    """When the next attempt is due."""
    ready_at: Timestamp | None = None
    """When the trigger rule said start."""
    started_at: Timestamp | None = None
    """When its first attempt started."""
    finished_at: Timestamp | None = None
    """When it ended for good."""
    attempts: list[Attempt] = []
    """The last three in full."""
    dropped: int | None = None
    """How many earlier attempts are no longer listed."""
    app_failures: int | None = None
    """Failures so far that spend `retry.limit`."""
    infra_failures: int | None = None
    """Failures so far that spend `retry.infraLimit`."""
    removing: bool | None = None
    """The object that it has made is still to be deleted."""
    outputs: JsonObject | None = None
    """What the task wrote to the file `$WINDLASS_OUTPUTS`."""
    instances: Instances | None = None
    """The instances of a `forEach`."""
    cleared: int | None = None
    """How many attempts it had when a RunAction last sent it back: later ones have budgets of their own."""
    order: TaskOrder | None = None
    """What a RunAction makes of it as soon as its pod has ended."""


class SourceStatus(Model):
    """The code that the run is pinned to."""

    repo: str
    """The repository's URL."""
    ref: str
    """The branch, tag or commit that the definition names."""
    commit: str | None = None
    """The commit that `ref` was when the run started."""
    step: TaskStatus | None = None
    """The step that resolved it."""


class DataInterval(Model):
    """The time that a run is about, its end not included."""

    start: Timestamp
    """Its beginning."""
    end: Timestamp
    """Its end."""


class GoodRun(Model):
    """A run that succeeded."""

    run: str
    """Its name."""
    logical_date: Timestamp
    """The moment that it was about."""
    interval: DataInterval | None = None
    """The time that it was about."""


class Orders(Model):
    """What RunActions have said about the run as a whole, beside its spec."""

    suspend: bool | None = None
    """What an action said last. It counts for as long as `spec.suspend` is as it was then."""
    suspend_over: bool | None = None
    """What `spec.suspend` was then."""
    stop: Stop | None = None
    """How an action stops the run."""
    stop_over: Stop | None = None
    """The `spec.stop` that a retry has left behind: it counts no more."""


class WorkflowRunStatus(Model):
    """Everything that happened to a run."""

    phase: RunPhase | None = None
    """Where the run stands."""
    reason: str | None = None
    """Why it stands there, in a word."""
    message: str | None = None
    """The same in a sentence."""
    progress: str | None = None
    """Ended tasks of all: `3/7`."""
    trigger: str | None = None
    """What made the run: Manual, Schedule, Backfill or Workflow."""
    workflow: str | None = None
    """The Workflow's name, also for the columns of a run with a definition of its own."""
    revision: str | None = None
    """The ControllerRevision that holds the definition the run is pinned to."""
    params: dict[str, Any] | None = None
    """The parameters' values, defaults included."""
    slot: str | None = None
    """The slot of the schedule that the run is for: when it was due."""
    interval: DataInterval | None = None
    """The time that the run is about, where it has a slot or its Workflow a schedule."""
    previous_success: GoodRun | None = None
    """The last good run of the Workflow before this one, as it was when this one was admitted."""
    deadline: Timestamp | None = None
    """When the run is late, by its Workflow's `deadline`."""
    source: SourceStatus | None = None
    """The code that the run is pinned to."""
    workspace: str | None = None
    """The PersistentVolumeClaim of the run's workspace."""
    queued_at: Timestamp | None = None
    """When the run was admitted."""
    started_at: Timestamp | None = None
    """When its first task could start."""
    finished_at: Timestamp | None = None
    """When it ended."""
    duration: str | None = None
    """How long the run took, set at its end: `1m20s`."""
    attempt: int | None = None
    """How often the run was started: 2 after the first Retry or Clear of one that had ended. 1 if absent."""
    retried_at: Timestamp | None = None
    """When it was last started again; its `timeout` counts from here."""
    orders: Orders | None = None
    """What RunActions have said about the run as a whole."""
    stop_reason: str | None = None
    """Why the run is being stopped: Cancelled, Terminated, TimedOut, SourceFailed."""
    stopping_at: Timestamp | None = None
    """When it began to be stopped."""
    observed_generation: int | None = None
    """The generation of the run that this status takes account of."""
    groups: list[GroupStatus] | None = None
    """The groups of tasks."""
    conditions: Annotated[list[Condition], Field(json_schema_extra=list_map("type"))] = []
    """Accepted, Running, Succeeded, and DeadlineMissed for a run that is late: for `kubectl wait`."""
    tasks: list[TaskStatus] = []
    """What happened to each task, those of `finally` included."""
    assets: Annotated[list[ProducedAsset], Field(max_length=MAX_ASSETS)] | None = None
    """The assets that tasks have produced."""
    actions: list[ActionRecord] | None = None
    """The last 32 RunActions that were applied, and who asked for them."""


class WorkflowRun(Model):
    """One execution: what to run, and in its status everything that happened."""

    api_version: str
    """`windlass.dev/v1alpha1`"""
    kind: str
    """`WorkflowRun`"""
    metadata: JsonObject
    """Standard metadata. The name has at most 63 characters, so that it fits a label."""
    spec: WorkflowRunSpec
    """What to run."""
    status: WorkflowRunStatus | None = None
    """Everything that happened, written by the controller."""
