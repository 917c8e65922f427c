"""The small HTTP server for Prometheus and the kubelet's probes: /metrics, /healthz, /readyz.

A probe answers 200 with `ok` (and, where a process is ready to act but not its turn, why that is), or 503 with a line
for each thing that is wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

logger = logging.getLogger(__name__)
Complaints = Callable[[], list[str]]
"""What is wrong, a line each; nothing where all is well."""
Remark = Callable[[], str]
"""What is to be said although nothing is wrong; empty where there is nothing."""
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class HealthServer:
    """Serves until it is stopped. Port 0 takes any that is free."""

    def __init__(
        self,
        metrics: Callable[[], bytes],
        ready: Complaints,
        live: Complaints,
        *,
        remark: Remark = str,
        host: str = "0.0.0.0",
        port: int = 0,
    ) -> None:
        self._metrics = metrics
        self._ready = ready
        self._live = live
        self._remark = remark
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; the URL to reach the server by. OSError when the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_get("/healthz", self._serve_live)
        app.router.add_get("/readyz", self._serve_ready)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self.stop()
            raise
        host, port = self._runner.addresses[0][:2]
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": METRICS_TYPE})

    async def _serve_live(self, request: web.Request) -> web.Response:
        return _probe(self._live, str)

    async def _serve_ready(self, request: web.Request) -> web.Response:
        return _probe(self._ready, self._remark)


def _probe(complaints: Complaints, remark: Remark) -> web.Response:
    try:
        wrong, said = complaints(), remark()
    except Exception as error:
        logger.exception("a probe could not be answered")
        wrong, said = [f"the probe itself failed: {error!r}"], ""
    if wrong:
        return web.Response(text="\n".join(wrong) + "\n", status=503)
    return web.Response(text=f"ok: {said}\n" if said else "ok\n")
