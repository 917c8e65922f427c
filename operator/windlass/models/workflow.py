"""The Workflow resource: a DAG of tasks, its parameters, source, workspace and limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from windlass.models.common import SERVER_DEFAULT, Duration, JsonObject, Model, MountPath, Quantity, list_map
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
    concurrency: Concurrency | None = None
    """Limits over all runs of the Workflow."""
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
    finally_: Annotated[list[Task], Field(alias="finally", max_length=100, json_schema_extra=list_map("name"))] = []
    """Tasks that run when all others have ended, whatever happened."""
    outcome: Outcome = Outcome.ALL
    """All: the run fails when a task failed. Leaves: only tasks with nothing downstream count, as in Airflow."""
    timeout: Duration | None = None
    """How long a run may take, from its start: then what runs is stopped, and the run fails."""


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
