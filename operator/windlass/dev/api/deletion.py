"""What a delete does to an object.

delete ──▶ nothing holds it: removed
   │
   └─────▶ marked (deletionTimestamp) ──▶ removed, when its grace is used up (a second delete with grace 0 says so)
                                           and its finalizers are gone
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from windlass.dev.api.catalog import Kind, StorageKey
from windlass.dev.api.hub import Body, Stored
from windlass.dev.api.texts import timestamp

if TYPE_CHECKING:
    from windlass.dev.api.shelf import ObjectKey
    from windlass.dev.api.store import Store

_DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


def is_due(body: Body) -> bool:
    """Is this marked object to be removed now?"""
    meta = body["metadata"]
    marked = "deletionTimestamp" in meta and not meta.get("deletionGracePeriodSeconds")
    namespace = body["kind"] == "Namespace" and body["apiVersion"] == "v1"
    in_use = namespace and (body.get("spec") or {}).get("finalizers")
    return marked and not meta.get("finalizers") and not in_use


def wants_collector(storage: StorageKey, body: Body) -> bool:
    """Does this object go only after the collector has dealt with what it holds?"""
    meta = body["metadata"]
    held = storage in {("", "namespaces"), _DEFINITIONS} or not {FOREGROUND, ORPHAN}.isdisjoint(
        meta.get("finalizers") or ()
    )
    return held and "deletionTimestamp" in meta


def grace_of(kind: Kind, body: Body, asked: int | None) -> int:
    """Seconds that the object has to end; only pods that run on a node have any."""
    if kind.storage != ("", "pods"):
        return 0
    spec, phase = body["spec"], (body.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
        return 0
    return int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else max(asked, 0))


def delete(store: Store, kind: Kind, key: ObjectKey, old: Stored, asked: int | None, propagation: str) -> Stored:
    """Mark the object, or remove it when nothing holds it."""
    body = old.body
    meta = dict(body["metadata"])
    grace = grace_of(kind, body, asked)
    more = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(propagation)
    if more is not None and more not in (meta.get("finalizers") or ()):
        meta["finalizers"] = [*(meta.get("finalizers") or ()), more]
    marked = "deletionTimestamp" in meta
    if not marked or grace < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionTimestamp"] = timestamp(store.now() + timedelta(seconds=grace))
        meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta and not marked:
            meta["generation"] += 1
    body = {**body, "metadata": meta}
    if kind.storage == ("", "namespaces"):
        body["status"] = {**(body.get("status") or {}), "phase": "Terminating"}
    if is_due(body):
        return _as_answered(kind, body, store.remove(kind.storage, key))
    return old if body == old.body else store.put(kind.storage, key, body)


def _as_answered(kind: Kind, body: Body, removed: Stored) -> Stored:
    """A pod that went at once is answered as it was marked; everything else as it was."""
    if kind.storage != ("", "pods"):
        return removed
    meta = {**body["metadata"], "resourceVersion": str(removed.version)}
    return Stored({**body, "metadata": meta}, b"", removed.version)
