"""Turns when requests go wrong and controllers die: none is lost, none is given twice, and many cost little."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from support.clock import START
from support.faults import LOST, on
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.turns import Order, all_end, etl, nothing_is_left, phases, runs, slot
from support.world import NAMESPACE, World
from windlass.errors import Conflict, ServerError
from windlass.models.common import format_time
from windlass.resources import RUNS


async def the_whole(world: World) -> None:
    """Two runs at a time out of five, one that waits for the past, one that is cancelled in the line."""
    etl(world, limit=2, dependsOnPast=True)
    world.run("s1", **slot(0))
    world.run("s2", **slot(1, 0))
    runs(world, 3)
    for step, seconds in enumerate((*[1.0] * 60, *[100.0] * 6)):
        if step == 2:
            world.store.patch(RUNS, NAMESPACE, "r3", {"spec": {"stop": "Cancel"}})
        await world.clock.advance(seconds)
        if world.api.killed:
            await world.kill()
            await world.clock.advance(2)
            await world.start()


async def requests_of_the_whole() -> int:
    async with World({"a": Play(seconds=4)}) as world:
        await the_whole(world)
        return len(world.api.requests)


@pytest.mark.parametrize("first", range(3))
@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER])
async def test_killed_at_each_request_no_turn_is_lost_and_none_given_twice(how: How, first: int) -> None:
    total = await requests_of_the_whole()
    assert total > 40
    for number in range(first, total, 3):
        async with World({"a": Play(seconds=4)}) as world:
            order, count = Order(world), -1

            def inject(_: Request, number: int = number) -> Fault | None:
                nonlocal count
                count += 1
                return Fault(how) if count == number else None

            world.api.inject = inject
            await the_whole(world)
            ends = phases(world)
            assert (number, ends.pop("r3") in ("Cancelled", "Succeeded")) == (number, True)
            assert (number, set(ends.values())) == (number, {"Succeeded"}), world.told()
            assert (number, order.most <= 2) == (number, True)
            assert (number, world.kubelet.most_live <= 2) == (number, True)
            assert (number, world.leftovers()) == (number, {})


FAULTS = {
    "a conflict": Fault(How.REFUSED, Conflict("newer", 409)),
    "an ill server": Fault(How.REFUSED, ServerError("boom", 500)),
    "no answer": Fault(How.LOST_ANSWER, LOST),
    "no answer, and carried out late": Fault(How.LATE, LOST, after=40),
    "slow": Fault(How.SLOW, after=3),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize(("verb", "resource"), [("update", "workflowruns"), ("get", "workflows"), ("create", "pods")])
async def test_requests_that_go_wrong_lose_no_turn(fault: Fault, verb: str, resource: str) -> None:
    async with World({"a": Play(seconds=4)}) as world:
        order = Order(world)
        etl(world, limit=1)
        world.api.inject = on(verb, resource, fault, times=6)
        names = runs(world, 5)
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert (order.most, world.kubelet.most_live) == (1, 1)
        world.api.inject = lambda request: None
        await nothing_is_left(world)


async def test_five_hundred_runs_that_wait_cost_a_few_requests_each() -> None:
    async with World({"a": Play(seconds=2)}) as world:
        order = Order(world)
        etl(world, limit=5)
        names = [f"r{number:03}" for number in range(500)]
        for number, name in enumerate(names):
            world.run(name, workflow="etl", logicalDate=format_time(START + timedelta(minutes=number)))
        await world.clock.advance(1)
        woken = len(world.api.requests)
        assert woken < 500 * 2 + 60
        await world.kill()
        await world.start()
        await world.clock.advance(1)
        found = await all_end(world, 4000)
        assert set(found.values()) == {"Succeeded"}
        assert order.most == 5
        assert order.began[10:] == names[10:]
        count = Counter((one.verb, one.resource) for one in world.api.requests)
        assert count["get", "workflows"] < 500 * 2, "once after the restart, and once when its turn has come"
        assert count["update", "workflowruns"] < 500 * 4
        await nothing_is_left(world)
