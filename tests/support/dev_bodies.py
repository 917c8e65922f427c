"""Objects for tests of the development API server."""

from __future__ import annotations

from typing import Any

from windlass.resources import Resource

Body = dict[str, Any]
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
CONFIGS = "/api/v1/namespaces/default/configmaps"


def config(name: str, data: Body | None = None, /, **meta: Any) -> Body:
    """A ConfigMap in the namespace default."""
    meta = {"name": name, "namespace": "default", **meta}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data or {}}


def pod(name: str, /, **meta: Any) -> Body:
    """A pod in the namespace default."""
    meta = {"name": name, "namespace": "default", **meta}
    spec = {"containers": [{"name": "main", "image": "busybox:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def owned_by(owner: Body, **more: Any) -> list[Body]:
    """The owner references of an object that this one owns."""
    meta = owner["metadata"]
    told = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return [{**told, **more}]
