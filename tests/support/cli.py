"""The command line over a cluster that is a dictionary: what was asked of it, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner, Result

from windlass.cli.cluster import Cluster, Target
from windlass.cli.main import cli
from windlass.errors import AlreadyExists, ApiError, Conflict, NotFound
from windlass.kube.client import WatchEvent
from windlass.names import GROUP
from windlass.resources import Resource

Body = dict[str, Any]
CREATED = "2025-04-01T12:00:00Z"


@dataclass
class FakeCluster:
    """What KubeClient is to the commands."""

    objects: dict[tuple[str, str, str], Body] = field(default_factory=dict)
    """By plural, namespace and name."""
    steps: list[Any] = field(default_factory=list)
    """What becomes of the watched object: an event each, an error that ends the watch, or something to do."""
    log: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """By pod and container."""
    answer: ApiError | None = None
    """What every request is answered, when given."""
    targets: list[Target] = field(default_factory=list)
    changes: list[tuple[str, str, Any]] = field(default_factory=list)
    """The writes: verb, name and body."""
    version: int = 1

    def add(self, *objects: Body) -> FakeCluster:
        for obj in objects:
            plural = {"WorkflowRun": "workflowruns", "Workflow": "workflows"}.get(
                obj["kind"], f"{obj['kind'].lower()}s"
            )
            metadata = {"namespace": "data", "creationTimestamp": CREATED, "resourceVersion": "1", **obj["metadata"]}
            self.objects[plural, metadata["namespace"], metadata["name"]] = {**obj, "metadata": metadata}
        return self

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[Cluster]:
        self.targets.append(target)
        yield Cluster(self, target.namespace or "data", target.namespace is not None)  # type: ignore[arg-type]

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        self._fail()
        try:
            return self.objects[resource.plural, namespace or "", name]
        except KeyError:
            raise NotFound(f'{resource.plural} "{name}" not found', 404, "NotFound") from None

    async def list_all(self, resource: Resource, namespace: str | None = None, **_: Any) -> list[Body]:
        self._fail()
        return [
            obj
            for (plural, place, _), obj in self.objects.items()
            if plural == resource.plural and namespace in (None, place)
        ]

    async def pages(self, resource: Resource, namespace: str | None = None, **_: Any) -> AsyncIterator[list[Body]]:
        for obj in await self.list_all(resource, namespace):
            yield [obj]

    async def apply(self, resource: Resource, obj: Body) -> Body:
        self._fail()
        key = (resource.plural, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        before = self.objects.get(key)
        if before is not None and {**before, "metadata": 0, "status": 0} == {**obj, "metadata": 0, "status": 0}:
            return before
        self.changes.append(("apply", obj["metadata"]["name"], obj))
        served = {"conditions": [{"type": "Established", "status": "True"}]}
        metadata = {**obj["metadata"], "resourceVersion": self._next()}
        self.objects[key] = {**obj, "metadata": metadata, "status": served}
        return self.objects[key]

    async def create(self, resource: Resource, obj: Body) -> Body:
        self._fail()
        metadata = dict(obj["metadata"])
        if "name" not in metadata:
            metadata["name"] = metadata.pop("generateName") + "x2v9p"
        self.changes.append(("create", metadata["name"], obj))
        if (resource.plural, metadata.get("namespace", ""), metadata["name"]) in self.objects:
            raise AlreadyExists(f"{metadata['name']} exists", 409, "AlreadyExists")
        stored = {**obj, "metadata": metadata | {"resourceVersion": "1", "creationTimestamp": CREATED}}
        self.objects[resource.plural, metadata.get("namespace", ""), metadata["name"]] = stored
        return stored

    async def replace(self, resource: Resource, obj: Body) -> Body:
        self._fail()
        metadata = obj["metadata"]
        key = (resource.plural, metadata.get("namespace", ""), metadata["name"])
        stored = self.objects[key]
        if metadata["resourceVersion"] != stored["metadata"]["resourceVersion"]:
            raise Conflict("it has changed", 409, "Conflict")
        if obj == stored:
            return stored
        self.changes.append(("replace", metadata["name"], obj))
        self.objects[key] = {**obj, "metadata": {**metadata, "resourceVersion": self._next()}}
        return self.objects[key]

    async def patch(self, resource: Resource, namespace: str | None, name: str, body: Any, **_: Any) -> Body:
        self._fail()
        self.changes.append(("patch", name, body))
        return {**self.objects[resource.plural, namespace or "", name]}

    async def delete(self, resource: Resource, namespace: str | None, name: str, **_: Any) -> Body:
        self._fail()
        self.changes.append(("delete", name, None))
        return self.objects.pop((resource.plural, namespace or "", name))

    async def watch(self, resource: Resource, namespace: str | None = None, **_: Any) -> AsyncIterator[WatchEvent]:
        for step in self.steps:
            if isinstance(step, ApiError):
                self.steps.remove(step)
                raise step
            if callable(step):
                await asyncio.sleep(0.01)  # lets others notice what is not yet done
                step()
            else:
                yield WatchEvent("MODIFIED", step)
        await asyncio.Event().wait()

    async def logs(self, namespace: str, pod: str, container: str | None = None, **_: Any) -> AsyncIterator[bytes]:
        self._fail()
        if (pod, container) not in self.log:
            raise NotFound(f"no log of {pod}/{container}", 404, "NotFound")
        yield self.log[pod, container]  # type: ignore[index]

    async def read_path(self, path: str) -> Body:
        self._fail()
        kinds = {
            f"/apis/{GROUP}/v1alpha1": [("workflows", "Workflow"), ("workflowruns", "WorkflowRun")],
            "/api/v1": [("secrets", "Secret"), ("configmaps", "ConfigMap"), ("pods", "Pod"), ("pods/log", "Pod")],
        }
        if path not in kinds:
            raise NotFound(f"{path} not found", 404, "NotFound")
        return {"resources": [{"name": name, "kind": kind, "namespaced": True} for name, kind in kinds[path]]}

    def _next(self) -> str:
        self.version += 1
        return str(self.version)

    def _fail(self) -> None:
        if self.answer is not None:
            raise self.answer


def invoke(cluster: FakeCluster | None, *args: str, stdin: str | None = None) -> Result:
    """Run a command; an exception that it does not handle is raised here."""
    result = CliRunner().invoke(
        cli, list(args), obj=cluster.connect if cluster else None, input=stdin, prog_name="windlass"
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run(name: str, phase: str | None, tasks: Sequence[Body] = (), *, workflow: str = "hello", **status: Any) -> Body:
    """A WorkflowRun with this status; None for a run that nobody has seen."""
    found: Body = {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "WorkflowRun",
        "metadata": {"name": name, "namespace": "data", "creationTimestamp": CREATED, "resourceVersion": "1"},
        "spec": {"workflow": workflow},
    }
    if phase is not None:
        found["status"] = {"phase": phase, "workflow": workflow, "tasks": list(tasks), **status}
    return found


def workflow(name: str, tasks: Iterable[Body] = ({"name": "a", "script": "true"},), **spec: Any) -> Body:
    """A Workflow."""
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"tasks": list(tasks), **spec},
    }
