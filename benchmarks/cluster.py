"""A cluster to measure on: its kinds, a namespace for each benchmark, runs in it, and a watch of what happens."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from process import Controller, controller

from windlass.engine.engine import WATCHED
from windlass.errors import AlreadyExists, NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import find_credentials
from windlass.resources import PODS, RUNS, Resource

Body = dict[str, Any]
ROOT: Final = Path(__file__).resolve().parent.parent
NAMESPACES: Final = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
CRDS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
AT_ONCE: Final = 50
"""Requests of the benchmark's own under way at a time."""
ENDED: Final = frozenset({"Succeeded", "Failed", "Cancelled", "Refused"})


@dataclass
class Setting:
    """What a benchmark has at hand."""

    kubeconfig: Path
    scale: float
    """How large it is to be, of its real size."""
    work: Path
    """A directory for logs."""
    profile: Path | None = None
    """A directory for profiles of the controller."""
    name: str = ""

    def size(self, whole: int) -> int:
        return max(2, round(whole * self.scale))

    @asynccontextmanager
    async def cluster(self) -> AsyncIterator[Cluster]:
        """A namespace of its own, which is gone again afterwards."""
        credentials = find_credentials(str(self.kubeconfig), None, os.environ)
        async with KubeClient(credentials, concurrency=AT_ONCE) as api:
            found = Cluster(api, f"bench-{self.name}-{int(time.time())}")
            await found.begin()
            try:
                yield found
            finally:
                await found.end()

    @asynccontextmanager
    async def controller(self, cluster: Cluster) -> AsyncIterator[Controller]:
        profile = self.profile / f"{self.name}.prof" if self.profile is not None else None
        log = self.work / f"{self.name}.log"
        async with controller(self.kubeconfig, cluster.namespace, log, profile) as running:
            yield running


@dataclass
class Cluster:
    """A namespace."""

    api: KubeClient
    namespace: str

    async def begin(self) -> None:
        for file in sorted((ROOT / "crds").glob("*.yaml")):
            for crd in yaml.safe_load_all(file.read_text()):
                await self._define(crd)
        await self.api.create(
            NAMESPACES, {"metadata": {"name": self.namespace}, "apiVersion": "v1", "kind": "Namespace"}
        )
        for resource in WATCHED:
            await self._until_served(resource)

    async def end(self) -> None:
        """Delete everything; the controller is no more, so finalizers are taken off here."""
        await self.clear()
        await self.api.delete(NAMESPACES, None, self.namespace)

    async def clear(self) -> None:
        """Delete all runs and pods, and wait until they are gone."""
        runs = await self.api.list_all(RUNS, self.namespace)
        await self.each(self.api.delete(RUNS, self.namespace, run["metadata"]["name"]) for run in runs)
        while True:
            pods = await self.api.list_all(PODS, self.namespace)
            if not pods:
                return
            held = [pod for pod in pods if pod["metadata"].get("finalizers")]
            await self.each(self._let_go(pod["metadata"]["name"]) for pod in held)
            rest = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
            await self.each(
                self.api.delete(PODS, self.namespace, pod["metadata"]["name"], grace_period=0) for pod in rest
            )
            await asyncio.sleep(0.5)

    async def start(self, name: str, tasks: list[Body] | str, **labels: str) -> None:
        """Make a run of these tasks, or of the Workflow of that name."""
        spec = {"workflow": tasks} if isinstance(tasks, str) else {"workflowSpec": {"tasks": tasks}}
        body: Body = {
            "apiVersion": RUNS.api_version,
            "kind": RUNS.kind,
            "metadata": {"namespace": self.namespace, "name": name, "labels": labels},
            "spec": spec,
        }
        await self.api.create(RUNS, body)

    async def start_all(self, count: int, tasks: list[Body] | str) -> None:
        """Make so many runs as fast as the API server takes them."""
        await self.each(self.start(f"run-{number}", tasks) for number in range(count))

    @asynccontextmanager
    async def watch(self, resource: Resource) -> AsyncIterator[Watcher]:
        """See what happens to a kind in this namespace while the block lasts."""
        page = await self.api.list_page(resource, self.namespace, limit=1)
        watcher = Watcher()
        task = asyncio.create_task(self._feed(watcher, resource, page.resource_version))
        try:
            yield watcher
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _feed(self, watcher: Watcher, resource: Resource, version: str) -> None:
        try:
            while True:  # the server closes a watch that can't keep up, in order
                async for event in self.api.watch(resource, self.namespace, resource_version=version):
                    version = event.obj["metadata"]["resourceVersion"]
                    if event.type != "BOOKMARK":
                        watcher.take(event.type, event.obj)
                watcher.broken += 1
        finally:
            watcher.end()

    async def _until_served(self, resource: Resource) -> None:
        """A kind is served a moment after it was made."""
        while True:
            try:
                await self.api.list_page(resource, self.namespace, limit=1)
            except NotFound:
                await asyncio.sleep(0.2)
            else:
                return

    async def _define(self, crd: Body) -> None:
        try:
            await self.api.create(CRDS, crd)
        except AlreadyExists:
            found = await self.api.get(CRDS, None, crd["metadata"]["name"])
            version = {"resourceVersion": found["metadata"]["resourceVersion"]}
            await self.api.replace(CRDS, {**crd, "metadata": {**crd["metadata"], **version}})

    async def _let_go(self, pod: str) -> None:
        await self.api.patch(PODS, self.namespace, pod, {"metadata": {"finalizers": None}})

    async def each(self, requests: Iterable[Any]) -> None:
        """Send all requests, some at a time; what is not there is no error."""

        async def one(request: Any) -> None:
            try:
                await request
            except NotFound:
                return

        await asyncio.gather(*(one(request) for request in requests))


