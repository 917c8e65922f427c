"""What a schedule makes of slots that come while runs are under way, and what is kept of runs that have ended."""

from __future__ import annotations

from collections import Counter

from support.clock import DAY, HOUR, MINUTE
from support.conformance import MERGE
from support.kubelet import Play
from support.scheduling import change, runs, spec, status, told
from support.world import NAMESPACE, World
from windlass.engine.scheduler import BURST
from windlass.resources import RUNS, WORKFLOWS

LONG = {"work": Play(seconds=700)}


async def test_skip() -> None:
    async with World(LONG) as world:
        world.workflow("etl", spec(concurrency={"policy": "Skip"}))
        await world.clock.advance(17 * MINUTE)
        assert runs(world) == ["20250401t1205"]
        assert (status(world)["skipped"], world.watcher.passed["skipped"], told(world)) == (2, 2, ["SlotSkipped"] * 2)
        await world.clock.advance(5 * MINUTE)
        assert runs(world) == ["20250401t1205", "20250401t1220"]


async def test_queue() -> None:
    async with World(LONG) as world:
        world.workflow("etl", spec())
        await world.clock.advance(11 * MINUTE)
        assert [world.phase(f"etl-{name}") for name in runs(world)] == ["Running", "Queued"]
        assert (status(world)["activeRuns"], status(world)["queuedRuns"]) == (1, 1)


async def test_replace() -> None:
    async with World(LONG) as world:
        world.workflow("etl", spec(concurrency={"policy": "Replace"}))
        await world.clock.advance(11 * MINUTE)
        assert [world.phase(f"etl-{name}") for name in runs(world)] == ["Cancelled", "Running"]


async def test_history_is_kept_as_the_workflow_says() -> None:
    async with World({"fails": Play(exit_code=1)}) as world:
        kept = {"succeeded": 2, "failed": 1, "ttl": "1h"}
        world.workflow("etl", spec("*/10 * * * *", history=kept))
        world.workflow(
            "bad", {**spec("*/10 * * * *", history=kept), "tasks": [{"name": "fails", "command": ["false"]}]}
        )
        await world.clock.advance(HOUR + 60)
        assert (runs(world), runs(world, "bad")) == (["20250401t1250", "20250401t1300"], ["20250401t1300"])
        change(world, suspend=True)
        change(world, "bad", suspend=True)
        await world.clock.advance(2 * HOUR)
        assert (runs(world), runs(world, "bad")) == ([], [])
        assert status(world)["lastSuccess"]["slot"] == "2025-04-01T13:00:00Z"


async def test_history_of_runs_made_by_hand() -> None:
    async with World() as world:
        world.workflow("etl", {"tasks": spec()["tasks"], "history": {"succeeded": 3}})
        for number in range(8):
            world.run(f"r{number}", workflow="etl")
        await world.clock.advance(60)
        assert len(world.store.list(RUNS, NAMESPACE)) == 3


async def test_history_of_runs_without_a_workflow() -> None:
    async with World() as world:
        world.run("own", tasks=spec()["tasks"])
        world.workflow("etl", {"tasks": spec()["tasks"]})
        world.run("left", workflow="etl")
        await world.clock.advance(60)
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        world.collects_every = MINUTE
        await world.clock.advance(29 * DAY)
        assert len(world.store.list(RUNS, NAMESPACE)) == 2
        await world.clock.advance(DAY + 10 * MINUTE)
        assert world.store.list(RUNS, NAMESPACE) == []


async def test_runs_that_are_due_at_once_are_made_before_any_of_them_goes_on() -> None:
    many = 200
    async with World() as world:
        for number in range(many):
            world.workflow(f"w{number}", spec("5 12 * * *"))
        await world.clock.advance(60)
        world.api.requests.clear()
        await world.until(lambda: world.watcher.ends.total() > 0)
        made = [request.resource for request in world.api.requests if request.verb == "create"]
        first = next(number for number, resource in enumerate(made) if resource != "workflowruns")
        assert made[:first].count("workflowruns") >= many - BURST
        await world.until(lambda: world.watcher.ends.total() == many)
        assert (set(world.watcher.ends.values()), world.watcher.errors) == ({1}, 0)


async def test_of_runs_that_give_way_none_is_forgotten() -> None:
    """One is stopped and one deleted before their turn."""
    many = 100
    async with World() as world:
        for number in range(many):
            world.workflow(f"w{number}", spec("5 12 * * *"))
        await world.clock.advance(60)
        await world.until(lambda: world.watcher.fired.total() >= many // 2)
        world.store.patch(RUNS, NAMESPACE, "w1-20250401t1205", {"spec": {"stop": "Cancel"}}, MERGE)
        world.store.delete(RUNS, NAMESPACE, "w2-20250401t1205")
        await world.clock.advance(60)
        phases = Counter(run["status"]["phase"] for run in world.store.list(RUNS, NAMESPACE))
        assert (phases["Succeeded"], phases["Cancelled"], phases.total()) == (many - 2, 1, many - 1)
        assert world.watcher.errors == 0
