"""What follows from a delete, a moment later: dependents without an owner, namespaces that end, old events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from windlass.dev.api import deletion
from windlass.dev.api.catalog import storage_of
from windlass.dev.api.hub import Body, Stored
from windlass.dev.api.quota import QUOTAS, used_by
from windlass.dev.api.texts import parsed_time

if TYPE_CHECKING:
    from windlass.dev.api.shelf import Place
    from windlass.dev.api.store import Store

_EVENTS_LIVE = timedelta(hours=1)
_SWEEP = 60.0


class Collector:
    """Garbage collection and namespace deletion of one store."""

    def __init__(self, store: Store, *, delay: float = 0.02) -> None:
        self._store = store
        self._delay = delay
        self._woken = asyncio.Event()
        store.touched = self._woken.set

    async def run(self) -> None:
        """Collect whenever something was deleted, and sweep old events now and then."""
        self._woken.set()
        while True:
            try:
                async with asyncio.timeout(_SWEEP):
                    await self._woken.wait()
            except TimeoutError:
                self.sweep_events()
                continue
            await asyncio.sleep(self._delay)
            self._woken.clear()
            self.collect()
            self.count_quotas()

    def collect(self) -> None:
        """Do all that is to be done now."""
        while self._store.bereft:
            for uid in [self._store.bereft.pop() for _ in range(len(self._store.bereft))]:
                self._orphans_of(uid)
        for place in list(self._store.ending):
            stored = self._store.find(*place)
            if stored is not None:
                self._end(place, stored)
        if self._store.bereft:
            self.collect()

    def sweep_events(self) -> None:
        """Remove events that are older than an hour."""
        storage = ("", "events")
        oldest = self._store.now() - _EVENTS_LIVE
        for stored in self._store.select(self._store.catalog.of_storage(storage)):
            meta = stored.body["metadata"]
            if parsed_time(meta["creationTimestamp"]) < oldest:
                self._store.remove(storage, (meta["namespace"], meta["name"]))

    def _orphans_of(self, uid: str) -> None:
        for place in sorted(self._store.dependents.get(uid, ())):
            stored = self._store.find(*place)
            if stored is None or "deletionTimestamp" in stored.body["metadata"]:
                continue
            owners = stored.body["metadata"]["ownerReferences"]
            alive = [owner for owner in owners if self._store.is_alive(owner, place[1][0])]
            if not alive:
                self._delete(place, stored)
            elif len(alive) < len(owners):
                self._store.put(*place, _with_meta(stored.body, ownerReferences=alive))
        if not self._store.dependents.get(uid, True):
            del self._store.dependents[uid]

    def _delete(self, place: Place, stored: Stored) -> None:
        kind = self._store.catalog.of_storage(place[0])
        deletion.delete(self._store, kind, place[1], stored, None, "Background")

    def _end(self, place: Place, stored: Stored) -> None:
        storage, (_, name) = place
        meta = stored.body["metadata"]
        finalizers = meta.get("finalizers") or []
        if storage == ("", "namespaces"):
            if self._empties(name):
                self._finish(place, {**stored.body, "spec": {**stored.body["spec"], "finalizers": []}})
        elif deletion.CLEANUP in finalizers:
            if self._is_unused(stored.body):
                self._finish(place, _without(stored.body, deletion.CLEANUP))
        elif deletion.ORPHAN in finalizers:
            for dependent, held in list(self._dependents(meta["uid"])):
                kept = [owner for owner in held.body["metadata"]["ownerReferences"] if owner["uid"] != meta["uid"]]
                self._store.put(*dependent, _with_meta(held.body, ownerReferences=kept))
            self._finish(place, _without(stored.body, deletion.ORPHAN))
        elif deletion.FOREGROUND in finalizers:
            dependents = list(self._dependents(meta["uid"]))
            for dependent, held in dependents:
                if "deletionTimestamp" not in held.body["metadata"]:
                    self._delete(dependent, held)
            if not any(_blocks(held, meta["uid"]) for _, held in self._dependents(meta["uid"])):
                self._finish(place, _without(stored.body, deletion.FOREGROUND))

    def _dependents(self, uid: str) -> Iterator[tuple[Place, Stored]]:
        for place in sorted(self._store.dependents.get(uid, ())):
            stored = self._store.find(*place)
            if stored is not None:
                yield place, stored

    def _is_unused(self, definition: Body) -> bool:
        """Delete the objects of a definition that ends; true when none is left."""
        storage = storage_of(definition)
        for key, stored in self._store.kept_in(storage):
            if "deletionTimestamp" not in stored.body["metadata"]:
                self._delete((storage, key), stored)
        return not self._store.kept_in(storage)

    def _empties(self, namespace: str) -> bool:
        for place, stored in self._store.in_namespace(namespace):
            if "deletionTimestamp" not in stored.body["metadata"]:
                self._delete(place, stored)
        return next(self._store.in_namespace(namespace), None) is None

    def _finish(self, place: Place, body: Body) -> None:
        if deletion.is_due(body):
            self._store.remove(*place)
        else:
            self._store.put(*place, body)
            self._store.ending.discard(place)

    def count_quotas(self) -> None:
        """Write what is used into the status of the quotas."""
        kind = self._store.catalog.kind(QUOTAS)
        for stored in self._store.select(kind):
            meta = stored.body["metadata"]
            hard = stored.body["spec"].get("hard") or {}
            status = {"hard": hard, "used": used_by(self._store, meta["namespace"], hard)}
            if stored.body.get("status") != status:
                self._store.put(kind.storage, (meta["namespace"], meta["name"]), {**stored.body, "status": status})


def _with_meta(body: Body, **meta: object) -> Body:
    return {**body, "metadata": {key: value for key, value in {**body["metadata"], **meta}.items() if value != []}}


def _without(body: Body, finalizer: str) -> Body:
    return _with_meta(body, finalizers=[name for name in body["metadata"]["finalizers"] if name != finalizer])


def _blocks(stored: Stored, uid: str) -> bool:
    owners = stored.body["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)
