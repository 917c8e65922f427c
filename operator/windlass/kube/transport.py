"""One HTTP request to the API server: logged in, bounded in number and in time, counted, and its errors named."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from windlass import __version__
from windlass.errors import ApiError, NotLeading, Unauthorized, Unreachable
from windlass.kube.answers import error_of
from windlass.kube.credentials import Credentials, Login, Tls

RequestHook = Callable[[str, str, int, float], None]
"""Called with verb, resource, status code (0: no answer) and seconds, once for each request that was sent."""

CONNECT_WITHIN: Final = 10.0
KEEP_ALIVE: Final = 50.0
"""Seconds: shorter than the minute after which common load balancers drop an idle connection."""
RENEW_INTERVAL: Final = 5.0
"""Seconds between two logins for a 401: one that does not help is not asked for by each request again."""
STREAM_BUFFER: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked for. `verb` and `resource` are Kubernetes' words, for errors and for who counts."""

    method: str
    verb: str
    resource: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"


class Transport:
    """A pool of connections. Requests wait for one of `concurrency` places; streams don't, they last too long.

    `may_send` is asked for each request at the last moment: what has waited here may have to be held back.
    `impersonate` is the user that the server is to take the requests for.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        concurrency: int = 64,
        on_request: RequestHook | None = None,
        may_send: Callable[[Call], bool] | None = None,
        impersonate: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._places = asyncio.Semaphore(concurrency)
        self._on_request = on_request
        self._may_send = may_send
        self._impersonate = impersonate
        self._monotonic = monotonic
        self._session: aiohttp.ClientSession | None = None
        self._login: Login | None = None
        self._login_at = 0.0
        self._renew_after = float("-inf")
        self._entrance = asyncio.Lock()
        self._tls: tuple[Tls, object] | None = None
        self._ssl: ssl.SSLContext | bool = True

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def login(self) -> Login:
        """The present way in, read again when it is old."""
        login = self._login
        if login is not None and not self._is_old(login):
            return login
        async with self._entrance:
            if self._login is None or self._is_old(self._login):
                return await self._enter()
            return self._login

    async def fetch(self, call: Call, within: float) -> bytes:
        """The body of a good answer, all of it, within this many seconds once it is this request's turn."""
        limits = aiohttp.ClientTimeout(total=within, sock_connect=CONNECT_WITHIN)
        async with self._places, self._answer(call, limits) as answer:
            return await answer.read()

    @asynccontextmanager
    async def stream(self, call: Call, silence: float | None) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a good answer as it comes. Unreachable after `silence` seconds in which nothing came."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN, sock_read=silence)
        async with self._answer(call, limits) as answer:
            yield answer.content.iter_any()

    @asynccontextmanager
    async def _answer(self, call: Call, limits: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            answer = await self._send(call, limits)
            async with answer:
                if answer.status >= 300:
                    raise error_of(call.verb, answer.status, await answer.read(), answer.headers.get("Retry-After"))
                yield answer
        except TimeoutError as error:
            raise Unreachable(f"{call.method} {call.path}: no answer in time", reason="Timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{call.method} {call.path}: {_words(error)}", reason="Unreachable") from error

    async def _send(self, call: Call, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        login = await self.login()
        answer = await self._send_once(call, login, limits)
        if answer.status == 401:
            try:
                renewed = await self._renew(login)
            except BaseException:
                answer.close()
                raise
            if renewed is not None:
                answer.release()
                answer = await self._send_once(call, renewed, limits)
        return answer

    async def _send_once(self, call: Call, login: Login, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        if self._may_send is not None and not self._may_send(call):
            raise NotLeading(f"{call.method} {call.path} was not sent: another process may lead", reason="NotLeading")
        headers = login.headers
        if self._impersonate is not None:
            headers["Impersonate-User"] = self._impersonate
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        began, status = self._monotonic(), 0
        try:
            answer = await self._open().request(
                call.method,
                _url(login, call),
                data=call.body,
                headers=headers,
                timeout=limits,
                ssl=self._ssl,
                server_hostname=login.tls.server_name if login.tls else None,
                proxy=login.proxy,
                allow_redirects=False,
            )
            status = answer.status
            return answer
        finally:
            if self._on_request is not None:
                self._on_request(call.verb, call.resource, status, self._monotonic() - began)

    async def _renew(self, rejected: Login) -> Login | None:
        """Another login than the one that was rejected; None when there is none to be had for now."""
        async with self._entrance:
            if self._login is not rejected:
                return self._login
            now = self._monotonic()
            if now < self._renew_after:
                return None
            self._renew_after = now + RENEW_INTERVAL
            return await self._enter()

    def _is_old(self, login: Login) -> bool:
        return login.fresh_for is not None and self._monotonic() - self._login_at >= login.fresh_for

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
                headers={
                    "Accept": "application/json",
                    # Compression costs both sides more than the bytes do within a cluster.
                    "Accept-Encoding": "identity",
                    "User-Agent": f"windlass/{__version__}",
                },
                read_bufsize=STREAM_BUFFER,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _enter(self) -> Login:
        login = await self._credentials.login()
        if login.tls is not None:
            # One context as long as the files stay the same: connections are pooled by it.
            try:
                made_of = login.tls, login.tls.stamp()
                if self._tls != made_of:
                    self._ssl, self._tls = login.tls.context(), made_of
            except OSError as error:  # ssl.SSLError is one
                raise Unauthorized(f"certificates can't be read: {_words(error)}", reason="LoginFailed") from None
        self._login, self._login_at = login, self._monotonic()
        return login


def _url(login: Login, call: Call) -> URL:
    query = f"?{urlencode(call.params, quote_via=quote)}" if call.params else ""
    return URL(f"{login.server}{call.path}{query}", encoded=True)


def _words(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        # Its own words hold the representation of a TLS context.
        number, words = error.os_error.errno, error.os_error.strerror
        why = os.strerror(number).lower() if number and number > 0 else words or str(error.os_error)
        return f"{error.host}:{error.port}: {why}"
    return str(error) or type(error).__name__


def decode(call: Call, body: bytes) -> dict[str, Any]:
    """The object in a body. ApiError when it is none: something else than an API server answered."""
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreachable(f"{call.method} {call.path}: the answer is no JSON: {error}", reason="BadAnswer") from error
    if not isinstance(decoded, dict):
        raise ApiError(f"{call.method} {call.path}: the answer is no object")
    return decoded
