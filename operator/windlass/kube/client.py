"""The verbs of the Kubernetes API over plain dicts: the only way in which Windlass talks to a cluster.

Reads are repeated a few times when the server can't answer. Creates and patches never are: whether one whose answer
was lost was carried out is the caller's to find out. (aiohttp sends a PUT or DELETE once more when the server closed an
idle connection under it; the version or UID in them makes that harmless.)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import orjson

from windlass.backoff import full_jitter
from windlass.errors import ApiError, Gone, Invalid, Retryable, ServerError, Unreachable
from windlass.kube.answers import error_of_status
from windlass.kube.credentials import Credentials, Login
from windlass.kube.streams import LineSplitter
from windlass.kube.transport import Call, RequestHook, Transport, decode
from windlass.resources import PODS, Resource

Body = dict[str, Any]
"""A Kubernetes object as it came: a plain dict."""

REQUEST_TIMEOUT: Final = 30.0
LIST_TIMEOUT: Final = 60.0
PAGE: Final = 500
READ_TRIES: Final = 3
LONGEST_READ_WAIT: Final = 10.0
"""Seconds: a read that the server puts off for longer is the caller's to repeat."""
WATCH_SECONDS: Final = 300
WATCH_SILENCE: Final = 70.0
"""Seconds without an event or a bookmark, which comes each minute, after which a watch is taken for dead."""
LONGEST_EVENT: Final = 32 * 1024 * 1024
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


class Page(NamedTuple):
    """A part of a list. `token` is empty in the last one."""

    items: list[Body]
    resource_version: str
    token: str


class WatchEvent(NamedTuple):
    """ADDED, MODIFIED, DELETED with an object, or BOOKMARK with its version alone."""

    type: str
    obj: Body


