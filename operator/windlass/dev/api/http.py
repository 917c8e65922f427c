"""From a request on the wire to an answer: who asks, what for, and which injected fault gets in the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from hmac import compare_digest
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web

from windlass.dev.api import discovery, openapi2
from windlass.dev.api.answers import unknown_resource
from windlass.dev.api.faults import WATCH_EFFECTS, Answer, Call, Delay, Effect, Faults, Late, Lose, LoseAnswer
from windlass.dev.api.logs import LogProvider, log_request
from windlass.dev.api.objects import Asked, Objects, Reply
from windlass.dev.api.requests import Target, body_of, flag, form_of, status_body, target_of
from windlass.dev.api.reviews import REVIEWS, review
from windlass.dev.api.store import Store
from windlass.dev.api.watches import WatchStream
from windlass.errors import ApiError, Unauthorized

_Done = TypeVar("_Done")
_log = logging.getLogger(__name__)
_REASONS: Final = {
    401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


class Front:
    """Answers every request of one server."""

    def __init__(self, store: Store, faults: Faults, token: str, *, bookmark_every: float) -> None:
        self.log_provider: LogProvider | None = None
        self.address = ""
        self.objects = Objects(store)
        self._store = store
        self._faults = faults
        self._token = f"Bearer {token}".encode()
        self._bookmark_every = bookmark_every
        self._later: set[asyncio.Task[Any]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        try:
            self._authenticate(request)
            parts = request.path.strip("/").split("/")
            if parts[0] not in {"api", "apis"} or len(parts) < (3 if parts[0] == "api" else 4):
                return self._about(request, parts)
            if (found := _review_of(parts)) is not None:
                return await self._review(request, found)
            if parts[0] == "apis" and not self._store.catalog.serves(parts[1], parts[2]):
                return web.Response(text="404 page not found\n", status=404)
            target = target_of(self._store.catalog, parts)
            watch = request.method == "GET" and flag(request.query, "watch")
            call = target.call(request.method, watch=watch)
            return await self._object(request, target, call, self._faults.effect_on(call))
        except ApiError as error:
            return _refusal(error)
        except (ConnectionResetError, asyncio.CancelledError):
            raise
        except Exception as error:
            _log.exception("%s %s", request.method, request.path)
            return _refusal(ApiError(f"Internal error occurred: {error!r}", 500, "InternalError"))

    async def close(self) -> None:
        """Drop what was to be carried out later."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    def _authenticate(self, request: web.BaseRequest) -> None:
        if request.path in {"/healthz", "/livez", "/readyz", "/version"}:
            return
        if not compare_digest(request.headers.get("Authorization", "").encode(), self._token):
            raise Unauthorized("Unauthorized", 401, "Unauthorized")

    async def _object(
        self, request: web.BaseRequest, target: Target, call: Call, effect: Effect | None
    ) -> web.StreamResponse:
        asked = Asked(
            request.method,
            target,
            request.query,
            await request.read() if request.body_exists else b"",
            request.content_type if "Content-Type" in request.headers else "",
            form_of(request.headers.get("Accept", "")),
        )
        if call.verb == "watch":
            stream = WatchStream(self._store, self.objects, asked, request, self._bookmark_every)
            if effect is not None and not isinstance(effect, WATCH_EFFECTS):
                before = await self._hinder(request, effect, None)
                if not isinstance(effect, Delay):
                    return before
            return await stream.run(effect, self._faults.watch_opened)
        if target.subresource == "log":
            return await self._logs(request, target)
        if effect is None:
            return _response(self.objects.answer(asked))
        return await self._hinder(request, effect, asked)

    async def _hinder(self, request: web.BaseRequest, effect: Effect, asked: Asked | None) -> web.StreamResponse:
        """Answer a request that a fault was injected into; a watch is hindered only before it begins."""
        match effect:
            case Answer(status, message, retry_after, reason):
                raise ApiError(message, status, reason or _REASONS.get(status, "InternalError"), retry_after)
            case Lose():
                return _cut(request)
            case Late(seconds):
                if asked is not None:
                    self._start(self._carry_out_later(asked, seconds))
                return _cut(request)
            case LoseAnswer():
                if asked is not None:
                    self._attempt(asked)
                return _cut(request)
            case Delay(before, after):
                # A client that gives up does not call its request back.
                return await asyncio.shield(self._start(self._slowly(asked, before, after)))
        return web.Response() if asked is None else _response(self.objects.answer(asked))

    async def _slowly(self, asked: Asked | None, before: float, after: float) -> web.StreamResponse:
        await asyncio.sleep(before)
        response = web.Response() if asked is None else _response(self.objects.answer(asked))
        await asyncio.sleep(after)
        return response

    async def _carry_out_later(self, asked: Asked, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._attempt(asked)

    def _attempt(self, asked: Asked) -> None:
        """Carry out a request whose answer nobody will see."""
        try:
            self.objects.answer(asked)
        except ApiError as error:
            _log.debug("unseen answer: %s", error)

    def _start(self, work: Coroutine[Any, Any, _Done]) -> asyncio.Task[_Done]:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return task

    async def _logs(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        pod = self._store.read(target.kind, target.namespace, target.name or "").body
        wanted = log_request(pod, request.query)
        if self.log_provider is None:
            raise ApiError("this server keeps no logs", 501, "NotImplemented")
        pieces = self.log_provider(wanted)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        first = await anext(pieces, b"")
        await response.prepare(request)
        try:
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
        except ConnectionResetError:
            pass
        finally:
            await _close(pieces)
        return response

    async def _review(self, request: web.BaseRequest, plural: str) -> web.StreamResponse:
        body = body_of(await request.read(), request.content_type)
        return _json(review(plural, body, self._token.decode().removeprefix("Bearer ")), 201)

    def _about(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        catalog = self._store.catalog
        whole = discovery.AGGREGATED in request.headers.get("Accept", "")
        match parts:
            case ["api" | "apis" as root] if whole:
                body: Any = discovery.aggregated(catalog, core=root == "api")
                return _json(body, content_type=discovery.AGGREGATED)
            case ["api"]:
                body = discovery.api_versions(self.address)
            case ["apis"]:
                body = discovery.groups(catalog)
            case ["api", version]:
                body = discovery.resources(catalog, "", version)
            case ["apis", group]:
                body = {"kind": "APIGroup", "apiVersion": "v1", **discovery.group(catalog, group)}
                body = body if body["versions"] else None
            case ["apis", group, version]:
                body = discovery.resources(catalog, group, version)
            case ["openapi", "v3"]:
                body = discovery.openapi_paths(catalog)
            case ["openapi", "v3", "api", version]:
                body = discovery.openapi(catalog, "", version)
            case ["openapi", "v3", "apis", group, version]:
                body = discovery.openapi(catalog, group, version)
            case ["openapi", "v2"]:
                return web.Response(body=openapi2.document(), headers={"Content-Type": openapi2.CONTENT_TYPE})
            case ["version"]:
                body = discovery.VERSION
            case ["healthz" | "livez" | "readyz", *_]:
                return web.Response(text="ok")
            case _:
                body = None
        if body is None:
            raise unknown_resource()
        return _json(body)


def _review_of(parts: list[str]) -> str | None:
    known = {(one.group, one.plural) for one in REVIEWS}
    return parts[-1] if parts[0] == "apis" and (parts[1], parts[-1]) in known else None


def _json(body: Mapping[str, Any], status: int = 200, content_type: str = "application/json") -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers={"Content-Type": content_type})


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status, headers={"Content-Type": "application/json"})
    for warning in reply.warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def _refusal(error: ApiError) -> web.Response:
    status = error.status or 500
    response = _json(status_body(error), status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(int(error.retry_after))
    return response


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Drop the connection; what is returned never reaches anyone."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _close(pieces: AsyncIterator[bytes]) -> None:
    close: Callable[[], Awaitable[None]] | None = getattr(pieces, "aclose", None)
    if close is not None:
        await close()
