"""A cache of the objects of a kind that keeps itself up to date, and says what changed.

    ┌─▶ list (pages) ──▶ watch ──┐ ended in order, broken, silent: watch again from the last version
    │                      ▲─────┘
    └── 410, ERROR event, or several broken watches in a row: what vanished meanwhile is reported as deleted

Objects are kept as `slim` makes them. One that it can't read is set aside and logged once; the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final, Generic, Protocol, TypeVar

from windlass.backoff import full_jitter
from windlass.errors import ApiError, Gone, Retryable
from windlass.kube.client import PAGE, WATCH_SECONDS, WATCH_SILENCE, Page, WatchEvent
from windlass.kube.store import OnChange, Store, version_of
from windlass.resources import Resource

logger = logging.getLogger(__name__)
T = TypeVar("T")
Body = dict[str, Any]

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
BROKEN_WATCHES: Final = 3
"""So many watches in a row that told nothing, and the objects are listed again."""


class Source(Protocol):
    """What an informer asks of a client."""

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str, limit: int, token: str
    ) -> Page: ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str,
        seconds: int,
        silence: float,
    ) -> AsyncGenerator[WatchEvent, None]: ...


class InformerObserver(Protocol):
    """Who counts."""

    def relisted(self, resource: str, why: str) -> None: ...

    def watch_failed(self, resource: str, why: str) -> None: ...


class Informer(Generic[T]):
    """Lists and watches a kind. `run` does the work; the rest may be called at any time, in the same loop."""

    def __init__(
        self,
        source: Source,
        resource: Resource,
        slim: Callable[[Body], T],
        *,
        namespace: str | None = None,
        label_selector: str = "",
        index: Callable[[T], Hashable] | None = None,
        on_change: OnChange[T] | None = None,
        observer: InformerObserver | None = None,
        silence: float = WATCH_SILENCE,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.resource = resource
        self._source = source
        self._namespace = namespace
        self._selector = label_selector
        self._observer = observer
        self._silence = silence
        self._chance = chance
        self._monotonic = monotonic
        self._sleep = sleep
        self._store: Store[T] = Store(slim, index, on_change)
        self._synced = asyncio.Event()
        self._version = ""
        self._idle_lists = 0
        self.last_contact: float | None = None
        """When, on the monotonic clock, the server last said something: a page, an event, a bookmark."""

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[T]:
        return iter(self._store)

    @property
    def synced(self) -> bool:
        """A first full list was read."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once a first full list was read."""
        await self._synced.wait()

    @property
    def unreadable(self) -> int:
        """How many objects were set aside."""
        return self._store.unreadable

    def staleness(self) -> float:
        """Seconds since the server last said something; infinite before the first word."""
        return float("inf") if self.last_contact is None else self._monotonic() - self.last_contact

    def get(self, namespace: str, name: str) -> T | None:
        """An object by its name."""
        return self._store.get(namespace, name)

    def by_index(self, key: Hashable) -> Mapping[str, T]:
        """The objects with this index, by name."""
        return self._store.by_index(key)

    def note(self, obj: Body) -> None:
        """Take an answer of the API for what it is: perhaps newer than what was known of that object.

        An answer that is no such object, as some deletes have it, is passed over.
        """
        if obj.get("kind", self.resource.kind) == self.resource.kind:
            self._store.note(obj)

    def forget(self, namespace: str, name: str, uid: str) -> None:
        """Take the API's word that an object is gone: a request on it was answered 404."""
        self._store.forget(namespace, name, uid)

    async def run(self) -> None:
        """Keep the cache up to date until cancelled."""
        failures, why = 0, "Start"
        while True:
            try:
                await self._list(why)
                failures, why = 0, await self._watch_on()
            except ApiError as error:
                failures += 1
                self._failed("list", error)
                await self._pause(failures, error)
            except Exception:
                # Whatever it is, a cache that stands still would be worse.
                failures, why = failures + 1, "Error"
                logger.exception("the cache of %s begins anew", self.resource.plural)
                await self._pause(failures, None)

    async def _list(self, why: str) -> None:
        """Read all objects, and report what vanished since the last time."""
        relist = self._store.relist_begins()
        limit, token = PAGE, ""
        while True:
            try:
                page = await self._source.list_page(
                    self.resource, self._namespace, label_selector=self._selector, limit=limit, token=token
                )
            except Gone:
                # The list grew old before its last page: once more, whole.
                if not limit:
                    raise
                relist, limit, token = self._store.relist_begins(), 0, ""
                continue
            self._touch()
            self._store.relist_part(relist, page.items, page.resource_version)
            token = page.token
            if not token:
                break
        gone = self._store.relist_ends(relist)
        self._version = page.resource_version
        if self.synced:
            logger.info("%s were listed again (%s): %d had vanished", self.resource.plural, why, gone)
        self._synced.set()
        if self._observer is not None:
            self._observer.relisted(self.resource.plural, why)

    async def _watch_on(self) -> str:
        """Watch, again and again; returns why the objects must be listed again."""
        failures = 0
        while True:
            began, told = self._monotonic(), False
            error: ApiError | None = None
            try:
                async with aclosing(self._watch()) as events:
                    async for event in events:
                        told = True
                        self._idle_lists = 0
                        self._touch()
                        self._take(event)
            except Gone:
                # A server that forgets at once would otherwise be asked for lists without end.
                self._idle_lists += 1
                if self._idle_lists > 1:
                    await self._pause(self._idle_lists, None)
                return "Gone"
            except Retryable as broken:
                error = broken
                self._failed("watch", broken)
            except ApiError as refused:
                # An ERROR event, or a watch that is not allowed: the list will tell which.
                self._failed("watch", refused)
                await self._pause(failures + 1, refused)
                return "WatchError"
            if error is None and (told or self._monotonic() - began >= 1.0):
                failures = 0
                continue
            failures = 1 if told else failures + 1
            if failures >= BROKEN_WATCHES:
                await self._pause(failures, error)
                return "BrokenWatches"
            await self._pause(failures, error)

    def _watch(self) -> AsyncGenerator[WatchEvent, None]:
        # Spread, so that watches which began together don't end together.
        seconds = int(WATCH_SECONDS * (0.9 + 0.2 * self._chance()))
        return self._source.watch(
            self.resource,
            self._namespace,
            resource_version=self._version,
            label_selector=self._selector,
            seconds=seconds,
            silence=self._silence,
        )

    def _take(self, event: WatchEvent) -> None:
        try:
            if event.type in ("ADDED", "MODIFIED"):
                self._store.apply(event.obj)
            elif event.type == "DELETED":
                self._store.removed(event.obj)
            elif event.type == "BOOKMARK":
                self._store.seen = max(self._store.seen, version_of(event.obj))
            self._version = event.obj["metadata"]["resourceVersion"]
        except (KeyError, TypeError, AttributeError) as error:
            logger.warning("an event %s of %s is passed over: %r", event.type, self.resource.plural, error)

    def _touch(self) -> None:
        self.last_contact = self._monotonic()

    def _failed(self, verb: str, error: ApiError) -> None:
        logger.warning("the %s of %s broke off: %s", verb, self.resource.plural, error.message)
        if self._observer is not None:
            self._observer.watch_failed(self.resource.plural, error.reason or type(error).__name__)

    async def _pause(self, failures: int, error: ApiError | None) -> None:
        asked = error.retry_after if error is not None else None
        await self._sleep(
            full_jitter(failures, first=FIRST_WAIT, last=LONGEST_WAIT, chance=self._chance(), retry_after=asked)
        )
