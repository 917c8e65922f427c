"""The policies Skip and Replace in a whole engine: who is not run, and who is stopped for whom."""

from __future__ import annotations

from datetime import timedelta

from support.clock import START
from support.kubelet import Play
from support.store_api import Fault, How
from support.turns import Order, all_end, etl, nothing_is_left, runs, said
from support.world import World
from windlass.models.common import format_time


async def test_with_skip_a_run_that_comes_too_early_is_not_run() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, policy="Skip")
        world.run("r1", workflow="etl")
        await world.clock.advance(1)
        world.run("r2", workflow="etl")
        await world.clock.advance(1)
        message = "maxActiveRuns is 1: r1 is under way, and the policy is Skip"
        assert said(world, "r2") == ("Cancelled", "SkippedByPolicy", message)
        assert ("SkippedByPolicy", None) in world.watcher.events
        assert await world.ended("r1") == "Succeeded"
        world.run("r3", workflow="etl")
        assert await world.ended("r3") == "Succeeded"
        assert len(world.kubelet.launched) == 2
        await nothing_is_left(world)


async def test_with_skip_one_of_many_that_come_at_once_is_run() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, limit=2, policy="Skip", history={"failed": 100})
        runs(world, 30)
        found = list((await all_end(world)).values())
        assert (found.count("Succeeded"), found.count("Cancelled")) == (2, 28)


async def test_with_replace_a_newer_run_takes_the_place_of_the_one_under_way() -> None:
    finals = [{"name": "clean", "command": ["true"]}]
    async with World({"a": Play(seconds=50)}) as world:
        etl(world, policy="Replace", **{"finally": finals})
        world.run("r1", workflow="etl")
        await world.clock.advance(5)
        world.run("r2", workflow="etl")
        await world.clock.advance(0.1)
        assert said(world, "r2") == ("Queued", "Replacing", "waits for the end of r1, for which it is run instead")
        assert await world.ended("r1", 20) == "Cancelled"
        assert said(world, "r1") == ("Cancelled", "Replaced", "stopped after 1 of 2 tasks: r2 took its place")
        assert world.phases("r1") == {"a": "Cancelled", "clean": "Succeeded"}
        assert await world.ended("r2") == "Succeeded"
        await nothing_is_left(world)


async def test_a_storm_of_runs_that_replace_each_other_ends_with_the_newest() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        order = Order(world)
        etl(world, policy="Replace")
        for number in range(100):
            world.run(f"r{number:03}", workflow="etl", logicalDate=format_time(START + timedelta(minutes=number)))
            if number % 10 == 0:
                await world.clock.advance(0.3)
        world.api.requests.clear()
        found = await all_end(world, 300)
        assert [name for name, phase in found.items() if phase == "Succeeded"] == ["r099"]
        assert order.most == 1
        assert len(order.began) <= 12
        assert len(world.api.requests) < 300
        await nothing_is_left(world)


async def test_with_replace_and_room_for_two_the_two_newest_are_run() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        order = Order(world)
        etl(world, limit=2, policy="Replace")
        for number in range(1, 7):
            world.run(f"r{number}", workflow="etl")
            await world.clock.advance(1.2)
        found = await all_end(world)
        assert [name for name, phase in found.items() if phase == "Succeeded"] == ["r5", "r6"]
        assert order.most == 2


async def test_a_run_of_lower_priority_replaces_none() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, policy="Replace")
        world.run("urgent", workflow="etl", priority=5)
        await world.clock.advance(2)
        world.run("low", workflow="etl")
        await world.clock.advance(1)
        message = "maxActiveRuns is 1: urgent is under way, of higher priority"
        assert said(world, "low") == ("Queued", "MaxActiveRuns", message)
        assert await all_end(world) == {"urgent": "Succeeded", "low": "Succeeded"}


async def test_a_run_that_replaces_another_goes_on_doing_so_after_a_restart() -> None:
    async with World({"a": Play(seconds=500)}) as world:
        etl(world, policy="Replace")
        world.run("r1", workflow="etl")
        await world.clock.advance(5)
        world.api.inject = lambda request: Fault(How.KILLED_BEFORE) if request.verb == "update" else None
        world.run("r2", workflow="etl")
        await world.clock.advance(1)
        await world.kill()
        world.api.inject = lambda request: None
        await world.start()
        assert await world.ended("r1", 30) == "Cancelled"
        await world.until(lambda: world.phase("r2") == "Running", 10)
