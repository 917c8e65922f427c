"""Pools over several runs while pools change, requests go wrong and controllers die."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults import LOST, on
from support.kubelet import Play
from support.store_api import Fault, How
from support.world import NAMESPACE, Body, World
from windlass import names
from windlass.errors import Invalid, QuotaExceeded, ServerError
from windlass.resources import POOLS


def pool(world: World, slots: int, name: str = "db", **spec: Any) -> Body:
    return world.store.create(
        POOLS,
        {
            "apiVersion": names.API_VERSION,
            "kind": "Pool",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"slots": slots, **spec},
        },
    )


def in_pool(name: str, slots: int = 1, priority: int = 0, **fields: Any) -> Body:
    return {"name": name, "command": ["true"], "pool": "db", "slots": slots, "priority": priority, **fields}


def figures(world: World, name: str = "db") -> tuple[int, int, int]:
    status = world.store.get(POOLS, NAMESPACE, name)["status"]
    return status["used"], status["free"], status["waiting"]


async def test_tasks_of_several_runs_share_the_slots() -> None:
    async with World({"a": Play(seconds=10), "b": Play(seconds=10)}) as world:
        pool(world, 2)
        for number in range(3):
            world.run(f"r{number}", tasks=[in_pool("a"), in_pool("b")])
        await world.clock.advance(5)
        assert figures(world) == (2, 0, 4)
        waiting = [entry for entry in (world.task("b", f"r{n}") for n in range(3)) if entry["phase"] == "Queued"]
        assert {entry["reason"] for entry in waiting} == {"WaitingForPool"}
        assert "waits for a slot of the pool db: number" in waiting[0]["message"]
        for number in range(3):
            assert await world.ended(f"r{number}") == "Succeeded"
        assert (world.kubelet.most_live, len(world.kubelet.launched)) == (2, 6)
        await world.clock.advance(10)
        assert figures(world) == (0, 2, 0)
        await world.clock.advance(5000)
        assert world.leftovers() == {}


async def test_priorities_go_first_and_big_ones_are_not_passed() -> None:
    async with World({task: Play(seconds=10) for task in ("first", "low", "high", "big")}) as world:
        pool(world, 2)
        world.run("r0", tasks=[in_pool("first", slots=2)])
        await world.clock.advance(1)
        world.run("r1", tasks=[in_pool("low")])
        world.run("r2", tasks=[in_pool("big", slots=2, priority=1)])
        world.run("r3", tasks=[in_pool("high", priority=2)])
        await world.clock.advance(1)
        for run in ("r0", "r1", "r2", "r3"):
            assert await world.ended(run) == "Succeeded"
        order = [task for task, _ in sorted(((w, world.task(w, r)["startedAt"]) for w, r in
                 (("high", "r3"), ("big", "r2"), ("low", "r1"))), key=lambda item: item[1])]  # fmt: skip
        assert order == ["high", "big", "low"]


async def test_a_pool_that_is_missing_is_waited_for_and_told() -> None:
    async with World() as world:
        world.run(tasks=[in_pool("a", slots=3)])
        await world.clock.advance(2)
        assert (world.task("a")["phase"], world.task("a")["reason"]) == ("Queued", "PoolNotFound")
        pool(world, 2)
        await world.clock.advance(2)
        assert world.task("a")["reason"] == "PoolTooSmall"
        assert world.task("a")["message"] == "wants 3 slots, and the pool db has 2 in all: make the pool larger"
        world.store.patch(POOLS, NAMESPACE, "db", {"spec": {"slots": 3}})
        assert await world.ended(seconds=30) == "Succeeded"


async def test_a_pool_that_shrinks_or_goes_while_in_use_stops_nobody() -> None:
    async with World({"a": Play(seconds=50), "b": Play(seconds=50)}) as world:
        pool(world, 2)
        world.run("r1", tasks=[in_pool("a"), in_pool("b")])
        await world.clock.advance(2)
        world.store.patch(POOLS, NAMESPACE, "db", {"spec": {"slots": 1}})
        world.run("r2", tasks=[in_pool("a")])
        await world.clock.advance(10)
        assert figures(world) == (2, 0, 1)
        world.store.delete(POOLS, NAMESPACE, "db")
        assert await world.ended("r1") == "Succeeded"
        await world.clock.advance(5)
        assert world.task("a", "r2")["reason"] == "PoolNotFound"
        pool(world, 1)
        assert await world.ended("r2", seconds=100) == "Succeeded"


async def test_a_malformed_pool_grants_nothing_and_says_why() -> None:
    async with World() as world:
        pool(world, 1)
        broken = pool(world, 1, name="broken")
        assert world.engine.keepers[POOLS] is not None
        world.engine.event(POOLS, "MODIFIED", {**broken, "spec": {"slots": "many"}, "metadata": {
            **broken["metadata"], "resourceVersion": str(10**6)}})  # fmt: skip
        world.run(tasks=[in_pool("a")])
        world.run("r2", tasks=[{**in_pool("a"), "pool": "broken"}])
        assert await world.ended(seconds=30) == "Succeeded"
        status = world.store.get(POOLS, NAMESPACE, "broken")["status"]
        assert status["message"].startswith("the pool can't be read, and grants nothing: spec.slots")
        assert world.task("a", "r2")["reason"] == "PoolNotFound"


IN_VAIN = {
    "the create met an ill server": Fault(How.REFUSED, ServerError("boom", 500)),
    "the create met a used up quota": Fault(How.REFUSED, QuotaExceeded("exceeded quota", 403)),
    "the create was refused for good": Fault(How.REFUSED, Invalid("no such field", 422)),
    "the create was carried out without an answer": Fault(How.LOST_ANSWER, LOST),
    "the create was carried out late": Fault(How.LATE, LOST, after=40),
}


@pytest.mark.parametrize("fault", IN_VAIN.values(), ids=IN_VAIN.keys())
async def test_slots_that_were_granted_in_vain_are_free_again(fault: Fault) -> None:
    async with World() as world:
        pool(world, 1)
        world.api.inject = on("create", "pods", fault, times=1)
        for number in range(3):
            world.run(f"r{number}", tasks=[in_pool("a"), in_pool("b")])
        ends = sorted([await world.ended(f"r{number}") for number in range(3)])
        assert ends in (["Succeeded"] * 3, ["Failed", "Succeeded", "Succeeded"])
        assert world.kubelet.most_live == 1
        await world.clock.advance(5000)
        assert world.leftovers() == {}


async def test_a_controller_that_is_killed_again_and_again_grants_no_slot_twice() -> None:
    async with World({"a": Play(seconds=3), "b": Play(seconds=3)}) as world:
        pool(world, 2)
        for number in range(6):
            world.run(f"r{number}", tasks=[in_pool("a"), in_pool("b", slots=2)])
        for _ in range(12):
            await world.clock.advance(1.7)
            await world.kill()
            await world.start()
        for number in range(6):
            assert await world.ended(f"r{number}") == "Succeeded"
        assert len(world.kubelet.launched) == 12
        assert world.kubelet.most_live <= 2


async def test_the_depth_of_the_queue_is_that_of_the_runs() -> None:
    async with World() as world:
        for number in range(20):
            pool(world, 1, f"p{number}")
        await world.clock.advance(5)
        assert figures(world, "p0") == (0, 1, 0)
        assert set(world.watcher.depths) <= {0}
