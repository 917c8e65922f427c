"""Kopf's part: it watches our kinds but for the runs, in a thread and loop of its own, and hands their events over.

Its handlers translate and nothing else. It writes nothing: no annotations, no finalizers, no events. Since a watcher
that dies ends kopf's operator, it is started again in place; the engine's own sweep finds what was missed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import kopf

from windlass.engine.engine import WATCHED
from windlass.engine.ports import Body
from windlass.names import GROUP, VERSION
from windlass.resources import RUNS, Resource

logger = logging.getLogger(__name__)
WATCHED_HERE: Final = tuple(resource for resource in WATCHED if resource is not RUNS)
"""Runs come and change by the thousand: they have an informer in the engine's loop."""
RESTART_AFTER: Final = 1.0
"""Seconds before kopf is started again after a watcher died."""

IDENTITY: Final[Any] = "windlass"
"""Kopf would make one of the user's name, and fails where the user has none, as in a container."""

Handler = Callable[[Resource, str, Body], None]
"""What is called, in kopf's thread, with a kind, the event's type (empty for what was listed) and the object."""


class _NoProgress(kopf.ProgressStorage):
    """Handlers that only translate have no progress to keep."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence


class _NoDiffBase(kopf.DiffBaseStorage):
    """Nothing is compared with what was handled last, so nothing is copied or kept."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class Watching:
    """Kopf's operator in a thread of its own. No namespaces: all of the cluster."""

    def __init__(
        self, login: Callable[[], kopf.ConnectionInfo], handler: Handler, namespaces: Sequence[str] = ()
    ) -> None:
        self._login = login
        self._handler = handler
        self._namespaces = tuple(namespaces)
        self._stop = threading.Event()
        self._ready = threading.Event()
        # That signals are ours to handle is as it should be.
        logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self.restarts = 0

    @property
    def ready(self) -> bool:
        """Kopf has logged in and watches."""
        return self._ready.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        """End kopf; returns when its thread has ended."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                asyncio.run(self._operate())
            except Exception:
                logger.exception("watching has failed; again in %.0f s", RESTART_AFTER)
            self._ready.clear()
            if not self._stop.is_set():
                self.restarts += 1
                logger.warning("watching Workflows ended; starting again")
                time.sleep(RESTART_AFTER)

    async def _operate(self) -> None:
        await kopf.operator(
            registry=_registry(self._login, self._handler),
            settings=_settings(),
            standalone=True,
            identity=IDENTITY,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._stop,
            ready_flag=self._ready,
        )


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.watching.chunk_size = 500
    settings.watching.inactivity_timeout = 70
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.networking.enforce_retry_after = True
    return settings


def _registry(login: Callable[[], kopf.ConnectionInfo], handler: Handler) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def log_in(**_: Any) -> kopf.ConnectionInfo:
        return login()

    for resource in WATCHED_HERE:
        _watch(registry, resource, handler)
    return registry


def _watch(registry: kopf.OperatorRegistry, resource: Resource, handler: Handler) -> None:
    @kopf.on.event(GROUP, VERSION, resource.plural, registry=registry, id=resource.plural)
    async def changed(event: Any, **_: Any) -> None:
        handler(resource, event["type"] or "", event["object"])
