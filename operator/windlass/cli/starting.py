"""Starting runs: what `run` and `trigger` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from windlass.cli.cluster import Cluster
from windlass.cli.failures import Failure
from windlass.errors import AlreadyExists, Forbidden, NotFound
from windlass.names import API_VERSION, GROUP
from windlass.resources import RUNS, WORKFLOWS

Body = dict[str, Any]


def run_of(workflow: str) -> Body:
    """A run of the Workflow of this name."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowRun",
        "metadata": {"generateName": f"{workflow}-"},
        "spec": {"workflow": workflow},
    }


async def start(cluster: Cluster, run: Body, params: Sequence[str], name: str | None, logical_date: str | None) -> Body:
    """Create the run with these parameters, name and logical date. Failure says why that can't be."""
    namespace = run["metadata"].get("namespace") or cluster.namespace
    spec = dict(run.get("spec") or {})
    if params:
        from windlass.cli.params import parse

        spec["params"] = {**(spec.get("params") or {}), **parse(params, await _schemas(cluster, namespace, spec))}
    elif "workflow" in spec:
        await _schemas(cluster, namespace, spec)
    if logical_date is not None:
        spec["logicalDate"] = logical_date
    metadata = {**run["metadata"], "namespace": namespace}
    if "name" not in metadata and "generateName" not in metadata:
        metadata["generateName"] = f"{spec.get('workflow') or 'run'}-"
    if name is not None:
        metadata = {key: value for key, value in metadata.items() if key != "generateName"} | {"name": name}
    try:
        return await cluster.client.create(RUNS, {**run, "metadata": metadata, "spec": spec})
    except AlreadyExists:
        raise Failure(
            f"there is a run {metadata['name']} already: give another --name, or delete it "
            f"(kubectl delete workflowruns.{GROUP} {metadata['name']})"
        ) from None


async def _schemas(cluster: Cluster, namespace: str, spec: Body) -> Body | None:
    """The schemas of the parameters; None when they may not be read. Failure when there is no such Workflow."""
    if "workflowSpec" in spec:
        return dict(spec["workflowSpec"].get("params") or {})
    name = str(spec.get("workflow"))
    try:
        workflow = await read_workflow(cluster, namespace, name)
    except Forbidden:
        return None
    return dict(workflow["spec"].get("params") or {})


async def read_workflow(cluster: Cluster, namespace: str, name: str) -> Body:
    """The Workflow of this name. Failure when there is none."""
    try:
        return await cluster.client.get(WORKFLOWS, namespace, name)
    except NotFound:
        raise Failure(await _no_such_workflow(cluster, namespace, name)) from None


async def _no_such_workflow(cluster: Cluster, namespace: str, name: str) -> str:
    from windlass.models.findings import suggestion

    known = [item["metadata"]["name"] for item in await cluster.client.list_all(WORKFLOWS, namespace)]
    hint = suggestion(name, known)
    return f'there is no Workflow "{name}" in the namespace {namespace}' + (f"; {hint}" if hint else "")


async def watch_all(cluster: Cluster, started: Sequence[Body], *, shown: bool) -> list[Body]:
    """The runs as they are when they have ended."""
    from windlass.cli.watching import await_run, watch_run

    watch = watch_run if shown else await_run
    return [
        await watch(Cluster(cluster.client, run["metadata"]["namespace"]), run["metadata"]["name"]) for run in started
    ]
