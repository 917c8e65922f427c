"""Tasks that wait: for a time, another run, an object, a pod that says yes; while controllers die and things vanish."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.world import NAMESPACE, Body, World
from windlass import names
from windlass.resources import CLAIMS, POOLS, RUNS

NOT_YET = Play(exit_code=75)


def waits(**wait: Any) -> Body:
    fields = {key: wait.pop(key) for key in ("when", "retry", "serviceAccountName", "params") if key in wait}
    return {"name": "wait", "waitFor": wait, **fields}


def after() -> Body:
    return {"name": "after", "dependsOn": ["wait"], "command": ["true"]}


def claim(world: World, name: str, phase: str | None = None, **labels: str) -> Body:
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": CLAIM}
    body["metadata"] = {"name": name, "namespace": NAMESPACE, "labels": labels}
    made = world.store.create(CLAIMS, body)
    if phase is not None:
        made = world.store.patch(CLAIMS, NAMESPACE, name, {"status": {"phase": phase}}, subresource="status")
    return made


CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
A_CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
BOUND = {"jsonPath": "{.status.phase}", "equals": "Bound"}


async def test_a_length_of_time() -> None:
    async with World() as world:
        world.run(tasks=[waits(duration="90s"), after()])
        await world.clock.advance(89)
        assert (world.task("wait")["phase"], world.task("wait")["reason"]) == ("Running", "WaitingForTime")
        assert world.pods() == []
        assert await world.ended(seconds=10) == "Succeeded"
        assert world.task("wait")["reason"] == "Waited"


async def test_a_moment_that_a_template_gives() -> None:
    async with World() as world:
        world.run("r2", tasks=[waits(time="{{ logical_date }}")], logicalDate="2025-04-01T13:00:00Z")
        await world.clock.advance(60)
        assert world.task("wait", "r2")["message"] == "waits until 2025-04-01T13:00:00Z"
        assert await world.ended("r2") == "Succeeded"


WRONG = {
    "no instant": ({"time": "{{ 'tomorrow' }}"}, "WaitInvalid", "waitFor.time: "),
    "a template that fails": ({"time": "{{ 1 / 0 }}"}, "TemplateError", "waitFor.time: "),
}


@pytest.mark.parametrize(("wait", "reason", "message"), WRONG.values(), ids=WRONG.keys())
async def test_what_cannot_be_waited_for_fails(wait: Body, reason: str, message: str) -> None:
    async with World() as world:
        world.run(tasks=[waits(**wait)])
        assert await world.ended() == "Failed"
        assert world.task("wait")["reason"] == reason
        assert world.task("wait")["message"].startswith(message)


async def test_a_path_that_is_none_is_refused() -> None:
    async with World() as world:
        world.run(tasks=[waits(object={**A_CLAIM, "name": "c", "jsonPath": "{.status[}"})])
        assert await world.ended() == "Refused"
        assert "waitFor.object.jsonPath: this is no path" in world.status()["message"]


async def test_a_run_of_the_same_date() -> None:
    async with World({"load": Play(seconds=30)}) as world:
        world.workflow("upstream", {"tasks": [{"name": "load", "command": ["true"]}]})
        world.run(tasks=[waits(run={"workflow": "upstream"})], logicalDate="2026-03-01T00:00:00Z")
        world.run("other", workflow="upstream", logicalDate="2026-02-28T00:00:00Z")
        assert await world.ended("other") == "Succeeded"
        assert world.task("wait")["message"] == (
            "waits for a run of upstream of 2026-03-01T00:00:00Z to succeed"
        )  # fmt: skip
        world.run("same", workflow="upstream", logicalDate="2026-03-01T00:00:00Z")
        await world.clock.advance(3)
        assert world.phase() == "Running"
        assert await world.ended(seconds=60) == "Succeeded"
        assert world.task("wait")["outputs"] == {"run": "same"}


async def test_a_run_that_ended_not_long_ago() -> None:
    async with World({"load": Play(exit_code=1)}) as world:
        world.workflow("upstream", {"tasks": [{"name": "load", "command": ["true"]}]})
        world.run("failed", workflow="upstream")
        assert await world.ended("failed") == "Failed"
        await world.clock.advance(120)
        world.run("r1", tasks=[waits(run={"workflow": "upstream", "end": "Ended", "within": "10m"})])
        world.run("r2", tasks=[waits(run={"workflow": "upstream", "end": "Ended", "within": "1m"}, timeout="5m")])
        world.run("r3", tasks=[waits(run={"workflow": "upstream", "within": "10m"}, timeout="5m", onTimeout="Skip")])
        assert await world.ended("r1", seconds=5) == "Succeeded"
        assert await world.ended("r2") == "Failed"
        assert (world.task("wait", "r2")["reason"], world.task("wait", "r2")["message"]) == (
            "WaitTimeout",
            "it has not come within 5m: it waits for a run of upstream that ended within 1m to end",
        )  # fmt: skip
        assert await world.ended("r3") == "Succeeded"
        assert world.phases("r3") == {"wait": "Skipped"}


async def test_an_object_by_its_name() -> None:
    async with World() as world:
        world.run(tasks=[waits(object={**A_CLAIM, "name": "{{ run.name }}-data", **BOUND}), after()])
        await world.clock.advance(2)
        assert world.task("wait")["message"] == (
            "waits for PersistentVolumeClaim r1-data: {.status.phase} = Bound; there is none"
        )  # fmt: skip
        claim(world, "r1-data", "Pending")
        await world.clock.advance(2)
        assert world.task("wait")["phase"] == "Running"
        world.store.patch(CLAIMS, NAMESPACE, "r1-data", {"status": {"phase": "Bound"}}, subresource="status")
        assert await world.ended(seconds=10) == "Succeeded"
        assert world.task("wait")["outputs"] == {"name": "r1-data"}
        assert len(world.lookouts.opened) == len(world.lookouts.closed) == 1


async def test_an_object_by_its_labels_and_one_that_will_never_come() -> None:
    async with World() as world:
        lost = {"jsonPath": ".status.phase", "equals": "Lost"}
        world.run(tasks=[waits(object={**A_CLAIM, "selector": {"app": "x"}, **BOUND, "failsWhen": lost})])
        claim(world, "y", "Bound", app="y")
        claim(world, "x1", "Pending", app="x")
        await world.clock.advance(2)
        assert world.phase() == "Running"
        claim(world, "x2", "Lost", app="x")
        assert await world.ended(seconds=5) == "Failed"
        assert (world.task("wait")["reason"], world.task("wait")["message"]) == (
            "WaitFailed", "PersistentVolumeClaim x2: .status.phase = Lost",
        )  # fmt: skip


async def test_what_may_not_be_read_is_said_and_waited_for() -> None:
    async with World() as world:
        world.lookouts.refused.add("robot")
        claim(world, "c")
        task = waits(object={**A_CLAIM, "name": "c"}, serviceAccountName="robot")
        world.run(tasks=[task])
        await world.clock.advance(2)
        assert world.task("wait")["reason"] == "WaitingForRight"
        assert world.task("wait")["message"].endswith("robot may not list PersistentVolumeClaim")
        world.lookouts.refused.clear()
        claim(world, "another")  # something happens
        world.store.patch(CLAIMS, NAMESPACE, "c", {"metadata": {"labels": {"a": "b"}}})
        assert await world.ended(seconds=5) == "Succeeded"


async def test_an_object_that_is_deleted_while_it_is_waited_for() -> None:
    async with World() as world:
        claim(world, "c", "Pending")
        world.run(tasks=[waits(object={**A_CLAIM, "name": "c", **BOUND}, timeout="1m")])
        await world.clock.advance(2)
        world.store.delete(CLAIMS, NAMESPACE, "c")
        await world.clock.advance(2)
        assert world.task("wait")["message"].endswith("; there is none")
        assert await world.ended() == "Failed"


async def test_a_pod_that_is_asked_again_and_again() -> None:
    async with World({"wait": [NOT_YET, NOT_YET, outputs(rows=3)]}) as world:
        world.run(tasks=[waits(pod={"image": "busybox", "command": ["ask"]}, interval="30s")])
        await world.clock.advance(5)
        assert (world.task("wait")["phase"], world.task("wait")["reason"]) == ("Retrying", "NotYet")
        assert await world.ended(seconds=120) == "Succeeded"
        assert world.task("wait")["outputs"] == {"rows": 3}
        assert [one["exitCode"] for one in world.task("wait")["attempts"]] == [75, 75, 0]
        assert ("TaskRetrying", "wait") not in world.watcher.events


async def test_a_pod_that_never_says_yes_and_one_that_fails() -> None:
    async with World({"wait": NOT_YET}) as world:
        world.run(tasks=[waits(pod={"script": "exit 75"}, interval="10s", timeout="1m", onTimeout="Skip")])
        assert await world.ended(seconds=90) == "Succeeded"
        assert world.task("wait")["phase"] == "Skipped"
    async with World({"wait": [NOT_YET, Play(exit_code=2)]}) as world:
        world.run(tasks=[waits(pod={"script": "exit 2"}, interval="10s")])
        assert await world.ended(seconds=90) == "Failed"
        assert world.task("wait")["attempts"][-1]["exitCode"] == 2


async def test_stopping_a_run_that_waits() -> None:
    async with World() as world:
        world.run(tasks=[waits(object={**A_CLAIM, "name": "never"})])
        await world.clock.advance(5)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended(seconds=5) == "Cancelled"
        await world.clock.advance(5000)
        assert world.leftovers() == {}


async def test_controllers_die_while_tasks_wait() -> None:
    async with World() as world:
        world.run("r1", tasks=[waits(duration="2m"), after()])
        world.run("r2", tasks=[waits(object={**A_CLAIM, "name": "c", **BOUND}), after()])
        for number in range(20):
            await world.clock.advance(7)
            await world.kill()
            if number == 10:
                claim(world, "c", "Bound")
            await world.start()
        assert (await world.ended("r1", 10), await world.ended("r2", 10)) == ("Succeeded", "Succeeded")
        assert len(world.kubelet.launched) == 2


async def test_a_thousand_that_wait_are_woken_one_by_one() -> None:
    async with World() as world:
        for number in range(200):
            world.run(f"r{number}", tasks=[waits(object={"apiVersion": names.API_VERSION, "kind": "Pool",
                                                         "name": f"p{number}"})])  # fmt: skip
        await world.clock.advance(5)
        assert len(world.lookouts.opened) == 1
        pool = {"apiVersion": names.API_VERSION, "kind": "Pool", "spec": {"slots": 1}}
        world.store.create(POOLS, {**pool, "metadata": {"name": "p7", "namespace": NAMESPACE}})
        assert await world.ended("r7", seconds=5) == "Succeeded"
        assert world.phase("r8") == "Running"
