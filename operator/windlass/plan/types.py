"""What the planner is given and what it answers: frozen values, shared by the planner and the engine.

Seen (run, program, pods, refusals, free slots) ──plan_run(seen, now)──▶ Plan (status, launches, endings, …)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from windlass.models.run import FailureClass, TaskPhase, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.task import Task
from windlass.models.workflow import WorkflowSpec
from windlass.plan.history import RunSummary
from windlass.plan.sights import ObjectQuestion, Sight
from windlass.plan.task_types import (
    ChildLaunch,
    ChildStop,
    ChildView,
    ObjectLaunch,
    ObjectRemoval,
    PoolAnswer,
    PoolWant,
)


class PodPhase(StrEnum):
    """How far a pod is, as the planner needs to know it."""

    UNSCHEDULED = "Unscheduled"
    STARTING = "Starting"
    RUNNING = "Running"
    """The main container has started, and has not ended."""
    ENDED = "Ended"
    """The main container has ended for good, or the pod is terminal."""


@dataclass(frozen=True, slots=True)
class PodResult:
    """How an attempt ended. `failure` is None for a success."""

    failure: FailureClass | None
    reason: str
    exit_code: int | None = None
    message: str = ""
    """The termination message: the outputs' JSON of a good attempt, the last log lines of a failed one."""
    truncated: bool = False
    """The message reached the limit that Kubernetes puts on it."""
    limit_bytes: int = 4096
    """That limit, for the error's text."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Facts for the hint: the memory limit that was hit, the image, the container that failed…"""


@dataclass(frozen=True, slots=True)
class PodView:
    """What is kept of a pod: enough to plan, 0.5 KB instead of 41."""

    namespace: str
    name: str
    uid: str
    version: int
    """Its resourceVersion."""
    workflow: str
    run: str
    run_uid: str
    """Of its owner."""
    task: str
    attempt: int
    phase: PodPhase
    created_at: datetime
    index: int | None = None
    """Of an instance of a forEach."""
    started_at: datetime | None = None
    """When the main container started."""
    finished_at: datetime | None = None
    """When the main container ended."""
    deleting_since: datetime | None = None
    """When its deletion was asked for (deletionTimestamp less the grace period)."""
    pool: str = ""
    """The Pool whose slots it takes; empty: none."""
    slots: int = 0
    held: bool = False
    """It carries the finalizer `windlass.dev/result`."""
    terminal: bool = False
    """Its phase is Succeeded or Failed: no container runs any more."""
    lingers: bool = False
    """The main container has ended, and other plain containers, as a mesh or an agent injects them, have not."""
    ending: bool = False
    """`activeDeadlineSeconds: 1` was patched in: it was told to end."""
    node: str | None = None
    result: PodResult | None = None
    """Given when the phase is ENDED."""
    waiting_reason: str = ""
    """Why it has not started: ImagePullBackOff, CreateContainerConfigError, Unschedulable…"""
    waiting_message: str = ""
    node_lost: bool = False
    """Its node does not answer (condition Ready False/Unknown with NodeLost, or deletion by the taint manager)."""


class RefusalKind(StrEnum):
    """Why the API did not take a pod."""

    LAUNCH = "Launch"
    """Refused for good: class Launch."""
    WAIT = "Wait"
    """Quota, a right of ours that is missing, 429, 5xx, no answer: tried again later, no failure of the task."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API's answer to the create of a pod, when it was not success."""

    kind: RefusalKind
    reason: str
    """Invalid, Forbidden, QuotaExceeded, NotPermitted, TooManyRequests, ServerError, Unreachable, NameTaken…"""
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it was read; `status` may be ahead of the server by what is not yet written."""

    namespace: str
    name: str
    uid: str
    generation: int
    created_at: datetime
    spec: WorkflowRunSpec
    status: WorkflowRunStatus
    workflow: str
    """The Workflow's name; for a definition of its own: the run's name, cut to fit a label."""


@dataclass(frozen=True, slots=True)
class Node:
    """A task of the compiled DAG."""

    task: Task
    """With taskDefaults merged in; templates not yet rendered."""
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    is_finally: bool = False
    timeout: timedelta | None = None
    start_timeout: timedelta = timedelta(minutes=10)
    keep_pods_for: timedelta = timedelta(hours=1)

    @property
    def asks(self) -> bool:
        """Whether its pod is asked again and again."""
        return self.task.wait_for is not None and self.task.wait_for.pod is not None

    @property
    def allows_failure(self) -> bool:
        """Whether its failure leaves the run a good one."""
        allowed = self.task.allow_failure
        return bool(self.task.teardown_of) if allowed is None else allowed

    @property
    def is_join(self) -> bool:
        """Nothing to run."""
        task = self.task
        runs = (task.script, task.command, task.args, task.image, task.approval, task.run, task.wait_for, task.resource)
        return all(part is None for part in runs)


@dataclass(frozen=True, slots=True)
class Program:
    """A definition compiled once, used at each reconcile: nodes in topological order, `finally` last."""

    spec: WorkflowSpec
    nodes: Mapping[str, Node]
    source_step: Node | None = None
    """The step that resolves the source's ref, before any task."""
    awaited: frozenset[str] = frozenset()
    """The Workflows whose runs a task may wait for."""
    depends_on_past: bool = False
    """A task waits for the same task of the run of the slot before."""
    produces: tuple[str, ...] = ()
    """The tasks that produce assets."""


