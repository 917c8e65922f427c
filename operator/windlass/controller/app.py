"""The composition root: joins client, informer, engine, kopf and probes into the one process that acts.

credentials ─▶ client ─▶ Lease held ─▶ pods listed ─▶ runs listed ─▶ ready
                              │            until then it is ready too, and says that it stands by
                              └─ lost: everything stops, and the process ends; whoever started it starts it again
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import kopf

from windlass.build.pod import Installation
from windlass.controller.caches import PodCaches
from windlass.controller.census import take_census
from windlass.controller.clock import SystemClock
from windlass.controller.watching import Watching
from windlass.engine.engine import Engine
from windlass.engine.ports import Body
from windlass.errors import ApiError, NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import Credentials, Login
from windlass.kube.lease import Leadership
from windlass.resources import RUNS, WORKFLOWS, Resource
from windlass.telemetry.health import HealthServer
from windlass.telemetry.metrics import Metrics
from windlass.telemetry.observer import EngineObserver

logger = logging.getLogger(__name__)

LEASE: Final = "windlass-controller"
CRD_RETRY: Final = 2.0
"""Seconds between two looks for our kinds."""
SILENT_TOO_LONG: Final = 180.0
"""Seconds without a word from the API server after which this process is not healthy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a controller process is told."""

    credentials: Credentials
    identity: str
    """Which process this is: the holder of the Lease."""
    metrics_host: str = "0.0.0.0"
    metrics_port: int = 0
    """0: any that is free."""
    lease_namespace: str | None = None
    """The namespace of the credentials by default."""
    lease_name: str = LEASE
    namespaces: tuple[str, ...] = ()
    """The only ones whose runs are worked on; none: all of the cluster."""
    installation: Installation = field(default_factory=Installation)
    concurrency: int = 64
    """Requests, and runs, in work at a time."""
    on_ready: Callable[[str], None] = lambda url: None
    """Called once with the URL of the metrics, when the caches are whole and the runs are worked on."""


class LeadershipLost(Exception):
    """Another process may act now: this one must not."""


async def run_controller(settings: Settings, stop: asyncio.Event) -> None:
    """Act until `stop` is set. LeadershipLost when another process took over, ApiError when there is no way in."""
    await _Controller(settings, stop).run()


class _Controller:
    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._lost = asyncio.Event()
        self._leads = asyncio.Event()
        self._standing: Leadership | None = None
        self._pods: PodCaches | None = None
        self._engine: Engine | None = None
        self._watching: Watching | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._state = "starting"

    async def run(self) -> None:
        settings = self._settings
        api = KubeClient(settings.credentials, concurrency=settings.concurrency, on_request=self._metrics.api_request)
        health = HealthServer(
            self._metrics.exposition,
            self._not_ready,
            self._not_live,
            remark=self._remark,
            host=settings.metrics_host,
            port=settings.metrics_port,
        )
        async with api:
            login = await api.login()
            url = await health.start()
            logger.info("metrics at %s/metrics", url)
            try:
                await self._act(api, login, url)
            finally:
                await self._end()
                await health.stop()

    async def _act(self, api: KubeClient, login: Login, url: str) -> None:
        if not await self._or_stop(self._find_kinds(api)):
            return
        self._standing = self._leadership(api, login)
        self._state = ""
        self._start_task(self._standing.run(), "leadership")
        if not await self._or_stop(self._leads.wait()):
            return
        self._state = "listing"
        engine = await self._start_engine(api)
        if engine is None:
            return
        self._watching = Watching(
            lambda: _connection(asyncio.run(self._settings.credentials.login())),
            self._hand_over,
            self._settings.namespaces,
        )
        self._watching.start()
        if not await self._or_stop(self._until_watching(self._watching)):
            return
        self._state = ""
        logger.info("ready: %d runs in work, %d pods known", len(engine.runs), len(self._pods or ()))
        self._settings.on_ready(url)
        await self._or_stop(asyncio.Event().wait())

    async def _start_engine(self, api: KubeClient) -> Engine | None:
        metrics, clock = self._metrics, self._clock
        observer = EngineObserver(metrics, clock.now, self._settings.identity)
        scope = self._settings.namespaces
        pods = PodCaches(api, scope, lambda old, new: engine.pod_changed(old, new), metrics)
        engine = Engine(
            api,
            pods,
            clock,
            observer,
            installation=self._settings.installation,
            namespaces=scope,
            concurrency=self._settings.concurrency,
            chance=random.random,
        )
        self._pods, self._engine = pods, engine
        metrics.observe_cache("pods", lambda: len(pods), lambda: pods.unreadable, pods.staleness)
        metrics.observe_census(lambda: take_census(engine.runs, chain.from_iterable(pods), clock.now()))
        for informer in pods:
            self._start_task(informer.run(), "informer")
        if not await self._or_stop(pods.wait_synced()) or not await self._or_stop(engine.start()):
            return None
        return engine

    def _leadership(self, api: KubeClient, login: Login) -> Leadership:
        def started() -> None:
            self._metrics.leads(True)
            self._leads.set()

        def stopped() -> None:
            self._metrics.leads(False)
            self._lost.set()

        return Leadership(
            api,
            namespace=self._settings.lease_namespace or login.namespace,
            name=self._settings.lease_name,
            identity=self._settings.identity,
            on_started=started,
            on_stopped=stopped,
            now=self._clock.now,
        )

    async def _find_kinds(self, api: KubeClient) -> None:
        told = False
        namespace = next(iter(self._settings.namespaces), None)
        while True:
            try:
                for resource in (WORKFLOWS, RUNS):
                    await api.list_page(resource, namespace, limit=1)
            except NotFound:
                if not told:
                    logger.warning("the cluster doesn't know Windlass's kinds yet: windlass crds --apply")
                told = True
            except ApiError as error:
                logger.warning("the API server can't be asked, again in %.0f s: %s", CRD_RETRY, error)
            else:
                return
            await self._clock.sleep(CRD_RETRY)

    def _hand_over(self, resource: Resource, kind: str, body: Body) -> None:
        """Called in kopf's thread: the engine lives in another."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has the engine
            self._loop.call_soon_threadsafe(self._take, resource, kind, body)

    def _take(self, resource: Resource, kind: str, body: Body) -> None:
        engine = self._engine
        if engine is None:
            return
        if resource is WORKFLOWS:
            engine.workflow_seen(body["metadata"]["namespace"], body["metadata"]["name"])
        elif kind == "DELETED":
            engine.run_gone(body)
        else:
            engine.run_seen(body)

    async def _until_watching(self, watching: Watching) -> None:
        while not watching.ready:
            await self._clock.sleep(0.02)

    def _start_task(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _or_stop(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Wait for `work`; False when this process is to end before. Raises what a part that died has raised."""
        waiting = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stop.wait())
        losing = asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait({waiting, stopping, losing, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            if losing.done() and not stopping.done():
                raise LeadershipLost("another controller may act now")
            for task in self._tasks:
                if task.done() and not stopping.done():
                    task.result()
                    raise RuntimeError(f"the {task.get_name()} ended by itself")
            if waiting.done() and not stopping.done():
                waiting.result()
                return True
            return False
        finally:
            for part in (waiting, stopping, losing):
                part.cancel()

    async def _end(self) -> None:
        """Stop taking events, finish the reconciles under way unless another acts already, give the lease back."""
        if self._watching is not None:
            await self._watching.stop()
        if self._engine is not None and not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    await self._engine.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)

    def _remark(self) -> str:
        if self._standing is None or self._leads.is_set():
            return ""
        return f"standing by: {self._standing.holder or 'nobody yet'} leads"

    def _not_ready(self) -> list[str]:
        return [self._state] if self._state else self._not_live()

    def _not_live(self) -> list[str]:
        wrong = [f"the {task.get_name()} has ended" for task in self._tasks if task.done()]
        if self._watching is not None and not self._watching.alive:
            wrong.append("the thread that watches runs has ended")
        if self._engine is not None and self._engine.swept and not self._engine.alive:
            wrong.append("the engine's sweep has ended")
        pods = self._pods
        if pods is not None and pods.synced and pods.staleness() > SILENT_TOO_LONG:
            wrong.append(f"the watch of pods has been silent for {pods.staleness():.0f} s")
        return wrong


def _connection(login: Login) -> kopf.ConnectionInfo:
    """The login in kopf's words."""
    scheme, _, credential = (login.authorization or "").partition(" ")
    username = password = None
    if scheme == "Basic":
        username, _, password = base64.b64decode(credential).decode().partition(":")
    tls = login.tls
    return kopf.ConnectionInfo(
        server=login.server,
        token=credential if scheme == "Bearer" else None,
        username=username,
        password=password,
        ca_path=tls.ca if tls else None,
        certificate_path=tls.certificate if tls else None,
        private_key_path=tls.key if tls else None,
        insecure=bool(tls and not tls.verify),
        proxy_url=login.proxy,
        default_namespace=login.namespace,
    )
