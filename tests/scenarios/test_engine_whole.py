"""Large and long: every boundary of a whole life, many runs at once, and a store full of history."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from support.faults import LOST, launches
from support.kubelet import COMMIT, Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import ServerError
from windlass.plan.budget import MAX_STATUS
from windlass.resources import CLAIMS, RUNS

WHOLE: dict[str, Any] = {
    "source": {"git": {"repo": "https://git.example.com/a.git"}},
    "workspace": {"size": "1Gi", "mountPath": "/data"},
    "concurrency": {"maxActiveTasks": 1},
    "tasks": [
        {"name": "a", "command": ["true"]},
        {"name": "b", "command": ["true"], "dependsOn": ["a"], "retry": {"limit": 1, "delay": "2s"}},
    ],
    "finally": [{"name": "clean", "command": ["true"]}],
}
WHOLE_PLAYS: dict[str, Play | list[Play]] = {"a": outputs(n=1), "b": [Play(exit_code=1), Play()]}


async def the_whole(world: World) -> None:
    """Two runs of one workflow share a slot; a controller that is killed is started again."""
    world.workflow("etl", WHOLE)
    world.run("etl-1", workflow="etl")
    world.run("etl-2", workflow="etl")
    for seconds in (*[0.5] * 80, *[20.0] * 12, *[1000.0] * 5):
        world.collects_every = max(0.5, seconds / 4)
        await world.clock.advance(seconds)
        if world.api.killed:
            await world.kill()
            await world.clock.advance(2)
            await world.start()


async def requests_of_the_whole() -> int:
    async with World(WHOLE_PLAYS) as world:
        await the_whole(world)
        return len(world.api.requests)


@pytest.mark.parametrize(("how", "first"), [(How.KILLED_BEFORE, 0), (How.KILLED_AFTER, 2)])
async def test_killed_at_requests_of_two_runs_that_share_a_slot_the_end_is_the_same(how: How, first: int) -> None:
    """Every fourth request is enough here: all of them are tried for one run elsewhere."""
    total = await requests_of_the_whole()
    assert total > 40
    for number in range(first, total, 4):
        async with World(WHOLE_PLAYS) as world:
            count = -1

            def inject(_: Request, number: int = number) -> Fault | None:
                nonlocal count
                count += 1
                return Fault(how) if count == number else None

            world.api.inject = inject
            await the_whole(world)
            told = (number, world.told())
            assert (world.phase("etl-1"), world.phase("etl-2")) == ("Succeeded", "Succeeded"), told
            assert set(launches(world).values()) == {2}, told
            assert len(launches(world)) == 5, told
            assert world.kubelet.most_live == 1, told
            assert world.status("etl-1")["source"]["commit"] == COMMIT
            assert (world.pods(), world.store.list(CLAIMS, NAMESPACE), world.leftovers()) == ([], [], {}), number


def task(dice: random.Random, number: int) -> dict[str, Any]:
    one: dict[str, Any] = {"name": f"t{number}", "command": ["true"], "timeout": "1m"}
    if number and dice.random() < 0.7:
        one["dependsOn"] = [f"t{dice.randrange(number)}"]
        one["triggerRule"] = dice.choice(["AllSuccess", "AllDone", "NoneFailed", "OneFailed"])
    if dice.random() < 0.5:
        one["retry"] = {"limit": 2, "delay": "3s"}
    return one


@pytest.mark.parametrize("seed", [1])
async def test_after_sixty_troubled_runs_nothing_is_left(seed: int) -> None:
    dice = random.Random(seed)
    faults = (
        Fault(How.LOST_ANSWER, LOST),
        Fault(How.REFUSED, ServerError("boom", 500)),
        Fault(How.SLOW, after=2),
        Fault(How.LATE, LOST, after=30),
    )
    plays = [Play(seconds=0.5), Play(seconds=20), Play(exit_code=1), Play(seconds=float("inf")), outputs(n=1)]
    async with World(script=lambda _task, _attempt: dice.choice(plays)) as world:
        world.api.inject = lambda request: (
            dice.choice(faults) if request.verb != "list" and dice.random() < 0.15 else None
        )
        limits = {"concurrency": {"maxActiveTasks": 5}, "history": {"succeeded": 100, "failed": 100}}
        world.workflow("etl", {**limits, "tasks": [task(dice, n) for n in range(4)]})
        for number in range(60):
            name = f"r{number}"
            if number % 2:
                world.run(name, workflow="etl")
            else:
                world.run(name, tasks=[task(dice, n) for n in range(3)], workspace={"size": "1Gi", "keep": "Never"})
            await world.clock.advance(dice.random() * 3)
            if number % 10 == 9:
                world.api.cut_watches()
                world.store.patch(RUNS, NAMESPACE, f"r{number - 4}", {"spec": {"stop": "Cancel"}})
                world.store.delete(RUNS, NAMESPACE, f"r{number - 7}")
            if number % 25 == 24:
                await world.kill()
                await world.start()
        deleted = {f"r{number - 7}" for number in range(9, 60, 10)}
        for number in range(60):
            if f"r{number}" not in deleted:
                assert await world.ended(f"r{number}", seconds=7200) != "Refused"
        world.api.inject = lambda request: None
        world.collects_every = 60
        await world.clock.advance(5000)
        assert (world.pods(), world.store.list(CLAIMS, NAMESPACE), world.leftovers()) == ([], [], {})
        assert len(world.engine.queue) == 0


async def test_ten_thousand_runs_of_the_past_cost_nothing() -> None:
    async with World() as world:
        world.run("past", tasks=WHOLE["tasks"], workspace={"size": "1Gi", "mountPath": "/data", "keep": "Always"})
        assert await world.ended("past") == "Succeeded"
        await world.clock.advance(1)
        await world.kill()
        storage = (RUNS.group, RUNS.plural)
        one = world.store.get(RUNS, NAMESPACE, "past")
        del one["status"]["workspace"]
        for number in range(10_000):
            name = f"past-{number}"
            made = world.run(name, **one["spec"]["workflowSpec"])
            world.store.put(storage, (NAMESPACE, name), made | {"status": one["status"]})
        world.store.delete(RUNS, NAMESPACE, "past")
        await world.clock.advance(200)
        await world.start()
        assert (len(world.engine.runs), len(world.engine.queue)) == (0, 0)
        assert {request.verb for request in world.api.requests} == {"list"}
        world.api.requests.clear()
        world.run("now", tasks=WHOLE["tasks"])
        began = world.clock.monotonic()
        assert await world.ended("now") == "Succeeded"
        assert world.clock.monotonic() - began < 15
        assert len(world.api.requests) < 20


async def test_a_run_with_a_status_of_a_mebibyte_goes_on_and_stays_within_it() -> None:
    """A thousand tasks whose attempts fail with all they may say, and others that put out what they may."""
    tasks = [
        {"name": f"t{number}", "command": ["x"], "retry": {"limit": 1, "delay": "1s"}, "allowFailure": True}
        for number in range(240)
    ]
    loud = Play(exit_code=1, message="\n".join(f"line {number} of a long story" for number in range(120)))
    full = Play(message='{"text": "' + "x" * 4000 + '"}')

    def script(name: str, _attempt: int) -> Play:
        return full if int(name[1:]) % 2 else loud

    async with World(script=script) as world:
        world.run(tasks=tasks)
        await world.clock.advance(2)
        await world.kill()
        await world.start()
        assert await world.ended() in ("Succeeded", "Failed")
        assert MAX_STATUS * 0.5 < len(json.dumps(world.status(), separators=(",", ":"))) <= MAX_STATUS
        assert all(status["phase"] in ("Succeeded", "Failed") for status in world.status()["tasks"])
        assert max(launches(world).values()) == 1
