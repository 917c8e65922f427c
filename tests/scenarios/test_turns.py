"""`maxActiveRuns` and priorities in a whole engine: who goes, and who waits."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults import on
from support.kubelet import Play
from support.store_api import Fault, How
from support.turns import Order, all_end, etl, nothing_is_left, phases, runs, said, slot
from support.world import NAMESPACE, World
from windlass.errors import Invalid, ServerError
from windlass.resources import RUNS, WORKFLOWS


async def test_runs_go_one_after_the_other() -> None:
    async with World() as world:
        order = Order(world)
        etl(world)
        names = runs(world, 5)
        await world.clock.advance(0.6)
        assert phases(world) == {"r1": "Running", **dict.fromkeys(names[1:], "Queued")}
        assert said(world, "r2") == ("Queued", "MaxActiveRuns", "maxActiveRuns is 1: r1 is under way; it is next")
        assert said(world, "r3")[2] == "maxActiveRuns is 1: r1 is under way; 2. in the line when it came"
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert (order.began, order.most) == (names, 1)
        await nothing_is_left(world)


async def test_without_a_limit_all_go_at_once() -> None:
    async with World() as world:
        order = Order(world)
        etl(world, limit=None)
        names = runs(world, 20)
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert order.most == 20
        await nothing_is_left(world)


async def test_a_workflow_with_a_schedule_runs_one_at_a_time_unless_it_says_else() -> None:
    async with World() as world:
        order = Order(world)
        etl(world, limit=None, schedule={"cron": "0 2 * * *"})
        names = runs(world, 3)
        assert await all_end(world, 600) == dict.fromkeys(names, "Succeeded")
        assert order.most == 1


async def test_the_order_is_by_priority_then_by_logical_date_then_by_creation() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world, priority=3)
        world.run("first", workflow="etl")
        await world.clock.advance(1)
        world.run("late", workflow="etl", logicalDate="2025-06-01T00:00:00Z")
        world.run("b-low", workflow="etl", priority=-1, logicalDate="2020-01-01T00:00:00Z")
        world.run("high", workflow="etl", priority=4, logicalDate="2025-07-01T00:00:00Z")
        world.run("early", workflow="etl", logicalDate="2025-01-01T00:00:00Z")
        await world.clock.advance(2)
        world.run("same-later", workflow="etl", logicalDate="2025-06-01T00:00:00Z")
        world.run("workflows", workflow="etl", priority=3, logicalDate="2025-02-01T00:00:00Z")
        await all_end(world)
        assert order.began == ["first", "high", "early", "workflows", "late", "same-later", "b-low"]


async def test_a_run_reads_its_workflow_anew_when_its_turn_comes() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world)
        runs(world, 2)
        await world.clock.advance(1)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"tasks": [{"name": "mended", "command": ["true"]}]}})
        await all_end(world)
        assert (world.phases("r1"), world.phases("r2")) == ({"a": "Succeeded"}, {"mended": "Succeeded"})


async def test_a_limit_that_is_raised_lets_those_go_who_may() -> None:
    async with World({"a": Play(seconds=1000)}) as world:
        order = Order(world)
        etl(world)
        runs(world, 6)
        await world.clock.advance(2)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"concurrency": {"maxActiveRuns": 3}}})
        await world.clock.advance(2)
        assert (order.began, order.most) == (["r1", "r2", "r3"], 3)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"concurrency": None}})
        await world.clock.advance(2)
        assert len(order.began) == 6


async def test_a_run_that_is_retried_goes_at_once_and_counts() -> None:
    async with World({"a": [Play(seconds=20, exit_code=1), Play(seconds=60)]}) as world:
        etl(world)
        runs(world, 3)
        assert await world.ended("r1", 30) == "Failed"
        assert (await world.answered(world.act("Retry")))[0] == "Applied"
        await world.clock.advance(2)
        assert phases(world) == {"r1": "Running", "r2": "Running", "r3": "Queued"}
        assert await world.ended("r2", 40) == "Failed"
        await world.clock.advance(2)
        assert phases(world) == {"r1": "Running", "r2": "Failed", "r3": "Queued"}
        assert await world.ended("r1", 80) == "Succeeded"
        await world.clock.advance(2)
        assert phases(world)["r3"] == "Running"


async def test_a_workflow_whose_status_changes_wakes_nobody() -> None:
    async with World({"a": Play(seconds=1000)}) as world:
        etl(world)
        runs(world, 50)
        await world.clock.advance(5)
        world.api.requests.clear()
        for number in range(20):
            world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"metadata": {"labels": {"n": str(number)}}})
        await world.clock.advance(5)
        assert [request for request in world.api.requests if request.resource != "workflows"] == []
        assert len(world.api.requests) <= 2


@pytest.mark.parametrize("how", ["cancel", "delete", "refuse"])
async def test_a_run_that_leaves_the_line_lets_the_next_go(how: str) -> None:
    params = {"n": {"type": "integer", "default": 1}}
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world, params=params)
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl", **({"params": {"n": "no number"}} if how == "refuse" else {}))
        world.run("r3", workflow="etl")
        await world.clock.advance(1)
        if how == "cancel":
            world.store.patch(RUNS, NAMESPACE, "r2", {"spec": {"stop": "Cancel"}})
        elif how == "delete":
            world.store.delete(RUNS, NAMESPACE, "r2")
        await all_end(world, 60)
        assert order.began == ["r1", "r3"]
        assert phases(world).get("r2") == {"cancel": "Cancelled", "delete": None, "refuse": "Refused"}[how]
        await nothing_is_left(world)


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_run_under_way_that_goes_lets_the_next_go(how: str) -> None:
    async with World({"a": [Play(seconds=float("inf"))]}) as world:
        etl(world)
        runs(world, 2)
        await world.clock.advance(1)
        if how == "cancel":
            world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        else:
            world.store.delete(RUNS, NAMESPACE, "r1")
        await world.until(lambda: world.phase("r2") == "Running", 30)


async def test_a_run_that_is_suspended_while_it_waits_lets_others_go_first() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world)
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl", suspend=True)
        world.run("r3", workflow="etl")
        await world.until(lambda: world.phase("r3") == "Succeeded", 60)
        assert said(world, "r2") == ("Queued", "Suspended", "spec.suspend is true: it waits, and others go first")
        world.store.patch(RUNS, NAMESPACE, "r2", {"spec": {"suspend": False}})
        await all_end(world, 60)
        assert order.began == ["r1", "r3", "r2"]


async def test_a_run_that_can_t_be_read_holds_nobody_up() -> None:
    async with World() as world:
        etl(world)
        world.store.create(
            RUNS,
            {
                "apiVersion": "windlass.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {"name": "r1", "namespace": NAMESPACE},
                "spec": {"workflow": "etl", "params": {"x": 1}},
                "status": {"phase": "Queued", "tasks": 7},
            },
        )
        world.run("r2", workflow="etl", priority=-5)
        assert await world.ended("r2", 30) == "Succeeded"


@pytest.mark.parametrize("error", [Invalid("status.tasks: unknown", 422), ServerError("boom", 500)])
async def test_a_run_whose_status_is_never_taken_holds_nobody_up(error: Any) -> None:
    async with World() as world:
        etl(world)
        world.api.inject = on("update", "workflowruns", Fault(How.REFUSED, error), times=10**9, name="bad")
        world.run("bad", workflow="etl", priority=9)
        runs(world, 3)
        if isinstance(error, Invalid):
            assert [await world.ended(name, 60) for name in ("r1", "r2", "r3")] == ["Succeeded"] * 3
        world.api.inject = lambda request: None
        assert set((await all_end(world, 300)).values()) == {"Succeeded"}


async def test_runs_of_backfills_take_no_turn() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        etl(world)
        world.run("live", workflow="etl")
        world.run("past-1", **slot(-48, trigger="Backfill", backfill="b"))
        world.run("past-2", **slot(-24, trigger="Backfill", backfill="b"))
        await world.clock.advance(2)
        assert phases(world) == dict.fromkeys(("live", "past-1", "past-2"), "Running")
        await all_end(world)
        await nothing_is_left(world)
