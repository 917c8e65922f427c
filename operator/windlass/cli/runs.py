"""Reading runs: one by its name, one as it changes, and what can be said of it without its model.

Runs are plain dicts here: a command that prints a status should not have to load the models.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from windlass.cli.cluster import Cluster
from windlass.cli.failures import FAILED, OK, Failure
from windlass.errors import Gone, NotFound, Retryable
from windlass.resources import RUNS, WORKFLOWS

Body = dict[str, Any]

ENDED: Final = frozenset({"Succeeded", "Failed", "Cancelled", "Refused"})
TASK_ENDED: Final = frozenset({"Succeeded", "Failed", "UpstreamFailed", "Skipped", "Cancelled"})
LATEST: Final = "@latest"
RETRY_AFTER: Final = 1.0


async def read_run(cluster: Cluster, name: str) -> Body:
    """A run by its name, or the namespace's latest."""
    if name == LATEST:
        return await _latest(cluster)
    try:
        return await cluster.client.get(RUNS, cluster.namespace, name)
    except NotFound:
        raise Failure(await _no_such_run(cluster, name)) from None


async def follow(cluster: Cluster, name: str) -> AsyncIterator[Body]:
    """A run as it is, and as it is after each change, until it has ended."""
    while True:
        run = await read_run(cluster, name)
        yield run
        if phase(run) in ENDED:
            return
        version = run["metadata"]["resourceVersion"]
        try:
            async for event in cluster.client.watch(
                RUNS,
                cluster.namespace,
                resource_version=version,
                field_selector=f"metadata.name={run['metadata']['name']}",
            ):
                if event.type == "DELETED":
                    raise Failure(f"the run {run['metadata']['name']} was deleted")
                if event.type == "BOOKMARK":
                    continue
                yield event.obj
                if phase(event.obj) in ENDED:
                    return
        except Gone:
            continue
        except Retryable:
            await asyncio.sleep(RETRY_AFTER)


def phase(run: Body) -> str:
    """The run's phase; Pending for one that no controller has seen yet."""
    return str((run.get("status") or {}).get("phase") or "Pending")


def verdict(run: Body) -> int:
    """The exit code that a run's end gives."""
    return OK if phase(run) == "Succeeded" else FAILED


def workflow_of(run: Body) -> str:
    """The name of the Workflow, or of the run where it has a definition of its own."""
    return str((run.get("status") or {}).get("workflow") or run["spec"].get("workflow") or run["metadata"]["name"])


def task_statuses(run: Body) -> list[Body]:
    """What the status says of the tasks."""
    return list((run.get("status") or {}).get("tasks") or [])


async def _latest(cluster: Cluster) -> Body:
    found = await cluster.client.list_all(RUNS, cluster.namespace)
    if not found:
        raise Failure(f"there are no runs in the namespace {cluster.namespace}")
    return max(found, key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]))


async def _no_such_run(cluster: Cluster, name: str) -> str:
    text = f'there is no run "{name}" in the namespace {cluster.namespace}'
    try:
        await cluster.client.get(WORKFLOWS, cluster.namespace, name)
    except NotFound:
        pass
    else:
        return f"{text}; there is a Workflow of that name: see windlass list --workflow {name}"
    names = [run["metadata"]["name"] for run in await cluster.client.list_all(RUNS, cluster.namespace)]
    from windlass.models.findings import suggestion

    return f"{text}; {found}" if (found := suggestion(name, names)) else text
