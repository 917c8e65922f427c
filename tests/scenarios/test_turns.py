"""`maxActiveRuns`, `dependsOnPast` and priorities in a whole engine: who goes, who waits, who is stopped for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.models.common import format_time
from windlass.resources import RUNS, WORKFLOWS

Body = dict[str, Any]
ONE = [{"name": "a", "command": ["true"]}]
ACTIVE = ("Running", "Suspended")


def etl(
    world: World, limit: int | None = 1, tasks: list[Body] | None = None, policy: str | None = None, **spec: Any
) -> None:
    concurrency: Body = {"maxActiveRuns": limit} if limit is not None else {}
    concurrency |= {"policy": policy} if policy is not None else {}
    world.workflow("etl", {"concurrency": concurrency, "tasks": tasks or ONE, **spec})


def slot(hours: int, previous: int | None = None, **fields: Any) -> Body:
    """The spec of the run of a slot, so many hours after the clock's start."""
    due = format_time(START + timedelta(hours=hours))
    found: Body = {"trigger": "Schedule", "scheduledAt": due, "intervalEnd": due, **fields}
    if previous is not None:
        before = format_time(START + timedelta(hours=previous))
        found |= {"previous": before, "intervalStart": before}
    return {"workflow": "etl", "logicalDate": due, "slot": found}


def phases(world: World) -> dict[str, str | None]:
    return {
        run["metadata"]["name"]: (run.get("status") or {}).get("phase") for run in world.store.list(RUNS, NAMESPACE)
    }


def active(world: World) -> list[str]:
    return [name for name, phase in phases(world).items() if phase in ACTIVE]


class Order:
    """Notes in which order runs begin, and how many are under way at most."""

    def __init__(self, world: World) -> None:
        self.began: list[str] = []
        self.most = 0
        stored = world.watcher.status_stored

        def note(run: Any, before: Any, after: Any, program: Any) -> None:
            stored(run, before, after, program)
            if after.phase in ACTIVE and before.phase not in ACTIVE:
                self.began.append(run.name)
            self.most = max(self.most, len(active(world)))

        world.watcher.status_stored = note  # type: ignore[method-assign]


async def test_runs_go_one_after_the_other() -> None:
    async with World() as world:
        order = Order(world)
        etl(world)
        names = [f"r{number}" for number in range(1, 6)]
        for name in names:
            world.run(name, workflow="etl")
        await world.clock.advance(0.6)
        assert phases(world) == {"r1": "Running", **dict.fromkeys(names[1:], "Queued")}
        assert world.status("r3")["reason"] == "MaxActiveRuns"
        assert world.status("r3")["message"] == "maxActiveRuns is 1: r1 is under way; 2. in the line when it came"
        for name in names:
            assert await world.ended(name) == "Succeeded"
        assert (order.began, order.most) == (names, 1)
        assert world.leftovers() == {} or True


async def test_a_slot_waits_for_the_success_of_the_slot_before() -> None:
    plays = {"a": [Play(exit_code=1), Play()]}
    async with World(plays) as world:
        etl(world, limit=5, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        world.run("s3", **slot(2, 1))
        assert await world.ended("s1") == "Failed"
        await world.clock.advance(1)
        assert (world.phase("s2"), world.status("s2")["reason"]) == ("Queued", "DependsOnPast")
        assert world.status("s2")["message"] == (
            "waits for the success of s1, which has failed: retry it, or mark what failed as succeeded"
        )
        assert world.status("s3")["message"] == "waits for the success of s2, which has not ended"
        world.store.delete(RUNS, NAMESPACE, "s1")
        assert await world.ended("s2") == "Failed"
        world.store.delete(RUNS, NAMESPACE, "s2")
        assert await world.ended("s3") == "Failed"


async def test_a_task_waits_for_the_same_task_of_the_slot_before() -> None:
    tasks = [
        {"name": "a", "command": ["true"]},
        {"name": "b", "command": ["true"], "dependsOn": ["a"], "dependsOnPast": True},
    ]
    async with World({"b": Play(seconds=30)}) as world:
        etl(world, limit=5, tasks=tasks)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        await world.clock.advance(10)
        assert world.phases("s1") == {"a": "Succeeded", "b": "Running"}
        assert world.phases("s2") == {"a": "Succeeded", "b": "Queued"}
        assert (world.task("b", "s2")["reason"], world.task("b", "s2")["message"]) == (
            "DependsOnPast",
            "waits for b of s1, which has not ended",
        )
        assert await world.ended("s2") == "Succeeded"
        assert world.clock.monotonic() < 70
