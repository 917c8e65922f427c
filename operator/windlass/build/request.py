"""What the builders are given: one attempt of a task, with everything that was to be looked up already looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from windlass import names
from windlass.models.task import Task
from windlass.models.workflow import GitSource, Workspace


@dataclass(frozen=True, slots=True)
class Installation:
    """What the administrator of an installation has chosen."""

    default_image: str = "python:3.12-slim"
    """The image of tasks that name none."""
    git_sync_image: str = "registry.k8s.io/git-sync/git-sync:v4.7.1"
    git_sync_resources: Mapping[str, Any] = field(
        default_factory=lambda: {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}
    )
    """Resources of the containers that fetch the source."""


@dataclass(frozen=True, slots=True)
class PodRequest:
    """One attempt of a task, to be made a pod."""

    namespace: str
    run: str
    """The run's name."""
    run_uid: str
    workflow: str
    task: str
    """The task's name, or names.SOURCE_STEP."""
    attempt: int
    pod: str
    """The pod's name."""
    body: Task
    """The task with `taskDefaults` merged and all templates rendered."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The WINDLASS_* variables that depend on the run, as they are to arrive in the container."""
    index: int | None = None
    """Of an instance of a forEach."""
    memory: str | None = None
    """The memory limit, when it grew after an OOM kill."""
    source: GitSource | None = None
    commit: str | None = None
    """What the source's ref was resolved to; None for the step that resolves it."""
    workspace: Workspace | None = None
    claim: str | None = None
    """The PersistentVolumeClaim of the workspace."""
    installation: Installation = field(default_factory=Installation)

    @property
    def is_source_step(self) -> bool:
        """Whether this pod resolves the source's ref instead of running a task."""
        return self.task == names.SOURCE_STEP
