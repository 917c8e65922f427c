"""Creating or updating the objects of a manifest, whatever their kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from windlass.cli.cluster import Cluster
from windlass.cli.failures import USAGE, Failure
from windlass.errors import AlreadyExists, Conflict, NotFound
from windlass.kube.discovery import discover
from windlass.names import GROUP
from windlass.resources import Resource

Body = dict[str, Any]

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""What `kubectl apply` compares with: kept up to date, so that it can go on from here."""
MOST_ANNOTATED: Final = 200 * 1024
"""Bytes of it at most: the annotations of an object have 256 KiB. kubectl can apply a larger one with --server-side."""
REPLACED: Final = frozenset({("", "Secret"), ("", "ConfigMap"), (GROUP, "Workflow")})
"""Kinds whose whole content the manifest says; others are patched, since the server adds to them."""
TRIES: Final = 3


class Applier:
    """Applies objects to a cluster, and asks it once for each API group what kinds it has."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._kinds: dict[str, Mapping[str, Resource]] = {}

    async def apply(self, obj: Body) -> tuple[Body, str]:
        """The object as it is then, and `created`, `configured` or `unchanged`."""
        resource, obj = await self.placed(obj)
        name = obj["metadata"].get("name")
        if not name:
            raise Failure(f"a {obj['kind']} without a name can't be applied: give it metadata.name", USAGE)
        wanted = _with_annotation(obj)
        for last in (False, False, True)[-TRIES:]:
            try:
                stored = await self._cluster.client.get(resource, obj["metadata"].get("namespace"), name)
            except NotFound:
                try:
                    return await self._cluster.client.create(resource, wanted), "created"
                except AlreadyExists:
                    if last:
                        raise
                    continue
            try:
                answer = await self._update(resource, stored, wanted)
            except Conflict:
                if last:
                    raise
                continue
            same = answer["metadata"].get("resourceVersion") == stored["metadata"].get("resourceVersion")
            return answer, "unchanged" if same else "configured"
        raise AssertionError("the last try returns or raises")

    async def placed(self, obj: Body) -> tuple[Resource, Body]:
        """The object's resource, and the object with the namespace that it goes to."""
        resource = await self._resource(str(obj["apiVersion"]), str(obj["kind"]))
        metadata = dict(obj.get("metadata") or {})
        if resource.namespaced:
            said = metadata.setdefault("namespace", self._cluster.namespace)
            if self._cluster.namespace_given and said != self._cluster.namespace:
                raise Failure(
                    f"the {obj['kind']} {metadata.get('name', '')} says namespace {said}, and -n says "
                    f"{self._cluster.namespace}: leave one of them out",
                    USAGE,
                )
        return resource, {**obj, "metadata": metadata}

    async def _update(self, resource: Resource, stored: Body, wanted: Body) -> Body:
        client = self._cluster.client
        if (resource.group, resource.kind) not in REPLACED:
            namespace, name = wanted["metadata"].get("namespace"), wanted["metadata"]["name"]
            return await client.patch(resource, namespace, name, wanted)
        before = stored["metadata"]
        metadata = {**before, **wanted["metadata"]}
        for key in ("labels", "annotations"):
            if merged := {**(before.get(key) or {}), **(wanted["metadata"].get(key) or {})}:
                metadata[key] = merged
        whole = {**wanted, "metadata": metadata}
        if "status" in stored:
            whole["status"] = stored["status"]
        return await client.replace(resource, whole)

    async def _resource(self, api_version: str, kind: str) -> Resource:
        if api_version not in self._kinds:
            self._kinds[api_version] = await discover(self._cluster.client, api_version)
        found = self._kinds[api_version].get(kind)
        if found is None:
            more = "; are the definitions installed? windlass crds | kubectl apply -f -" if GROUP in api_version else ""
            raise Failure(f"the cluster knows no {kind} of {api_version}{more}")
        return found


def _with_annotation(obj: Body) -> Body:
    metadata = dict(obj["metadata"])
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    plain = {**obj, "metadata": {**metadata, "annotations": annotations}}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True) + "\n"
    if len(text) > MOST_ANNOTATED:
        return plain
    annotations = {**annotations, LAST_APPLIED: text}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
