"""A task that is repeated, on the engine: every instance is counted once, whatever happens on the way."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from support.faults import launches
from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import QuotaExceeded
from windlass.names import API_VERSION
from windlass.resources import POOLS, RUNS

LIST: dict[str, Any] = {"name": "list", "command": ["true"]}
LOAD: dict[str, Any] = {
    "name": "load",
    "dependsOn": ["list"],
    "command": ["load", "{{ item }}"],
    "forEach": {"items": "{{ tasks.list.outputs.files }}"},
}
REPORT: dict[str, Any] = {
    "name": "report",
    "dependsOn": ["load"],
    "command": ["report", "{{ tasks.load.outputs | map(attribute='rows') | sum }}"],
}
TASKS = [LIST, LOAD, REPORT]
FILES = outputs(files=["a.csv", "b.csv", "c.csv"])


async def test_a_list_is_mapped_and_reduced() -> None:
    plays = {"list": FILES, "load[0]": outputs(rows=1), "load[1]": outputs(rows=2), "load[2]": outputs(rows=3)}
    async with World(plays) as world:
        world.run(tasks=TASKS)
        await world.until(lambda: ("report", 1) in launches(world))
        pods = {pod["metadata"]["labels"]["windlass.dev/task"]: pod for pod in world.pods()}
        assert pods["report"]["spec"]["containers"][0]["command"] == ["report", "6"]
        environment = {one["name"]: one.get("value") for one in pods["load"]["spec"]["containers"][0]["env"]}
        assert (environment["WINDLASS_ITEM"], environment["WINDLASS_INDEX"]) == ('"c.csv"', "2")
        assert pods["load"]["spec"]["containers"][0]["command"] == ["load", "c.csv"]
        assert await world.ended() == "Succeeded"
        task = world.task("load")
        assert (task["phase"], task["instances"]["succeeded"]) == ("Succeeded", 3)
        assert launches(world) == {("list", 1): 1, ("report", 1): 1} | {(f"load[{n}]", 1): 1 for n in range(3)}
        await world.clock.advance(4000)
        assert (world.pods(), world.leftovers()) == ([], {})


async def test_an_instance_is_tried_again_by_itself() -> None:
    plays: dict[str, Play | list[Play]] = {
        "list": FILES,
        "load": outputs(rows=1),
        "load[1]": [Play(exit_code=1), outputs(rows=5)],
    }
    async with World(plays) as world:
        world.run(tasks=[LIST, {**LOAD, "retry": {"limit": 1, "delay": "5s"}}, REPORT])
        assert await world.ended() == "Succeeded"
        assert launches(world)["load[1]", 2] == 1
        assert sum(launches(world).values()) == 6


async def test_many_instances_cost_few_writes() -> None:
    """A pod costs its create, its release and its deletion; the status of the run is written once a second."""
    async with World({"each": [Play(seconds=20), Play(seconds=20)]}) as world:
        world.collects_every = 1000
        world.run(tasks=[{"name": "each", "command": ["true"], "forEach": {"count": 400, "maxActive": 150}}])
        assert await world.ended() == "Succeeded"
        await world.clock.advance(300)
        asked = Counter((request.verb, request.resource) for request in world.api.requests)
        assert asked["create", "pods"] == asked["patch", "pods"] == asked["delete", "pods"] == 400
        assert asked["update", "workflowruns"] <= 40
        assert sum(asked.values()) <= 1260
        assert len(json.dumps(world.status())) < 2500
        assert world.kubelet.most_live == 150


async def test_the_message_of_a_run_names_how_far_they_are() -> None:
    plays = {"list": FILES, "load[0]": outputs(rows=1), "load": Play(seconds=60)}
    async with World(plays) as world:
        world.run(tasks=TASKS)
        await world.clock.advance(6)
        assert world.task("load")["message"] == "1/3 done"
        assert world.task("load")["phase"] == "Running"
        assert world.status()["message"] == "1 of 3 tasks done, load is running"
        assert world.status()["progress"] == "1/3"


async def test_a_stopped_run_ends_them_and_forgets_nothing() -> None:
    async with World({"each": Play(seconds=1000)}) as world:
        world.run(tasks=[{"name": "each", "command": ["true"], "forEach": {"count": 30, "maxActive": 20}}])
        await world.clock.advance(5)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended() == "Cancelled"
        assert world.task("each")["instances"]["cancelled"] == 30
        world.collects_every = 60
        await world.clock.advance(5000)
        assert (world.pods(), world.leftovers()) == ([], {})


async def test_items_that_change_under_a_controller_that_was_away_fail_the_task() -> None:
    """Somebody has changed the outputs in the status by hand: the instances that are left would be for other items."""
    plays = {"list": FILES, "load": Play(seconds=30)}
    async with World(plays) as world:
        world.run(tasks=[LIST, {**LOAD, "forEach": {**LOAD["forEach"], "maxActive": 1}}, REPORT])
        await world.clock.advance(6)
        await world.kill()
        status = world.status()
        status["tasks"][0]["outputs"] = {"files": ["x", "y", "z"]}
        world.store.patch(RUNS, NAMESPACE, "r1", {"status": status}, "merge", "status")
        await world.start()
        assert await world.ended() == "Failed"
        task = world.task("load")
        assert (task["phase"], task["reason"]) == ("Failed", "ForEachInvalid")
        assert task["message"].startswith("the items of forEach are no longer those that the task began with")
        assert sum(count for (who, _), count in launches(world).items() if who.startswith("load")) == 1


async def test_instances_take_slots_of_a_pool_each() -> None:
    async with World({"each": Play(seconds=5)}) as world:
        spec = {"slots": 3}
        metadata = {"name": "db", "namespace": NAMESPACE}
        world.store.create(POOLS, {"apiVersion": API_VERSION, "kind": "Pool", "metadata": metadata, "spec": spec})
        world.run(tasks=[{"name": "each", "command": ["true"], "pool": "db", "forEach": {"count": 40}}])
        await world.clock.advance(3)
        assert world.task("each")["reason"] == "WaitingForPool"
        assert world.task("each")["message"].startswith("0/40 done; waits for a slot of the pool db")
        assert await world.ended() == "Succeeded"
        assert (world.kubelet.most_live, len(world.kubelet.launched)) == (3, 40)
        assert world.clock.monotonic() < 130
        world.collects_every = 60
        await world.clock.advance(5000)
        assert (world.pods(), world.leftovers()) == ([], {})


async def test_a_full_quota_is_waited_for() -> None:
    async with World({"each": Play(seconds=5)}) as world:

        def inject(request: Request) -> Fault | None:
            live = [
                pod for pod in world.pods() if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
            ]
            full = request.verb == "create" and request.resource == "pods" and len(live) >= 5
            return Fault(How.REFUSED, QuotaExceeded("exceeded quota: q", 403)) if full else None

        world.api.inject = inject
        world.run(tasks=[{"name": "each", "command": ["true"], "forEach": {"count": 60}}])
        await world.clock.advance(4)
        task = world.task("each")
        assert (task["phase"], task["reason"]) == ("Running", "QuotaExceeded")
        assert task["message"] == "0/60 done; exceeded quota: q"
        assert await world.ended(seconds=900) == "Succeeded"
        tries = sum(1 for request in world.api.requests if (request.verb, request.resource) == ("create", "pods"))
        assert tries < 60 * 4
        assert sum(1 for reason, _ in world.watcher.events if reason == "WaitingForQuota") <= 30
