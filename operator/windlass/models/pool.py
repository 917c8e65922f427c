"""The Pool resource: a named number of slots that the tasks of a namespace share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.models.common import SERVER_DEFAULT, Duration, JsonObject, Model, Timestamp

MAX_SLOTS = 100000
NEXT_SHOWN = 20
"""How many of those who wait the status lists."""


class PoolSpec(Model):
    """How many slots there are, and how those who wait for them are ordered."""

    slots: Annotated[int, Field(ge=0, le=MAX_SLOTS)]
    """How many slots there are. A task's pod takes as many as its `slots` says, from its creation to its end. Fewer
    slots than are in use stop nothing: no new pod gets one until enough are free."""
    ageing: Annotated[Duration, Field(json_schema_extra=SERVER_DEFAULT)] = "10m"
    """Who has waited this long goes before a task of one more priority that comes now, so that nobody waits for ever.
    `0s`: who has waited longest goes first, whatever the priorities."""
    description: Annotated[str, Field(max_length=1024)] | None = None
    """What the slots stand for: connections of a database, licences, …"""


class PoolWaiter(Model):
    """A pod that waits for slots."""

    run: str
    """The run's name."""
    task: str
    """The task's name."""
    pod: str
    """The name that the pod will have."""
    slots: int
    """How many slots it wants."""
    priority: int
    """The task's priority."""
    since: Timestamp
    """When the task became ready."""


class PoolStatus(Model):
    """Who has the slots, and who is next."""

    message: str | None = None
    """What is wrong with the pool."""
    used: int = 0
    """Slots of live pods, and of pods that are being made."""
    free: int = 0
    """Slots that nobody has."""
    waiting: int = 0
    """Pods that wait for slots."""
    next: Annotated[list[PoolWaiter], Field(max_length=NEXT_SHOWN)] = []
    """The first of those who wait, in their order."""
    observed_generation: int | None = None
    """The generation of the pool that this is about."""
    updated_at: Timestamp | None = None
    """When this was counted."""


class Pool(Model):
    """Slots shared by tasks of a namespace: a task with `pool` gets a pod when the pool has slots for it."""

    api_version: str
    """`windlass.dev/v1alpha1`"""
    kind: str
    """`Pool`"""
    metadata: JsonObject
    """Standard metadata."""
    spec: PoolSpec
    """How many slots there are."""
    status: PoolStatus | None = None
    """Who has them, written by the controller."""
