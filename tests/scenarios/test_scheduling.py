"""Schedules on the pretended cluster: each slot has its run, once, whatever people do."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from support.clock import HOUR, MINUTE
from support.kubelet import Play
from support.scheduling import change, down, edit, runs, spec, status, told
from support.world import NAMESPACE, World
from windlass.resources import RUNS, WORKFLOWS


async def test_each_slot_has_its_run() -> None:
    async with World({"work": Play(seconds=20)}) as world:
        made = world.workflow("etl", spec())
        await world.clock.advance(3 * 300 + 60)
        assert runs(world) == ["20250401t1205", "20250401t1210", "20250401t1215"]
        run = world.store.get(RUNS, NAMESPACE, "etl-20250401t1210")
        assert run["spec"] == {
            "workflow": "etl",
            "logicalDate": "2025-04-01T12:10:00Z",
            "slot": {
                "trigger": "Schedule",
                "scheduledAt": "2025-04-01T12:10:00Z",
                "intervalStart": "2025-04-01T12:05:00Z",
                "intervalEnd": "2025-04-01T12:10:00Z",
                "previous": "2025-04-01T12:05:00Z",
            },
        }
        assert run["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        assert run["metadata"]["labels"] == {"windlass.dev/workflow": "etl", "windlass.dev/trigger": "schedule"}
        assert (run["status"]["phase"], run["status"]["trigger"]) == ("Succeeded", "Schedule")
        known = status(world)
        assert {key: known[key] for key in ("reason", "lastSlot", "nextSlot", "activeRuns", "queuedRuns")} == {
            "reason": "Scheduled",
            "lastSlot": "2025-04-01T12:15:00Z",
            "nextSlot": "2025-04-01T12:20:00Z",
            "activeRuns": 0,
            "queuedRuns": 0,
        }
        assert (known["lastSuccess"]["run"], known["lastSuccess"]["slot"]) == (
            "etl-20250401t1215",
            "2025-04-01T12:15:00Z",
        )
        assert (world.watcher.fired, world.watcher.delays, world.watcher.errors) == ({"etl": 3}, [0.0, 0.0, 0.0], 0)
        assert told(world) == []


async def test_nothing_is_asked_of_the_api_between_slots() -> None:
    async with World() as world:
        world.workflow("etl", spec("0 0 * * *"))
        world.workflow("by-hand", {"tasks": spec()["tasks"]})
        await world.clock.advance(60)
        world.api.requests.clear()
        await world.clock.advance(200)
        assert world.api.requests == []


async def test_a_slot_costs_few_requests() -> None:
    async with World({"work": Play(seconds=20)}) as world:
        world.workflow("etl", spec("0 * * * *"))
        await world.clock.advance(60)
        world.api.requests.clear()
        await world.clock.advance(HOUR)
        asked = [(request.verb, request.resource) for request in world.api.requests]
        assert asked.count(("create", "workflowruns")) == 1
        assert asked.count(("update", "workflows")) <= 3


class Down(NamedTuple):
    schedule: dict[str, Any]
    seconds: float
    run: list[str]
    """What was made of the time that nobody looked."""
    missed: int = 0


HOURLY = {"cron": "0 * * * *"}

DOWNS = {
    "None, a moment": Down(HOURLY, 5 * MINUTE, ["t1300"]),
    "None, too long": Down(HOURLY, 30 * MINUTE, [], 1),
    "None, with a deadline": Down({**HOURLY, "startingDeadline": "1h"}, 30 * MINUTE, ["t1300"]),
    "Latest": Down({**HOURLY, "catchUp": "Latest"}, 5 * HOUR, ["t1700"], 4),
    "All": Down({**HOURLY, "catchUp": "All"}, 3 * HOUR, ["t1300", "t1400", "t1500"]),
    "None, a thousand slots": Down({"cron": "* * * * *"}, 1000 * MINUTE + 5, ["t0535"], 999),
    "Latest, a thousand slots": Down({"cron": "* * * * *", "catchUp": "Latest"}, 1000 * MINUTE + 5, ["t0535"], 999),
    "All, a thousand slots": Down(
        {"cron": "* * * * *", "catchUp": "All", "catchUpLimit": 4},
        1000 * MINUTE + 5,
        ["t0532", "t0533", "t0534", "t0535"],
        996,
    ),
}


@pytest.mark.parametrize("case", DOWNS.values(), ids=DOWNS.keys())
async def test_the_controller_was_down(case: Down) -> None:
    async with World({"work": Play(seconds=2)}) as world:
        world.workflow("etl", spec(**case.schedule, concurrency={"maxActiveRuns": 4}))
        await world.clock.advance(55 * MINUTE)  # 12:55
        before = runs(world)
        await down(world, case.seconds)
        await world.clock.advance(20)
        assert [name[8:] for name in runs(world) if name not in before] == case.run
        assert status(world).get("missed", 0) == case.missed
        assert world.watcher.passed["missed"] == case.missed
        assert told(world) == (["SlotsMissed"] if case.missed else [])
        assert world.watcher.errors == 0


async def test_catching_up_makes_no_more_runs_than_may_soon_start() -> None:
    async with World({"work": Play(seconds=600)}) as world:
        world.workflow("etl", spec("* * * * *", catchUp="All", start="2025-04-01T11:00:00Z"))
        await world.clock.advance(30)
        assert runs(world) == ["20250401t1100", "20250401t1101", "20250401t1102"]
        known = status(world)
        assert (known["reason"], known["nextSlot"]) == ("CatchingUp", "2025-04-01T11:03:00Z")
        assert known["message"] == "58 slots up to 2025-04-01T12:00:00Z wait for the runs before them"
        await world.clock.advance(600)
        assert runs(world)[-1] == "20250401t1103"
        assert [world.phase(f"etl-{name}") for name in runs(world)] == ["Succeeded", "Running", "Queued", "Queued"]


async def test_catching_up_of_many_is_paced() -> None:
    async with World({"work": Play(seconds=600)}) as world:
        limits = {"concurrency": {"maxActiveRuns": 1000}}
        world.workflow("etl", spec("* * * * *", catchUp="All", start="2025-04-01T11:00:00Z", **limits))
        await world.clock.advance(0.5)
        assert len(runs(world)) == 20
        await world.clock.advance(4)
        assert len(runs(world)) == 61


async def test_suspended_and_resumed() -> None:
    async with World() as world:
        world.workflow("etl", spec())
        await world.clock.advance(310)
        change(world, suspend=True)
        await world.clock.advance(HOUR)
        assert runs(world) == ["20250401t1205"]
        assert (status(world)["reason"], status(world).get("nextSlot")) == ("Suspended", None)
        change(world, suspend=False)
        await world.clock.advance(10)
        assert (runs(world), status(world)["nextSlot"]) == (["20250401t1205"], "2025-04-01T13:10:00Z")
        await world.clock.advance(300)
        assert runs(world) == ["20250401t1205", "20250401t1310"]
        assert (told(world), status(world).get("missed")) == ([], None)


async def test_a_schedule_that_is_edited_while_slots_wait() -> None:
    async with World({"work": Play(seconds=1000)}) as world:
        world.workflow("etl", spec("* * * * *", catchUp="All"))
        await world.clock.advance(6 * MINUTE + 1)
        assert runs(world) == ["20250401t1201", "20250401t1202", "20250401t1203"]
        await world.clock.advance(9)
        change(world, cron="30 * * * *")
        await world.clock.advance(20 * MINUTE)
        assert runs(world) == ["20250401t1201", "20250401t1202", "20250401t1203"]
        assert status(world)["nextSlot"] == "2025-04-01T12:30:00Z"
        await world.clock.advance(30 * MINUTE)
        assert runs(world)[3:] == ["20250401t1230"]


async def test_a_run_that_was_made_stays_with_the_definition_of_its_time() -> None:
    async with World({"work": Play(seconds=400), "other": Play(seconds=1)}) as world:
        world.workflow("etl", spec())
        await world.clock.advance(310)
        edit(world, lambda whole: whole["spec"].update(tasks=[{"name": "other", "command": ["true"]}]))
        await world.clock.advance(500)
        names = [[task["name"] for task in world.status(f"etl-{name}")["tasks"]] for name in runs(world)]
        assert names == [["work"], ["other"]]


async def test_deleted_and_made_again_under_the_same_name() -> None:
    async with World({"work": Play(seconds=400)}) as world:
        world.collects_every = 90
        world.workflow("etl", spec())
        await world.clock.advance(301)
        first = world.store.get(RUNS, NAMESPACE, "etl-20250401t1205")["metadata"]["uid"]
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        # Its creation lies before the slot, whose name the old Workflow's run has yet to let go of.
        world.workflow("etl", spec(catchUp="All", start="2025-04-01T12:05:00Z"))
        await world.clock.advance(10)
        assert status(world)["reason"] == "NameTaken"
        await world.clock.advance(120)
        assert runs(world) == ["20250401t1205"]
        assert world.store.get(RUNS, NAMESPACE, "etl-20250401t1205")["metadata"]["uid"] != first
        assert status(world)["reason"] == "Scheduled"


async def test_once() -> None:
    async with World() as world:
        world.workflow("etl", spec("@once"))
        await world.clock.advance(60)
        assert runs(world) == ["20250401t1200"]
        world.store.delete(RUNS, NAMESPACE, "etl-20250401t1200")
        await down(world, HOUR)
        await world.clock.advance(HOUR)
        assert (runs(world), status(world)["reason"]) == ([], "Ended")


async def test_continuous() -> None:
    async with World({"work": Play(seconds=60)}) as world:
        world.workflow("etl", spec("@continuous"))
        await world.clock.advance(200)
        assert len(runs(world)) == 4
        ends = [world.status(f"etl-{name}").get("finishedAt") for name in runs(world)]
        starts = [world.store.get(RUNS, NAMESPACE, f"etl-{name}")["spec"]["logicalDate"] for name in runs(world)]
        assert ends[:-1] <= starts[1:]
        await down(world, HOUR)
        await world.clock.advance(10)
        assert len(runs(world)) == 5
        assert world.watcher.errors == 0


async def test_continuous_makes_no_storm_of_failures() -> None:
    async with World({"work": Play(seconds=0.1, exit_code=1)}) as world:
        world.workflow("etl", spec("@continuous"))
        await world.clock.advance(10 * MINUTE)
        assert 9 <= len(runs(world)) <= 10
