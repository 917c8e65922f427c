"""What decides beside trigger rules: a join that chooses, and tasks that belong together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.models.common import NAME_PATTERN, Duration, Model, Timestamp

GroupName = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]


class Case(Model):
    """A way on from a join."""

    when: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """A template: the first case for which it is true is taken. Only the last case may do without: it is taken when no
    other is."""
    then: Annotated[list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=100)] = []
    """The tasks that go on then, of those that depend on this one. None: nothing goes on."""


class GroupRetry(Model):
    """How often all tasks of a group are run again, when one of them has failed for good."""

    limit: Annotated[int, Field(ge=1, le=100)]
    """How often, at most."""
    delay: Duration | None = None
    """The wait before. 10s by default."""


class Group(Model):
    """Tasks that belong together: they name the group, and it says what they have in common."""

    name: GroupName
    """The name that tasks give as their `group`."""
    description: Annotated[str, Field(max_length=1024)] | None = None
    """What they do together."""
    retry: GroupRetry | None = None
    """Run all of them again when one has failed for good. What comes after them waits for the last try."""


class GroupStatus(Model):
    """Which tasks a group has, and what was done to it as a whole."""

    name: str
    """The group's name."""
    tasks: list[str] = []
    """The names of its tasks, in the order of the definition."""
    retries: int = 0
    """How often its tasks were run again."""
    retry_at: Timestamp | None = None
    """When they are run again."""
