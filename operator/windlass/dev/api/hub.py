"""What happened to the objects of one kind, and who waits to hear of it.

changes   [.. forgotten ..][ kept: up to 2 × window, or 32 MiB ]
                          ^ floor: the version of the last change that was forgotten
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from windlass.dev.api.answers import gone
from windlass.dev.api.selectors import Match

Body = dict[str, Any]
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object. `body` is shared by all readers and never changed."""

    body: Body
    raw: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `old` is None for a create; a delete has `new` with the last state and the version of the delete."""

    type: str
    new: Stored
    old: Stored | None


class Hub:
    """The history of one kind, as a window, and its watchers."""

    def __init__(self, window: int, floor: int) -> None:
        self.window = window
        self.floor = floor
        self._changes: list[Change] = []
        self._forgotten = 0
        self._bytes = 0
        self._watchers: set[Watch] = set()

    @property
    def end(self) -> int:
        """The position behind the last change."""
        return self._forgotten + len(self._changes)

    def publish(self, change: Change) -> None:
        self._changes.append(change)
        self._bytes += len(change.new.raw)
        if len(self._changes) >= 2 * self.window or self._bytes > _MOST_BYTES:
            self.forget(max(len(self._changes) - self.window, len(self._changes) // 2))
        for watcher in self._watchers:
            watcher.wake()

    def forget(self, count: int | None = None) -> None:
        """Drop the oldest changes, all by default: who is behind them gets 410."""
        count = len(self._changes) if count is None else count
        if count:
            self.floor = self._changes[count - 1].new.version
            self._bytes -= sum(len(change.new.raw) for change in self._changes[:count])
            del self._changes[:count]
            self._forgotten += count

    def position_after(self, version: int) -> int:
        """Where the changes later than `version` begin."""
        if version < self.floor:
            raise gone(f"too old resource version: {version} ({self.floor})")
        for index in range(len(self._changes) - 1, -1, -1):
            if self._changes[index].new.version <= version:
                return self._forgotten + index + 1
        return self._forgotten

    def after(self, position: int) -> list[Change]:
        if position < self._forgotten:
            raise gone(f"too old resource version: the watch fell behind ({self.floor})")
        return self._changes[position - self._forgotten :]

    def subscribe(self, watch: Watch) -> None:
        self._watchers.add(watch)

    def unsubscribe(self, watch: Watch) -> None:
        self._watchers.discard(watch)


class Watch:
    """One watcher: first `initial` as ADDED, then every later change as its selector and namespace see it."""

    def __init__(self, hub: Hub, position: int, initial: list[Stored], namespace: str | None, match: Match | None):
        self._hub = hub
        self._position = position
        self._initial = initial
        self._namespace = namespace
        self._match = match
        self._woken = asyncio.Event()
        self._woken.set()
        hub.subscribe(self)

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        self._hub.unsubscribe(self)

    async def wait(self) -> None:
        """Until there may be something to `take`."""
        await self._woken.wait()

    def take(self) -> list[tuple[str, Stored]]:
        """What has happened since the last call. Raises Gone when the watcher fell out of the history."""
        self._woken.clear()
        events = [("ADDED", stored) for stored in self._initial]
        self._initial = []
        changes = self._hub.after(self._position)
        self._position += len(changes)
        for change in changes:
            seen = self._seen(change)
            if seen is not None:
                gone = seen == "DELETED" and change.type != "DELETED"
                events.append((seen, _last_seen(change) if gone else change.new))
        return events

    def _seen(self, change: Change) -> str | None:
        """The change as this watcher sees it: an object that stops matching is deleted for it."""
        if self._namespace is not None and change.new.body["metadata"].get("namespace") != self._namespace:
            return None
        if self._match is None:
            return change.type
        before = change.old is not None and self._match(change.old.body)
        after = change.type != "DELETED" and self._match(change.new.body)
        return {(False, True): "ADDED", (True, True): "MODIFIED", (True, False): "DELETED"}.get((before, after))


def _last_seen(change: Change) -> Stored:
    """The object as a watcher saw it last, in the version of the change by which it lost it."""
    old = change.old or change.new
    body = {**old.body, "metadata": {**old.body["metadata"], "resourceVersion": str(change.new.version)}}
    return Stored(body, b"", change.new.version)
