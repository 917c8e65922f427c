"""Workflows that follow others, and data, on the pretended cluster: each set of events makes one run."""

from __future__ import annotations

from typing import Any

import pytest

from support.clock import HOUR, MINUTE
from support.following import SOURCE, fired, follows, producing, runs_of
from support.following_runs import BAD, FAILS, ran
from support.kubelet import Play, outputs
from support.scheduling import TASKS, change, down, edit, status, told
from support.world import NAMESPACE, World
from windlass.resources import PODS, RUNS


async def test_any_each_end_makes_a_run() -> None:
    async with World({"work": Play(seconds=20)}) as world:
        world.workflow("a", SOURCE)
        made = world.workflow("c", follows("a"))
        await world.clock.advance(5)
        known = status(world, "c")
        assert (known["reason"], known["waitingFor"], known.get("nextSlot")) == (
            "Waiting",
            "waits for a (Succeeded)",
            None,
        )
        world.run("a1", workflow="a", logicalDate="2025-03-01T00:00:00Z")
        await world.clock.advance(30)
        await ran(world, "a2", seconds=60)
        assert fired(world) == ["a1", "a2"]
        first, source = runs_of(world)[0], world.store.get(RUNS, NAMESPACE, "a1")
        assert first["metadata"]["name"].startswith("c-1-")
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
        await ran(world, "b1", "b")
        assert fired(world) == []
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded); has asset sales/daily of run b1"
        await ran(world, "a1")
        assert fired(world) == ["a1+b1"]
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded) and asset sales/daily"
        for name in ("a2", "a3"):
            await ran(world, name)
        await ran(world, "b2", "b")
        await ran(world, "b3", "b")
        # The newest of each; a2 is passed over, and b3 waits for another run of a.
        assert fired(world) == ["a1+b1", "a3+b2"]
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded); has asset sales/daily of run b3"


async def test_within() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("b", SOURCE)
        world.workflow("c", follows({"workflow": "a", "within": "1h"}, "b", how="all"))
        await ran(world, "a1", seconds=2 * HOUR)
        await ran(world, "b1", "b")
        assert fired(world) == []
        assert status(world, "c")["waitingFor"] == (
            "waits for a (Succeeded) again, as that of run a1 is older than 1h; has b (Succeeded) of run b1"
        )
        await world.clock.advance(5 * HOUR)
        await ran(world, "a2")
        assert fired(world) == ["a2+b1"], "b says nothing of how old it may be"


ENDS = {
    "Succeeded": ["good"],
    "Failed": ["bad"],
    "Ended": ["good", "bad", "cancelled"],
}


@pytest.mark.parametrize(("on", "made"), ENDS.items(), ids=ENDS.keys())
async def test_ends(on: str, made: list[str]) -> None:
    async with World({**BAD, "slow": Play(seconds=100)}) as world:
        world.workflow("a", SOURCE)
        # YAML reads `on` without quotes as a truth value, and the API server is given the word "true".
        world.workflow("c", follows({"workflow": "a", "true": on}))
        await ran(world, "good")
        for name, task in (("bad", "fails"), ("cancelled", "slow")):
            edit(world, lambda whole, task=task: whole["spec"].update(tasks=[{"name": task, "command": ["x"]}]), "a")
            await ran(world, name)
        world.act("Cancel", run="cancelled")
        await world.clock.advance(MINUTE)
        assert world.phase("cancelled") == "Cancelled"
        assert fired(world) == made


async def test_a_run_that_succeeds_again_is_another_event() -> None:
    async with World({"fails": [Play(exit_code=1), Play(), Play()]}) as world:
        world.workflow("a", FAILS)
        world.workflow("c", follows("a"))
        await ran(world, "a1")
        assert fired(world) == []
        await world.answered(world.act("Retry", run="a1"))
        await world.clock.advance(10)
        assert fired(world) == ["a1"]
        await world.answered(world.act("Clear", "fails", run="a1"))
        await world.clock.advance(10)
        assert fired(world) == ["a1", "a1"]


async def test_a_run_that_is_marked_as_good_is_an_event_of_success() -> None:
    async with World(BAD) as world:
        world.workflow("a", {"tasks": [{**FAILS["tasks"][0], "produces": ["sales/daily"]}]})
        world.workflow("c", follows("a"))
        world.workflow("d", follows("sales/daily"))
        world.workflow("e", follows({"workflow": "a", "on": "Ended"}))
        await ran(world, "a1")
        await world.answered(world.act("MarkSuccess", "fails", run="a1"))
        await world.clock.advance(10)
        assert (fired(world), fired(world, "d"), fired(world, "e")) == (["a1"], ["a1"], ["a1"])


async def test_an_asset_is_an_event_though_its_run_fails() -> None:
    tasks = [{**TASKS[0], "produces": ["sales/daily"]}, {**FAILS["tasks"][0], "dependsOn": ["work"]}]
    async with World(BAD) as world:
        world.workflow("a", {"tasks": tasks})
        world.workflow("c", follows("sales/daily"))
        world.workflow("d", follows("a"))
        await ran(world, "a1")
        assert (world.phase("a1"), fired(world), fired(world, "d")) == ("Failed", ["a1"], [])
        await world.answered(world.act("Retry", run="a1"))
        await world.clock.advance(10)
        assert fired(world) == ["a1"], "only the other task ran again"
        await world.answered(world.act("Clear", "work", run="a1"))
        await world.clock.advance(10)
        assert fired(world) == ["a1", "a1"]


