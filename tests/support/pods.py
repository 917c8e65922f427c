"""A store with a pod runner on it, for tests that run real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from windlass.controller.clock import SystemClock
from windlass.dev.api.store import Store
from windlass.dev.pods import PodRunner
from windlass.resources import PODS, Resource

Body = dict[str, Any]
PATIENCE = 20.0
"""Seconds until a test that waits gives up."""


class PodCluster:
    """What tests do to pods, and what they wait for."""

    def __init__(self, store: Store, runner: PodRunner) -> None:
        self.store = store
        self.runner = runner

    def create(self, body: Body, resource: Resource = PODS) -> Body:
        return self.store.create(resource, body)

    def get(self, name: str) -> Body:
        return self.store.get(PODS, "default", name)

    async def until(self, name: str, reached: Callable[[Body], object]) -> Body:
        """The first version of the pod for which `reached` is true."""

        async def watch() -> Body:
            async for kind, pod in self.store.watch(PODS, namespace="default"):
                if pod["metadata"]["name"] == name and kind != "DELETED" and reached(pod):
                    return pod
            raise AssertionError

        return await asyncio.wait_for(watch(), PATIENCE)

    async def until_gone(self, name: str) -> None:
        async def watch() -> None:
            since = self.store.version
            if not any(pod["metadata"]["name"] == name for pod in self.store.list(PODS, "default")):
                return
            async for kind, pod in self.store.watch(PODS, since, namespace="default"):
                if kind == "DELETED" and pod["metadata"]["name"] == name:
                    return

        await asyncio.wait_for(watch(), PATIENCE)

    async def ended(self, name: str) -> Body:
        return await self.until(name, lambda pod: pod["status"].get("phase") in {"Succeeded", "Failed"})

    async def running(self, name: str) -> Body:
        return await self.until(name, lambda pod: pod["status"].get("phase") == "Running")

    async def play(self, body: Body) -> Body:
        """Create a pod and wait for its end."""
        self.create(body)
        return await self.ended(body["metadata"]["name"])

    async def log(self, name: str, container: str | None = None, **options: Any) -> str:
        parts = [part async for part in self.runner.logs("default", name, container, **options)]
        return b"".join(parts).decode()

    async def said(self, name: str, word: str, container: str | None = None) -> None:
        """Until the container has written `word`."""

        async def read() -> None:
            seen = b""
            async for part in self.runner.logs("default", name, container, follow=True):
                seen += part
                if word.encode() in seen:
                    return

        await asyncio.wait_for(read(), PATIENCE)


@asynccontextmanager
async def pod_cluster(state: Path, store: Store | None = None) -> AsyncIterator[PodCluster]:
    """A runner that works, from start to stop."""
    clock = SystemClock()
    store = store or Store(now=clock.now)
    runner = PodRunner(store, state, clock)
    await runner.start()
    try:
        yield PodCluster(store, runner)
    finally:
        await runner.stop()


def pod(name: str, *command: str, **spec: Any) -> Body:
    """A pod with one container, `main`; `spec` changes the pod's, `main` in it the container's."""
    main = {"name": "main", "image": "python:3.12-slim", "command": list(command)} | spec.pop("main", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"} | spec.pop("metadata", {}),
        "spec": {"restartPolicy": "Never", "containers": [main], "terminationGracePeriodSeconds": 1} | spec,
    }


def sh(name: str, script: str, **spec: Any) -> Body:
    """A pod that runs a shell script."""
    return pod(name, "sh", "-c", script, **spec)


def state_of(body: Body, container: str = "main") -> Body:
    """The state of a container."""
    status = body["status"]
    every = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    found: Body = next(one["state"] for one in every if one["name"] == container)
    return found


def end_of(body: Body, container: str = "main") -> tuple[Any, ...]:
    """(exit code, reason, message) of a container that ended."""
    ended = state_of(body, container)["terminated"]
    return ended["exitCode"], ended["reason"], ended.get("message", "")


def config_map(name: str, **data: str) -> Body:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def secret(name: str, **data: str) -> Body:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}
