"""An HTTP server on loopback that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from windlass.kube.client import KubeClient
from windlass.kube.credentials import Login

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str] = field(compare=False, default_factory=dict)


@dataclass
class ScriptedApi:
    """`answers` are given in their order; the last one again and again."""

    url: str
    answers: list[Answer]
    asked: list[Asked]


@asynccontextmanager
async def scripted_api(*answers: Answer) -> AsyncIterator[ScriptedApi]:
    left, asked = list(answers), []

    async def answer(request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        asked.append(Asked(request.method, request.path, dict(request.query), body, dict(request.headers)))
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield ScriptedApi(f"http://{host}:{port}", left, asked)
    finally:
        await runner.cleanup()


def answer_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


def refusal(code: int, reason: str, message: str = "", **details: Any) -> dict[str, Any]:
    """A Status as the API server says no with."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return status | {"message": message or reason} | ({"details": details} if details else {})


def answer_refusal(code: int, reason: str, message: str = "", headers: dict[str, str] | None = None) -> Answer:
    return answer_json(refusal(code, reason, message), code, headers)


def answer_lines(*parts: bytes | float) -> Answer:
    """A stream: bytes are sent as they are, a number is a pause in seconds."""

    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        for part in parts:
            if isinstance(part, bytes):
                await stream.write(part)
            else:
                await asyncio.sleep(part)
        return stream

    return answer


def answer_never() -> Answer:
    """Takes the request and keeps silent, as a host does that has vanished."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    return answer


def answer_hang_up() -> Answer:
    """Closes the connection without a word."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def answer_cut_off() -> Answer:
    """Begins an answer, and closes the connection in the middle of it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Length": "1000"})
        await stream.prepare(request)
        await stream.write(b'{"kind": ')
        await asyncio.sleep(0.01)
        assert request.transport is not None
        request.transport.abort()
        return stream

    return answer


def line(kind: str, obj: dict[str, Any]) -> bytes:
    """An event of a watch."""
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def pod(name: str, version: int, *, uid: str | None = None, namespace: str = "data", **labels: str) -> dict[str, Any]:
    """A small pod; its uid is its name's unless said otherwise."""
    metadata: dict[str, Any] = {"namespace": namespace, "name": name, "uid": uid or f"uid-{name}"}
    return {"kind": "Pod", "metadata": metadata | {"resourceVersion": str(version), "labels": labels}}


class TokenCredentials:
    """Gives the logins of a list, one after another, the last one again and again."""

    def __init__(self, *logins: Login) -> None:
        self.logins = list(logins)
        self.asked = 0

    async def login(self) -> Login:
        self.asked += 1
        return self.logins.pop(0) if len(self.logins) > 1 else self.logins[0]


def login(url: str, token: str = "secret-token", fresh_for: float | None = None) -> Login:
    return Login(url, authorization=f"Bearer {token}", fresh_for=fresh_for)


@asynccontextmanager
async def client_of(api: ScriptedApi, **options: Any) -> AsyncIterator[KubeClient]:
    """A client whose waits are none."""

    async def no_sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    client = KubeClient(TokenCredentials(login(api.url)), **{"sleep": no_sleep, "chance": lambda: 0.5} | options)
    try:
        yield client
    finally:
        await client.close()
