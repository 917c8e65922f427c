"""The RunAction resource: a request on a run by a person, and what is kept of it in the run's status."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from windlass.models.common import LIST_SET, OBJECT_NAME_PATTERN, JsonObject, Model, Timestamp


class Verb(StrEnum):
    """What is asked for. In lower case it is the verb that RBAC knows."""

    RETRY = "Retry"
    CLEAR = "Clear"
    SKIP = "Skip"
    MARK_SUCCESS = "MarkSuccess"
    MARK_FAILED = "MarkFailed"
    APPROVE = "Approve"
    REJECT = "Reject"
    SUSPEND = "Suspend"
    RESUME = "Resume"
    CANCEL = "Cancel"
    TERMINATE = "Terminate"


class ActionPhase(StrEnum):
    """What became of an action."""

    PENDING = "Pending"
    APPLIED = "Applied"
    REFUSED = "Refused"


class RunActionSpec(Model):
    """What is asked of which run, and by whom. It never changes."""

    run: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=63)]
    """The name of the run, in the action's namespace."""
    verb: Verb
    """What is to be done: Retry (from where it failed), Clear (run tasks again, whatever their end), Skip, MarkSuccess,
    MarkFailed (give tasks that end), Approve, Reject (an approval), Suspend, Resume, Cancel (`finally` still runs),
    Terminate (nothing runs any more)."""
    tasks: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=1000, json_schema_extra=LIST_SET)
    ] = []
    """The names of the tasks that are meant, or of their groups. Retry without any: all that failed. Approve and Reject
    without any: the one task that waits for it."""
    indices: Annotated[list[Annotated[int, Field(ge=0, le=100000)]], Field(max_length=10000)] = []
    """The instances that are meant, where the one task is a forEach; all without."""
    downstream: bool = False
    """True: the tasks after the named ones are meant too. For Clear, Skip, MarkSuccess and MarkFailed."""
    upstream: bool = False
    """True: the tasks before the named ones are meant too. For Clear, Skip, MarkSuccess and MarkFailed."""
    reason: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Why, in the author's words. MarkFailed needs one."""
    values: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """The values of an approval's form: they become the task's outputs. For Approve."""
    requested_by: Annotated[str, Field(min_length=1, max_length=1024)]
    """The user who asks, as the API server knows them (`kubectl auth whoami`). The cluster refuses another's name."""
    requested_groups: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=512)] = []
    """Groups of that user, for approvals that want one of a group. The cluster refuses those they are not in."""


class RunActionStatus(Model):
    """What became of the action."""

    phase: ActionPhase = ActionPhase.PENDING
    """Pending until the controller has answered, then Applied or Refused."""
    message: str | None = None
    """What was done, or why not."""
    applied_at: Timestamp | None = None
    """When it was answered."""
    run_uid: str | None = None
    """The UID of the run that it was applied to."""
    tasks: list[str] = []
    """The tasks that it changed, at most a hundred."""


class RunAction(Model):
    """A request on a run: applied once, answered in its status, and removed an hour later."""

    api_version: str
    """`windlass.dev/v1alpha1`"""
    kind: str
    """`RunAction`"""
    metadata: JsonObject
    """Standard metadata."""
    spec: RunActionSpec
    """What is asked of which run, and by whom."""
    status: RunActionStatus | None = None
    """What became of it, written by the controller."""


class ActionRecord(Model):
    """An action that was applied to a run, as the run remembers it."""

    uid: str
    """The UID of the RunAction: what is listed here is never applied again."""
    name: str
    """The name of the RunAction."""
    verb: str
    """What was asked for."""
    by: str
    """The user who asked."""
    at: Timestamp
    """When it was applied."""
    unverified: bool | None = None
    """True: the cluster has not checked that it was this user."""
    reason: str | None = None
    """Why, in the author's words."""
    message: str
    """What was done."""
    tasks: list[str] = []
    """The tasks that it changed, at most twenty."""


class TaskOrder(Model):
    """What is to become of a task as soon as its pod has ended."""

    verb: str
    """Clear, Skip, MarkSuccess or MarkFailed."""
    message: str | None = None
    """Who has ordered it, and why."""
