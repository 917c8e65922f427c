"""A task that is repeated, on the engine: every instance is counted once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

from support.faults import launches
from support.kubelet import Play, outputs
from support.world import World

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
