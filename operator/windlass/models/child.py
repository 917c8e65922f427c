"""A task that is a run of another Workflow."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from windlass.models.common import NAME_PATTERN, OBJECT_NAME_PATTERN, Model

MOST_DEEP = 10
"""How deep runs may start runs."""


class ChildRun(Model):
    """A run of another Workflow of the namespace, as a task."""

    workflow: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=49)]
    """The Workflow's name. A Workflow that started this run, or one before it, can't be started again by it."""
    params: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """Values of its parameters. Strings may hold templates; a sensitive one is `{secretKeyRef: {name, key}}`."""
    wait: bool | None = None
    """False: the task succeeds as soon as the run exists. True by default: it ends as the run does, and its outputs are
    `{run: <name>, tasks: {<task>: <outputs>}}`."""


class ParentRun(Model):
    """Which run started this one, as a task of its own."""

    run: Annotated[str, Field(min_length=1, max_length=253)]
    """The parent's name."""
    task: Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]
    """The task of it that this run is."""
    attempt: Annotated[int, Field(ge=1)]
    """Which attempt of that task."""
    chain: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=MOST_DEEP)] = []
    """The Workflows that led here, the first one first: no Workflow starts itself in the end."""
