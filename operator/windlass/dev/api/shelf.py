"""Where objects lie: tables, indexes, histories and the journal, below all rules about what may be written.

Stored versions are shared and never changed; every write puts a new one in place, tells the watchers and the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from windlass.dev.api import deletion
from windlass.dev.api.answers import too_large
from windlass.dev.api.catalog import Catalog, Kind, StorageKey
from windlass.dev.api.hub import Body, Change, Hub, Stored, Watch
from windlass.dev.api.journal import Journal
from windlass.dev.api.selectors import Match
from windlass.resources import CRDS

ObjectKey = tuple[str, str]
"""Namespace (empty for what has none) and name."""
Place = tuple[StorageKey, ObjectKey]

_DEFINITIONS: StorageKey = (CRDS.group, CRDS.plural)
_LARGEST = 1_572_864
_QUOTAS: StorageKey = ("", "resourcequotas")


class Shelf:
    """The objects of one cluster."""

    def __init__(self, journal: Journal | None, history: int) -> None:
        self.catalog = Catalog()
        self.version = 1
        """The resourceVersion of the last write."""
        self.touched: Callable[[], None] = lambda: None
        """Called when there may be something to collect."""
        self.bereft: set[str] = set()
        """UIDs of owners that are gone, whose dependents were not looked at yet."""
        self.dependents: dict[str, set[Place]] = {}
        """By the UID of an owner."""
        self.ending: set[Place] = set()
        """Marked objects that wait for the collector: namespaces, and deletes that ask something of dependents."""
        self._tables: dict[StorageKey, dict[ObjectKey, Stored]] = {}
        self._hubs: dict[StorageKey, Hub] = {}
        self._history = history
        self._floor = 0
        self._journal = journal
        if journal is not None:
            self._restore(journal)

    def find(self, storage: StorageKey, key: ObjectKey) -> Stored | None:
        return self._tables.get(storage, {}).get(key)

    def select(self, kind: Kind, namespace: str | None = None, match: Match | None = None) -> list[Stored]:
        """The stored objects of a kind, ordered by namespace and name."""
        table = self._tables.get(kind.storage, {})
        keys = sorted(table if namespace is None else (key for key in table if key[0] == namespace))
        found = [table[key] for key in keys]
        return found if match is None else [stored for stored in found if match(stored.body)]

    def kept_in(self, storage: StorageKey) -> list[tuple[ObjectKey, Stored]]:
        return [*self._tables.get(storage, {}).items()]

    def in_namespace(self, namespace: str) -> Iterator[tuple[Place, Stored]]:
        for storage, table in list(self._tables.items()):
            for key, stored in list(table.items()):
                if key[0] == namespace:
                    yield (storage, key), stored

    def is_alive(self, owner: Body, namespace: str) -> bool:
        """Is the object there that an owner reference of an object in this namespace names?"""
        kind = self.catalog.named(owner["apiVersion"].rpartition("/")[0], owner["kind"])
        if kind is None:
            return False
        found = self.find(kind.storage, (namespace if kind.resource.namespaced else "", owner["name"]))
        return found is not None and found.body["metadata"]["uid"] == owner["uid"]

    def hub(self, storage: StorageKey) -> Hub:
        hub = self._hubs.get(storage)
        if hub is None:
            hub = self._hubs[storage] = Hub(self._history, self._floor)
        return hub

    def open_watch(self, kind: Kind, since: int | None, namespace: str | None, match: Match | None) -> Watch:
        hub = self.hub(kind.storage)
        if since is None:
            return Watch(hub, hub.end, self.select(kind, namespace, match), namespace, match)
        return Watch(hub, hub.position_after(since), [], namespace, match)

    def put(self, storage: StorageKey, key: ObjectKey, body: Body) -> Stored:
        """Store a new version of what is there, past all checks."""
        return self._commit("MODIFIED", storage, key, body, self._tables[storage][key])

    def remove(self, storage: StorageKey, key: ObjectKey) -> Stored:
        """Take an object out, past all checks."""
        old = self._tables[storage][key]
        return self._commit("DELETED", storage, key, old.body, old)

    def forget_history(self) -> None:
        """Every watch from an earlier version gets 410."""
        self._floor = self.version
        for hub in self._hubs.values():
            hub.forget()
            hub.floor = self.version

    # Within

    def _commit(self, change: str, storage: StorageKey, key: ObjectKey, body: Body, old: Stored | None) -> Stored:
        version = self.version + 1
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}
        stored = Stored(body, orjson.dumps(body), version)
        if len(stored.raw) > _LARGEST and change != "DELETED":
            raise too_large()
        self.version = version
        if self._journal is not None:
            self._journal.write(change, storage, stored)
        self._place(change, storage, key, stored, old)
        if self._journal is not None and self._journal.is_long:
            self._journal.open(self._everything())
        self._mourn(change, stored, old)
        self.hub(storage).publish(Change(change, stored, old))
        if self.bereft or self.ending or self._tables.get(_QUOTAS):
            self.touched()
        return stored

    def _place(self, change: str, storage: StorageKey, key: ObjectKey, stored: Stored, old: Stored | None) -> None:
        table = self._tables.setdefault(storage, {})
        place = (storage, key)
        for owner in _owners(old) - (set() if change == "DELETED" else _owners(stored)):
            self.dependents[owner].discard(place)
        if change == "DELETED":
            del table[key]
            self.ending.discard(place)
        else:
            table[key] = stored
            for owner in _owners(stored) - _owners(old):
                self.dependents.setdefault(owner, set()).add(place)
            if deletion.wants_collector(storage, stored.body):
                self.ending.add(place)
        if storage == _DEFINITIONS:
            self.catalog.undefine(stored.body) if change == "DELETED" else self.catalog.define(stored.body)

    def _mourn(self, change: str, stored: Stored, old: Stored | None) -> None:
        """Note owners that are gone: this one, or those that it was made without."""
        meta = stored.body["metadata"]
        if change == "DELETED":
            if self.dependents.get(meta["uid"]):
                self.bereft.add(meta["uid"])
            return
        for owner in meta.get("ownerReferences") or ():
            if old is None and not self.is_alive(owner, meta.get("namespace") or ""):
                self.bereft.add(owner["uid"])

    def _restore(self, journal: Journal) -> None:
        for change, storage, stored in journal.read():
            meta = stored.body["metadata"]
            key = (meta.get("namespace") or "", meta["name"])
            old = self.find(storage, key)
            if change != "DELETED" or old is not None:
                self._place(change, storage, key, stored, old)
        self.version = self._floor = max(self.version, journal.last_version)
        self.bereft.update(self.dependents)
        journal.open(self._everything())

    def _everything(self) -> Iterator[tuple[StorageKey, Stored]]:
        return ((storage, stored) for storage, table in self._tables.items() for stored in table.values())


def _owners(stored: Stored | None) -> set[str]:
    if stored is None:
        return set()
    return {owner["uid"] for owner in stored.body["metadata"].get("ownerReferences") or ()}
