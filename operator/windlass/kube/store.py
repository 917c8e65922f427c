"""What an informer knows: the newest version of each object, and never an older one in its place.

    list, watch ──apply──▶ ┌───────┐ ──on_change(old, new)──▶
    answers ──────note───▶ │ Store │
    404s ───────forget───▶ └───────┘ ◀──by_index, get

An answer of the API is ahead of the watch, or behind it. `seen` is the version up to which the watch has told
everything: an answer at or below it that is not known here is of an object that has gone since.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")
Body = dict[str, Any]
OnChange = Callable[[T | None, T | None], None]

LONGEST_MEMORY: Final = 10_000
"""How many unreadable objects are remembered, so that each is logged once."""


class Key(NamedTuple):
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """An object as it is kept. `value` is None when `slim` could not read it."""

    uid: str
    version: int
    value: T | None


class Forgotten(NamedTuple):
    """An object that is gone by the API's word, and its newest version that was known."""

    uid: str
    version: int


def number_of(version: object) -> int:
    """The number that Kubernetes orders versions of a kind by; 0 where a resourceVersion is none."""
    return int(version) if isinstance(version, str) and version.isascii() and version.isdigit() else 0


def version_of(obj: Body) -> int:
    """The object's resourceVersion as a number."""
    return number_of((obj.get("metadata") or {}).get("resourceVersion"))


