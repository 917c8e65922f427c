"""Plays the service behind the kinds of kinds.yaml, on the cluster that KUBECONFIG points at.

    python examples/emr-like/service.py install     # makes the kinds, and the rights in the namespace
    python examples/emr-like/service.py             # plays until it is told to end

A cluster is STARTING for a moment, then WAITING. A step is PENDING, RUNNING, and COMPLETED;
on days of 1999 it is FAILED.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from windlass.errors import AlreadyExists, ApiError, NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import find_credentials
from windlass.resources import Resource

HERE = Path(__file__).parent
CLUSTERS = Resource("emr.example.com", "v1", "clusters", "Cluster")
STEPS = Resource("emr.example.com", "v1", "steps", "Step")
KINDS = {
    "CustomResourceDefinition": Resource(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
    ),
    "ServiceAccount": Resource("", "v1", "serviceaccounts", "ServiceAccount"),
    "Role": Resource("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    "RoleBinding": Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
}
NEXT_OF_CLUSTER = {"": "STARTING", "STARTING": "WAITING"}
NEXT_OF_STEP = {"": "PENDING", "PENDING": "RUNNING", "RUNNING": "COMPLETED"}
EVERY = 0.5
"""Seconds between two looks; each brings a cluster or a step one state on."""


async def install(client: KubeClient, namespace: str) -> None:
    """Make the kinds and the rights; those that are there stay as they are."""
    for file in ("kinds.yaml", "rights.yaml"):
        for obj in yaml.safe_load_all((HERE / file).read_text(encoding="utf-8")):
            resource = KINDS[obj["kind"]]
            if resource.namespaced:
                obj["metadata"]["namespace"] = namespace
                if obj["kind"] == "RoleBinding":
                    obj["subjects"][0]["namespace"] = namespace
            with contextlib.suppress(AlreadyExists):
                await client.create(resource, obj)
    for resource in (CLUSTERS, STEPS):
        while True:  # until it is served
            try:
                await client.list_all(resource, namespace)
                break
            except NotFound:
                await asyncio.sleep(0.2)


async def play(client: KubeClient) -> None:
    """Bring all clusters and steps on, again and again."""
    numbers = itertools.count(1)
    while True:
        try:
            for cluster in await client.list_all(CLUSTERS, None):
                state = NEXT_OF_CLUSTER.get(state_of(cluster))
                if state is not None:
                    told = {"state": state, "clusterID": f"j-{cluster['metadata']['uid'][:8]}"}
                    await tell(client, CLUSTERS, cluster, told)
            for step in await client.list_all(STEPS, None):
                state = NEXT_OF_STEP.get(state_of(step))
                if state == "PENDING":
                    await tell(client, STEPS, step, {"state": state, "stepID": f"s-{next(numbers)}"})
                elif state == "COMPLETED" and any(arg.startswith("1999-") for arg in step["spec"]["args"]):
                    await tell(client, STEPS, step, {"state": "FAILED", "failure": "no data of that day"})
                elif state is not None:
                    await tell(client, STEPS, step, {"state": state})
        except ApiError as error:
            print(f"tries again: {error}", file=sys.stderr)
        await asyncio.sleep(EVERY)


def state_of(obj: dict[str, Any]) -> str:
    """Its state; empty when it is new."""
    return str((obj.get("status") or {}).get("state") or "")


async def tell(client: KubeClient, resource: Resource, obj: dict[str, Any], status: dict[str, Any]) -> None:
    """Write into its status."""
    metadata = obj["metadata"]
    try:
        await client.patch(
            resource, metadata["namespace"], metadata["name"], {"status": status},
            content_type="application/merge-patch+json", subresource="status",
        )  # fmt: skip
        print(f"{resource.kind} {metadata['name']}: {status['state']}", flush=True)
    except NotFound:
        print(f"{resource.kind} {metadata['name']} is gone", flush=True)


async def main(arguments: list[str]) -> None:
    credentials = find_credentials(None, None, os.environ)
    async with KubeClient(credentials) as client:
        if arguments == ["install"]:
            await install(client, os.environ.get("NAMESPACE") or (await client.login()).namespace or "default")
        else:
            await play(client)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1:]))
