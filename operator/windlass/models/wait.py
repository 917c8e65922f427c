"""A task that waits for something outside of its run, and holds no pod meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from windlass.models.common import API_VERSION_PATTERN, OBJECT_NAME_PATTERN, Duration, JsonObject, Model

Text = Annotated[str, Field(min_length=1, max_length=1024)]


class RunEnd(StrEnum):
    """Which ends of a run are meant."""

    SUCCEEDED = "Succeeded"
    ENDED = "Ended"


class WaitTimeout(StrEnum):
    """What a task becomes that has waited in vain."""

    FAIL = "Fail"
    SKIP = "Skip"


class ObjectTest(Model):
    """Something that an object says: a condition, or a value in it."""

    condition: Annotated[str, Field(min_length=1, max_length=316)] | None = None
    """A condition of `status.conditions` that has to be True, such as `Complete`; `Ready=False` asks for another
    status."""
    json_path: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """A path into the object, as kubectl writes it: `{.status.phase}` or `.status.loadBalancer.ingress[0].ip`."""
    equals: Annotated[str, Field(max_length=1024)] | None = None
    """What stands there, as text. Without it: anything."""


class WaitObject(ObjectTest):
    """An object of the run's namespace, read as the task's service account. Without condition and path: that it is
    there."""

    api_version: Annotated[str, Field(pattern=API_VERSION_PATTERN, min_length=1, max_length=316)]
    """Its apiVersion: `batch/v1`."""
    kind: Annotated[str, Field(min_length=1, max_length=63)]
    """Its kind: `Job`. Secrets are not read."""
    name: Text | None = None
    """Its name. It may hold templates."""
    selector: Annotated[dict[str, Text], Field(max_length=50)] | None = None
    """Labels that it has: all objects that have them are asked, and there has to be one. Values may hold templates."""
    fails_when: ObjectTest | None = None
    """What says that it will never come: the task fails at once."""


class WaitRun(Model):
    """A run of another Workflow of the namespace."""

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)]
    """The Workflow's name."""
    end: RunEnd | None = None
    """Which end: Succeeded by default, or Ended, whatever its outcome."""
    within: Duration | None = None
    """A run that ended no longer ago than this will do, whatever it was about. Without it the run has to have the same
    logical date as this one."""


class WaitFor(Model):
    """What a task waits for: exactly one of `object`, `run`, `time`, `duration` and `pod`."""

    object: WaitObject | None = None
    """An object of the cluster."""
    run: WaitRun | None = None
    """A run of another Workflow."""
    time: Text | None = None
    """An instant, RFC 3339 with a zone, mostly a template: `{{ data_interval_end | date_add(hours=6) }}`."""
    duration: Duration | None = None
    """A length of time, from when the task is ready."""
    pod: JsonObject | None = None
    """A pod that is asked again and again: exit code 0 says yes, 75 not yet; anything else is a failure. It takes the
    fields of a task with a container: `{image, command, args, script, interpreter, env, …}`."""
    interval: Duration | None = None
    """How often a pod is asked, or an object that can't be watched. 1m by default."""
    timeout: Duration | None = None
    """How long the task waits, from when it is ready. For ever by default."""
    on_timeout: WaitTimeout | None = None
    """What it becomes then: Fail (reason WaitTimeout) by default, or Skip."""
