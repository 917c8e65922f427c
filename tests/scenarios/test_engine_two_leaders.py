"""Two controllers act at once: one was frozen past its lease, and nothing holds it back when it wakes up.

The lease, its check before each write and the fencing policy are left out here: what remains, names, versions and
held results, must be enough for one pod an attempt and no result lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request, StoreApi
from support.world import World

DIAMOND: list[dict[str, Any]] = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"], "retry": {"limit": 1, "delay": "2s"}},
    {"name": "c", "command": ["true"], "dependsOn": ["a"]},
    {"name": "d", "command": ["true"], "dependsOn": ["b", "c"]},
]
PLAYS: dict[str, Play | list[Play]] = {"a": outputs(n=1), "b": [Play(exit_code=1), Play()]}
LAUNCHES = Counter({("a", 1): 1, ("b", 1): 1, ("b", 2): 1, ("c", 1): 1, ("d", 1): 1})
LEASE = 8.0


@asynccontextmanager
async def second(world: World) -> AsyncIterator[StoreApi]:
    """Another controller, beside the one that there is, while the block lasts; the first one's API."""
    api, engine = world.api, world.engine
    world.api = StoreApi(world.store, world.clock)  # the second one inherits no faults
    await world.start()
    try:
        yield api
    finally:
        api.killed = True
        world.end_engine(engine)


def whole(world: World) -> None:
    launches = Counter((task, attempt) for _, task, attempt in world.kubelet.launched)
    assert (world.phase(), launches) == ("Succeeded", LAUNCHES)
    assert world.task("a")["outputs"] == {"n": 1}
    assert [len(world.task(name)["attempts"]) for name in "abcd"] == [1, 2, 1, 1]


@pytest.mark.parametrize("moment", [0.0, 0.3, 0.7, 1.2, 2.1, 3.4, 4.0, 5.5])
async def test_both_act_on_a_run_from_some_moment_on(moment: float) -> None:
    async with World(PLAYS) as world:
        world.run(tasks=DIAMOND)
        await world.clock.advance(moment)
        async with second(world):
            await world.ended()
            await world.clock.advance(30)
            whole(world)
            await world.clock.advance(4000)
            assert world.pods() == []


async def requests_of_a_run() -> int:
    async with World(PLAYS) as world:
        world.api.requests.clear()
        world.run(tasks=DIAMOND)
        await world.ended()
        return len(world.api.requests)


async def test_frozen_at_each_request_of_a_run_it_wakes_up_while_another_leads() -> None:
    total = await requests_of_a_run()
    assert total > 10
    for number in range(total):
        async with World(PLAYS) as world:
            await frozen_at(world, number)


async def frozen_at(world: World, number: int) -> None:
    """The request with this number, and all later ones, arrive when their sender wakes up, which saw nothing since."""
    first, count = world.api, 0
    wakes_at = float("inf")

    def inject(_: Request) -> Fault | None:
        nonlocal count, wakes_at
        count += 1
        now = world.clock.monotonic()
        if count == number + 1:
            wakes_at = now + LEASE + 4
            first.watches_open = False
        return Fault(How.SLOW, after=wakes_at - now) if count > number and now < wakes_at else None

    first.inject = inject
    world.run(tasks=DIAMOND)
    await world.until(lambda: wakes_at != float("inf"), 60)
    await world.clock.advance(LEASE)
    async with second(world):
        await world.clock.advance(6)
        await world.ended()
        await world.clock.advance(30)
        assert (number, world.phase()) == (number, "Succeeded")
        whole(world)
