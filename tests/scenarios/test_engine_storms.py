"""What goes wrong for ever costs few requests, and no other run notices."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults import launches, on
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, ServerError
from windlass.resources import PODS, RUNS

ONE = [{"name": "a", "command": ["true"]}]
ALWAYS = 10**9

NOT_TAKEN: dict[str, ApiError] = {
    "too large for the server": Invalid("Request entity too large: limit is 3145728", 413),
    "too large for etcd": ServerError("etcdserver: request is too large", 500),
    "a schema of an older version": Invalid("status.tasks: unknown", 422),
    "no right to write it": Forbidden("forbidden", 403),
    "a conflict that is none": Conflict("the object has been modified", 409),
    "no status subresource": NotFound("the server could not find the requested resource", 404),
}


@pytest.mark.parametrize("error", NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
async def test_a_status_that_is_never_taken_costs_little_and_stops_no_other_run(error: ApiError) -> None:
    async with World() as world:
        world.workflow("etl", {"concurrency": {"maxActiveTasks": 1}, "tasks": ONE})
        world.api.inject = on("update", "workflowruns", Fault(How.REFUSED, error), times=ALWAYS, name="bad")
        world.run("bad", workflow="etl")
        world.run("bad-alone", tasks=ONE)
        world.run("good", tasks=ONE)
        assert await world.ended("good") == "Succeeded"
        world.api.requests.clear()
        await world.clock.advance(600)
        assert len(world.api.requests) < 250
        world.api.inject = lambda request: None
        assert await world.ended("bad") == "Succeeded"
        assert await world.ended("bad-alone") == "Succeeded"
        assert launches(world)["a", 1] == 3


@pytest.mark.parametrize("error", NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
async def test_a_status_that_is_not_taken_any_more_is_written_once_it_is(error: ApiError) -> None:
    async with World({"a": Play(seconds=5)}) as world:
        world.run(tasks=[*ONE, {"name": "b", "command": ["true"], "dependsOn": ["a"]}])
        await world.until(lambda: world.phases().get("a") == "Running")
        world.api.inject = on("update", "workflowruns", Fault(How.REFUSED, error), times=ALWAYS)
        await world.clock.advance(1)
        world.api.requests.clear()
        await world.clock.advance(600)
        assert len(world.api.requests) < 120
        world.api.inject = lambda request: None
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("b", 1): 1}


async def test_a_pod_that_takes_no_patch_keeps_no_other_from_being_stopped() -> None:
    tasks = [{"name": name, "command": ["true"]} for name in ("done", "sleeps")]
    async with World({"done": Play(seconds=2), "sleeps": Play(seconds=float("inf"))}) as world:
        world.run(tasks=tasks)
        await world.until(lambda: world.phases() == {"done": "Running", "sleeps": "Running"})
        (done,) = (pod["metadata"]["name"] for pod in world.pods() if "done" in pod["metadata"]["name"])
        world.api.inject = on("patch", "pods", Fault(How.REFUSED, Forbidden("by a webhook", 403)), ALWAYS, done)
        await world.clock.advance(5)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended(seconds=120) == "Cancelled"
        assert world.phases() == {"done": "Succeeded", "sleeps": "Cancelled"}


async def test_more_pods_refused_in_a_row_than_one_look_plans_for_are_all_dealt_with() -> None:
    chain: list[dict[str, Any]] = [{"name": "first", "command": ["true"]}]
    for number in range(30):
        chain.append(
            {"name": f"t{number}", "command": ["x"], "dependsOn": [chain[-1]["name"]], "triggerRule": "AllDone"}
        )
    async with World() as world:
        world.api.inject = on("create", "pods", Fault(How.REFUSED, Forbidden("by policy", 403)), ALWAYS, "-t")
        world.run(tasks=chain)
        assert await world.ended(seconds=120) == "Failed"
        assert {task["reason"] for task in world.status()["tasks"][1:]} == {"Forbidden"}


async def test_a_refusal_at_the_end_of_a_look_that_writes_at_once_is_dealt_with() -> None:
    """The look that has planned as often as it may and then writes must come again: nothing else would wake the run."""
    chain: list[dict[str, Any]] = [{"name": "late", "command": ["true"], "timeout": "1s"}]
    for number in range(30):
        chain.append(
            {"name": f"t{number}", "command": ["x"], "dependsOn": [chain[-1]["name"]], "triggerRule": "AllDone"}
        )
    async with World({"late": Play(seconds=1.5), "other": Play(seconds=1.75)}) as world:
        world.api.inject = on("create", "pods", Fault(How.REFUSED, Forbidden("by policy", 403)), ALWAYS, "-t")
        world.run(tasks=[*chain, {"name": "other", "command": ["true"]}])
        assert await world.ended(seconds=120) == "Failed"


async def test_a_run_that_others_patch_all_the_time_still_ends() -> None:
    async with World() as world:
        world.run(tasks=ONE)

        def meddle(request: Request) -> None:
            if (request.verb, request.resource) == ("update", "workflowruns"):
                world.store.patch(
                    RUNS, NAMESPACE, "r1", {"metadata": {"annotations": {"n": str(len(world.api.requests))}}}
                )

        world.api.inject = meddle
        await world.clock.advance(30)
        assert len(world.api.requests) < 3000
        world.api.inject = lambda request: None
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1}


async def test_a_conflict_on_a_pod_that_is_there_is_not_taken_for_its_end() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        world.api.inject = on("patch", "pods", Fault(How.REFUSED, Conflict("has been modified", 409)), times=2)
        world.run(tasks=[*ONE], timeout="10s")
        assert await world.ended() == "Failed"
        assert launches(world) == {("a", 1): 1}
        await world.clock.advance(5000)
        assert world.pods() == []


async def test_a_conflict_on_a_release_loses_no_pod() -> None:
    async with World() as world:
        world.api.inject = on("patch", "pods", Fault(How.REFUSED, Conflict("has been modified", 409)), times=3)
        world.run(tasks=ONE)
        assert await world.ended() == "Succeeded"
        await world.clock.advance(5000)
        assert (world.pods(), world.leftovers()) == ([], {})


async def test_events_that_can_not_be_made_stop_nothing() -> None:
    async with World({"a": [Play(exit_code=1), Play()]}) as world:
        world.api.inject = on("create", "events", Fault(How.REFUSED, Forbidden("no", 403)), ALWAYS)
        world.run(tasks=[{"name": "a", "command": ["true"], "retry": {"limit": 1, "delay": "1s"}}])
        assert await world.ended() == "Succeeded"


@pytest.mark.parametrize("error", [Forbidden("no", 403), ServerError("boom", 500)], ids=["refused", "ill"])
async def test_unused_definitions_that_can_not_be_listed_stop_nothing(error: ApiError) -> None:
    async with World() as world:
        await world.kill()
        world.api.inject = on("list", "controllerrevisions", Fault(How.REFUSED, error), ALWAYS)
        await world.start()
        world.run(tasks=ONE)
        assert await world.ended() == "Succeeded"
        assert world.engine.alive


async def test_a_claim_that_is_refused_fails_the_task_with_its_words() -> None:
    async with World() as world:
        refused = Fault(How.REFUSED, Forbidden("storage is not for you", 403))
        world.api.inject = on("create", "persistentvolumeclaims", refused, ALWAYS)
        world.run(tasks=ONE, workspace={"size": "1Gi", "mountPath": "/data"})
        assert await world.ended() == "Failed"
        assert "storage is not for you" in world.task("a")["message"]
        assert world.pods() == []


async def test_a_workspace_that_was_deleted_is_deleted_once() -> None:
    async with World() as world:
        world.run(tasks=ONE, workspace={"size": "1Gi", "mountPath": "/data"})
        assert await world.ended() == "Succeeded"
        await world.clock.advance(1000)
        world.api.requests.clear()
        await world.clock.advance(3 * 3600)
        assert [request for request in world.api.requests if request.verb != "list"] == []
        assert world.leftovers() == {}


async def test_a_pod_that_was_hidden_from_us_is_removed_and_its_attempt_made_again() -> None:
    """Somebody takes our label off: the watch says that the pod is gone, a live read says that it is there."""
    async with World({"a": [Play(seconds=float("inf")), Play()]}) as world:
        world.run(tasks=ONE)
        await world.until(lambda: world.phases().get("a") == "Running")
        pod = world.pods()[0]["metadata"]["name"]
        world.store.patch(PODS, NAMESPACE, pod, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}})
        assert await world.ended() == "Succeeded"
        await world.clock.advance(5000)
        assert (world.pods(), launches(world)) == ([], {("a", 1): 1, ("a", 2): 1})


async def test_a_label_that_names_another_run_costs_no_pod_its_life() -> None:
    async with World({"a": Play(seconds=30), "b": Play(seconds=30)}) as world:
        world.run(tasks=[*ONE, {"name": "b", "command": ["true"]}])
        await world.until(lambda: world.phases() == {"a": "Running", "b": "Running"})
        pod = world.pods()[0]["metadata"]["name"]
        world.store.patch(PODS, NAMESPACE, pod, {"metadata": {"labels": {"windlass.dev/run": "another"}}})
        assert await world.ended() == "Succeeded"
        assert launches(world) == {("a", 1): 1, ("b", 1): 1}
