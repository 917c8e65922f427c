"""Reading runs: one by its name, one as it changes, and what can be said of it without its model.

Runs are plain dicts here: a command that prints a status should not have to load the models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from windlass.cli import following
from windlass.cli.cluster import Cluster
from windlass.cli.failures import Failure
from windlass.errors import NotFound
from windlass.resources import RUNS, WORKFLOWS

Body = dict[str, Any]

TASK_ENDED: Final = frozenset({"Succeeded", "Failed", "UpstreamFailed", "Skipped", "Cancelled"})
LATEST: Final = "@latest"


async def read_run(cluster: Cluster, name: str) -> Body:
    """A run by its name, or the namespace's latest."""
    if name == LATEST:
        return await _latest(cluster)
    try:
        return await cluster.client.get(RUNS, cluster.namespace, name)
    except NotFound:
        raise Failure(await _no_such_run(cluster, name)) from None


def follow(cluster: Cluster, name: str) -> AsyncIterator[Body]:
    """A run as it is, and as it is after each change, until it has ended."""
    return following.follow(cluster, RUNS, lambda: read_run(cluster, name), "the run {} was deleted")


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
