"""Nodes, clocks, watches and people at their worst: what broke other engines of this field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from support.faults import LOST, launches, on
from support.kubelet import Play, outputs
from support.store_api import Fault, How
from support.world import NAMESPACE, World
from windlass.models.common import format_time, parse_time
from windlass.names import RESULT_FINALIZER
from windlass.resources import CLAIMS, PODS, REVISIONS, RUNS, WORKFLOWS

ONE = [{"name": "a", "command": ["true"]}]
RETRIED = [{"name": "a", "command": ["true"], "retry": {"limit": 1, "delay": "5s"}}]
FOREVER = float("inf")


def only_pod(world: World) -> dict[str, Any]:
    (pod,) = world.pods()
    return pod


def say(world: World, pod: dict[str, Any], **status: Any) -> None:
    """What a node controller or a kubelet writes."""
    world.store.patch(PODS, NAMESPACE, pod["metadata"]["name"], {"status": status}, "merge", "status")


def lose_node(world: World, pod: dict[str, Any]) -> None:
    """The node is silent: its controller marks the pod, and nothing on it hears of anything any more."""
    world.kubelet._running.discard(pod["metadata"]["uid"])
    moment = format_time(world.clock.now())
    condition = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": moment}
    say(world, pod, conditions=[condition])


async def test_creates_whose_answers_are_always_lost_make_one_pod_an_attempt() -> None:
    async with World({"a": [Play(exit_code=1), Play()]}) as world:
        world.api.inject = on("create", "pods", Fault(How.LOST_ANSWER, LOST), times=10**9)
        world.run(tasks=RETRIED)
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}


async def test_a_node_that_is_lost_with_its_delete_event_is_found_out() -> None:
    async with World({"a": [Play(seconds=FOREVER), Play()]}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        pod = only_pod(world)
        world.api.watches_open = False
        lose_node(world, pod)
        world.store.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace=0)
        await world.clock.advance(5)
        world.api.watches_open = True
        world.api.cut_watches()
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}


async def test_a_node_that_comes_up_late_finds_its_attempt_given_up_and_one_result_counts() -> None:
    async with World({"a": [Play(seconds=FOREVER), outputs(by=2)]}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        pod = only_pod(world)
        lose_node(world, pod)
        await world.clock.advance(60)
        assert launches(world) == {("a", 1): 1}
        assert world.task("a")["reason"] == "NodeUnreachable"
        world.api.inject = on("delete", "pods", Fault(How.LATE, LOST, after=30))
        await world.until(lambda: launches(world)[("a", 2)] == 1, seconds=700)
        world.kubelet._end(pod, 0, "", '{"by": 1}')
        assert await world.ended() == "Succeeded"
        task = world.task("a")
        assert (task["outputs"], [attempt["number"] for attempt in task["attempts"]]) == ({"by": 2}, [1, 2])
        assert task["attempts"][0]["reason"] == "NodeLost"
        await world.clock.advance(5000)
        assert world.pods() == []


async def test_a_node_that_comes_back_in_time_keeps_its_attempt() -> None:
    async with World({"a": Play(seconds=FOREVER)}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        pod = only_pod(world)
        lose_node(world, pod)
        await world.clock.advance(500)
        world.kubelet._end(pod, 0, "", '{"n": 1}')
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1}


async def test_an_eviction_that_the_watch_has_yet_to_tell_fails_nothing_early() -> None:
    async with World({"a": [Play(seconds=FOREVER), outputs(n=2)]}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        pod = only_pod(world)
        world.api.watches_open = False
        world.kubelet._running.discard(pod["metadata"]["uid"])
        say(world, pod, phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
        world.store.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace=0)
        await world.clock.advance(30)
        assert (world.phase(), world.phases()["a"]) == ("Running", "Running")
        world.api.watches_open = True
        world.api.cut_watches()
        assert await world.ended() == "Succeeded"
        first = world.task("a")["attempts"][0]
        assert (first["class"], first["reason"]) == ("Infra", "Evicted")
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}


async def test_a_result_is_taken_though_somebody_stripped_the_finalizer() -> None:
    async with World({"a": Play(seconds=20, message='{"n": 1}')}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        name = only_pod(world)["metadata"]["name"]
        world.store.patch(PODS, NAMESPACE, name, {"metadata": {"finalizers": []}})
        assert await world.ended() == "Succeeded"
        assert world.task("a")["outputs"] == {"n": 1}
        assert launches(world) == {("a", 1): 1}


async def test_a_pod_holds_its_result_until_it_is_stored() -> None:
    async with World({"a": outputs(n=1)}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Starting")
        world.api.inject = on("update", "workflowruns", Fault(How.REFUSED, LOST), times=10**9)
        await world.clock.advance(300)
        assert RESULT_FINALIZER in only_pod(world)["metadata"]["finalizers"]
        assert [request for request in world.api.requests if request.verb == "patch"] == []
        world.api.inject = lambda request: None
        assert await world.ended() == "Succeeded"
        await world.clock.advance(1)
        assert world.pods() == []


CLOCKS = {"an hour ahead": timedelta(hours=1), "an hour behind": timedelta(hours=-1)}


@pytest.mark.parametrize("off", CLOCKS.values(), ids=CLOCKS.keys())
async def test_the_clock_of_a_node_neither_ends_a_task_early_nor_keeps_its_retry(off: timedelta) -> None:
    async with World({"a": [Play(seconds=20, exit_code=1), Play(seconds=20)]}) as world:
        world.kubelet.clock_off = off
        world.run(tasks=[RETRIED[0] | {"timeout": "5m"}])
        assert await world.ended(seconds=120) == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("a", 2): 1}
        for attempt in world.task("a")["attempts"]:
            moments = [parse_time(attempt[key]) for key in ("createdAt", "startedAt", "finishedAt")]
            assert moments == sorted(moments)
            assert moments[-1] <= world.clock.now()


@pytest.mark.parametrize("off", CLOCKS.values(), ids=CLOCKS.keys())
async def test_the_clock_of_a_node_doesn_t_decide_about_timeouts(off: timedelta) -> None:
    async with World({"a": Play(seconds=FOREVER)}) as world:
        world.kubelet.clock_off = off
        world.run(tasks=[ONE[0] | {"timeout": "5m"}])
        assert await world.ended(seconds=400) == "Failed"
        assert world.clock.monotonic() > 300
        assert world.task("a")["attempts"][0]["class"] == "Timeout"


PHASES: dict[str, tuple[dict[str, Any], Callable[[World], bool]]] = {
    "just made": ({}, lambda world: True),
    "pending": ({"workflow": "nowhere"}, lambda world: world.phase() == "Pending"),
    "starting": ({}, lambda world: world.phases().get("a") == "Starting"),
    "running": ({}, lambda world: world.phases().get("a") == "Running"),
    "retrying": ({"plays": Play(exit_code=1)}, lambda world: world.phases().get("a") == "Retrying"),
    "suspended": ({"suspend": True}, lambda world: world.phase() == "Suspended"),
    "stopping": ({"stop": "Cancel"}, lambda world: world.status().get("reason") == "Cancelled"),
    "in finally": ({"plays": Play()}, lambda world: world.phases().get("clean") == "Running"),
    "just ended": ({"plays": Play()}, lambda world: world.phase() == "Succeeded"),
    "failed, its workspace kept": (
        {"plays": Play(exit_code=1), "retry": False},
        lambda world: world.phase() == "Failed",
    ),
}


@pytest.mark.parametrize("watched", [True, False], ids=["seen", "while the watch is away"])
@pytest.mark.parametrize(("how", "there"), PHASES.values(), ids=PHASES.keys())
async def test_a_run_deleted_in_any_phase_leaves_nothing(
    how: dict[str, Any], there: Callable[[World], bool], watched: bool
) -> None:
    how = {"plays": Play(seconds=FOREVER), "retry": True} | how
    async with World({"a": how.pop("plays"), "clean": Play(seconds=30)}) as world:
        tasks = RETRIED if how.pop("retry") else ONE
        spec = {"workspace": {"size": "1Gi", "mountPath": "/data"}, "concurrency": {"maxActiveTasks": 1}}
        definition = {} if "workflow" in how else {"tasks": tasks, "finally": [{**ONE[0], "name": "clean"}], **spec}
        world.run(**definition, **how)
        await world.until(lambda: there(world))
        world.api.watches_open = watched
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(3)
        world.api.watches_open = True
        world.api.cut_watches()
        before = launches(world)
        await world.clock.advance(700)
        assert (world.pods(), world.store.list(CLAIMS, NAMESPACE), world.leftovers()) == ([], [], {})
        assert launches(world) == before
        assert world.watcher.errors == 0


async def test_a_quarantined_run_that_is_mended_goes_on() -> None:
    async with World({"a": outputs(n=1)}) as world:
        world.run(tasks=[*ONE, {"name": "b", "command": ["true"], "dependsOn": ["a"]}])
        await world.until(lambda: world.phases().get("a") == "Running")
        storage, key = (RUNS.group, RUNS.plural), (NAMESPACE, "r1")
        stored = world.store.find(storage, key)
        assert stored is not None
        good = stored.body["status"]
        world.store.put(storage, key, stored.body | {"status": {"phase": "Perhaps"}})
        await world.kill()
        await world.start()
        await world.clock.advance(60)
        assert world.phases() == {}
        broken = world.store.find(storage, key)
        assert broken is not None
        world.store.put(storage, key, broken.body | {"status": good})
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("b", 1): 1}
        assert world.task("a")["outputs"] == {"n": 1}


def revisions(world: World) -> list[str]:
    return [revision["metadata"]["name"] for revision in world.store.list(REVISIONS, NAMESPACE)]


async def test_a_definition_is_kept_while_a_run_names_it_and_collected_then() -> None:
    async with World({"a": Play(seconds=2000)}) as world:
        world.workflow("etl", {"tasks": ONE})
        world.run("etl-1", workflow="etl")
        await world.until(lambda: world.phases("etl-1").get("a") == "Running")
        pinned = world.status("etl-1")["revision"]
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        await world.clock.advance(1500)
        assert revisions(world) == [pinned]
        assert await world.ended("etl-1") == "Succeeded"
        await world.clock.advance(1500)
        assert revisions(world) == [pinned]
        world.store.delete(RUNS, NAMESPACE, "etl-1")
        await world.clock.advance(1500)
        assert revisions(world) == []


async def test_a_definition_that_was_just_pinned_again_is_not_collected() -> None:
    """It is old and nobody named it for long; the run that takes it up comes while the sweep looks around."""
    async with World({"a": Play(seconds=30)}) as world:
        world.workflow("etl", {"tasks": ONE})
        world.run("etl-1", workflow="etl")
        assert await world.ended("etl-1") == "Succeeded"
        await world.clock.advance(1000)
        world.store.delete(RUNS, NAMESPACE, "etl-1")
        due = 300 - world.clock.monotonic() % 300
        world.api.inject = on("list", "controllerrevisions", Fault(How.SLOW, after=5), times=10**9)
        await world.clock.advance(due + 1)
        world.run("etl-2", workflow="etl")
        await world.clock.advance(20)
        assert revisions(world) == [world.status("etl-2")["revision"]]
        await world.kill()
        await world.start()
        assert await world.ended("etl-2") == "Succeeded"


async def test_a_definition_that_somebody_deleted_is_made_again_for_the_next_run() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        world.workflow("etl", {"tasks": ONE})
        world.run("etl-1", workflow="etl")
        assert await world.ended("etl-1") == "Succeeded"
        world.store.delete(REVISIONS, NAMESPACE, world.status("etl-1")["revision"])
        await world.clock.advance(400)
        world.run("etl-2", workflow="etl")
        await world.until(lambda: world.phases("etl-2").get("a") == "Running")
        await world.kill()
        await world.start()
        assert await world.ended("etl-2") == "Succeeded"
