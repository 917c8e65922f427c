"""The safety protocol, each point broken on purpose: nothing is lost, nothing is started twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Conflict, QuotaExceeded, ServerError, TooManyRequests, Unreachable
from windlass.resources import PODS, RUNS, WORKFLOWS

LOST = Unreachable("no answer")
DIAMOND: list[dict[str, Any]] = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"], "retry": {"limit": 1, "delay": "2s"}},
    {"name": "c", "command": ["true"], "dependsOn": ["a"]},
    {"name": "d", "command": ["true"], "dependsOn": ["b", "c"]},
]
PLAYS: dict[str, Play | list[Play]] = {"a": outputs(n=1), "b": [Play(exit_code=1), Play()]}
LAUNCHES = Counter({("a", 1): 1, ("b", 1): 1, ("b", 2): 1, ("c", 1): 1, ("d", 1): 1})


def launches(world: World) -> Counter[tuple[str, int]]:
    return Counter((task, attempt) for _, task, attempt in world.kubelet.launched)


async def requests_of_a_whole_run() -> int:
    async with World(PLAYS) as world:
        world.run(tasks=DIAMOND)
        await world.ended()
        await world.clock.advance(400)
        return len(world.api.requests)


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER])
async def test_killed_at_each_request_of_a_run_the_end_is_the_same(how: How) -> None:
    total = await requests_of_a_whole_run()
    assert total > 20
    for number in range(total):
        async with World(PLAYS) as world:
            count = 0

            def inject(_: Request, number: int = number) -> Fault | None:
                nonlocal count
                count += 1
                return Fault(how) if count == number + 1 else None

            world.api.inject = inject
            world.run(tasks=DIAMOND)
            for seconds in (*[1.0] * 80, *[100.0] * 60):
                await world.clock.advance(seconds)
                if world.api.killed:
                    await world.kill()
                    await world.clock.advance(3)
                    await world.start()
            assert world.starts == 2
            assert (number, world.phase()) == (number, "Succeeded")
            assert (number, launches(world)) == (number, LAUNCHES)
            assert world.task("a")["outputs"] == {"n": 1}
            assert world.pods() == []


@pytest.mark.parametrize("moment", [0.3 * step for step in range(1, 24)])
async def test_killed_at_any_moment_the_end_is_the_same(moment: float) -> None:
    async with World(PLAYS) as world:
        world.run(tasks=DIAMOND)
        await world.clock.advance(moment)
        await world.kill()
        await world.clock.advance(20)
        await world.start()
        assert await world.ended() == "Succeeded"
        assert launches(world) == LAUNCHES


def on(verb: str, resource: str, fault: Fault, times: int = 1) -> Any:
    """An injector: the first `times` such requests meet the fault."""
    left = times

    def inject(request: Request) -> Fault | None:
        nonlocal left
        if (request.verb, request.resource) != (verb, resource) or left == 0:
            return None
        left -= 1
        return fault

    return inject


CREATES = {
    "the answer is lost": Fault(How.LOST_ANSWER, LOST),
    "it is carried out a minute later": Fault(How.LATE, LOST, after=60),
    "it is carried out ninety seconds later": Fault(How.LATE, LOST, after=90),
    "it is answered after five seconds": Fault(How.SLOW, after=5),
    "the request is lost": Fault(How.REFUSED, LOST),
    "too many requests": Fault(How.REFUSED, TooManyRequests("slow down", 429, retry_after=7)),
    "the server is ill": Fault(How.REFUSED, ServerError("boom", 500)),
    "the quota is used up": Fault(How.REFUSED, QuotaExceeded("exceeded quota: q", 403)),
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", CREATES.values(), ids=CREATES.keys())
async def test_a_create_that_goes_wrong_makes_one_pod_an_attempt(fault: Fault, times: int) -> None:
    async with World(PLAYS) as world:
        world.api.inject = on("create", "pods", fault, times)
        world.run(tasks=DIAMOND)
        assert await world.ended() == "Succeeded"
        await world.clock.advance(100)
        assert launches(world) == LAUNCHES
        await world.clock.advance(5000)
        assert world.pods() == []


WRITES = {
    "refused for a conflict": Fault(How.REFUSED, Conflict("newer", 409)),
    "refused by an ill server": Fault(How.REFUSED, ServerError("boom", 503)),
    "carried out without an answer": Fault(How.LOST_ANSWER, LOST),
    "lost": Fault(How.REFUSED, LOST),
}


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("fault", WRITES.values(), ids=WRITES.keys())
async def test_a_status_write_that_goes_wrong_changes_nothing_in_the_end(fault: Fault, times: int) -> None:
    async with World(PLAYS) as world:
        world.api.inject = on("update", "workflowruns", fault, times)
        world.run(tasks=DIAMOND)
        assert await world.ended() == "Succeeded"
        assert launches(world) == LAUNCHES
        assert sum(world.watcher.ends.values()) == 1


@pytest.mark.parametrize("seed", range(12))
async def test_two_in_five_requests_fail_and_the_end_is_the_same(seed: int) -> None:
    async with World(PLAYS) as world:
        dice = random.Random(seed)
        faults = (Fault(How.LOST_ANSWER, LOST), Fault(How.REFUSED, ServerError("boom", 500)), Fault(How.SLOW, after=3))
        world.api.inject = lambda request: (
            dice.choice(faults) if dice.random() < 0.4 and request.verb != "list" else None
        )
        world.run(tasks=DIAMOND)
        assert await world.ended() == "Succeeded"
        assert launches(world) == LAUNCHES


async def test_a_run_deleted_while_the_watch_was_away_gets_no_new_pod() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        world.run(tasks=DIAMOND)
        await world.until(lambda: world.phases().get("a") == "Running")
        world.api.watches_open = False
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(2)
        world.api.watches_open = True
        world.api.cut_watches()
        await world.clock.advance(400)
        assert launches(world) == {("a", 1): 1}
        assert world.pods() == []
        assert len(world.engine.runs) == 0


async def test_old_versions_of_a_run_that_is_over_start_nothing() -> None:
    async with World(PLAYS) as world:
        seen = [world.run(tasks=DIAMOND)]
        while world.phase() != "Succeeded":
            seen.append(world.store.get(RUNS, NAMESPACE, "r1"))
            await world.clock.advance(0.1)
        await world.clock.advance(5000)
        assert (world.pods(), len(world.engine.runs)) == ([], 0)
        for old in seen:
            world.engine.run_seen(old)
            await world.clock.advance(10)
        assert launches(world) == LAUNCHES
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(10)
        for old in seen:
            world.engine.run_seen(old)
            await world.clock.advance(10)
        assert launches(world) == LAUNCHES
        assert world.pods() == []


async def test_a_run_made_again_under_its_name_shares_nothing_with_the_first() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        first = world.run(tasks=DIAMOND)
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.delete(RUNS, NAMESPACE, "r1")
        second = world.run(tasks=DIAMOND)
        assert await world.ended() == "Succeeded"
        uids = Counter(uid for uid, _, _ in world.kubelet.launched)
        assert uids == {first["metadata"]["uid"]: 1, second["metadata"]["uid"]: 4}
        await world.clock.advance(5000)
        assert world.pods() == []


async def test_a_run_deleted_while_its_pods_run_leaves_nothing() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        world.run(tasks=DIAMOND)
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(60)
        assert world.pods() == []


async def test_an_edit_of_the_workflow_never_reaches_a_run_under_way() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        world.workflow("etl", {"tasks": DIAMOND})
        world.run("etl-1", workflow="etl")
        await world.until(lambda: world.phases("etl-1").get("a") == "Running")
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"tasks": [{"name": "z", "command": ["true"]}]}})
        await world.kill()
        await world.start()
        world.run("etl-2", workflow="etl")
        assert await world.ended("etl-1") == "Succeeded"
        assert await world.ended("etl-2") == "Succeeded"
        assert (set(world.phases("etl-1")), set(world.phases("etl-2"))) == ({"a", "b", "c", "d"}, {"z"})
        assert world.status("etl-1")["revision"] != world.status("etl-2")["revision"]


async def test_a_workflow_deleted_while_its_run_is_going_takes_nothing_from_it() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        world.workflow("etl", {"tasks": DIAMOND})
        world.run("etl-1", workflow="etl")
        await world.until(lambda: world.phases("etl-1").get("a") == "Running")
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        await world.kill()
        await world.start()
        assert await world.ended("etl-1") == "Succeeded"


async def test_a_run_may_come_before_its_workflow() -> None:
    async with World() as world:
        world.run("etl-1", workflow="etl")
        await world.clock.advance(30)
        assert (world.phase("etl-1"), world.status("etl-1")["reason"]) == ("Pending", "WorkflowNotFound")
        world.workflow("etl", {"tasks": DIAMOND})
        await world.clock.advance(1)
        assert world.phase("etl-1") == "Running"


async def test_a_run_of_an_unknown_workflow_is_refused_after_five_minutes() -> None:
    async with World() as world:
        world.run("etl-1", workflow="etl")
        await world.clock.advance(290)
        assert world.phase("etl-1") == "Pending"
        await world.clock.advance(20)
        assert (world.phase("etl-1"), world.status("etl-1")["reason"]) == ("Refused", "WorkflowNotFound")


PHASES = ["Starting", "Running"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("grace", [0, None], ids=["by force", "in order"])
async def test_a_pod_deleted_by_hand_is_made_again_out_of_the_infra_budget(phase: str, grace: int | None) -> None:
    plays = [Play(seconds=float("inf")), Play()]
    async with World({"a": plays}) as world:
        world.kubelet.start_delay = 5
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        await world.until(lambda: world.phases().get("a") == phase)
        world.store.delete(PODS, NAMESPACE, world.pods()[0]["metadata"]["name"], grace=grace)
        assert await world.ended() == "Succeeded"
        assert world.task("a")["attempts"][0]["class"] == "Infra"
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}


async def test_a_pod_that_vanishes_with_its_finalizer_while_the_watch_is_away_is_found_out() -> None:
    async with World({"a": [Play(seconds=float("inf")), Play()]}) as world:
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        await world.until(lambda: world.phases().get("a") == "Running")
        world.api.watches_open = False
        pod = world.pods()[0]["metadata"]["name"]
        world.store.patch(PODS, NAMESPACE, pod, {"metadata": {"finalizers": []}})
        world.store.delete(PODS, NAMESPACE, pod, grace=0)
        await world.clock.advance(2)
        world.api.watches_open = True
        world.api.cut_watches()
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}


async def test_a_pod_deleted_at_the_instant_it_completes_has_its_result_stored() -> None:
    async with World({"a": outputs(n=42)}) as world:
        world.kubelet.on_end = lambda namespace, name: world.store.delete(PODS, namespace, name, grace=0)
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        assert await world.ended() == "Succeeded"
        assert world.task("a")["outputs"] == {"n": 42}
        assert launches(world) == {("a", 1): 1}


async def test_an_attempt_given_up_while_its_create_is_under_way_never_counts() -> None:
    """The create of attempt 1 is carried out long after the run was cancelled: the pod is deleted on sight."""
    async with World() as world:
        world.api.inject = on("create", "pods", Fault(How.LATE, LOST, after=50), times=5)
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        await world.clock.advance(1)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Terminate"}})
        assert await world.ended() == "Cancelled"
        await world.clock.advance(400)
        assert world.pods() == []
        assert world.phase() == "Cancelled"


async def test_patches_of_a_busy_run_stay_few() -> None:
    async with World() as world:
        world.run(tasks=[{"name": f"t{number}", "command": ["true"]} for number in range(50)])
        assert await world.ended() == "Succeeded"
        writes = [request for request in world.api.requests if request.resource == "workflowruns"]
        assert len(writes) <= 8


async def test_watches_that_break_all_the_time_lose_nothing() -> None:
    async with World(PLAYS) as world:
        world.run(tasks=DIAMOND)
        while world.phase() != "Succeeded":
            world.api.cut_watches()
            await world.clock.advance(0.7)
            assert world.clock.monotonic() < 300
        assert launches(world) == LAUNCHES
