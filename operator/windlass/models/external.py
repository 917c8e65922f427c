"""A task that makes an object of the cluster and waits for what becomes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from windlass.models.common import JsonObject, Model
from windlass.models.wait import ObjectTest


class Make(StrEnum):
    """How the object is made, or that it is deleted."""

    CREATE = "Create"
    APPLY = "Apply"
    DELETE = "Delete"


class Removal(StrEnum):
    """When the object is deleted."""

    WITH_RUN = "WithRun"
    WHEN_DONE = "WhenDone"
    NEVER = "Never"


class ExternalResource(Model):
    """An object of any kind in the run's namespace, made and read as the task's service account."""

    manifest: JsonObject
    """The object. Strings may hold templates. Without `metadata.name` it gets one that is derived from run, task and
    attempt."""
    make: Make | None = None
    """Create (the default): it must not be there before. Apply: its fields are set, whoever has made it (server-side
    apply). Delete: the object of this kind and name is deleted, and the task succeeds when there is none any more."""
    success_when: Annotated[list[ObjectTest], Field(max_length=20)] | None = None
    """The task succeeds when one of these holds. Known kinds bring their own: Job, SparkApplication, RayJob, PyTorchJob
    and its siblings, EMR-on-EKS JobRun, Knative and ACK objects; for others it is enough that the object was made."""
    failure_when: Annotated[list[ObjectTest], Field(max_length=20)] | None = None
    """The attempt fails when one of these holds. Known kinds bring their own."""
    outputs: Annotated[dict[str, Annotated[str, Field(min_length=1, max_length=512)]], Field(max_length=50)] = {}
    """The task's outputs, each a path into the object: `{arn: "{.status.ackResourceMetadata.arn}"}`."""
    remove: Removal | None = None
    """When the object is deleted: WithRun (the default) makes the run its owner, WhenDone deletes it as soon as the
    attempt has ended, Never leaves it."""
