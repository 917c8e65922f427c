"""Deadlines in a whole engine: a run that is late is told once, wherever it stands and whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.faults import LOST
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.models.common import format_time
from windlass.resources import RUNS, WORKFLOWS

ONE = [{"name": "a", "command": ["true"]}]
DEADLINE = {"deadline": {"after": "1m"}}


def late(world: World, name: str = "r1") -> str | None:
    """When it was found that the run is late, in seconds of the clock."""
    found = [one for one in world.status(name).get("conditions") or () if one["type"] == "DeadlineMissed"]
    assert len(found) <= 1
    return found[0]["lastTransitionTime"] if found else None


def told(world: World) -> int:
    return world.watcher.events.count(("DeadlineMissed", None))


def at(seconds: float) -> str:
    return format_time(START + timedelta(seconds=seconds))


async def test_a_run_under_way_is_late_and_goes_on() -> None:
    async with World({"a": Play(seconds=300)}) as world:
        world.run(tasks=ONE, **DEADLINE)
        await world.clock.advance(59)
        assert (late(world), world.status()["deadline"]) == (None, at(60))
        await world.clock.advance(2)
        assert (late(world), told(world), world.phase()) == (at(60), 1, "Running")
        assert await world.ended() == "Succeeded"
        assert (late(world), told(world)) == (at(60), 1)


async def test_a_run_that_ends_in_time_is_never_late() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        world.run(tasks=ONE, **DEADLINE)
        assert await world.ended() == "Succeeded"
        await world.clock.advance(1000)
        assert (late(world), told(world)) == (None, 0)


async def test_a_run_that_has_not_even_started_is_late() -> None:
    async with World({"a": Play(seconds=300)}) as world:
        world.workflow("etl", {"tasks": ONE, "concurrency": {"maxActiveRuns": 1}, **DEADLINE})
        world.run("r1", workflow="etl")
        await world.clock.advance(10)
        world.run("r2", workflow="etl")
        await world.clock.advance(70)
        assert (late(world, "r2"), world.phase("r2")) == (at(70), "Queued")
        assert (late(world, "r1"), told(world)) == (at(60), 2)
        await world.ended("r2")
        assert (late(world, "r2"), told(world)) == (at(70), 2)


async def test_a_run_that_waits_for_its_past_or_is_suspended_is_late() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        world.workflow("etl", {"tasks": ONE, "dependsOnPast": True, "concurrency": {"maxActiveRuns": 1}, **DEADLINE})
        for hour in (0, 1):
            due = format_time(START - timedelta(hours=1 - hour))
            world.run(f"s{hour}", workflow="etl", logicalDate=due, slot={"trigger": "Schedule", "scheduledAt": due})
        world.run("held", workflow="etl", suspend=True)
        await world.clock.advance(61)
        assert (late(world, "s0"), late(world, "s1"), late(world, "held")) == (at(0), at(60), at(60))
        assert (world.phase("s1"), world.phase("held"), told(world)) == ("Queued", "Queued", 3)


async def test_a_deadline_from_the_start_does_not_count_the_wait() -> None:
    deadline = {"deadline": {"after": "1m", "from": "Started"}}
    async with World({"a": Play(seconds=90)}) as world:
        world.workflow("etl", {"tasks": ONE, "concurrency": {"maxActiveRuns": 1}, **deadline})
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl")
        await world.clock.advance(80)
        assert (late(world, "r1"), late(world, "r2")) == (at(60), None)
        await world.clock.advance(90)
        started = world.status("r2")["startedAt"]
        assert late(world, "r2") is not None
        assert started > at(80)


async def test_a_deadline_that_is_changed_counts_for_runs_that_wait() -> None:
    async with World({"a": Play(seconds=500)}) as world:
        world.workflow("etl", {"tasks": ONE, "concurrency": {"maxActiveRuns": 1}, "deadline": {"after": "1h"}})
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl")
        await world.clock.advance(5)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"deadline": {"after": "2m"}}})
        await world.clock.advance(130)
        assert (late(world, "r1"), late(world, "r2")) == (None, at(120))


@pytest.mark.parametrize("moment", [5.0, 59.0, 61.0, 200.0])
@pytest.mark.parametrize("away", [1.0, 100.0])
async def test_a_controller_that_was_away_tells_of_it_when_it_is_back(moment: float, away: float) -> None:
    async with World({"a": Play(seconds=900)}) as world:
        world.workflow("etl", {"tasks": ONE, "concurrency": {"maxActiveRuns": 1}, **DEADLINE})
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl")
        await world.clock.advance(moment)
        await world.kill()
        await world.clock.advance(away)
        await world.start()
        await world.clock.advance(max(0.0, 61 - moment - away) + 2)
        assert told(world) == 2
        assert late(world, "r1") == late(world, "r2")


async def test_a_run_that_ended_unseen_after_its_deadline_is_late() -> None:
    async with World({"a": Play(seconds=70)}) as world:
        world.run(tasks=ONE, **DEADLINE)
        await world.clock.advance(30)
        await world.kill()
        await world.clock.advance(100)
        await world.start()
        assert await world.ended() == "Succeeded"
        assert late(world) is not None
        assert told(world) == 1


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER, How.LOST_ANSWER])
async def test_it_is_told_once_though_the_write_goes_wrong(how: How) -> None:
    async with World({"a": Play(seconds=900)}) as world:
        world.run(tasks=ONE, **DEADLINE)
        await world.clock.advance(50)
        fault = Fault(how, LOST)
        done = 0

        def inject(request: Request) -> Fault | None:
            nonlocal done
            if request.verb == "update" and done == 0:
                done += 1
                return fault
            return None

        world.api.inject = inject
        await world.clock.advance(15)
        if world.api.killed:
            await world.kill()
            await world.start()
        await world.clock.advance(120)
        assert late(world) is not None
        assert (done, told(world) <= 1) == (1, True)


async def test_deadlines_of_many_runs_that_wait_cost_a_write_and_an_event_each() -> None:
    async with World({"a": Play(seconds=5000)}) as world:
        world.workflow("etl", {"tasks": ONE, "concurrency": {"maxActiveRuns": 1}, **DEADLINE})
        for number in range(200):
            world.run(f"r{number}", workflow="etl")
        await world.clock.advance(50)
        world.api.requests.clear()
        await world.clock.advance(20)
        assert told(world) == 200
        counted: dict[tuple[str, str], Any] = {}
        for request in world.api.requests:
            counted[request.verb, request.resource] = counted.get((request.verb, request.resource), 0) + 1
        assert counted == {("get", "workflows"): 199, ("update", "workflowruns"): 200, ("create", "events"): 200}
        assert all((run.get("status") or {}).get("deadline") == at(60) for run in world.store.list(RUNS, NAMESPACE))
