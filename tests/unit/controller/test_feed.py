"""Every run is handed over once for each of its versions, and no run's body stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from windlass.controller.feed import RunFeed
from windlass.errors import Forbidden
from windlass.kube.client import Page, WatchEvent
from windlass.resources import Resource

Body = dict[str, Any]


def run(name: str, version: int, namespace: str = "a", uid: str = "") -> Body:
    meta = {"namespace": namespace, "name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": meta, "spec": {"workflow": "w"}}


class Server:
    """Lists what it has, and tells of what is put into its queues; None: that is forbidden."""

    def __init__(self, places: dict[str | None, list[Body] | None]) -> None:
        self.places = places
        self.events: asyncio.Queue[WatchEvent] = asyncio.Queue()

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str, limit: int, token: str
    ) -> Page:
        assert (resource.plural, label_selector) == ("workflowruns", "")
        items = self.places[namespace]
        if items is None:
            raise Forbidden("not yours", 403, "Forbidden")
        return Page(items, "100", "")

    async def watch(self, *_: Any, **__: Any) -> AsyncGenerator[WatchEvent, None]:
        while True:
            yield await self.events.get()


class Quiet:
    def relisted(self, resource: str, why: str) -> None: ...

    def watch_failed(self, resource: str, why: str) -> None: ...


class Taken:
    """A feed at work, and what it has told."""

    def __init__(self, server: Server, *namespaces: str) -> None:
        self.told: list[tuple[str, str, bool]] = []
        self.news = asyncio.Event()
        self.feed = RunFeed(server, namespaces, self._take, Quiet())
        self.tasks = [asyncio.create_task(informer.run()) for informer in self.feed]

    def _take(self, kind: str, body: Body) -> None:
        meta = body["metadata"]
        self.told.append((kind, f"{meta['namespace']}/{meta['name']}/{meta['uid']}", "spec" in body))
        self.news.set()

    async def until(self, count: int) -> list[tuple[str, str, bool]]:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                self.news.clear()
                await self.news.wait()
        return self.told

    def end(self) -> None:
        for task in self.tasks:
            task.cancel()


async def test_each_version_is_handed_over_once_and_a_deletion_as_an_identity() -> None:
    server = Server({None: [run("x", 7)]})
    taken = Taken(server)
    for event in (
        WatchEvent("ADDED", run("y", 101)),
        WatchEvent("MODIFIED", run("y", 102)),
        WatchEvent("MODIFIED", run("y", 102)),
        WatchEvent("DELETED", run("x", 103)),
    ):
        server.events.put_nowait(event)
    assert await taken.until(4) == [
        ("", "a/x/uid-x", True),
        ("", "a/y/uid-y", True),
        ("", "a/y/uid-y", True),
        ("DELETED", "a/x/uid-x", False),
    ]
    assert (len(taken.feed), taken.feed.unreadable, taken.feed.staleness() < 5) == (1, 0, True)
    (informer,) = taken.feed
    assert [seen.body for seen in informer] == [None]
    taken.end()


async def test_one_made_again_under_its_name_is_a_deletion_too() -> None:
    server = Server({None: [run("x", 7)]})
    taken = Taken(server)
    server.events.put_nowait(WatchEvent("MODIFIED", run("x", 101, uid="later")))
    assert (await taken.until(3))[1:] == [("DELETED", "a/x/uid-x", False), ("", "a/x/later", True)]
    taken.end()


async def test_a_namespace_that_is_forbidden_holds_up_no_other() -> None:
    taken = Taken(Server({"a": [run("x", 7)], "b": None}), "a", "b")
    assert await taken.until(1) == [("", "a/x/uid-x", True)]
    assert taken.feed.staleness() < 5, "what was never heard of is not stale"
    taken.end()


async def test_one_that_can_not_be_taken_keeps_no_other_from_it() -> None:
    server = Server({None: [run("x", 7), run("y", 8)]})
    told: list[str] = []

    def take(kind: str, body: Body) -> None:
        told.append(body["metadata"]["name"])
        if told == ["x"]:
            raise ValueError("a fault of ours")

    feed = RunFeed(server, (), take, Quiet())
    tasks = [asyncio.create_task(informer.run()) for informer in feed]
    (informer,) = feed
    async with asyncio.timeout(5):
        await informer.wait_synced()
    assert told == ["x", "y"]
    tasks[0].cancel()