async def test_the_fields_of_an_asset_are_read_by_templates() -> None:
    row = "{{ triggers[0].fields.rows }} of {{ triggers[0].asset }} by {{ triggers[0].run }}"
    tasks = [{"name": "read", "command": ["echo", row, "{{ ds }}"]}]
    async with World({"work": outputs(rows=5, path="s3://x")}) as world:
        commands: dict[str, list[str]] = {}
        create = world.store.create

        def noted(resource: Any, obj: Any, *rest: Any, **others: Any) -> Any:
            if resource is PODS:
                commands[obj["metadata"]["labels"]["windlass.dev/task"]] = obj["spec"]["containers"][0]["command"]
            return create(resource, obj, *rest, **others)

        world.store.create = noted  # type: ignore[method-assign]
        world.workflow("a", producing("sales/daily", "sales/total"))
        world.workflow("c", follows("sales/daily", tasks=tasks))
        world.run("a1", workflow="a", logicalDate="2025-03-01T00:00:00Z")
        await world.clock.advance(10)
        (run,) = runs_of(world)
        assert run["spec"]["slot"]["sources"][0]["fields"] == {"rows": 5, "path": "s3://x"}
        assert commands["read"] == ["echo", "5 of sales/daily by a1", "2025-03-01"]
        assert [one["name"] for one in world.status("a1")["assets"]] == ["sales/daily", "sales/total"]


async def test_a_run_of_a_definition_of_its_own_produces_too() -> None:
    async with World() as world:
        world.workflow("c", follows("sales/daily"))
        world.run("once", **producing("sales/daily"))
        await world.clock.advance(10)
        assert fired(world) == ["once"]
        assert runs_of(world)[0]["spec"]["slot"]["sources"][0]["workflow"] == "once"


async def test_two_follow_one() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a"))
        world.workflow("d", follows("a", "c", how="all"))
        world.workflow("e", follows("a", {"workflow": "a", "on": "Ended"}))
        await ran(world, "a1", seconds=30)
        (made,) = runs_of(world)
        assert (fired(world), fired(world, "d")) == (["a1"], [f"a1+{made['metadata']['name']}"])
        assert runs_of(world, "d")[0]["spec"]["slot"]["chain"] == ["a", "c"]
        assert fired(world, "e") == ["a1"], "one event, though it counts twice"


async def test_those_that_follow_each_other_come_to_rest() -> None:
    async with World() as world:
        world.workflow("a", {"tasks": TASKS})
        world.workflow("b", follows("a"))
        world.workflow("c", follows("b", "c/own", tasks=producing("c/own")["tasks"]))
        edit(world, lambda whole: whole["spec"].update(follows("c")), "a")
        await world.clock.advance(5)
        await ran(world, "a1", seconds=HOUR)
        assert [len(fired(world, name)) for name in "abc"] == [0, 1, 1]
        assert told(world) == ["FollowsItself"] * 2
        await down(world, MINUTE)
        await world.clock.advance(HOUR)
        assert len(told(world)) == 2
        await ran(world, "a2", seconds=60)
        assert [len(fired(world, name)) for name in "abc"] == [0, 2, 2]


async def test_skip() -> None:
    async with World({"slow": Play(seconds=100)}) as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", concurrency={"policy": "Skip"}, tasks=[{"name": "slow", "command": ["x"]}]))
        for name in ("a1", "a2", "a3"):
            await ran(world, name)
        assert fired(world) == ["a1"]
        assert (status(world, "c")["skipped"], told(world)) == (2, ["SlotSkipped"] * 2)
        await world.clock.advance(200)
        await ran(world, "a4")
        assert fired(world) == ["a1", "a4"]


async def test_queue() -> None:
    async with World({"slow": Play(seconds=100)}) as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", tasks=[{"name": "slow", "command": ["x"]}]))
        for name in ("a1", "a2", "a3"):
            await ran(world, name)
        assert [run["status"]["phase"] for run in runs_of(world)] == ["Running", "Queued", "Queued"]
        await world.clock.advance(5 * MINUTE)
        assert [run["status"]["phase"] for run in runs_of(world)] == ["Succeeded"] * 3


async def test_start_and_end() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", start="2025-04-01T13:00:00Z", end="2025-04-01T14:00:00Z"))
        await ran(world, "early", seconds=HOUR + 60)
        await ran(world, "right", seconds=HOUR)
        assert status(world, "c")["reason"] == "Ended"
        await ran(world, "late")
        assert fired(world) == ["right"]


async def test_starting_deadline() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", startingDeadline="1h", suspend=True))
        await ran(world, "a1", seconds=2 * HOUR)
        change(world, "c", suspend=False)
        await world.clock.advance(10)
        assert (fired(world), status(world, "c")["missed"], told(world)) == ([], 1, ["SlotsMissed"])


async def test_a_storm_of_events_is_paced_and_loses_none() -> None:
    async with World() as world:
        world.workflow("a", {**SOURCE, "history": {"succeeded": 100}})
        world.workflow("c", follows("a", concurrency={"maxActiveRuns": 100}, history={"succeeded": 1000}))
        for number in range(60):
            world.run(f"a{number}", workflow="a")
        await world.clock.advance(2 * MINUTE)
        assert sorted(fired(world)) == sorted(f"a{number}" for number in range(60))


async def test_nothing_is_asked_of_the_api_while_nothing_happens() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", "sales/daily", how="all"))
        await ran(world, "a1", seconds=2 * MINUTE)
        world.api.requests.clear()
        await world.clock.advance(100)
        assert world.api.requests == []
