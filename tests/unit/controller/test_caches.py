"""The caches of several namespaces are one to the engine, and a namespace that refuses it holds up none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support.pod_bodies import pod
from windlass.controller.caches import SELECTOR, PodCaches
from windlass.errors import Forbidden
from windlass.kube.client import Page, WatchEvent
from windlass.plan.types import PodView
from windlass.resources import Resource


class Server:
    """Lists what it has, by namespace; None: that is forbidden."""

    def __init__(self, places: dict[str | None, list[dict[str, Any]] | None]) -> None:
        self.places = places

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str, limit: int, token: str
    ) -> Page:
        assert (resource.plural, label_selector) == ("pods", SELECTOR)
        items = self.places[namespace]
        if items is None:
            raise Forbidden(f'cannot list resource "pods" in the namespace "{namespace}"', 403, "Forbidden")
        return Page(items, "900", "")

    async def watch(self, *_: Any, **__: Any) -> AsyncGenerator[WatchEvent, None]:
        await asyncio.Event().wait()
        yield WatchEvent("BOOKMARK", {})


class Counted:
    def __init__(self) -> None:
        self.failures: list[str] = []

    def relisted(self, resource: str, why: str) -> None: ...

    def watch_failed(self, resource: str, why: str) -> None:
        self.failures.append(why)


def one(name: str, namespace: str, run: str) -> dict[str, Any]:
    owner = {"kind": "WorkflowRun", "name": run, "uid": f"uid-{run}", "controller": True}
    return pod(name=name, namespace=namespace, uid=f"uid-{name}", ownerReferences=[owner])


async def caches(server: Server, *namespaces: str) -> tuple[PodCaches, Counted, list[str], list[asyncio.Task[None]]]:
    changes: list[str] = []

    def changed(old: PodView | None, new: PodView | None) -> None:
        changes.append((new or old).name)  # type: ignore[union-attr]

    counted = Counted()
    found = PodCaches(server, namespaces, changed, counted)
    return found, counted, changes, [asyncio.create_task(informer.run()) for informer in found]


async def test_all_namespaces_are_one() -> None:
    server = Server({"a": [one("p", "a", "x")], "b": [one("p", "b", "y"), one("q", "b", "y")]})
    found, _, changes, work = await caches(server, "a", "b")
    await asyncio.wait_for(found.wait_synced(), 5)
    assert (len(found), found.synced, found.unreadable) == (3, True, 0)
    assert [sorted(found.by_index(f"uid-{run}")) for run in ("x", "y", "z")] == [["p"], ["p", "q"], []]
    assert sorted(changes) == ["p", "p", "q"]
    found.forget("b", "p", "uid-p")
    assert (len(found), sorted(found.by_index("uid-x")), sorted(found.by_index("uid-y"))) == (2, ["p"], ["q"])
    found.note(one("r", "c", "z"))
    assert len(found) == 2, "a namespace that is nobody's"
    found.note({"kind": "Status"})
    for task in work:
        task.cancel()


async def test_the_whole_cluster() -> None:
    found, _, _, work = await caches(Server({None: [one("p", "a", "x"), one("p", "b", "y")]}))
    await asyncio.wait_for(found.wait_synced(), 5)
    assert (len(found), [sorted(found.by_index(f"uid-{run}")) for run in ("x", "y")]) == (2, [["p"], ["p"]])
    work[0].cancel()


@pytest.mark.parametrize("namespaces", [(), ("a", "b")], ids=["cluster-wide", "two namespaces"])
async def test_answers_are_taken_while_nothing_is_known(namespaces: tuple[str, ...]) -> None:
    found, _, _, work = await caches(Server({None: [], "a": [], "b": []}), *namespaces)
    await asyncio.wait_for(found.wait_synced(), 5)
    newer = one("p", "b", "y")
    newer["metadata"]["resourceVersion"] = "901"
    found.note(newer)
    assert sorted(found.by_index("uid-y")) == ["p"]
    for task in work:
        task.cancel()


async def test_one_that_is_forbidden_is_not_waited_for() -> None:
    found, counted, _, work = await caches(Server({"a": [one("p", "a", "x")], "b": None}), "a", "b")
    await asyncio.wait_for(found.wait_synced(), 5)
    assert (found.synced, len(found), counted.failures) == (True, 1, ["Forbidden"])
    assert found.staleness() < 5, "what was never heard of is not stale"
    for task in work:
        task.cancel()


@pytest.mark.parametrize("namespaces", [(), ("b",)], ids=["cluster-wide", "one namespace"])
async def test_the_only_one_is_waited_for(namespaces: tuple[str, ...]) -> None:
    found, _, _, work = await caches(Server({None: None, "b": None}), *namespaces)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(found.wait_synced(), 0.2)
    assert (found.synced, found.staleness()) == (False, float("inf"))
    work[0].cancel()
