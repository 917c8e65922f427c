"""The safety protocol for the instances of a forEach: none is lost, none is started twice, each is counted once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from support.faults import LOST, launches, on
from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Conflict, ServerError
from windlass.resources import PODS, RUNS

FOREVER = float("inf")
TASKS: list[dict[str, Any]] = [
    {"name": "list", "command": ["true"]},
    {
        "name": "load",
        "dependsOn": ["list"],
        "command": ["load", "{{ item }}"],
        "forEach": {"items": "{{ tasks.list.outputs.files }}", "maxActive": 3},
        "retry": {"limit": 1, "delay": "2s"},
    },
    {"name": "sum", "dependsOn": ["load"], "command": ["{{ tasks.load.outputs | map(attribute='n') | sum }}"]},
]
PLAYS: dict[str, Play | list[Play]] = {
    "list": outputs(files=["a", "b", "c", "d", "e"]),
    **{f"load[{index}]": outputs(n=10**index) for index in range(5)},
    "load[1]": [Play(exit_code=1), outputs(n=10)],
}
LAUNCHES = Counter(
    {("list", 1): 1, ("sum", 1): 1, ("load[1]", 2): 1, **{(f"load[{index}]", 1): 1 for index in range(5)}}
)


def counts(world: World) -> dict[str, Any]:
    """The instances of the task, counted."""
    shown = world.task("load")["instances"]
    return {key: value for key, value in shown.items() if key not in ("digest", "detail")}


async def whole(world: World) -> None:
    """A controller that is killed is started again; then everything passes that has a time."""
    for seconds in (*[1.0] * 80, *[100.0] * 60):
        await world.clock.advance(seconds)
        if world.api.killed:
            await world.kill()
            await world.clock.advance(3)
            await world.start()


async def requests_of_a_whole_run() -> int:
    async with World(PLAYS) as world:
        world.run(tasks=TASKS)
        await whole(world)
        return len(world.api.requests)


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER])
async def test_killed_at_each_request_of_a_repeated_task_the_end_is_the_same(how: How) -> None:
    total = await requests_of_a_whole_run()
    assert total > 30
    for number in range(total):
        async with World(PLAYS) as world:
            count = -1

            def inject(_: Request, number: int = number) -> Fault | None:
                nonlocal count
                count += 1
                return Fault(how) if count == number else None

            world.api.inject = inject
            world.run(tasks=TASKS)
            await whole(world)
            told = f"request {number}: {world.told()}"
            assert world.phase() == "Succeeded", told
            assert counts(world) == {"total": 5, "succeeded": 5}, told
            assert launches(world) == LAUNCHES, told
            assert world.kubelet.most_live <= 3, told
            assert (world.pods(), world.leftovers()) == ([], {}), told


@pytest.mark.parametrize("moment", [0.25 * step for step in range(4, 44, 3)])
async def test_killed_at_any_moment_a_repeated_task_ends_the_same(moment: float) -> None:
    async with World(PLAYS) as world:
        world.run(tasks=TASKS)
        await world.clock.advance(moment)
        await world.kill()
        await world.clock.advance(20)
        await world.start()
        assert await world.ended() == "Succeeded"
        assert launches(world) == LAUNCHES
        assert counts(world) == {"total": 5, "succeeded": 5}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(How.LOST_ANSWER, LOST),
        Fault(How.REFUSED, LOST),
        Fault(How.REFUSED, ServerError("boom", 500)),
        Fault(How.LATE, LOST, after=30),
        Fault(How.SLOW, after=2),
    ],
    ids=lambda fault: fault.how.name,
)
async def test_a_create_of_an_instance_that_goes_wrong_makes_one_pod(fault: Fault) -> None:
    async with World(PLAYS) as world:
        world.api.inject = on("create", "pods", fault, times=4, name="load")
        world.run(tasks=TASKS)
        assert await world.ended() == "Succeeded"
        assert launches(world) == LAUNCHES


async def test_status_writes_that_conflict_change_nothing_in_the_end() -> None:
    async with World(PLAYS) as world:
        count = 0

        def inject(request: Request) -> Fault | None:
            nonlocal count
            count += request.verb == "update"
            return Fault(How.REFUSED, Conflict("newer", 409)) if request.verb == "update" and count % 2 else None

        world.api.inject = inject
        world.run(tasks=TASKS)
        assert await world.ended() == "Succeeded"
        assert (launches(world), counts(world)) == (LAUNCHES, {"total": 5, "succeeded": 5})


async def test_a_pod_of_an_instance_deleted_by_force_is_made_again_out_of_the_infra_budget() -> None:
    plays = {
        "list": outputs(files=["a", "b", "c"]),
        "load": outputs(n=1),
        "load[1]": [Play(seconds=FOREVER), outputs(n=5)],
    }
    async with World(plays) as world:
        world.run(tasks=[TASKS[0], {**TASKS[1], "retry": {"limit": 0}}, TASKS[2]])
        await world.until(lambda: counts_or_none(world).get("succeeded") == 2)
        (pod,) = [pod for pod in world.pods() if pod["metadata"]["labels"].get("windlass.dev/index") == "1"]
        world.store.patch(PODS, NAMESPACE, pod["metadata"]["name"], {"metadata": {"finalizers": []}})
        world.store.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace=0)
        assert await world.ended() == "Succeeded"
        assert launches(world)["load[1]", 2] == 1
        assert counts(world) == {"total": 3, "succeeded": 3}
        # It was looked for before it was given up.
        assert ("get", pod["metadata"]["name"]) in {(request.verb, request.name) for request in world.api.requests}


async def test_pods_that_no_status_names_are_followed_though_nothing_may_start() -> None:
    """Killed before the write that names them; then the run is suspended, and they come to their end all the same."""
    plays = {"list": outputs(files=["a", "b"]), "load": Play(seconds=3, message='{"n": 1}')}
    async with World(plays) as world:
        world.api.inject = lambda request: (
            Fault(How.KILLED_BEFORE) if request.verb == "update" and launches(world)["load[1]", 1] else None
        )
        world.run(tasks=TASKS)
        await world.until(lambda: world.api.killed)
        assert counts_or_none(world) == {}
        world.api.inject = lambda request: None
        await world.kill()
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"suspend": True}})
        await world.start()
        await world.clock.advance(10)
        assert world.phase() == "Suspended"
        assert counts(world) == {"total": 2, "succeeded": 2}
        assert launches(world) == {("list", 1): 1, ("load[0]", 1): 1, ("load[1]", 1): 1}


async def test_a_pod_of_an_instance_holds_its_result_until_it_is_stored() -> None:
    plays = {"list": outputs(files=["a", "b"]), "load": outputs(n=1)}
    async with World(plays) as world:
        world.api.inject = lambda request: (
            Fault(How.REFUSED, ServerError("boom", 500)) if request.verb == "update" and len(world.pods()) > 1 else None
        )
        world.run(tasks=TASKS)
        await world.clock.advance(120)
        held = [pod for pod in world.pods() if pod["metadata"]["labels"]["windlass.dev/task"] == "load"]
        assert len(held) == 2
        assert all(pod["status"]["phase"] == "Succeeded" and pod["metadata"]["finalizers"] for pod in held)
        world.api.inject = lambda request: None
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("list", 1): 1, ("load[0]", 1): 1, ("load[1]", 1): 1, ("sum", 1): 1}


def counts_or_none(world: World) -> dict[str, Any]:
    tasks = world.status().get("tasks") or ()
    return next((task.get("instances") or {} for task in tasks if task["name"] == "load"), {})


async def test_a_pod_that_vanished_while_the_controller_was_away_is_found_out() -> None:
    plays = {
        "list": outputs(files=["a", "b"]),
        "load[0]": [Play(seconds=FOREVER), outputs(n=1)],
        "load[1]": outputs(n=5),
    }
    async with World(plays) as world:
        world.run(tasks=TASKS)
        await world.until(
            lambda: counts_or_none(world).get("running") == 1 and counts_or_none(world).get("succeeded") == 1
        )
        await world.kill()
        (pod,) = [pod for pod in world.pods() if pod["metadata"]["labels"].get("windlass.dev/index") == "0"]
        world.store.patch(PODS, NAMESPACE, pod["metadata"]["name"], {"metadata": {"finalizers": []}})
        world.store.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace=0)
        await world.start()
        assert await world.ended() == "Succeeded"
        assert launches(world)["load[0]", 1] == 1
        assert launches(world)["load[0]", 2] == 1
