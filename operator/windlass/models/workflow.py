"""The Workflow resource: a DAG of tasks, its parameters, schedule, source, workspace and limits, and in its status what
became of its schedule."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from windlass.models.branching import Group
from windlass.models.common import (
    SERVER_DEFAULT,
    Duration,
    JsonObject,
    Model,
    MountPath,
    Quantity,
    Timestamp,
    list_map,
)
from windlass.models.condition import Condition
from windlass.models.schedule import Schedule
from windlass.models.task import Task, TaskDefaults


class Outcome(StrEnum):
    """Which tasks decide how a run ends."""

    ALL = "All"
    LEAVES = "Leaves"


class Keep(StrEnum):
    """Whether the workspace's volume stays after the run."""

    NEVER = "Never"
    ON_FAILURE = "OnFailure"
    ALWAYS = "Always"


class RunPolicy(StrEnum):
    """What a new run does when `maxActiveRuns` is reached."""

    QUEUE = "Queue"
    SKIP = "Skip"
    REPLACE = "Replace"


class LateFrom(StrEnum):
    """The moment that a deadline counts from."""

    SCHEDULED = "Scheduled"
    STARTED = "Started"


class Concurrency(Model):
    """Limits over all runs of the Workflow."""

    max_active_runs: Annotated[int, Field(ge=1, le=10000)] | None = None
    """The most runs that are under way at once. 1 for a Workflow with a schedule by default, unlimited for another."""
    policy: RunPolicy = RunPolicy.QUEUE
    """What a new run does when that limit is reached. Queue: it waits. Skip: it is not made, or ends at once. Replace:
    the oldest run under way is cancelled for it."""
    max_active_tasks: Annotated[int, Field(ge=1, le=100000)] | None = None
    """The most tasks of all the Workflow's runs that have a live pod at once. Unlimited by default."""


class Deadline(Model):
    """When a run is late. Nothing is ended: `timeout` does that."""

    after: Duration
    """How long after `from` a run that has not ended is late."""
    from_: LateFrom = Field(default=LateFrom.SCHEDULED, alias="from")
    """Scheduled: the slot, or the creation of a run without one and of a Backfill's. Started: the run's start."""


class History(Model):
    """How many runs that have ended are kept, and for how long. A run that a Backfill or `dependsOnPast` still needs
    stays."""

    succeeded: Annotated[int, Field(ge=0, le=10000)] = 10
    """The most good runs."""
    failed: Annotated[int, Field(ge=0, le=10000)] = 20
    """The most runs that failed, were cancelled or refused."""
    ttl: Duration = "30d"
    """A run that ended longer ago is deleted."""


class GitSource(Model):
    """A git repository whose code each task's pod checks out."""

    repo: Annotated[str, Field(min_length=1, max_length=2048)]
    """The repository's URL: https, ssh, or git."""
    ref: Annotated[str, Field(min_length=1, max_length=256, json_schema_extra=SERVER_DEFAULT)] = "HEAD"
    """A branch, a tag or a full commit: resolved once a run, the same commit for all its pods."""
    path: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """The directory of the repository that is the tasks' working directory. Its root by default."""
    secret_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """A Secret: `ssh-privatekey` and `known_hosts` for a repository reached by ssh, else `username` and `password`."""
    mount_path: Annotated[MountPath, Field(json_schema_extra=SERVER_DEFAULT)] = "/workspace/src"
    """Where the checkout stands in the tasks' containers."""
    depth: Annotated[int, Field(ge=0, le=1000000, json_schema_extra=SERVER_DEFAULT)] = 1
    """How many commits of history are fetched; 0 is all."""
    submodules: Annotated[Literal["Recursive", "Shallow", "Off"], Field(json_schema_extra=SERVER_DEFAULT)] = "Recursive"
    """Which submodules are fetched: Recursive all, Shallow only those of the repository itself, Off none."""
    follow: bool = False
    """True: a sidecar keeps following `ref` while a task runs; the checkout is then `<mountPath>/current`."""
    period: Annotated[Duration, Field(json_schema_extra=SERVER_DEFAULT)] = "10s"
    """How often a following sidecar looks for new commits."""


class Source(Model):
    """Where the tasks' code comes from."""

    git: GitSource
    """A git repository, checked out by git-sync."""


AccessMode = Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]


class Workspace(Model):
    """One volume that all tasks of a run share."""

    size: Annotated[Quantity, Field(json_schema_extra=SERVER_DEFAULT)] = "1Gi"
    """The volume's size, as a Kubernetes quantity."""
    mount_path: Annotated[MountPath, Field(json_schema_extra=SERVER_DEFAULT)] = "/workspace/data"
    """Where the tasks' containers see it."""
    storage_class_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """The StorageClass that makes the volume. The cluster's default by default."""
    access_modes: Annotated[list[AccessMode], Field(min_length=1, max_length=3, json_schema_extra=SERVER_DEFAULT)] = [
        "ReadWriteOnce"
    ]
    """How pods may share the volume. With ReadWriteOnce all pods of the run go to one node."""
    keep: Annotated[Keep, Field(json_schema_extra=SERVER_DEFAULT)] = Keep.NEVER
    """Whether the volume stays after the run. OnFailure keeps that of a failed run for 24 h."""


