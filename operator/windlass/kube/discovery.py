"""What kinds a cluster has, as its API server tells of a group."""

from __future__ import annotations

from collections.abc import Mapping

from windlass.errors import NotFound
from windlass.kube.client import KubeClient
from windlass.resources import Resource


async def discover(client: KubeClient, api_version: str) -> Mapping[str, Resource]:
    """The resources of `v1` or `apps/v1` by their kinds; none where the cluster knows no such group or version."""
    group, _, version = api_version.rpartition("/")
    try:
        listed = await client.read_path(f"/apis/{api_version}" if group else f"/api/{version}")
    except NotFound:
        return {}
    return {
        entry["kind"]: Resource(group, version, entry["name"], entry["kind"], bool(entry.get("namespaced")))
        for entry in listed.get("resources") or []
        if "/" not in entry["name"]
    }
