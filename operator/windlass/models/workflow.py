"""The Workflow resource: a DAG of tasks, its parameters, source, workspace and limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from windlass.models.common import Duration, JsonObject, Model
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


class Concurrency(Model):
    """Limits over all runs of the Workflow."""

    max_active_tasks: Annotated[int, Field(ge=1, le=100000)] | None = None
    """The most tasks of all the Workflow's runs that have a live pod at once. Unlimited by default."""


class GitSource(Model):
    """A git repository whose code each task's pod checks out."""

    repo: Annotated[str, Field(min_length=1, max_length=2048)]
    """The repository's URL: https, ssh, or git."""
    ref: Annotated[str, Field(min_length=1, max_length=256)] = "HEAD"
    """A branch, a tag or a full commit: resolved once a run, the same commit for all its pods."""
    path: Annotated[str, Field(max_length=1024)] | None = None
    """The directory of the repository that is the tasks' working directory."""
    secret_name: Annotated[str, Field(max_length=253)] | None = None
    """A Secret with `ssh` (a private key) and `known_hosts`, or `username` and `password`."""
    mount_path: Annotated[str, Field(pattern="^/.+", max_length=1024)] = "/workspace/src"
    """Where the checkout stands in the tasks' containers."""
    depth: Annotated[int, Field(ge=0)] = 1
    """How many commits of history are fetched; 0 is all."""
    submodules: Annotated[str, Field(pattern="^(Recursive|Shallow|Off)$")] = "Recursive"
    follow: bool = False
    """True: a sidecar keeps following `ref` while a task runs; the checkout is then `<mountPath>/current`."""
    period: Duration = "10s"
    """How often a following sidecar looks for new commits."""


class Source(Model):
    """Where the tasks' code comes from."""

    git: GitSource


class Workspace(Model):
    """One volume that all tasks of a run share."""

    size: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?([KMGTPE]i?|[mk])?$", max_length=32)] = "1Gi"
    mount_path: Annotated[str, Field(pattern="^/.+", max_length=1024)] = "/workspace/data"
    storage_class_name: Annotated[str, Field(max_length=253)] | None = None
    """The cluster's default StorageClass by default."""
    access_modes: Annotated[list[str], Field(min_length=1, max_length=4)] = ["ReadWriteOnce"]
    """With ReadWriteOnce all pods of the run go to one node."""
    keep: Keep = Keep.NEVER
    """OnFailure keeps the volume of a failed run for 24 h."""


class WorkflowSpec(Model):
    """What a Workflow runs, and how."""

    description: Annotated[str, Field(max_length=4096)] | None = None
    owner: Annotated[str, Field(max_length=256)] | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=32)] = []
    concurrency: Concurrency | None = None
    params: Annotated[dict[str, JsonObject], Field(max_length=100)] = {}
    """A JSON Schema (2020-12) per parameter, checked when a run is admitted; `default` is its value when a run gives
    none, `sensitive: true` makes it a reference to a Secret."""
    source: Source | None = None
    workspace: Workspace | None = None
    task_defaults: TaskDefaults | None = None
    tasks: Annotated[list[Task], Field(min_length=1, max_length=1000)]
    finally_: Annotated[list[Task], Field(alias="finally", max_length=100)] = []
    """Tasks that run when all others have ended, whatever happened."""
    outcome: Outcome = Outcome.ALL
    """All: the run fails when a task failed. Leaves: only tasks with nothing downstream count, as in Airflow."""
    timeout: Duration | None = None
    """How long a run may take, from its start: then what runs is stopped, and the run fails."""