class KubeClient:
    """Requests to one API server. All methods raise windlass.errors.ApiError."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        concurrency: int = 64,
        on_request: RequestHook | None = None,
        may_write: Callable[[], bool] | None = None,
        impersonate: str | None = None,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        may_send = None if may_write is None else lambda call: call.method == "GET" or may_write()
        self._transport = Transport(
            credentials, concurrency=concurrency, on_request=on_request, may_send=may_send, impersonate=impersonate
        )
        self._chance = chance
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def login(self) -> Login:
        """Where the server is and how this client is let in."""
        return await self._transport.login()

    async def read_path(self, path: str) -> Body:
        """The object at a path that is no resource: `/version`."""
        return await self._read(Call("GET", "get", path, path), REQUEST_TIMEOUT)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        """An object, read live."""
        call = Call("GET", "get", resource.plural, _path(resource, namespace, name))
        return await self._read(call, REQUEST_TIMEOUT)

    async def list_page(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = PAGE,
        token: str = "",
    ) -> Page:
        """A page of at most `limit` objects (0: all), the first or the one that `token` continues with.

        Gone when the server has forgotten the list that `token` continues: begin again.
        """
        params = _selectors(label_selector, field_selector)
        if limit:
            params["limit"] = str(limit)
        if token:
            params["continue"] = token
        call = Call("GET", "list", resource.plural, _path(resource, namespace), params)
        body = await self._read(call, LIST_TIMEOUT)
        metadata, items = body.get("metadata") or {}, body.get("items") or []
        if not (
            isinstance(metadata, dict) and isinstance(items, list) and all(isinstance(item, dict) for item in items)
        ):
            raise ServerError(f"GET {call.path}: the answer is no list", reason="BadAnswer")
        for item in items:  # lists say what their items are only once
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return Page(items, metadata.get("resourceVersion") or "", metadata.get("continue") or "")

    async def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = PAGE,
    ) -> AsyncGenerator[list[Body], None]:
        """All objects of a kind as they were at one moment, a page at a time."""
        token = ""
        while True:
            page = await self.list_page(
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=limit,
                token=token,
            )
            yield page.items
            token = page.token
            if not token:
                return

    async def list_all(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Body]:
        """All objects of a kind, collected. For many of them, `pages` needs less memory."""
        found: list[Body] = []
        try:
            async for items in self.pages(
                resource, namespace, label_selector=label_selector, field_selector=field_selector
            ):
                found += items
        except Gone:
            whole = await self.list_page(
                resource, namespace, label_selector=label_selector, field_selector=field_selector, limit=0
            )
            return whole.items
        return found

    async def create(self, resource: Resource, obj: Body, *, field_validation: str = "Strict") -> Body:
        """Make an object. By default a field that the server doesn't know is an error that names it."""
        path = _path(resource, (obj.get("metadata") or {}).get("namespace"))
        params = {"fieldValidation": field_validation}
        return await self._write(Call("POST", "create", resource.plural, path, params, orjson.dumps(obj)))

    async def replace(self, resource: Resource, obj: Body) -> Body:
        """Put an object in the place of the stored one, if that has the version that `obj` names."""
        return await self._put(resource, obj, None)

    async def replace_status(self, resource: Resource, obj: Body) -> Body:
        """Put the status of an object in the place of the stored one, if that has the version that `obj` names."""
        return await self._put(resource, obj, "status")

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Any,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str | None = None,
    ) -> Body:
        """Change a part of an object, or of a subresource of it."""
        path = _path(resource, namespace, name, subresource)
        shown = _shown(resource, subresource)
        return await self._write(Call("PATCH", "patch", shown, path, {}, orjson.dumps(body), content_type))

    async def apply(self, resource: Resource, obj: Body, *, manager: str = "windlass") -> Body:
        """Have the fields of `obj` as they are there, whoever has set them before: server-side apply."""
        metadata = obj["metadata"]
        path = _path(resource, metadata.get("namespace"), metadata["name"])
        params = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
        return await self._write(Call("PATCH", "patch", resource.plural, path, params, orjson.dumps(obj), APPLY_PATCH))

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period: int | None = None,
        propagation: str | None = None,
    ) -> Body:
        """Ask for an object's deletion; Conflict when `uid` is given and the object has another.

        The answer is the object, where it still has finalizers or a grace period, or a Status.
        """
        options: Body = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation is not None:
            options["propagationPolicy"] = propagation
        path = _path(resource, namespace, name)
        return await self._write(Call("DELETE", "delete", resource.plural, path, {}, orjson.dumps(options)))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        seconds: int = WATCH_SECONDS,
        silence: float = WATCH_SILENCE,
    ) -> AsyncGenerator[WatchEvent, None]:
        """What happens to objects after `resource_version`, until the server has served for `seconds`.

        Raises Gone when the server has forgotten that version; Unreachable when the connection broke, a line was cut
        off, or nothing came for `silence` seconds: then a watch from the last version that was seen misses nothing.
        """
        params = _selectors(label_selector, field_selector)
        params |= {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        if resource_version:
            params["resourceVersion"] = resource_version
        call = Call("GET", "watch", resource.plural, _path(resource, namespace), params)
        splitter = LineSplitter()
        async with self._transport.stream(call, silence) as chunks:
            async for chunk in chunks:
                for line in splitter.feed(chunk):
                    if line:
                        yield _event(line)
                if splitter.pending_size > LONGEST_EVENT:
                    raise Unreachable("an event of the watch has no end", reason="BadAnswer")
        if splitter.rest().strip():
            raise Unreachable("the watch was cut off within an event", reason="CutLine")

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        follow: bool = False,
        previous: bool = False,
        tail_lines: int | None = None,
        since_seconds: int | None = None,
        timestamps: bool = False,
        limit_bytes: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The log of a container as it comes, in chunks that know no lines (see streams.split_lines)."""
        asked = {
            "container": container,
            "follow": "true" if follow else None,
            "previous": "true" if previous else None,
            "tailLines": tail_lines,
            "sinceSeconds": since_seconds,
            "timestamps": "true" if timestamps else None,
            "limitBytes": limit_bytes,
        }
        params = {key: str(value) for key, value in asked.items() if value is not None}
        call = Call("GET", "get", "pods/log", _path(PODS, namespace, pod, "log"), params)
        async with self._transport.stream(call, None if follow else REQUEST_TIMEOUT) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _put(self, resource: Resource, obj: Body, subresource: str | None) -> Body:
        metadata = obj["metadata"]
        path = _path(resource, metadata.get("namespace"), metadata["name"], subresource)
        return await self._write(Call("PUT", "update", _shown(resource, subresource), path, {}, orjson.dumps(obj)))

    async def _write(self, call: Call) -> Body:
        return decode(call, await self._transport.fetch(call, REQUEST_TIMEOUT))

    async def _read(self, call: Call, within: float) -> Body:
        failures = 0
        while True:
            try:
                return decode(call, await self._transport.fetch(call, within))
            except Retryable as error:
                failures += 1
                if failures == READ_TRIES or (error.retry_after or 0.0) > LONGEST_READ_WAIT:
                    raise
                wait = full_jitter(failures, first=0.2, last=5.0, chance=self._chance(), retry_after=error.retry_after)
            await self._sleep(wait)


def _path(resource: Resource, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
    for part in (namespace, name):
        if part is not None and (not part or part in (".", "..") or not part.isascii() or set(part) & set("/%?# \\")):
            raise Invalid(f"{part!r} is no name of a Kubernetes object", 400, "Invalid")
    return resource.path(namespace, name, subresource)


def _shown(resource: Resource, subresource: str | None) -> str:
    return f"{resource.plural}/{subresource}" if subresource else resource.plural


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {key: value for key, value in given.items() if value}


def _event(line: bytes) -> WatchEvent:
    try:
        event = orjson.loads(line)
        kind, obj = event["type"], event["object"]
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise Unreachable(f"an event of the watch can't be read: {error}", reason="CutLine") from error
    if kind == "ERROR":
        raise _watch_error(obj if isinstance(obj, dict) else {})
    return WatchEvent(kind, obj)


def _watch_error(told: Body) -> ApiError:
    code = told.get("code")
    return error_of_status("watch", code if isinstance(code, int) else 500, told)