class Store(Generic[T]):
    """Objects by namespace and name, and by what `index` says of them."""

    def __init__(
        self, slim: Callable[[Body], T], index: Callable[[T], Hashable] | None, on_change: OnChange[T] | None
    ) -> None:
        self._slim = slim
        self._index = index
        self._on_change = on_change
        self._entries: dict[Key, Entry[T]] = {}
        self._by_index: dict[Hashable, dict[str, T]] = {}
        self._forgotten: dict[Key, Forgotten] = {}
        self._logged: dict[tuple[Key, str], None] = {}
        self.seen = 0
        """The version up to which the list and the watch have told everything."""

    def __len__(self) -> int:
        return sum(entry.value is not None for entry in self._entries.values())

    def __iter__(self) -> Iterator[T]:
        return (entry.value for entry in tuple(self._entries.values()) if entry.value is not None)

    @property
    def unreadable(self) -> int:
        """How many objects `slim` could not read."""
        return sum(entry.value is None for entry in self._entries.values())

    def get(self, namespace: str, name: str) -> T | None:
        entry = self._entries.get(Key(namespace, name))
        return entry.value if entry is not None else None

    def by_index(self, key: Hashable) -> Mapping[str, T]:
        """The objects with this index, by name: as they are now, whatever comes later."""
        return dict(self._by_index.get(key, ()))

    def apply(self, obj: Body) -> None:
        """Take an object that a list or the watch gave."""
        key, uid, version = _identity(obj)
        self.seen = max(self.seen, version)
        known = self._entries.get(key)
        if known is not None and version and known.version >= version:
            return
        if self._is_gone(key, uid, version):
            return
        self._put(key, uid, version, obj)

    def note(self, obj: Body) -> None:
        """Take an answer of the API."""
        key, uid, version = _identity(obj)
        known = self._entries.get(key)
        newer = version > max(self.seen, known.version if known is not None else 0)
        if newer and not self._is_gone(key, uid, version):
            self._put(key, uid, version, obj)

    def forget(self, namespace: str, name: str, uid: str) -> None:
        """Take the API's word that this object is gone, which the watch has yet to tell."""
        key = Key(namespace, name)
        known = self._entries.get(key)
        if known is not None and known.uid == uid:
            self._forgotten[key] = Forgotten(uid, known.version)
            self._drop(key)

    def removed(self, obj: Body) -> None:
        """Take a deletion that the watch told."""
        key, uid, version = _identity(obj)
        self.seen = max(self.seen, version)
        if (forgotten := self._forgotten.get(key)) is not None and forgotten.uid == uid:
            del self._forgotten[key]
        known = self._entries.get(key)
        if known is not None and (known.uid == uid or known.version <= version):
            self._drop(key)

    def relist_begins(self) -> Relist:
        """Note what is to be compared with the list that is asked for now."""
        return Relist(frozenset(self._forgotten.items()))

    def relist_part(self, relist: Relist, items: list[Body], resource_version: str) -> None:
        """Take a page of the list, which is as of `resource_version`."""
        relist.version = number_of(resource_version)
        # A list older than what was seen before: the server was set up anew, or from a backup.
        relist.rewound = 0 < relist.version < self.seen
        for obj in items:
            try:
                key, uid, version = _identity(obj)
            except (KeyError, TypeError) as error:
                logger.warning("an object of a list has no identity and is passed over: %r", error)
                continue
            relist.found.add(key)
            known = self._entries.get(key)
            newer = known is None or not version or known.version < version
            if relist.rewound or (newer and not self._is_gone(key, uid, version)):
                self._put(key, uid, version, obj)

    def relist_ends(self, relist: Relist) -> int:
        """Drop what the whole list did not hold; how many objects that were."""
        for key, forgotten in relist.forgotten:
            if self._forgotten.get(key) == forgotten:
                del self._forgotten[key]
        gone = [
            key
            for key, entry in self._entries.items()
            if key not in relist.found and (relist.rewound or entry.version <= relist.version)
        ]
        for key in gone:
            self._drop(key)
        self.seen = relist.version
        return len(gone)

    def _put(self, key: Key, uid: str, version: int, obj: Body) -> None:
        known = self._entries.get(key)
        old = known.value if known is not None else None
        if known is not None and known.uid != uid and old is not None:
            # Deleted and made again under its name between two looks: two changes, not one.
            self._drop(key)
            old = None
        new = self._read(key, uid, obj)
        self._entries[key] = Entry(uid, version, new)
        self._reindex(key, old, new)
        self._tell(old, new)

    def _is_gone(self, key: Key, uid: str, version: int) -> bool:
        """Whether this is of an object that the API said is gone, or of one before it."""
        forgotten = self._forgotten.get(key)
        return forgotten is not None and (forgotten.uid == uid or 0 < version <= forgotten.version)

    def _read(self, key: Key, uid: str, obj: Body) -> T | None:
        try:
            return self._slim(obj)
        except Exception as error:
            if (key, uid) not in self._logged:
                if len(self._logged) >= LONGEST_MEMORY:
                    self._logged.pop(next(iter(self._logged)))
                self._logged[key, uid] = None
                logger.warning("%s/%s can't be read and is set aside: %r", key.namespace, key.name, error)
            return None

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key)
        self._logged.pop((key, entry.uid), None)
        self._reindex(key, entry.value, None)
        self._tell(entry.value, None)

    def _reindex(self, key: Key, old: T | None, new: T | None) -> None:
        if self._index is None:
            return
        before = self._index(old) if old is not None else None
        after = self._index(new) if new is not None else None
        if old is not None and (new is None or before != after):
            group = self._by_index[before]
            del group[key.name]
            if not group:
                del self._by_index[before]
        if new is not None:
            self._by_index.setdefault(after, {})[key.name] = new

    def _tell(self, old: T | None, new: T | None) -> None:
        if self._on_change is None or (old is None and new is None):
            return
        try:
            self._on_change(old, new)
        except Exception:
            logger.exception("a change was not taken: %r to %r", old, new)


@dataclass(slots=True)
class Relist:
    """A list under way."""

    forgotten: frozenset[tuple[Key, Forgotten]]
    """What was known to be gone before the list was asked for."""
    found: set[Key] = field(default_factory=set)
    version: int = 0
    rewound: bool = False


def _identity(obj: Body) -> tuple[Key, str, int]:
    metadata = obj["metadata"]
    return Key(metadata.get("namespace") or "", metadata["name"]), metadata["uid"], version_of(obj)
