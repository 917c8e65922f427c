"""The engine's API port over the development store, in process: no network, a virtual clock, and faults on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from windlass.dev.api.store import Store
from windlass.errors import ApiError, Gone
from windlass.kube.client import Page, WatchEvent
from windlass.resources import Resource

Body = dict[str, Any]


class How(Enum):
    """What becomes of a request."""

    REFUSED = auto()
    """Not carried out; the error is the answer."""
    LOST_ANSWER = auto()
    """Carried out; the error is the answer."""
    LATE = auto()
    """The error is the answer, and it is carried out `after` seconds later."""
    KILLED_BEFORE = auto()
    """The process dies before the request."""
    KILLED_AFTER = auto()
    """The request is carried out, and the process dies before the answer."""
    SLOW = auto()
    """Carried out after `after` seconds, and answered then."""


@dataclass(frozen=True)
class Fault:
    how: How
    error: ApiError | None = None
    after: float = 0.0


@dataclass(frozen=True)
class Request:
    verb: str
    resource: str
    name: str


Inject = Callable[[Request], Fault | None]


class StoreApi:
    """What KubeClient is, to the engine and the informer."""

    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.inject: Inject = lambda request: None
        self.requests: list[Request] = []
        self.killed = False
        self.watches_open = True
        """False: watches stay open and say nothing, as behind a dead connection."""
        self._watches: set[asyncio.Event] = set()

    # The engine's port

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        return await self._do("get", resource, name, lambda: self.store.get(resource, namespace, name))

    async def create(self, resource: Resource, obj: Body, **_: Any) -> Body:
        return await self._do("create", resource, obj["metadata"]["name"], lambda: self.store.create(resource, obj))

    async def replace_status(self, resource: Resource, obj: Body) -> Body:
        name = obj["metadata"]["name"]
        return await self._do("update", resource, name, lambda: self.store.replace(resource, obj, "status"))

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Any,
        *,
        content_type: str = "application/merge-patch+json",
        subresource: str | None = None,
    ) -> Body:
        return await self._do(
            "patch",
            resource,
            name,
            lambda: self.store.patch(resource, namespace, name, body, content_type, subresource),
        )

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period: int | None = None,
    ) -> Body:
        return await self._do(
            "delete",
            resource,
            name,
            lambda: self.store.delete(resource, namespace, name, uid=uid, grace=grace_period),
        )

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = "", **_: Any
    ) -> AsyncIterator[list[Body]]:
        yield await self._do("list", resource, "", lambda: self.store.list(resource, namespace, label_selector))

    # The informer's

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str, limit: int, token: str
    ) -> Page:
        def answer() -> Page:
            return Page(self.store.list(resource, namespace, label_selector), str(self.store.version), "")

        return await self._do("list", resource, "", answer)

    async def watch(
        self, resource: Resource, namespace: str | None = None, *, resource_version: str, label_selector: str, **_: Any
    ) -> AsyncIterator[WatchEvent]:
        events = self.store.watch(resource, resource_version, namespace=namespace, selector=label_selector)
        cut = asyncio.Event()
        self._watches.add(cut)
        try:
            while not self.killed:
                step = asyncio.ensure_future(anext(events))
                broken = asyncio.ensure_future(cut.wait())
                try:
                    await asyncio.wait({step, broken}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    broken.cancel()
                    step.cancel()
                if not step.done():
                    raise Gone("the watch was cut by the test", 410, "Expired")
                kind, obj = step.result()
                if self.watches_open:
                    yield WatchEvent(kind, obj)
        finally:
            self._watches.discard(cut)

    def cut_watches(self) -> None:
        """Every open watch ends with 410: what happened meanwhile is only seen by a new list."""
        for cut in tuple(self._watches):
            cut.set()

    async def _do(self, verb: str, resource: Resource, name: str, act: Callable[[], Any]) -> Any:
        await self._alive()
        request = Request(verb, resource.plural, name)
        fault = self.inject(request)
        self.requests.append(request)
        await asyncio.sleep(0)
        if fault is None:
            answer = act()
            await asyncio.sleep(0)
            await self._alive()
            return answer
        return await self._fail(fault, act)

    async def _fail(self, fault: Fault, act: Callable[[], Any]) -> Any:
        match fault.how:
            case How.KILLED_BEFORE:
                self.killed = True
                await self._alive()
            case How.KILLED_AFTER:
                try:
                    act()
                finally:
                    self.killed = True
                    await self._alive()
            case How.LOST_ANSWER:
                act()
            case How.LATE:
                self.clock.call_at(self.clock.monotonic() + fault.after, lambda: _quietly(act))
            case How.SLOW:
                await self.clock.sleep(fault.after)
                await self._alive()
                return act()
            case How.REFUSED:
                pass
        assert fault.error is not None
        raise fault.error

    async def _alive(self) -> None:
        if self.killed:
            # A process that was killed makes no step more.
            await asyncio.get_running_loop().create_future()


def _quietly(act: Callable[[], Any]) -> None:
    try:
        act()
    except ApiError:
        return
