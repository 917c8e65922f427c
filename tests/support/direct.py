"""What tests do to a cluster behind the back of the `windlass` command: reading and deleting objects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from windlass.errors import NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import KubeconfigCredentials
from windlass.resources import PODS, RUNS, WORKFLOWS, Resource

T = TypeVar("T")
Body = dict[str, Any]


def ask(kubeconfig: Path, question: Callable[[KubeClient], Awaitable[T]]) -> T:
    """The answer of a cluster to one question."""

    async def whole() -> T:
        async with KubeClient(KubeconfigCredentials(str(kubeconfig))) as client:
            return await question(client)

    return asyncio.run(whole())


def create(kubeconfig: Path, namespace: str, objects: Sequence[Body]) -> None:
    """Create Workflows and runs, with no more checks than the API server's."""

    async def question(client: KubeClient) -> None:
        for obj in objects:
            place = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
            await client.create(WORKFLOWS if obj["kind"] == WORKFLOWS.kind else RUNS, place)

    ask(kubeconfig, question)


def delete(kubeconfig: Path, resource: Resource, namespace: str, name: str) -> None:
    """Delete an object as kubectl does, without waiting."""
    ask(kubeconfig, lambda client: client.delete(resource, namespace, name, propagation="Background"))


def exists(kubeconfig: Path, resource: Resource, namespace: str, name: str) -> bool:
    """Whether an object is there."""

    async def question(client: KubeClient) -> bool:
        try:
            await client.get(resource, namespace, name)
        except NotFound:
            return False
        return True

    return ask(kubeconfig, question)


def pods_of(kubeconfig: Path, namespace: str, run: str) -> list[Body]:
    """The pods of a run."""
    return ask(kubeconfig, lambda client: client.list_all(PODS, namespace, label_selector=f"windlass.dev/run={run}"))
