"""The development API server as a whole: a store, its collector, and HTTP on loopback."""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from windlass.dev.api.admit import Validator
from windlass.dev.api.certificate import server_context
from windlass.dev.api.collector import Collector
from windlass.dev.api.faults import Faults
from windlass.dev.api.http import Front
from windlass.dev.api.journal import Journal
from windlass.dev.api.logs import LogProvider
from windlass.dev.api.store import Store

_LARGEST = 1 << 24
HOST = "127.0.0.1"
CLUSTER = "windlass-dev"


class DevApi:
    """An API server for as long as `async with` lasts.

    `state_dir` keeps the objects over a restart; without it they live in memory. `validators` say, by kind, what the
    rules of a custom resource (CEL) would.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
        token: str | None = None,
        log_provider: LogProvider | None = None,
        history: int = 4096,
        bookmark_every: float = 60.0,
        collect_after: float = 0.02,
        validators: Mapping[str, Sequence[Validator]] | None = None,
    ) -> None:
        self._journal = Journal(state_dir / "objects.jsonl") if state_dir is not None else None
        self.token = token or secrets.token_urlsafe(24)
        self.store = Store(now=clock, journal=self._journal, history=history, validators=validators)
        self._tls, self.certificate = server_context(state_dir, datetime.now(UTC))
        """The certificate, as PEM: its own authority."""
        self.faults = Faults()
        self.url = ""
        self._port = port
        self._front = Front(self.store, self.faults, self.token, bookmark_every=bookmark_every)
        self._front.log_provider = log_provider
        self._collect_after = collect_after
        self._collecting: asyncio.Task[None] | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def log_provider(self) -> LogProvider | None:
        """Who answers requests for logs; may be set once the server runs."""
        return self._front.log_provider

    @log_provider.setter
    def log_provider(self, provider: LogProvider | None) -> None:
        self._front.log_provider = provider

    async def __aenter__(self) -> Self:
        server = web.Server(self._front.handle, handler_cancellation=True, access_log=None, request_factory=_request)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"https://{HOST}:{port}"
        self._front.address = f"{HOST}:{port}"
        self._collecting = asyncio.create_task(Collector(self.store, delay=self._collect_after).run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
            await asyncio.gather(self._collecting, return_exceptions=True)
        await self._front.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._journal is not None:
            self._journal.close()

    def client_tls(self) -> ssl.SSLContext:
        """What a client needs to trust this server."""
        return ssl.create_default_context(cadata=self.certificate)

    def expire(self) -> None:
        """Forget the history: every watch and page that continues from before now gets 410."""
        self.store.forget_history()
        self._front.objects.pages.forget()

    def kubeconfig(self, namespace: str = "default") -> dict[str, Any]:
        """A kubeconfig for this server."""
        authority = base64.b64encode(self.certificate.encode()).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": {"server": self.url, "certificate-authority-data": authority}}],
            "users": [{"name": CLUSTER, "user": {"token": self.token}}],
            "contexts": [{"name": CLUSTER, "context": {"cluster": CLUSTER, "user": CLUSTER, "namespace": namespace}}],
            "current-context": CLUSTER,
        }


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request whose body may be as large as Kubernetes allows, and a little more, so that it can be refused well."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST)
