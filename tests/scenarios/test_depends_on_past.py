"""`dependsOnPast` of Workflows and of tasks in a whole engine: what waits for the slot before."""

from __future__ import annotations

from support.faults import launches
from support.kubelet import Play
from support.store_api import Request
from support.turns import ENDS, Order, all_end, etl, nothing_is_left, said, slot
from support.world import NAMESPACE, World
from windlass.resources import RUNS, WORKFLOWS


async def test_a_slot_waits_for_the_success_of_the_slot_before() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=5, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        world.run("s3", **slot(2, 1))
        assert await world.ended("s1") == "Failed"
        await world.clock.advance(1)
        message = "waits for the success of s1, which has failed: retry it, or mark what failed as succeeded"
        assert said(world, "s2") == ("Queued", "DependsOnPast", message)
        assert said(world, "s3")[2] == "waits for the success of s2, which has not ended"
        world.store.delete(RUNS, NAMESPACE, "s1")
        assert await world.ended("s2") == "Failed"
        world.store.delete(RUNS, NAMESPACE, "s2")
        assert await world.ended("s3") == "Failed"
        await nothing_is_left(world)


async def test_a_failed_slot_that_is_mended_frees_the_next() -> None:
    async with World({"a": [Play(exit_code=1), Play()]}) as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        assert await world.ended("s1") == "Failed"
        status = {**world.status("s1"), "phase": "Succeeded", "reason": "Completed"}
        world.store.patch(RUNS, NAMESPACE, "s1", {"status": status}, "merge", "status")
        await world.until(lambda: world.phase("s2") in (*ENDS, "Running"), 10)


async def test_slots_that_depend_on_the_past_go_in_order_through_restarts() -> None:
    async with World({"a": Play(seconds=3)}) as world:
        order = Order(world)
        etl(world, limit=3, dependsOnPast=True)
        for number in reversed(range(1, 13)):
            world.run(f"s{number:02}", **slot(number, number - 1 if number > 1 else None))
        for _ in range(6):
            await world.clock.advance(7)
            await world.kill()
            await world.start()
        assert set((await all_end(world)).values()) == {"Succeeded"}
        assert (sorted(order.began), order.most) == (order.began, 1)
        assert set(launches(world).values()) == {12}
        await nothing_is_left(world)


async def test_a_slot_that_waits_for_the_past_holds_up_nobody_else() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        await world.ended("s1")
        world.run("by-hand", workflow="etl", logicalDate="2030-01-01T00:00:00Z")
        assert await world.ended("by-hand", 60) == "Failed"
        assert world.phase("s2") == "Queued"


async def test_dependence_that_is_given_up_frees_those_who_wait() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=1, dependsOnPast=True)
        for number in range(4):
            world.run(f"s{number}", **slot(number, number - 1 if number else None))
        await world.ended("s0")
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"dependsOnPast": False}})
        assert set((await all_end(world, 120)).values()) == {"Failed"}


async def test_a_slot_that_never_began_is_passed_over() -> None:
    async with World() as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0), stop="Cancel")
        world.run("s3", **slot(2, 1))
        assert await all_end(world, 60) == {"s1": "Succeeded", "s2": "Cancelled", "s3": "Succeeded"}


PAST = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"], "dependsOnPast": True},
]


async def test_a_task_waits_for_the_same_task_of_the_slot_before() -> None:
    async with World({"b": Play(seconds=30)}) as world:
        etl(world, limit=5, tasks=PAST)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        await world.clock.advance(10)
        assert world.phases("s1") == {"a": "Succeeded", "b": "Running"}
        assert world.phases("s2") == {"a": "Succeeded", "b": "Queued"}
        waiting = world.task("b", "s2")
        assert (waiting["reason"], waiting["message"]) == ("DependsOnPast", "waits for b of s1, which has not ended")
        assert await world.ended("s2") == "Succeeded"
        assert world.clock.monotonic() < 70
        await nothing_is_left(world)


async def test_a_task_waits_for_a_run_that_has_ended_and_reads_it_once() -> None:
    async with World({"b": [Play(exit_code=1)]}) as world:
        etl(world, limit=5, tasks=PAST, taskDefaults={"keepPods": "Never"})
        world.run("s1", **slot(0))
        assert await world.ended("s1") == "Failed"
        await world.clock.advance(200)
        world.api.requests.clear()
        world.run("s2", **slot(1, 0))
        await world.clock.advance(100)
        message = "waits for b of s1, which has failed: retry it, or mark it as succeeded"
        assert world.task("b", "s2")["message"] == message
        reads = [one for one in world.api.requests if one == Request("get", "workflowruns", "s1")]
        assert len(reads) == 1
        world.store.delete(RUNS, NAMESPACE, "s1")
        assert await world.ended("s2", 60) == "Failed"
        await nothing_is_left(world)


async def test_a_task_that_waits_for_its_past_can_be_cancelled() -> None:
    async with World({"b": Play(exit_code=1)}) as world:
        etl(world, limit=5, tasks=PAST)
        world.run("s1", **slot(0))
        await world.ended("s1")
        world.run("s2", **slot(1, 0))
        await world.until(lambda: world.phases("s2").get("b") == "Queued", 60)
        world.store.patch(RUNS, NAMESPACE, "s2", {"spec": {"stop": "Cancel"}})
        assert await world.ended("s2", 30) == "Cancelled"
        await nothing_is_left(world)
