"""Controllers that want one lease, of a server that tests can have fail, on a clock of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from support.clock import VirtualClock, settle
from windlass.errors import AlreadyExists, Conflict, NotFound, Unreachable
from windlass.kube.lease import ANSWER, DURATION, MARGIN, Leadership
from windlass.resources import Resource

STOPS_AFTER = DURATION - MARGIN

FIRST = 29_058_480
"""The term that begins at the clock's start: the minutes since 1970."""


class Server:
    """A lease, with optimistic locking, and the ways in which requests fail."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.failing: set[str] = set()
        self.loses_answers = False
        self.silent = 0
        """So many writes are never answered: who asks gives up."""
        self.slow = 0.0
        """Seconds that a create takes."""
        self.requests = 0

    @property
    def holder(self) -> str | None:
        return self.lease and self.lease["spec"].get("holderIdentity")

    def of(self, client: str) -> Client:
        return Client(self, client)

    def ask(self, client: str) -> None:
        self.requests += 1
        if client in self.failing:
            raise Unreachable("gone")

    def store(self, lease: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = deepcopy(lease)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        if self.loses_answers:
            raise Unreachable("the answer was lost")
        return deepcopy(self.lease)


class Client:
    """What one process sees of it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    async def get(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.lease is None:
            raise NotFound("no lease", 404)
        return deepcopy(self.server.lease)

    async def create(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.slow:
            await self.server.clock.sleep(self.server.slow)
        if self.server.lease is not None:
            raise AlreadyExists("there is one", 409)
        return self.server.store(obj)

    async def replace(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.silent:
            self.server.silent -= 1
            await self.server.clock.sleep(ANSWER)
            raise TimeoutError
        if self.server.lease is None:
            raise NotFound("no lease", 404)
        if obj["metadata"]["resourceVersion"] != self.server.lease["metadata"]["resourceVersion"]:
            raise Conflict("outdated", 409)
        return self.server.store(obj)


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.server = Server(self.clock)
        self.said: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def stand(self, name: str, clock: VirtualClock | None = None) -> Leadership:
        clock = clock or self.clock
        leadership = Leadership(
            self.server.of(name),
            "windlass",
            "windlass-controller",
            name,
            on_started=lambda: self.said.append(f"{name} starts"),
            on_stopped=lambda: self.said.append(f"{name} stops"),
            now=clock.now,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
            chance=lambda: 0.0,
        )
        self.tasks[name] = asyncio.create_task(leadership.run())
        return leadership

    async def end(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name]])

    async def advance(self, seconds: float, step: float = 0.5) -> None:
        await settle()
        for _ in range(int(seconds / step)):
            await self.clock.advance(step)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    it = World()
    try:
        yield it
    finally:
        for name in it.tasks:
            await it.end(name)
