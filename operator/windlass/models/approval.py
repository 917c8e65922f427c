"""What a task that waits for a person is given: who is asked what, and what happens when nobody answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from windlass.models.common import Duration, JsonObject, Model


class OnTimeout(StrEnum):
    """What an approval becomes when nobody has answered in time."""

    APPROVE = "Approve"
    REJECT = "Reject"
    FAIL = "Fail"


class Approvers(Model):
    """Who may answer, beside having the cluster's right to it: any of these users, and members of these groups."""

    users: Annotated[list[Annotated[str, Field(min_length=1, max_length=1024)]], Field(max_length=100)] = []
    """User names, as `kubectl auth whoami` shows them."""
    groups: Annotated[list[Annotated[str, Field(min_length=1, max_length=1024)]], Field(max_length=100)] = []
    """Groups of users."""


class Approval(Model):
    """A question to people. The task holds no pod; it succeeds when one approves, and fails when one rejects."""

    message: Annotated[str, Field(min_length=1, max_length=1024)]
    """What is asked. It may hold templates."""
    approvers: Approvers | None = None
    """Who may answer: everybody who has the right to `approve` workflowruns, if absent."""
    timeout: Duration | None = None
    """How long it waits for an answer. For ever by default."""
    on_timeout: OnTimeout | None = None
    """What nobody's answer means: Approve, Reject or Fail (reason ApprovalTimeout). Fail by default."""
    form: Annotated[dict[str, JsonObject], Field(max_length=50)] = {}
    """A JSON Schema (2020-12) for each value that who approves gives, as for parameters; those with a `default` may be
    left out. The values become the task's outputs."""
