"""What a watcher in the process hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.dev_bodies import CONFIG_MAPS, Body, config
from windlass.dev.api.store import Store
from windlass.errors import Gone


async def heard(events: AsyncIterator[tuple[str, Body]], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(2):
        return [(change, obj["metadata"]["name"]) for change, obj in [await anext(events) for _ in range(count)]]


async def test_what_exists_comes_first(store: Store) -> None:
    store.create(CONFIG_MAPS, config("a"))
    events = store.watch(CONFIG_MAPS)
    store.create(CONFIG_MAPS, config("b"))
    store.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "1"}})
    store.delete(CONFIG_MAPS, "default", "a")
    assert await heard(events, 4) == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_watch_goes_on_from_a_version(store: Store) -> None:
    versions = [store.create(CONFIG_MAPS, config(name))["metadata"]["resourceVersion"] for name in "abc"]
    assert await heard(store.watch(CONFIG_MAPS, versions[0]), 2) == [("ADDED", "b"), ("ADDED", "c")]


async def test_what_changes_nothing_is_not_heard(store: Store) -> None:
    created = store.create(CONFIG_MAPS, config("a", {"x": "1"}))
    events = store.watch(CONFIG_MAPS, created["metadata"]["resourceVersion"])
    store.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "1"}})
    store.create(CONFIG_MAPS, config("b"))
    assert await heard(events, 1) == [("ADDED", "b")]


async def test_a_version_that_is_forgotten_is_gone(clock) -> None:  # type: ignore[no-untyped-def]
    store = Store(now=clock, history=2)
    first = store.create(CONFIG_MAPS, config("a"))["metadata"]["resourceVersion"]
    for number in range(5):
        store.patch(CONFIG_MAPS, "default", "a", {"data": {"x": str(number)}})
    with pytest.raises(Gone) as caught:
        store.watch(CONFIG_MAPS, first)
    assert caught.value.status == 410


async def test_a_watcher_that_falls_behind_gets_gone(clock) -> None:  # type: ignore[no-untyped-def]
    store = Store(now=clock, history=2)
    events = store.watch(CONFIG_MAPS, store.version)
    for number in range(9):
        store.create(CONFIG_MAPS, config(f"c{number}"))
    with pytest.raises(Gone):
        await heard(events, 1)


async def test_large_objects_shorten_the_history(store: Store) -> None:
    first = store.create(CONFIG_MAPS, config("a"))["metadata"]["resourceVersion"]
    for number in range(40):
        store.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "y" * 1_000_000, "n": str(number)}})
    with pytest.raises(Gone):
        store.watch(CONFIG_MAPS, first)
