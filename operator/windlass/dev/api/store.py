"""The objects of the development cluster: what the API server and the pod runner in its process both work on.

All calls are synchronous and take plain dicts; what they return is the caller's own copy. They raise
`windlass.errors`. The store belongs to one event loop. What follows from a write later (owners that are gone,
namespaces that end) is done by `windlass.dev.api.collector`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from windlass.dev.api import admit, deletion
from windlass.dev.api.answers import already_exists, another_one, bad_patch, bad_request, conflict, forbidden, not_found
from windlass.dev.api.catalog import Kind, StorageKey
from windlass.dev.api.forms import copied, from_storage, to_storage
from windlass.dev.api.hub import Body, Stored, Watch
from windlass.dev.api.journal import Journal
from windlass.dev.api.patches import PatchKind, apply_patch
from windlass.dev.api.quota import check_quota
from windlass.dev.api.selectors import Match, both, field_selector, label_selector
from windlass.dev.api.shelf import ObjectKey, Shelf
from windlass.dev.api.texts import timestamp
from windlass.errors import Invalid
from windlass.resources import NAMESPACES, Resource

_NAMESPACES: StorageKey = ("", "namespaces")
_ATTEMPTS = 8
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Write:
    """How a write is to be taken."""

    fields: admit.Fields = "Ignore"
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    """Filled by the write."""


class Store(Shelf):
    """Objects, their versions and their watchers."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        journal: Journal | None = None,
        history: int = 4096,
        validators: Mapping[str, Sequence[admit.Validator]] | None = None,
    ) -> None:
        super().__init__(journal, history)
        self.now = now
        self.validators = dict(validators or {})
        """By kind: what an object must satisfy beyond its schema."""
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            if self.find(_NAMESPACES, ("", name)) is None:
                self.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    # Reading

    def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        """One object. Raises NotFound."""
        kind = self.catalog.kind(resource)
        return from_storage(kind, self.read(kind, namespace, name).body)

    def list(
        self, resource: Resource, namespace: str | None = None, selector: str = "", fields: str = ""
    ) -> list[Body]:
        """The objects of a kind, in the order of their names."""
        kind = self.catalog.kind(resource)
        found = self.select(kind, namespace, self.match(kind, selector, fields))
        return [from_storage(kind, stored.body) for stored in found]

    def watch(
        self,
        resource: Resource,
        since: str | int | None = None,
        *,
        namespace: str | None = None,
        selector: str = "",
        fields: str = "",
    ) -> AsyncIterator[tuple[str, Body]]:
        """(type, object) of each change after the version `since`; without it what exists comes first, as ADDED.

        Listens from this call on, not from the first step. Raises Gone when it falls too far behind.
        """
        kind = self.catalog.kind(resource)
        watch = self.open_watch(kind, int(since) if since else None, namespace, self.match(kind, selector, fields))
        return _events(kind, watch)

    # Writing

    def create(self, resource: Resource, obj: Body, how: Write | None = None) -> Body:
        """Store a new object, named by `metadata.name` or `generateName`. Raises AlreadyExists, Invalid, Forbidden."""
        how = how or Write()
        kind = self.catalog.kind(resource)
        body = admit.check_type(kind, copied(obj))
        how.warnings.extend(admit.clean_fields(kind, body, how.fields))
        meta = body["metadata"]
        namespace = self._namespace_of(kind, meta)
        generated = meta.get("generateName") if not meta.get("name") else None
        if kind.resource.namespaced:
            self._require_namespace(kind, namespace, meta.get("name") or generated or "")
        for attempt in range(_ATTEMPTS):
            if generated:
                meta["name"] = f"{generated[:58]}{_suffix()}"
            if not generated or self.find(kind.storage, (namespace, meta["name"])) is None or attempt == _ATTEMPTS - 1:
                break
        now = self.now()
        if "status" in kind.subresources and kind.storage != _NAMESPACES:
            body.pop("status", None)
        body = to_storage(kind, body)
        admit.stamp_new(body, now=timestamp(now), uid=str(uuid.uuid4()), counts=kind.counts_generation)
        admit.fill(kind, body, now)
        admit.check(kind, body, None, self.validators.get(kind.resource.kind, ()), None)
        check_quota(self, kind, body)
        key = (namespace, meta["name"])
        if self.find(kind.storage, key) is not None:
            raise already_exists(kind.resource, meta["name"])
        if how.dry_run:
            return from_storage(kind, body)
        stored = self._commit("ADDED", kind.storage, key, body, None)
        if kind.storage == _NAMESPACES:
            self._add_account(meta["name"])
        return from_storage(kind, stored.body)

    def replace(self, resource: Resource, obj: Body, subresource: str | None = None, how: Write | None = None) -> Body:
        """Store a new version of an object; with `metadata.resourceVersion` only if it is still that one (Conflict)."""
        how = how or Write()
        kind = self.catalog.kind(resource)
        body = admit.check_type(kind, copied(obj))
        meta = body["metadata"]
        key = (self._namespace_of(kind, meta), meta.get("name") or "")
        old = self.read(kind, *key)
        how.warnings.extend(admit.clean_fields(kind, body, how.fields))
        if not meta.get("resourceVersion") and not kind.unconditional_update:
            raise admit.unversioned(kind, key[1])
        return from_storage(kind, self._update(kind, key, old, body, subresource, how).body)

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        patch: Any,
        kind: PatchKind | str = "merge",
        subresource: str | None = None,
        how: Write | None = None,
    ) -> Body:
        """Change an object by a patch. `kind` is merge, json or strategic, or its content type."""
        of = self.catalog.kind(resource)
        if of.custom and str(kind).startswith(("strategic", "application/strategic")):
            raise admit.no_strategic()
        old = self.read(of, namespace, name)
        patched = apply_patch(kind, from_storage(of, old.body), patch)
        body = admit.check_type(of, patched)
        meta = body["metadata"]
        if meta.get("name") != name or (meta.get("namespace") or "") != (old.body["metadata"].get("namespace") or ""):
            raise bad_request("the name and the namespace of an object can't be changed")
        how = how or Write()
        try:
            how.warnings.extend(admit.clean_fields(of, body, how.fields))
        except Invalid as error:
            raise bad_patch(json.dumps(orjson.dumps(body).decode()), error.message.rpartition("as a ")[2]) from error
        key = self._key(of, namespace, name)
        return from_storage(of, self._update(of, key, old, body, subresource, how).body)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        grace: int | None = None,
        uid: str | None = None,
        version: str | None = None,
        propagation: str = "Background",
        how: Write | None = None,
    ) -> Body:
        """Delete an object, or mark it for deletion: pods that run end first, finalizers come off first.

        `grace` 0 removes a pod at once. Returns the object as it is now, or was at last.
        """
        kind = self.catalog.kind(resource)
        old = self.read(kind, namespace, name)
        meta = old.body["metadata"]
        for wanted, got, word in ((uid, meta["uid"], "UID"), (version, meta["resourceVersion"], "ResourceVersion")):
            if wanted and wanted != got:
                raise another_one(kind.resource, name, word, wanted, got)
        if how is not None and how.dry_run:
            return from_storage(kind, old.body)
        return from_storage(
            kind, deletion.delete(self, kind, self._key(kind, namespace, name), old, grace, propagation).body
        )

    # What the other modules of the server build on: stored versions, not copies

    def read(self, kind: Kind, namespace: str | None, name: str) -> Stored:
        found = self.find(kind.storage, self._key(kind, namespace, name))
        if found is None:
            raise not_found(kind.resource, name)
        return found

    def match(self, kind: Kind, selector: str, fields: str) -> Match | None:
        return both(label_selector(selector), field_selector(fields, kind.fields))

    # Within

    @staticmethod
    def _key(kind: Kind, namespace: str | None, name: str) -> ObjectKey:
        return (namespace or "" if kind.resource.namespaced else "", name)

    @staticmethod
    def _namespace_of(kind: Kind, meta: Body) -> str:
        if not kind.resource.namespaced:
            meta.pop("namespace", None)
            return ""
        if not meta.get("namespace"):
            raise bad_request("an empty namespace may not be set during creation")
        return str(meta["namespace"])

    def _require_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        found = self.find(_NAMESPACES, ("", namespace))
        if found is None:
            raise not_found(NAMESPACES, namespace)
        if found.body["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind.resource, name, why)

    def _add_account(self, namespace: str) -> None:
        resource = Resource("", "v1", "serviceaccounts", "ServiceAccount")
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
        }
        self.create(resource, account)

    def _update(
        self, kind: Kind, key: ObjectKey, old: Stored, body: Body, subresource: str | None, how: Write
    ) -> Stored:
        meta = body["metadata"]
        if meta.get("resourceVersion") not in (None, "", "0", old.body["metadata"]["resourceVersion"]):
            raise conflict(kind.resource, key[1])
        if meta.get("uid") not in (None, "", old.body["metadata"]["uid"]):
            got = old.body["metadata"]["uid"]
            raise conflict(
                kind.resource,
                key[1],
                f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {got}",
            )
        body = admit.carry_over(kind, to_storage(kind, body), old.body, subresource)
        admit.fill(kind, body, self.now())
        admit.check(kind, body, old.body, self.validators.get(kind.resource.kind, ()), subresource)
        if how.dry_run:
            return Stored(body, b"", old.version)
        body["metadata"]["resourceVersion"] = old.body["metadata"]["resourceVersion"]
        if body == old.body:
            return old
        if deletion.is_due(body):
            self.remove(kind.storage, key)
            return Stored(body, b"", old.version)
        return self._commit("MODIFIED", kind.storage, key, body, old)


async def _events(kind: Kind, watch: Watch) -> AsyncIterator[tuple[str, Body]]:
    try:
        while True:
            await watch.wait()
            for change, stored in watch.take():
                yield change, from_storage(kind, stored.body)
    finally:
        watch.close()


def _suffix() -> str:
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in uuid.uuid4().bytes[:5])