@dataclass(frozen=True, slots=True)
class PastView:
    """The runs of the slot before, as far as tasks wait for theirs."""

    run: str
    """The name of the one to tell of."""
    tasks: tuple[Mapping[str, TaskPhase], ...]
    """Of each run: the phases of its tasks; empty while they are not known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that one plan is made from."""

    run: RunView
    program: Program
    pods: Mapping[str, PodView]
    """The run's pods by name (by owner UID)."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """Answers to creates that were refused, by pod name, kept by the engine until the plan has dealt with them."""
    gone: frozenset[str] = frozenset()
    """Pods by name that a live read has found missing."""
    free_slots: int | None = None
    """How many more pods the Workflow's maxActiveTasks allows; None: no limit."""
    granted: frozenset[str] = frozenset()
    """Pods by name that have a slot already: their creates may yet be carried out."""
    pools: Mapping[str, PoolAnswer] = field(default_factory=dict)
    """What Pools said, by the name of the pod that was asked for."""
    sights: Mapping[ObjectQuestion, Sight] = field(default_factory=dict)
    """What is known of the objects that the last plan has asked for."""
    others: Mapping[str, Collection[RunSummary]] = field(default_factory=dict)
    """The runs of other Workflows that tasks may wait for, by the Workflow's name."""
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The objects that were just made, by name, as the API gave them: lookouts may not have seen them yet."""
    children: Mapping[str, ChildView] = field(default_factory=dict)
    """The runs that tasks of this one have started, by name, without their outputs."""
    read_children: Mapping[str, ChildView | None] = field(default_factory=dict)
    """Those that were read live for this plan; None: there is none."""
    past: PastView | None = None
    """None: there is nothing before, or no task asks."""
    replaced_by: str | None = None
    """The run that takes this one's place: it is to be stopped."""
    default_image: str = "python:3.12-slim"


@dataclass(frozen=True, slots=True)
class Launch:
    """A pod to create. The build layer makes the manifest of it."""

    pod: str
    task: str
    """The task's name, or names.SOURCE_STEP."""
    attempt: int
    body: Task
    """The task with all templates rendered and `$` doubled where a value was substituted (not in `script`)."""
    environment: Mapping[str, str]
    """The WINDLASS_* variables that depend on the run; paths are added by the build layer."""
    index: int | None = None
    """Of an instance of a forEach."""
    memory: str | None = None
    """The memory limit after OOM growth."""
    recreate: bool = False
    """The pod may have existed before (the status names it): run and pod are to be read live first."""


class EndHow(StrEnum):
    """How a pod is ended."""

    DEADLINE = "Deadline"
    """Patch activeDeadlineSeconds to 1: the processes end, the object and its logs stay."""
    DELETE = "Delete"
    """Delete the object, with the pod's grace period."""
    FORCE = "Force"
    """Delete the object with grace period 0: its node is gone."""


@dataclass(frozen=True, slots=True)
class PodEnding:
    """A pod to end or to remove."""

    pod: str
    uid: str
    how: EndHow
    why: str
    """Cancelled, Timeout, StartTimeout, Stray, Retention, NodeLost, MainEnded, Action."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A Kubernetes Event that a person should notice."""

    type: str
    """Warning or Normal."""
    reason: str
    note: str
    task: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next for a run. Equal inputs give equal plans."""

    status: WorkflowRunStatus
    """What the status should be: the very object of the run seen, when nothing changed."""
    launches: tuple[Launch, ...] = ()
    wants: tuple[PoolWant, ...] = ()
    """The pods that Pools are to be asked for, those granted and launched now among them."""
    short: bool = False
    """A pod would be launched, were there a slot of `maxActiveTasks`."""
    endings: tuple[PodEnding, ...] = ()
    releases: tuple[str, ...] = ()
    """Pods whose finalizer comes off as soon as `status` is stored."""
    questions: tuple[ObjectQuestion, ...] = ()
    """The objects that tasks wait for."""
    awaited: frozenset[str] = frozenset()
    """The Workflows whose runs tasks wait for."""
    objects: tuple[ObjectLaunch, ...] = ()
    """Objects to make."""
    removals: tuple[ObjectRemoval, ...] = ()
    """Objects to delete, once the status is stored."""
    children: tuple[ChildLaunch, ...] = ()
    """Runs to create, once the status that names them is stored."""
    child_stops: tuple[ChildStop, ...] = ()
    confirm_children: tuple[str, ...] = ()
    """Runs to be read live, then planned again (`Seen.read_children`): missing ones, or for their outputs."""
    confirm: tuple[str, ...] = ()
    """Pods that the status names and the cache lacks: to be read live, then planned again (`Seen.gone`, or the pod)."""
    create_workspace: bool = False
    """The claim must exist before the launches."""
    delete_workspace: bool = False
    events: tuple[RunEvent, ...] = ()
    urgent: bool = False
    """The status is written at once (a phase of the run changed), not with the next ones."""
    forget: bool = False
    """The run has ended, and nothing of it is left to do."""
    wake_at: datetime | None = None
    """When to plan again though nothing has happened."""
