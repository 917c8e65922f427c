"""Workflows that follow others, and data, on the pretended cluster: each set of events makes one run."""

from __future__ import annotations

from typing import Any

from support.kubelet import Play
from support.scheduling import TASKS, change, down, edit, status, told
from support.world import NAMESPACE, World
from windlass.resources import RUNS, WORKFLOWS

MINUTE, HOUR = 60.0, 3600.0


def follows(*sources: Any, how: str = "any", **schedule: Any) -> dict[str, Any]:
    """The spec of a Workflow that follows: a word is a Workflow's name, or an asset's where it has a slash."""
    named = [source if isinstance(source, dict) else _source(source) for source in sources]
    beside = {key: schedule.pop(key) for key in ("concurrency", "history", "dependsOnPast") if key in schedule}
    return {"schedule": {"after": {how: named}, **schedule}, "tasks": TASKS, **beside}


def _source(word: str) -> dict[str, Any]:
    return {"asset": word} if "/" in word else {"workflow": word}


SOURCE = {"tasks": TASKS}


def producing(*assets: str) -> dict[str, Any]:
    return {"tasks": [{**TASKS[0], "produces": [*assets]}]}


def fired(world: World, workflow: str = "c") -> list[str]:
    """What each run of a Workflow answers, in the order of the runs."""
    found = [run for run in world.store.list(RUNS, NAMESPACE) if run["spec"].get("workflow") == workflow]
    found = [run for run in found if "slot" in run["spec"]]
    found.sort(key=lambda run: int(run["metadata"]["name"].rsplit("-", 2)[1]))
    return ["+".join(source["run"] for source in run["spec"]["slot"]["sources"]) for run in found]


async def test_any_each_end_makes_a_run() -> None:
    async with World({"work": Play(seconds=20)}) as world:
        world.workflow("a", SOURCE)
        made = world.workflow("c", follows("a"))
        await world.clock.advance(5)
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded)"
        world.run("a1", workflow="a", logicalDate="2025-03-01T00:00:00Z")
        await world.clock.advance(30)
        world.run("a2", workflow="a")
        await world.clock.advance(60)
        assert fired(world) == ["a1", "a2"]
        (first,) = [run for run in world.store.list(RUNS, NAMESPACE) if run["metadata"]["name"].startswith("c-1-")]
        source = world.store.get(RUNS, NAMESPACE, "a1")
        assert first["spec"] == {
            "workflow": "c",
            "logicalDate": "2025-03-01T00:00:00Z",
            "slot": {
                "trigger": "Workflow",
                "scheduledAt": source["status"]["finishedAt"],
                "sources": [
                    {
                        "workflow": "a",
                        "run": "a1",
                        "uid": source["metadata"]["uid"],
                        "finishedAt": source["status"]["finishedAt"],
                    }
                ],
                "chain": ["a"],
            },
        }
        assert first["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        assert first["metadata"]["labels"]["windlass.dev/trigger"] == "workflow"
        assert (first["status"]["phase"], first["status"]["trigger"]) == ("Succeeded", "Workflow")
        assert (world.watcher.errors, told(world)) == (0, [])


async def test_all_waits_for_each_and_says_for_what() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("b", producing("sales/daily"))
        world.workflow("c", follows("a", "sales/daily", how="all"))
        world.run("b1", workflow="b")
        await world.clock.advance(30)
        assert fired(world) == []
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded); has asset sales/daily of run b1"
        world.run("a1", workflow="a")
        world.run("a2", workflow="a")
        await world.clock.advance(30)
        assert len(fired(world)) in (1, 2)
        assert status(world, "c")["waitingFor"] == "waits for asset sales/daily; has a (Succeeded) of run a2"
