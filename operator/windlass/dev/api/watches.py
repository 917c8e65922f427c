"""A watch over HTTP: one JSON line an event, bookmarks, an ERROR line when the watcher fell behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import orjson
from aiohttp import web

from windlass.dev.api.faults import CutWatch, Effect, EndWatch, SilenceWatch
from windlass.dev.api.forms import raw_form
from windlass.dev.api.hub import Body, Stored, Watch
from windlass.dev.api.objects import Asked, Objects
from windlass.dev.api.requests import flag, status_body, whole
from windlass.dev.api.store import Store
from windlass.errors import ApiError, Gone

_LONGEST = 1800


class WatchStream:
    """One watch and the connection that it goes to."""

    def __init__(
        self, store: Store, objects: Objects, asked: Asked, request: web.BaseRequest, bookmark_every: float
    ) -> None:
        self._store = store
        self._objects = objects
        self._asked = asked
        self._kind = asked.target.kind
        self._request = request
        self._response = web.StreamResponse(headers={"Content-Type": "application/json"})
        self._bookmark_every = bookmark_every if flag(asked.query, "allowWatchBookmarks") else None
        self._sent = 0

    async def run(
        self, effect: Effect | None, opened: Callable[[Callable[[], None]], Callable[[], None]]
    ) -> web.StreamResponse:
        """Stream until the client leaves, its time is over, or `effect` has it end."""
        query = self._asked.query
        match = self._store.match(self._kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        initial = flag(query, "sendInitialEvents")
        version = whole(query, "resourceVersion") or 0
        closed = opened(self.abort)
        watch: Watch | None = None
        try:
            await self._response.prepare(self._request)
            since = None if initial or version == 0 else version
            watch = self._store.open_watch(self._kind, since, self._asked.target.namespace, match)
            await self._stream(watch, effect, initial_end=initial)
        except Gone as error:
            await self._error(error)
        except ConnectionResetError:
            pass
        finally:
            closed()
            if watch is not None:
                watch.close()
        return self._response

    def abort(self) -> None:
        """Cut the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _stream(self, watch: Watch, effect: Effect | None, *, initial_end: bool) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + (whole(self._asked.query, "timeoutSeconds") or _LONGEST)
        if initial_end:
            if await self._send(watch.take(), effect):
                return
            await self._write([self._bookmark(initial_end=True)])
        bookmark = loop.time() + (self._bookmark_every or _LONGEST)
        while loop.time() < end:
            if await self._spoilt(effect):
                return
            try:
                async with asyncio.timeout_at(min(end, bookmark)):
                    await watch.wait()
            except TimeoutError:
                if self._bookmark_every is not None:
                    await self._write([self._bookmark()])
                    bookmark = loop.time() + self._bookmark_every
                continue
            if await self._send(watch.take(), effect):
                return

    async def _send(self, events: Iterable[tuple[str, Stored]], effect: Effect | None) -> bool:
        """Send events; true when the injected fault ended the watch."""
        if not isinstance(effect, (CutWatch, SilenceWatch, EndWatch)):
            await self._write([self._line(*event) for event in events])
            return False
        for event in events:
            if self._sent >= effect.events:
                return await self._spoilt(effect, self._line(*event))
            await self._write([self._line(*event)])
            self._sent += 1
        return False

    async def _spoilt(self, effect: Effect | None, line: bytes | None = None) -> bool:
        """Let the injected fault happen, if its moment has come: before `line` would be sent."""
        match effect:
            case CutWatch(events, mid_line) if self._sent >= events and (line is not None or not mid_line):
                if line is not None and mid_line:
                    await self._write([line[: len(line) // 2]])
                    await asyncio.sleep(0.02)
                self.abort()
            case SilenceWatch(events) if self._sent >= events:
                await asyncio.Event().wait()
            case EndWatch(events, status) if self._sent >= events:
                reason = "Expired" if status == 410 else "InternalError"
                await self._error(ApiError("too old resource version: injected by the test", status, reason))
            case _:
                return False
        return True

    async def _write(self, lines: list[bytes]) -> None:
        if lines:
            await self._response.write(b"".join(lines))

    async def _error(self, error: ApiError) -> None:
        try:
            await self._write([_event(b"ERROR", orjson.dumps(status_body(error)))])
        except ConnectionResetError:
            return

    def _line(self, change: str, stored: Stored) -> bytes:
        if self._asked.form == "object":
            return _event(change.encode(), raw_form(self._kind, stored))
        meta = {"resourceVersion": str(stored.version)}
        return _event(change.encode(), self._objects.shaped(self._kind, [stored.body], meta, self._asked))

    def _bookmark(self, *, initial_end: bool = False) -> bytes:
        meta: Body = {"resourceVersion": str(self._store.version)}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        if self._asked.form == "table":
            return _event(b"BOOKMARK", self._objects.shaped(self._kind, [], meta, self._asked))
        resource = self._kind.resource
        body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        return _event(b"BOOKMARK", orjson.dumps(body))


def _event(change: bytes, raw: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (change, raw)
