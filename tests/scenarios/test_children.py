"""Tasks that are runs of other Workflows, while children fail, vanish, and controllers die."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults import LOST, on
from support.kubelet import Play, outputs
from support.store_api import Fault, How
from support.world import NAMESPACE, Body, World
from windlass.errors import NotPermitted, ServerError
from windlass.resources import RUNS

CHILD = [{"name": "count", "command": ["true"], "env": [{"name": "N", "value": "{{ params.n }}"}]}]
PARAMS = {"n": {"type": "integer", "default": 1}}


def parent(world: World, **task: Any) -> None:
    world.workflow("counting", {"params": PARAMS, "tasks": CHILD})
    read = "{{ tasks.call.outputs.tasks.count.rows }}"
    call = {"name": "call", "run": {"workflow": "counting", "params": {"n": "{{ 1 + 2 }}"}}, **task}
    after = {"name": "after", "dependsOn": ["call"], "command": ["echo", read]}
    world.run(tasks=[call, after], logicalDate="2026-03-01T00:00:00Z")


def children(world: World) -> list[Body]:
    return [run for run in world.store.list(RUNS, NAMESPACE) if "parent" in run["spec"]]


async def test_a_child_gives_its_outputs() -> None:
    async with World({"count": outputs(rows=7)}) as world:
        parent(world)
        await world.clock.advance(1)
        (child,) = children(world)
        name = child["metadata"]["name"]
        assert child["spec"] == {
            "workflow": "counting",
            "params": {"n": 3},
            "logicalDate": "2026-03-01T00:00:00Z",
            "parent": {"run": "r1", "task": "call", "attempt": 1, "chain": ["r1"]},
        }
        assert (world.task("call")["phase"], world.task("call")["reason"]) == ("Running", "ChildRunning")
        assert await world.ended() == "Succeeded"
        assert world.task("call")["outputs"] == {"run": name, "tasks": {"count": {"rows": 7}}}
        assert world.status(name)["trigger"] == "Workflow"
        (echo,) = [pod for pod in world.pods() if pod["metadata"]["labels"]["windlass.dev/task"] == "after"]
        assert echo["spec"]["containers"][0]["command"] == ["echo", "7"]


async def test_a_child_that_waits_to_begin_is_said_to() -> None:
    async with World() as world:
        world.run(tasks=[{"name": "call", "run": {"workflow": "nowhere"}}])
        await world.clock.advance(5)
        (child,) = children(world)
        assert world.task("call")["message"] == f"run {child['metadata']['name']} is Pending"


async def test_a_child_that_is_not_waited_for() -> None:
    async with World({"count": Play(seconds=100)}) as world:
        parent(world, run={"workflow": "counting", "wait": False})
        world.run("r2", tasks=[{"name": "call", "run": {"workflow": "counting", "wait": False}}])
        assert await world.ended("r2", seconds=5) == "Succeeded"
        (child,) = [run for run in children(world) if run["spec"]["parent"]["run"] == "r2"]
        assert world.task("call", "r2")["outputs"] == {"run": child["metadata"]["name"]}
        assert await world.ended(child["metadata"]["name"]) == "Succeeded"


async def test_a_child_that_fails_is_started_again_as_a_task_is() -> None:
    async with World({"count": Play(exit_code=1)}) as world:
        parent(world, retry={"limit": 1, "delay": "5s"})
        assert await world.ended() == "Failed"
        first, second = sorted(run["metadata"]["name"] for run in children(world))
        assert (first[-2:], second[-2:]) == ("-1", "-2")
        attempts = world.task("call")["attempts"]
        assert [(one["run"], one["class"], one["reason"]) for one in attempts] == [
            (first, "App", "ChildFailed"), (second, "App", "ChildFailed"),
        ]  # fmt: skip
        assert attempts[0]["message"].startswith(f"the run {first} ended Failed: 1 of 1 tasks failed: count")


ENDS = {
    "a child that is refused": ("counting", {"n": "many"}, "ChildRefused"),
    "a Workflow that is missing": ("nowhere", {}, "ChildRefused"),
    "a Workflow that would start itself": ("looping", {}, "ChildFailed"),
}


@pytest.mark.parametrize(("workflow", "params", "reason"), ENDS.values(), ids=ENDS.keys())
async def test_what_becomes_of_bad_children(workflow: str, params: Body, reason: str) -> None:
    async with World() as world:
        world.workflow("counting", {"params": PARAMS, "tasks": CHILD})
        world.workflow("looping", {"tasks": [{"name": "again", "run": {"workflow": "looping"}}]})
        world.run(tasks=[{"name": "call", "run": {"workflow": workflow, "params": params}}])
        assert await world.ended() == "Failed"
        (attempt,) = world.task("call")["attempts"]
        assert attempt["reason"] == reason
        if workflow == "looping":
            (child,) = children(world)
            again = world.task("again", child["metadata"]["name"])
            assert (again["reason"], again["message"]) == (
                "ChildCycle", "a run can't start its own Workflow again: r1 → looping → looping",
            )  # fmt: skip


async def test_runs_start_runs_only_so_deep() -> None:
    async with World() as world:
        for number in range(12):
            world.workflow(f"w{number}", {"tasks": [{"name": "next", "run": {"workflow": f"w{number + 1}"}}]})
        world.run(workflow="w0")
        assert await world.ended() == "Failed"
        assert len(children(world)) == 9
        deepest = max(children(world), key=lambda run: len(run["spec"]["parent"]["chain"]))
        message = world.task("next", deepest["metadata"]["name"])["message"]
        assert message.startswith("runs start runs at most 10 deep: w0 → w1")


@pytest.mark.parametrize(("stop", "cleaned"), [("Cancel", "Succeeded"), ("Terminate", "Cancelled")])
async def test_stopping_a_run_stops_its_children(stop: str, cleaned: str) -> None:
    async with World({"count": Play(seconds=1000)}) as world:
        world.workflow("counting", {"tasks": [{"name": "count", "command": ["true"]}],
                                    "finally": [{"name": "clean", "command": ["true"]}]})  # fmt: skip
        world.run(tasks=[{"name": "call", "run": {"workflow": "counting"}}])
        await world.clock.advance(3)
        (child,) = children(world)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": stop}})
        assert await world.ended(seconds=60) == "Cancelled"
        status = world.status(child["metadata"]["name"])
        assert (status["phase"], {task["name"]: task["phase"] for task in status["tasks"]}["clean"]) == (
            "Cancelled", cleaned,
        )  # fmt: skip


async def test_a_child_that_takes_too_long_is_stopped() -> None:
    async with World({"count": Play(seconds=1000)}) as world:
        parent(world, timeout="30s")
        assert await world.ended(seconds=120) == "Failed"
        (attempt,) = world.task("call")["attempts"]
        assert (attempt["class"], attempt["reason"]) == ("Timeout", "DeadlineExceeded")
        (child,) = children(world)
        assert world.phase(child["metadata"]["name"]) == "Cancelled"


async def test_a_child_that_is_deleted_is_started_again() -> None:
    async with World({"count": Play(seconds=20)}) as world:
        parent(world)
        await world.clock.advance(5)
        (child,) = children(world)
        world.store.delete(RUNS, NAMESPACE, child["metadata"]["name"])
        assert await world.ended() == "Failed"  # the second child has no rows to give
        first, second = world.task("call")["attempts"]
        assert (first["class"], first["reason"]) == ("Infra", "ChildGone")
        assert second.get("class") is None


async def test_a_run_that_is_deleted_takes_its_children_with_it() -> None:
    async with World({"count": Play(seconds=1000)}) as world:
        parent(world)
        await world.clock.advance(3)
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(60)
        assert (children(world), world.pods()) == ([], [])


CREATES = {
    "an ill server": Fault(How.REFUSED, ServerError("boom", 500)),
    "a lost answer": Fault(How.LOST_ANSWER, LOST),
    "a missing right": Fault(How.REFUSED, NotPermitted("forbidden", 403)),
}


@pytest.mark.parametrize("fault", CREATES.values(), ids=CREATES.keys())
async def test_a_create_that_goes_wrong(fault: Fault) -> None:
    async with World({"count": outputs(rows=1)}) as world:
        parent(world)
        world.api.inject = on("create", "workflowruns", fault, times=1)
        assert await world.ended() == "Succeeded"
        assert len(children(world)) == 1


async def test_another_run_under_the_name_of_a_child_is_not_taken_for_it() -> None:
    async with World({"count": Play(seconds=20)}) as world:
        parent(world)
        await world.clock.advance(2)
        (child,) = children(world)
        taken = child["metadata"]["name"]
        await world.kill()
        world.store.delete(RUNS, NAMESPACE, taken)
        await world.clock.advance(30)
        world.run(taken, tasks=[{"name": "other", "command": ["true"]}])
        await world.start()
        await world.ended()
        assert [one.get("reason") for one in world.task("call")["attempts"]] == ["ChildGone", None]
        assert world.status(taken)["tasks"][0]["name"] == "other"


async def test_a_controller_killed_at_each_moment_starts_no_child_twice() -> None:
    for moment in range(12):
        async with World({"count": outputs(rows=1)}) as world:
            parent(world)
            for _ in range(moment):
                await world.clock.advance(0.2)
            await world.kill()
            await world.start()
            assert await world.ended() == "Succeeded"
            assert len(children(world)) == 1


async def test_history_keeps_children_and_parents_while_one_needs_the_other() -> None:
    async with World({"count": Play(seconds=100), "slow": Play(seconds=50)}) as world:
        history = {"history": {"succeeded": 0, "failed": 0}}
        world.workflow("counting", {"tasks": CHILD, "params": PARAMS, **history})
        world.workflow("quick", {"tasks": [{"name": "a", "command": ["true"]}], **history})
        call = {"name": "call", "run": {"workflow": "quick"}}
        world.run("waits", tasks=[call, {"name": "slow", "command": ["true"]}])
        loose = {"name": "call", "run": {"workflow": "counting", "wait": False}}
        world.workflow("parent", {"tasks": [loose], **history})
        world.run("leaves", workflow="parent")
        await world.clock.advance(20)
        names = {run["metadata"]["name"].rsplit("-", 2)[0] for run in world.store.list(RUNS, NAMESPACE)}
        assert names == {"waits", "waits-call", "leaves", "leaves-call"}
        await world.clock.advance(300)
        assert [run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE)] == ["waits"]