class WorkflowSpec(Model):
    """What a Workflow runs, and how."""

    description: Annotated[str, Field(max_length=4096)] | None = None
    """What the Workflow is for."""
    owner: Annotated[str, Field(max_length=256)] | None = None
    """The person or team who answers for it."""
    tags: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=32)] = []
    """Words to find it by."""
    schedule: Schedule | None = None
    """When runs are made by themselves."""
    concurrency: Concurrency | None = None
    """Limits over all runs of the Workflow."""
    depends_on_past: bool = False
    """True: the run of a slot waits for the success of the run of the slot before it."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Of runs that wait for their turn, those of higher priority go first."""
    params: Annotated[dict[str, JsonObject], Field(max_length=100)] = {}
    """A JSON Schema (2020-12) per parameter, checked when a run is admitted; `default` is its value when a run gives
    none, `sensitive: true` makes it a reference to a Secret."""
    source: Source | None = None
    """Code for the tasks."""
    workspace: Workspace | None = None
    """One volume that all tasks of a run share."""
    task_defaults: TaskDefaults | None = None
    """What each task has unless it says another."""
    tasks: Annotated[list[Task], Field(min_length=1, max_length=1000, json_schema_extra=list_map("name"))]
    """The tasks. Their order means nothing: `dependsOn` does."""
    groups: Annotated[list[Group], Field(max_length=100, json_schema_extra=list_map("name"))] = []
    """What the tasks of a group have in common. A group without such things needs no entry."""
    finally_: Annotated[list[Task], Field(alias="finally", max_length=100, json_schema_extra=list_map("name"))] = []
    """Tasks that run when all others have ended, whatever happened."""
    outcome: Outcome = Outcome.ALL
    """All: the run fails when a task failed. Leaves: only tasks with nothing downstream count, as in Airflow."""
    timeout: Duration | None = None
    """How long a run may take, from its start: then what runs is stopped, and the run fails."""
    deadline: Deadline | None = None
    """When a run is late, which is told once and ends nothing."""
    history: History = History()
    """How many runs that have ended are kept, and for how long."""

    @property
    def run_limit(self) -> int | None:
        """The most runs under way at once; None: any number."""
        given = self.concurrency.max_active_runs if self.concurrency is not None else None
        return given if given is not None or self.schedule is None else 1

    @property
    def run_policy(self) -> RunPolicy:
        """What a new run does when that limit is reached."""
        return self.concurrency.policy if self.concurrency is not None else RunPolicy.QUEUE


class LastSuccess(Model):
    """The good run that ended last."""

    run: str
    """Its name."""
    slot: Timestamp | None = None
    """The slot that it was for."""
    finished_at: Timestamp | None = None
    """When it ended."""


class WorkflowStatus(Model):
    """What became of the Workflow's schedule."""

    observed_generation: int | None = None
    """The generation of the Workflow that this status takes account of."""
    reason: str | None = None
    """How the schedule stands, in a word."""
    message: str | None = None
    """The same in a sentence."""
    last_slot: Timestamp | None = None
    """The last slot that was dealt with: no slot up to it fires any more."""
    next_slot: Timestamp | None = None
    """The slot that fires next."""
    since: Timestamp | None = None
    """No slot up to here is made up for: the Workflow's creation, or when its slots were last changed."""
    digest: str | None = None
    """What the slots depend on, in short: another digest means other slots."""
    active_runs: int | None = None
    """Runs under way."""
    queued_runs: int | None = None
    """Runs that wait for their turn."""
    last_success: LastSuccess | None = None
    """The good run that ended last."""
    missed: int | None = None
    """Slots so far that were not run since they were noticed too late."""
    skipped: int | None = None
    """Slots so far that were not run since `maxActiveRuns` was reached and the policy is Skip."""
    waiting_for: str | None = None
    """What a schedule that follows others waits for."""
    cursors: JsonObject | None = None
    """How far a schedule that follows others has come with each."""
    conditions: Annotated[list[Condition], Field(json_schema_extra=list_map("type"))] = []
    """Ready, for `kubectl wait`: whether the Workflow can be read and its schedule can fire."""


class Workflow(Model):
    """A DAG of tasks. A WorkflowRun executes it; editing it never changes a run in flight."""

    api_version: str
    """`windlass.dev/v1alpha1`"""
    kind: str
    """`Workflow`"""
    metadata: JsonObject
    """Standard metadata. The name has at most 49 characters, so that the names of its runs fit a label."""
    spec: WorkflowSpec
    """What it runs, and how."""
    status: WorkflowStatus | None = None
    """What became of its schedule, written by the controller."""