@dataclass
class Watcher:
    """When the phases of objects were first seen, on the monotonic clock."""

    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    """By name and phase; ADDED and DELETED are phases too."""
    objects: dict[str, Body] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _counts: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    """How often the watch began anew."""
    _over: bool = False

    def take(self, kind: str, obj: Body) -> None:
        now = time.monotonic()
        name = obj["metadata"]["name"]
        phase = (obj.get("status") or {}).get("phase") or "Pending"
        for word in (kind, phase):
            if (name, word) not in self.seen:
                self.seen[name, word] = now
                self._counts[word] = self._counts.get(word, 0) + 1
        if kind == "DELETED":
            self.objects.pop(name, None)
        elif name not in self.objects or phase in ENDED:
            self.objects[name] = obj
        self._changed.set()

    def count(self, word: str) -> int:
        return self._counts.get(word, 0)

    def ended(self) -> int:
        return sum(self.count(phase) for phase in ENDED)

    def end(self) -> None:
        """Nothing more will be seen."""
        self._over = True
        self._changed.set()

    async def until(self, true: Callable[[Watcher], bool], within: float) -> float:
        """Wait for something; the moment at which it was so."""
        async with asyncio.timeout(within):
            while not true(self):
                if self._over:
                    raise ConnectionError("the watch has ended")
                self._changed.clear()
                await self._changed.wait()
        return time.monotonic()


def task(name: str, *after: str, seconds: float = 0.0, **more: Any) -> Body:
    """A task whose pod does nothing for so long."""
    body: Body = {"name": name, "image": "busybox", "command": ["true"], "annotations": lasting(seconds), **more}
    return {**body, "dependsOn": [*after]} if after else body


def lasting(seconds: float) -> dict[str, str]:
    """How a hollow node is told how long a pod runs."""
    return {"hollow/run-seconds": f"{seconds:g}"}


def chain(length: int) -> list[Body]:
    """Tasks one after the other."""
    return [task("t0"), *(task(f"t{number}", f"t{number - 1}") for number in range(1, length))]


@contextmanager
def kit(directory: Path, state: Path, port: int, nodes: int) -> Iterator[Path]:
    """A real API server with hollow nodes while the block lasts; its kubeconfig."""
    command = str(directory / "kube")
    environment = {**os.environ, "KUBE_STATE": str(state), "KUBE_PORT": str(port)}
    up = [command, "up", "--nodes", str(nodes)]
    told = subprocess.run(up, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    try:
        yield Path(told.stdout.strip().splitlines()[-1])
    finally:
        subprocess.run([command, "down", "--wipe"], env=environment, check=True)
