"""The store as the scheduler and the kubelet use it: few reads, few writes, none of them checked against a schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from windlass.dev.api.store import Store
from windlass.dev.pods.environment import Lookup
from windlass.dev.pods.node import NODE_NAME
from windlass.errors import AlreadyExists, ApiError, NotFound
from windlass.names import short_hash
from windlass.resources import EVENTS, PODS, Resource

Body = dict[str, Any]
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
VOLUMES: Final = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
_LOOKED_UP: Final = {"ConfigMap": CONFIG_MAPS, "Secret": SECRETS}


class Objects:
    """What the pod runner reads and writes. Bodies are shared with the store: never change them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, resource: Resource, namespace: str | None, name: str) -> Body | None:
        found = self.store.find(self.store.catalog.kind(resource).storage, (namespace or "", name))
        return found.body if found else None

    def same(self, resource: Resource, body: Body) -> Body | None:
        """The newest version of this very object; None when it is gone, or another one has its name."""
        meta = body["metadata"]
        found = self.find(resource, meta.get("namespace"), meta["name"])
        return found if found and found["metadata"]["uid"] == meta["uid"] else None

    def lookup(self, namespace: str) -> Lookup:
        """How containers of this namespace find ConfigMaps and Secrets."""
        return lambda kind, name: self.find(_LOOKED_UP[kind], namespace, name)

    def write(self, resource: Resource, body: Body) -> None:
        """Store this version, made of the newest one."""
        meta = body["metadata"]
        self.store.put(self.store.catalog.kind(resource).storage, (meta.get("namespace") or "", meta["name"]), body)

    def write_status(self, pod: Body, status: Body) -> None:
        """Store the status of a pod that is placed on the node: placement and status are one write."""
        body = {**pod, "spec": {**pod["spec"], "nodeName": NODE_NAME}, "status": status}
        if body != pod:
            self.write(PODS, body)

    def remove_pod(self, pod: Body) -> None:
        """Say that nothing of the pod runs any more: it goes once its finalizers are gone."""
        meta = pod["metadata"]
        if self.same(PODS, pod):
            self.store.delete(PODS, meta["namespace"], meta["name"], grace=0, uid=meta["uid"])

    def create_once(self, resource: Resource, body: Body) -> None:
        try:
            self.store.create(resource, body)
        except AlreadyExists:
            return

    def remove(self, resource: Resource, namespace: str | None, name: str) -> None:
        try:
            self.store.delete(resource, namespace, name)
        except NotFound:
            return

    def report(self, pod: Body, reason: str, note: str, now: datetime) -> None:
        """An Event that warns about the pod. One that can't be stored is not worth a failure."""
        meta = pod["metadata"]
        event = {
            "apiVersion": EVENTS.api_version,
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{short_hash(meta['uid'], reason, note)}",
                "namespace": meta["namespace"],
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": "Warning",
            "reason": reason,
            "action": "Scheduling" if reason == "FailedScheduling" else "Starting",
            "note": note[:1024],
            "reportingController": "default-scheduler" if reason == "FailedScheduling" else "kubelet",
            "reportingInstance": NODE_NAME,
            "regarding": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
        }
        try:
            self.create_once(EVENTS, event)
        except ApiError:
            return
