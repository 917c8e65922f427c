"""The composition root: joins client, informer, engine, kopf and probes into the one process that acts.

credentials ─▶ clients ─▶ pods listed ─▶ Lease held ─▶ runs listed ─▶ at work
                                │             └─ lost: all stops, and begins anew with nothing known
                                └─ until the Lease is held it is ready too, and says that it stands by

A standby keeps its cache of pods whole, so that it can act at once. The Lease has a thread and a client of its own: its
renewal waits for no other work and behind no other request. What the engine sends goes through a client that sends only
while this process leads.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from typing import Any, Final

import kopf

from windlass.build.pod import Installation
from windlass.build.policy import Policy
from windlass.controller.apart import run_apart
from windlass.controller.caches import PodCaches
from windlass.controller.census import take_census
from windlass.controller.clock import SystemClock
from windlass.controller.feed import RunFeed
from windlass.controller.handover import Handover
from windlass.controller.leading import LeaderClient
from windlass.controller.watching import Watching
from windlass.engine.engine import WATCHED, Engine
from windlass.engine.ports import Body
from windlass.engine.trust import ActionSettings
from windlass.errors import ApiError, NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import Credentials, Login
from windlass.kube.guests import Guests
from windlass.kube.lease import Leadership
from windlass.kube.lookouts import KubeLookouts
from windlass.plan.types import PodView
from windlass.resources import RUNS, Resource
from windlass.telemetry.health import HealthServer
from windlass.telemetry.metrics import Metrics
from windlass.telemetry.observer import EngineObserver

logger = logging.getLogger(__name__)

LEASE: Final = "windlass-controller"
COLLECT_AFTER: Final = (10_000, 20, 20)
"""Objects more than were freed, until the cyclic collector looks for garbage; and looks at the youngest generation
until the next one is looked at."""
CRD_RETRY: Final = 2.0
"""Seconds between two looks for our kinds."""
FINISH_WITHIN: Final = 1.0
"""Seconds that the reconciles under way have at an orderly end. What they leave is found again by the next leader."""
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
    policies: tuple[Policy, ...] = ()
    """Of the admin: which pods may be made."""
    actions: ActionSettings = field(default_factory=ActionSettings)
    """Which actions on runs are believed, and how long they stay."""
    concurrency: int = 64
    """Requests, and runs, in work at a time."""
    on_ready: Callable[[str], None] = lambda url: None
    """Called once with the URL of the metrics, when the caches are whole and the runs are worked on."""


class LeadershipLost(Exception):
    """Another process may act now: this one must not, unless it begins anew."""


async def run_controller(settings: Settings, stop: asyncio.Event) -> None:
    """Act until `stop` is set. LeadershipLost when another process took over, ApiError when there is no way in."""
    await _Controller(settings, stop).run()


class _Controller:
    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._events = Handover(asyncio.get_running_loop(), self._take)
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._leads = asyncio.Event()
        self._standing: Leadership | None = None
        self._lead: asyncio.Task[None] | None = None
        self._pods: PodCaches | None = None
        self._runs: RunFeed | None = None
        self._engine: Engine | None = None
        self._watching: Watching | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._state = "starting"

    async def run(self) -> None:
        settings = self._settings
        on_request = self._metrics.api_request
        lease_api = KubeClient(settings.credentials, concurrency=2, on_request=on_request)
        health = HealthServer(
            self._metrics.exposition,
            self._not_ready,
            self._not_live,
            remark=self._remark,
            host=settings.metrics_host,
            port=settings.metrics_port,
        )
        leadership = self._leadership(lease_api, await settings.credentials.login())
        api = LeaderClient(
            settings.credentials,
            leadership,
            policies=settings.policies,
            concurrency=settings.concurrency,
            on_request=on_request,
        )
        guests = Guests(
            settings.credentials,
            # What service accounts ask for is theirs: ours is to be taken for them.
            on_request=lambda verb, resource, code, took: on_request("impersonate", "serviceaccounts", code, took),
            may_write=lambda: leadership.is_leader,
            refusal=api.account_refusal,
        )
        url = await health.start()
        logger.info("metrics at %s/metrics", url)
        try:
            async with api, guests:
                try:
                    await self._act(api, guests, lease_api, leadership, url)
                finally:
                    await self._end()
        finally:
            await health.stop()

    async def _act(
        self, api: KubeClient, guests: Guests, lease_api: KubeClient, leadership: Leadership, url: str
    ) -> None:
        if not await self._or_stop(self._find_kinds(api)):
            return
        self._state = "listing pods"
        self._pods = pods = self._cache_pods(api)
        if not await self._or_stop(pods.wait_synced()):
            return
        self._standing, self._state = leadership, "asking who leads"
        self._lead = self._start_task(_hold(leadership, lease_api), "leadership")
        if not await self._or_stop(self._until(lambda: bool(leadership.holder))):
            return
        self._state = ""
        logger.info("standing by: %d pods known", len(pods))
        if not await self._or_stop(self._leads.wait()):
            return
        self._state = "listing runs"
        self._engine = engine = self._new_engine(api, guests, pods)
        self._watching = watching = Watching(
            lambda: _connection(asyncio.run(self._settings.credentials.login())),
            lambda resource, kind, body: self._events.put((resource, kind, body)),
            self._settings.namespaces,
        )
        watching.start()
        self._feed_runs(api, engine)
        for pod in chain.from_iterable(pods):
            engine.pod_changed(None, pod)
        if not await self._or_stop(engine.start()):
            return
        if not await self._or_stop(self._until(lambda: watching.ready)):
            return
        _collect_less()
        self._state = ""
        logger.info("ready: %d runs in work, %d pods known", len(engine.runs), len(self._pods or ()))
        self._settings.on_ready(url)
        await self._or_stop(asyncio.Event().wait())

    def _cache_pods(self, api: KubeClient) -> PodCaches:
        def changed(old: PodView | None, new: PodView | None) -> None:
            if self._engine is not None:
                self._engine.pod_changed(old, new)

        pods = PodCaches(api, self._settings.namespaces, changed, self._metrics)
        self._metrics.observe_cache("pods", lambda: len(pods), lambda: pods.unreadable, pods.staleness)
        for informer in pods:
            self._start_task(informer.run(), "informer of pods")
        return pods

    def _feed_runs(self, api: KubeClient, engine: Engine) -> None:
        self._runs = runs = RunFeed(
            api, self._settings.namespaces, lambda kind, body: engine.event(RUNS, kind, body), self._metrics
        )
        self._metrics.observe_cache("workflowruns", lambda: len(runs), lambda: runs.unreadable, runs.staleness)
        for informer in runs:
            self._start_task(informer.run(), "informer of runs")

    def _new_engine(self, api: KubeClient, guests: Guests, pods: PodCaches) -> Engine:
        metrics, clock = self._metrics, self._clock
        engine = Engine(
            api,
            pods,
            clock,
            EngineObserver(metrics, clock.now, self._settings.identity),
            installation=self._settings.installation,
            namespaces=self._settings.namespaces,
            concurrency=self._settings.concurrency,
            chance=random.random,
            actions=self._settings.actions,
            lookouts=KubeLookouts(guests),
            guests=guests,
        )
        metrics.observe_census(
            lambda: take_census(
                engine.runs, chain.from_iterable(pods), clock.now(), engine.pools, engine.backfills.live
            )
        )
        return engine

    def _leadership(self, api: KubeClient, login: Login) -> Leadership:
        loop = asyncio.get_running_loop()

        def started() -> None:
            self._metrics.leads(True)
            loop.call_soon_threadsafe(self._leads.set)

        return Leadership(
            api,
            namespace=self._settings.lease_namespace or login.namespace,
            name=self._settings.lease_name,
            identity=self._settings.identity,
            on_started=started,
            on_stopped=lambda: self._metrics.leads(False),
            now=self._clock.now,
        )

    async def _find_kinds(self, api: KubeClient) -> None:
        told = False
        namespace = next(iter(self._settings.namespaces), None)
        while True:
            try:
                for resource in WATCHED:
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

    def _take(self, event: tuple[Resource, str, Body]) -> None:
        """Take what kopf's thread has handed over."""
        resource, kind, body = event
        engine = self._engine
        if engine is None:
            return
        engine.event(resource, kind, body)

    async def _until(self, done: Callable[[], bool]) -> None:
        """Wait for what another thread does."""
        while not done():
            await self._clock.sleep(0.02)

    def _start_task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        return task

    async def _or_stop(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Wait for `work`; False when this process is to end before. Raises what a part that died has raised."""
        waiting = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({waiting, stopping, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in self._tasks:
                if task.done() and not stopping.done():
                    task.result()
                    raise RuntimeError(f"the {task.get_name()} ended by itself")
            if waiting.done() and not stopping.done():
                waiting.result()
                return True
            return False
        finally:
            for part in (waiting, stopping):
                part.cancel()

    async def _end(self) -> None:
        """Finish the reconciles under way, give the lease back at once, then let the rest go."""
        if self._engine is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FINISH_WITHIN):
                    await self._engine.stop()
        if self._lead is not None:
            self._lead.cancel()
            await asyncio.wait({self._lead}, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        if self._watching is not None:
            await self._watching.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)

    def _remark(self) -> str:
        if self._standing is None or self._leads.is_set():
            return ""
        return f"standing by: {self._standing.holder or 'nobody'} leads"

    def _not_ready(self) -> list[str]:
        return [self._state] if self._state else self._not_live()

    def _not_live(self) -> list[str]:
        wrong = [f"the {task.get_name()} has ended" for task in self._tasks if task.done()]
        if self._watching is not None and not self._watching.alive:
            wrong.append("the thread that watches Workflows has ended")
        if self._engine is not None and self._engine.swept and not self._engine.alive:
            wrong.append("the engine's sweep has ended")
        for what, cache in (("pods", self._pods), ("runs", self._runs)):
            silence = cache.staleness() if cache is not None else 0.0
            if SILENT_TOO_LONG < silence < inf:
                wrong.append(f"the watch of {what} has been silent for {silence:.0f} s")
        return wrong


async def _hold(leadership: Leadership, api: KubeClient) -> None:
    """Stand for the lease and hold it, in a thread of its own; raises when it is lost."""

    async def stand() -> None:
        async with api:
            await leadership.run()

    await run_apart(stand, "lease")
    raise LeadershipLost("another controller may act now")


def _collect_less() -> None:
    """Have the cyclic collector look seldom, and never again at what is known by now: it is a cache, and no garbage.

    What is made and thrown away with each event has no cycles, as a rule; with Python's thresholds looking for them
    took a tenth of the processor time of a burst.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


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
