"""Runs of some of the tasks, with the outputs of the others taken from an earlier run."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.world import World

ETL = {
    "tasks": [
        {"name": "extract", "command": ["true"]},
        {"name": "clean", "command": ["echo", "{{ tasks.extract.outputs.rows }}"], "dependsOn": ["extract"]},
        {"name": "load", "command": ["echo", "{{ tasks.extract.outputs.rows }}"], "dependsOn": ["clean"]},
        {"name": "report", "command": ["true"], "dependsOn": ["load"]},
    ],
    "finally": [{"name": "tidy", "command": ["true"]}],
}


async def etl(world: World, run: str, **spec: Any) -> str:
    world.run(run, workflow="etl", **spec)
    return await world.ended(run)


async def test_what_is_needed_is_taken_over_and_the_rest_is_skipped() -> None:
    async with World({"extract": outputs(rows=7)}) as world:
        world.workflow("etl", ETL)
        assert await etl(world, "first") == "Succeeded"
        assert await etl(world, "again", tasks=["load"]) == "Succeeded"
        assert {task["name"]: (task["phase"], task.get("reason")) for task in world.status("again")["tasks"]} == {
            "extract": ("Succeeded", "TakenOver"),
            "clean": ("Succeeded", "TakenOver"),
            "load": ("Succeeded", "Completed"),
            "report": ("Skipped", "NotSelected"),
            "tidy": ("Succeeded", "Completed"),
        }
        assert world.task("extract", "again")["outputs"] == {"rows": 7}
        assert world.task("extract", "again")["message"] == "as in run first"
        (pod,) = [one for one in world.pods() if one["metadata"]["name"].startswith("again-load")]
        assert pod["spec"]["containers"][0]["command"] == ["echo", "7"]


REFUSED = {
    "an unknown task": ({"tasks": ["laod"]}, "spec.tasks[0]: there is no task laod; did you mean \"load\"?"),
    "no good run yet": (
        {"tasks": ["load"]},
        "spec.tasks: extract is needed, and no run has succeeded that it could be taken from; add extract to tasks",
    ),
    "a run that there is not": (
        {"tasks": ["clean"], "outputsFrom": "nowhere"},
        "spec.tasks: extract is needed, and has not succeeded in run nowhere; "
        "add extract to tasks, or name another run in outputsFrom",
    ),
    "a task that failed there": (
        {"tasks": ["load"], "outputsFrom": "failed"},
        "spec.tasks: clean is needed, and has not succeeded in run failed; "
        "add clean to tasks, or name another run in outputsFrom",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_taken_over_is_refused(spec: dict[str, Any], message: str) -> None:
    async with World({"extract": outputs(rows=7), "clean": Play(exit_code=1)}) as world:
        world.workflow("etl", ETL)
        assert await etl(world, "failed") == "Failed"
        assert await etl(world, "part", **spec) == "Refused"
        status = world.status("part")
        assert status["reason"] == "TasksInvalid"
        assert status["message"].startswith(message)


async def test_a_failed_run_gives_what_succeeded_in_it() -> None:
    async with World({"extract": outputs(rows=7), "clean": [Play(exit_code=1), Play()]}) as world:
        world.workflow("etl", ETL)
        assert await etl(world, "failed") == "Failed"
        await etl(world, "part", tasks=["clean"], outputsFrom="failed")
        assert world.task("extract", "part")["reason"] == "TakenOver"
        assert world.task("clean", "part")["attempts"][0]["pod"].startswith("part-clean")
