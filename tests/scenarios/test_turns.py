"""`maxActiveRuns`, `dependsOnPast` and priorities in a whole engine: who goes, who waits, who is stopped for whom."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.faults import LOST, launches, on
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Conflict, Invalid, ServerError
from windlass.models.common import format_time
from windlass.resources import CONFIG_MAPS, RUNS, WORKFLOWS

Body = dict[str, Any]
ONE = [{"name": "a", "command": ["true"]}]
ACTIVE = ("Running", "Suspended")
ENDS = ("Succeeded", "Failed", "Cancelled", "Refused")


def etl(world: World, limit: int | None = 1, tasks: list[Body] | None = None, **spec: Any) -> None:
    concurrency: Body = {"maxActiveRuns": limit} if limit is not None else {}
    if "policy" in spec:
        concurrency["policy"] = spec.pop("policy")
    world.workflow("etl", {"concurrency": concurrency, "tasks": tasks or ONE, **spec})


def runs(world: World, count: int, **spec: Any) -> list[str]:
    names = [f"r{number}" for number in range(1, count + 1)]
    for name in names:
        world.run(name, workflow="etl", **spec)
    return names


def slot(hours: float, previous: float | None = None, **fields: Any) -> Body:
    """The spec of the run of a slot, so many hours after the clock's start."""
    due = format_time(START + timedelta(hours=hours))
    found: Body = {"trigger": "Schedule", "scheduledAt": due, **fields}
    if previous is not None:
        before = format_time(START + timedelta(hours=previous))
        found |= {"previous": before, "intervalStart": before, "intervalEnd": due}
    return {"workflow": "etl", "logicalDate": due, "slot": found}


def phases(world: World) -> dict[str, str | None]:
    found = {}
    for run in world.store.list(RUNS, NAMESPACE):
        found[run["metadata"]["name"]] = (run.get("status") or {}).get("phase")
    return found


def said(world: World, name: str) -> tuple[str, str, str]:
    status = world.status(name)
    return (status["phase"], status["reason"], status["message"])


class Order:
    """Notes in which order runs begin, and how many are under way at most."""

    def __init__(self, world: World) -> None:
        self.began: list[str] = []
        self.under_way: set[str] = set()
        self.most = 0
        stored = world.watcher.status_stored

        def note(run: Any, before: Any, after: Any, program: Any) -> None:
            stored(run, before, after, program)
            if after.phase in ACTIVE and run.name not in self.under_way:
                self.began.append(run.name)
                self.under_way.add(run.name)
            elif after.phase in ENDS:
                self.under_way.discard(run.name)
            self.most = max(self.most, len(self.under_way))

        world.watcher.status_stored = note  # type: ignore[method-assign]  # what the engine is told is noted on the way


async def all_end(world: World, seconds: float = 3600.0) -> dict[str, str | None]:
    await world.until(lambda: all(phase in ENDS for phase in phases(world).values()), seconds)
    return phases(world)


async def nothing_is_left(world: World) -> None:
    await world.clock.advance(4000)
    assert world.leftovers() == {}


async def test_runs_go_one_after_the_other() -> None:
    async with World() as world:
        order = Order(world)
        etl(world)
        names = runs(world, 5)
        await world.clock.advance(0.6)
        assert phases(world) == {"r1": "Running", **dict.fromkeys(names[1:], "Queued")}
        assert said(world, "r2") == ("Queued", "MaxActiveRuns", "maxActiveRuns is 1: r1 is under way; it is next")
        assert said(world, "r3")[2] == "maxActiveRuns is 1: r1 is under way; 2. in the line when it came"
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert (order.began, order.most) == (names, 1)
        await nothing_is_left(world)


async def test_without_a_limit_all_go_at_once() -> None:
    async with World() as world:
        order = Order(world)
        etl(world, limit=None)
        names = runs(world, 20)
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert order.most == 20
        await nothing_is_left(world)


async def test_a_workflow_with_a_schedule_runs_one_at_a_time_unless_it_says_else() -> None:
    async with World() as world:
        order = Order(world)
        etl(world, limit=None, schedule={"cron": "0 2 * * *"})
        names = runs(world, 3)
        assert await all_end(world, 600) == dict.fromkeys(names, "Succeeded")
        assert order.most == 1


async def test_the_order_is_by_priority_then_by_logical_date_then_by_creation() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world, priority=3)
        world.run("first", workflow="etl")
        await world.clock.advance(1)
        world.run("late", workflow="etl", logicalDate="2025-06-01T00:00:00Z")
        world.run("b-low", workflow="etl", priority=-1, logicalDate="2020-01-01T00:00:00Z")
        world.run("high", workflow="etl", priority=4, logicalDate="2025-07-01T00:00:00Z")
        world.run("early", workflow="etl", logicalDate="2025-01-01T00:00:00Z")
        await world.clock.advance(2)
        world.run("same-later", workflow="etl", logicalDate="2025-06-01T00:00:00Z")
        world.run("workflows", workflow="etl", priority=3, logicalDate="2025-02-01T00:00:00Z")
        await all_end(world)
        assert order.began == ["first", "high", "early", "workflows", "late", "same-later", "b-low"]


async def test_a_run_reads_its_workflow_anew_when_its_turn_comes() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world)
        runs(world, 2)
        await world.clock.advance(1)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"tasks": [{"name": "mended", "command": ["true"]}]}})
        await all_end(world)
        assert (world.phases("r1"), world.phases("r2")) == ({"a": "Succeeded"}, {"mended": "Succeeded"})


async def test_a_limit_that_is_raised_lets_those_go_who_may() -> None:
    async with World({"a": Play(seconds=1000)}) as world:
        order = Order(world)
        etl(world)
        runs(world, 6)
        await world.clock.advance(2)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"concurrency": {"maxActiveRuns": 3}}})
        await world.clock.advance(2)
        assert (order.began, order.most) == (["r1", "r2", "r3"], 3)
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"concurrency": None}})
        await world.clock.advance(2)
        assert len(order.began) == 6


async def test_a_workflow_whose_status_changes_wakes_nobody() -> None:
    async with World({"a": Play(seconds=1000)}) as world:
        etl(world)
        runs(world, 50)
        await world.clock.advance(5)
        world.api.requests.clear()
        for number in range(20):
            world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"metadata": {"labels": {"n": str(number)}}})
        await world.clock.advance(5)
        assert [request for request in world.api.requests if request.resource != "workflows"] == []
        assert len(world.api.requests) <= 2


@pytest.mark.parametrize("how", ["cancel", "delete", "refuse"])
async def test_a_run_that_leaves_the_line_lets_the_next_go(how: str) -> None:
    params = {"n": {"type": "integer", "default": 1}}
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world, params=params)
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl", **({"params": {"n": "no number"}} if how == "refuse" else {}))
        world.run("r3", workflow="etl")
        await world.clock.advance(1)
        if how == "cancel":
            world.store.patch(RUNS, NAMESPACE, "r2", {"spec": {"stop": "Cancel"}})
        elif how == "delete":
            world.store.delete(RUNS, NAMESPACE, "r2")
        await all_end(world, 60)
        assert order.began == ["r1", "r3"]
        assert phases(world).get("r2") == {"cancel": "Cancelled", "delete": None, "refuse": "Refused"}[how]
        await nothing_is_left(world)


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_run_under_way_that_goes_lets_the_next_go(how: str) -> None:
    async with World({"a": [Play(seconds=float("inf"))]}) as world:
        etl(world)
        runs(world, 2)
        await world.clock.advance(1)
        if how == "cancel":
            world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        else:
            world.store.delete(RUNS, NAMESPACE, "r1")
        await world.until(lambda: world.phase("r2") == "Running", 30)


async def test_a_run_that_is_suspended_while_it_waits_lets_others_go_first() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        order = Order(world)
        etl(world)
        world.run("r1", workflow="etl")
        world.run("r2", workflow="etl", suspend=True)
        world.run("r3", workflow="etl")
        await world.until(lambda: world.phase("r3") == "Succeeded", 60)
        assert said(world, "r2") == ("Queued", "Suspended", "spec.suspend is true: it waits, and others go first")
        world.store.patch(RUNS, NAMESPACE, "r2", {"spec": {"suspend": False}})
        await all_end(world, 60)
        assert order.began == ["r1", "r3", "r2"]


async def test_a_run_that_can_t_be_read_holds_nobody_up() -> None:
    async with World() as world:
        etl(world)
        world.store.create(
            RUNS,
            {
                "apiVersion": "windlass.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {"name": "r1", "namespace": NAMESPACE},
                "spec": {"workflow": "etl", "params": {"x": 1}},
                "status": {"phase": "Queued", "tasks": 7},
            },
        )
        world.run("r2", workflow="etl", priority=-5)
        assert await world.ended("r2", 30) == "Succeeded"


@pytest.mark.parametrize("error", [Invalid("status.tasks: unknown", 422), ServerError("boom", 500)])
async def test_a_run_whose_status_is_never_taken_holds_nobody_up(error: Any) -> None:
    async with World() as world:
        etl(world)
        world.api.inject = on("update", "workflowruns", Fault(How.REFUSED, error), times=10**9, name="bad")
        world.run("bad", workflow="etl", priority=9)
        runs(world, 3)
        if isinstance(error, Invalid):
            assert [await world.ended(name, 60) for name in ("r1", "r2", "r3")] == ["Succeeded"] * 3
        world.api.inject = lambda request: None
        assert set((await all_end(world, 300)).values()) == {"Succeeded"}


async def test_runs_of_backfills_take_no_turn() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        etl(world)
        world.run("live", workflow="etl")
        world.run("past-1", **slot(-48, trigger="Backfill", backfill="b"))
        world.run("past-2", **slot(-24, trigger="Backfill", backfill="b"))
        await world.clock.advance(2)
        assert phases(world) == dict.fromkeys(("live", "past-1", "past-2"), "Running")
        await all_end(world)
        await nothing_is_left(world)


# Skip


async def test_with_skip_a_run_that_comes_too_early_is_not_run() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, policy="Skip")
        world.run("r1", workflow="etl")
        await world.clock.advance(1)
        world.run("r2", workflow="etl")
        await world.clock.advance(1)
        message = "maxActiveRuns is 1: r1 is under way, and the policy is Skip"
        assert said(world, "r2") == ("Cancelled", "SkippedByPolicy", message)
        assert ("SkippedByPolicy", None) in world.watcher.events
        assert await world.ended("r1") == "Succeeded"
        world.run("r3", workflow="etl")
        assert await world.ended("r3") == "Succeeded"
        assert len(world.kubelet.launched) == 2
        await nothing_is_left(world)


async def test_with_skip_one_of_many_that_come_at_once_is_run() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, limit=2, policy="Skip", history={"failed": 100})
        runs(world, 30)
        found = list((await all_end(world)).values())
        assert (found.count("Succeeded"), found.count("Cancelled")) == (2, 28)


# Replace


async def test_with_replace_a_newer_run_takes_the_place_of_the_one_under_way() -> None:
    finals = [{"name": "clean", "command": ["true"]}]
    async with World({"a": Play(seconds=50)}) as world:
        etl(world, policy="Replace", **{"finally": finals})
        world.run("r1", workflow="etl")
        await world.clock.advance(5)
        world.run("r2", workflow="etl")
        await world.clock.advance(0.1)
        assert said(world, "r2") == ("Queued", "Replacing", "waits for the end of r1, for which it is run instead")
        assert await world.ended("r1", 20) == "Cancelled"
        assert said(world, "r1") == ("Cancelled", "Replaced", "stopped after 1 of 2 tasks: r2 took its place")
        assert world.phases("r1") == {"a": "Cancelled", "clean": "Succeeded"}
        assert await world.ended("r2") == "Succeeded"
        await nothing_is_left(world)


async def test_a_storm_of_runs_that_replace_each_other_ends_with_the_newest() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        order = Order(world)
        etl(world, policy="Replace")
        for number in range(100):
            world.run(f"r{number:03}", workflow="etl", logicalDate=format_time(START + timedelta(minutes=number)))
            if number % 10 == 0:
                await world.clock.advance(0.3)
        world.api.requests.clear()
        found = await all_end(world, 300)
        assert [name for name, phase in found.items() if phase == "Succeeded"] == ["r099"]
        assert order.most == 1
        assert len(order.began) <= 12
        assert len(world.api.requests) < 300
        await nothing_is_left(world)


async def test_with_replace_and_room_for_two_the_two_newest_are_run() -> None:
    async with World({"a": Play(seconds=50)}) as world:
        order = Order(world)
        etl(world, limit=2, policy="Replace")
        for number in range(1, 7):
            world.run(f"r{number}", workflow="etl")
            await world.clock.advance(1.2)
        found = await all_end(world)
        assert [name for name, phase in found.items() if phase == "Succeeded"] == ["r5", "r6"]
        assert order.most == 2


async def test_a_run_of_lower_priority_replaces_none() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        etl(world, policy="Replace")
        world.run("urgent", workflow="etl", priority=5)
        await world.clock.advance(2)
        world.run("low", workflow="etl")
        await world.clock.advance(1)
        message = "maxActiveRuns is 1: urgent is under way, of higher priority"
        assert said(world, "low") == ("Queued", "MaxActiveRuns", message)
        assert await all_end(world) == {"urgent": "Succeeded", "low": "Succeeded"}


async def test_a_run_that_replaces_another_goes_on_doing_so_after_a_restart() -> None:
    async with World({"a": Play(seconds=500)}) as world:
        etl(world, policy="Replace")
        world.run("r1", workflow="etl")
        await world.clock.advance(5)
        world.api.inject = lambda request: Fault(How.KILLED_BEFORE) if request.verb == "update" else None
        world.run("r2", workflow="etl")
        await world.clock.advance(1)
        await world.kill()
        world.api.inject = lambda request: None
        await world.start()
        assert await world.ended("r1", 30) == "Cancelled"
        await world.until(lambda: world.phase("r2") == "Running", 10)


# The slot before


async def test_a_slot_waits_for_the_success_of_the_slot_before() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=5, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        world.run("s3", **slot(2, 1))
        assert await world.ended("s1") == "Failed"
        await world.clock.advance(1)
        message = "waits for the success of s1, which has failed: retry it, or mark what failed as succeeded"
        assert said(world, "s2") == ("Queued", "DependsOnPast", message)
        assert said(world, "s3")[2] == "waits for the success of s2, which has not ended"
        world.store.delete(RUNS, NAMESPACE, "s1")
        assert await world.ended("s2") == "Failed"
        world.store.delete(RUNS, NAMESPACE, "s2")
        assert await world.ended("s3") == "Failed"
        await nothing_is_left(world)


async def test_a_failed_slot_that_is_mended_frees_the_next() -> None:
    async with World({"a": [Play(exit_code=1), Play()]}) as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        assert await world.ended("s1") == "Failed"
        status = {**world.status("s1"), "phase": "Succeeded", "reason": "Completed"}
        world.store.patch(RUNS, NAMESPACE, "s1", {"status": status}, "merge", "status")
        await world.until(lambda: world.phase("s2") in (*ENDS, "Running"), 10)


async def test_slots_that_depend_on_the_past_go_in_order_through_restarts() -> None:
    async with World({"a": Play(seconds=3)}) as world:
        order = Order(world)
        etl(world, limit=3, dependsOnPast=True)
        for number in reversed(range(1, 13)):
            world.run(f"s{number:02}", **slot(number, number - 1 if number > 1 else None))
        for _ in range(6):
            await world.clock.advance(7)
            await world.kill()
            await world.start()
        assert set((await all_end(world)).values()) == {"Succeeded"}
        assert (sorted(order.began), order.most) == (order.began, 1)
        assert set(launches(world).values()) == {12}
        await nothing_is_left(world)


async def test_a_slot_that_waits_for_the_past_holds_up_nobody_else() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        await world.ended("s1")
        world.run("by-hand", workflow="etl", logicalDate="2030-01-01T00:00:00Z")
        assert await world.ended("by-hand", 60) == "Failed"
        assert world.phase("s2") == "Queued"


async def test_dependence_that_is_given_up_frees_those_who_wait() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        etl(world, limit=1, dependsOnPast=True)
        for number in range(4):
            world.run(f"s{number}", **slot(number, number - 1 if number else None))
        await world.ended("s0")
        world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"dependsOnPast": False}})
        assert set((await all_end(world, 120)).values()) == {"Failed"}


async def test_a_slot_that_never_began_is_passed_over() -> None:
    async with World() as world:
        etl(world, limit=1, dependsOnPast=True)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0), stop="Cancel")
        world.run("s3", **slot(2, 1))
        assert await all_end(world, 60) == {"s1": "Succeeded", "s2": "Cancelled", "s3": "Succeeded"}


PAST = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"], "dependsOnPast": True},
]


async def test_a_task_waits_for_the_same_task_of_the_slot_before() -> None:
    async with World({"b": Play(seconds=30)}) as world:
        etl(world, limit=5, tasks=PAST)
        world.run("s1", **slot(0))
        world.run("s2", **slot(1, 0))
        await world.clock.advance(10)
        assert world.phases("s1") == {"a": "Succeeded", "b": "Running"}
        assert world.phases("s2") == {"a": "Succeeded", "b": "Queued"}
        waiting = world.task("b", "s2")
        assert (waiting["reason"], waiting["message"]) == ("DependsOnPast", "waits for b of s1, which has not ended")
        assert await world.ended("s2") == "Succeeded"
        assert world.clock.monotonic() < 70
        await nothing_is_left(world)


async def test_a_task_waits_for_a_run_that_has_ended_and_reads_it_once() -> None:
    async with World({"b": [Play(exit_code=1)]}) as world:
        etl(world, limit=5, tasks=PAST, taskDefaults={"keepPods": "Never"})
        world.run("s1", **slot(0))
        assert await world.ended("s1") == "Failed"
        await world.clock.advance(200)
        world.api.requests.clear()
        world.run("s2", **slot(1, 0))
        await world.clock.advance(100)
        message = "waits for b of s1, which has failed: retry it, or mark it as succeeded"
        assert world.task("b", "s2")["message"] == message
        reads = [one for one in world.api.requests if one == Request("get", "workflowruns", "s1")]
        assert len(reads) == 1
        world.store.delete(RUNS, NAMESPACE, "s1")
        assert await world.ended("s2", 60) == "Failed"
        await nothing_is_left(world)


async def test_a_task_that_waits_for_its_past_can_be_cancelled() -> None:
    async with World({"b": Play(exit_code=1)}) as world:
        etl(world, limit=5, tasks=PAST)
        world.run("s1", **slot(0))
        await world.ended("s1")
        world.run("s2", **slot(1, 0))
        await world.until(lambda: world.phases("s2").get("b") == "Queued", 60)
        world.store.patch(RUNS, NAMESPACE, "s2", {"spec": {"stop": "Cancel"}})
        assert await world.ended("s2", 30) == "Cancelled"
        await nothing_is_left(world)


# What a run is told


async def test_a_run_is_told_of_the_last_good_run_before_it_once_and_for_all() -> None:
    env = [{"name": "SINCE", "value": "{{ prev_success.data_interval_end | default('never') }}"}]
    async with World({"a": [Play(seconds=40)]}) as world:
        etl(world, limit=5, tasks=[{"name": "a", "command": ["true"], "env": env}])
        world.run("s1", **slot(1, 0))
        await world.ended("s1")
        world.run("s3", **slot(3, 2))
        await world.clock.advance(1)
        world.run("s2", **slot(2, 1))
        await world.ended("s3")
        assert world.status("s3")["previousSuccess"] == {
            "run": "s1",
            "logicalDate": "2025-04-01T13:00:00Z",
            "interval": {"start": "2025-04-01T12:00:00Z", "end": "2025-04-01T13:00:00Z"},
        }
        assert "previousSuccess" not in world.status("s1")
        since = {
            pod["metadata"]["labels"]["windlass.dev/run"]: entry["value"]
            for pod in world.pods()
            for entry in pod["spec"]["containers"][0]["env"]
            if entry["name"] == "SINCE"
        }
        assert since["s3"] == "2025-04-01T13:00:00Z"


async def test_a_run_made_by_hand_is_about_the_last_whole_interval() -> None:
    async with World() as world:
        etl(world, schedule={"cron": "0 2 * * *", "timeZone": "Asia/Seoul"})
        world.run("r1", workflow="etl", logicalDate="2025-04-01T12:00:00Z")
        await world.ended("r1")
        assert world.status("r1")["interval"] == {"start": "2025-03-30T17:00:00Z", "end": "2025-03-31T17:00:00Z"}


async def test_a_run_made_by_hand_is_about_the_last_interval_of_a_calendar_of_holidays() -> None:
    calendar = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "holidays", "namespace": NAMESPACE}}
    async with World() as world:
        world.store.create(CONFIG_MAPS, {**calendar, "data": {"korea": "2025-03-31  a day of rest"}})
        etl(world, schedule={"cron": "0 2 * * *", "exclude": {"configMap": {"name": "holidays", "key": "korea"}}})
        world.run("r1", workflow="etl", logicalDate="2025-04-01T12:00:00Z")
        await world.ended("r1")
        assert world.status("r1")["interval"] == {"start": "2025-03-30T02:00:00Z", "end": "2025-04-01T02:00:00Z"}


async def test_a_run_made_by_hand_waits_for_no_calendar() -> None:
    async with World() as world:
        etl(world, schedule={"cron": "0 2 * * *", "exclude": {"configMap": {"name": "holidays"}}})
        world.run("r1", workflow="etl", logicalDate="2025-04-01T12:00:00Z")
        assert await world.ended("r1") == "Succeeded"
        assert "interval" not in world.status("r1")


# Faults


async def the_whole(world: World) -> None:
    """Two runs at a time out of five, one that waits for the past, one that is cancelled in the line."""
    etl(world, limit=2, dependsOnPast=True)
    world.run("s1", **slot(0))
    world.run("s2", **slot(1, 0))
    runs(world, 3)
    for step, seconds in enumerate((*[1.0] * 60, *[100.0] * 6)):
        if step == 2:
            world.store.patch(RUNS, NAMESPACE, "r3", {"spec": {"stop": "Cancel"}})
        await world.clock.advance(seconds)
        if world.api.killed:
            await world.kill()
            await world.clock.advance(2)
            await world.start()


async def requests_of_the_whole() -> int:
    async with World({"a": Play(seconds=4)}) as world:
        await the_whole(world)
        return len(world.api.requests)


@pytest.mark.parametrize("first", range(3))
@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER])
async def test_killed_at_each_request_no_turn_is_lost_and_none_given_twice(how: How, first: int) -> None:
    total = await requests_of_the_whole()
    assert total > 40
    for number in range(first, total, 3):
        async with World({"a": Play(seconds=4)}) as world:
            order, count = Order(world), -1

            def inject(_: Request, number: int = number) -> Fault | None:
                nonlocal count
                count += 1
                return Fault(how) if count == number else None

            world.api.inject = inject
            await the_whole(world)
            ends = phases(world)
            assert (number, ends.pop("r3") in ("Cancelled", "Succeeded")) == (number, True)
            assert (number, set(ends.values())) == (number, {"Succeeded"}), world.told()
            assert (number, order.most <= 2) == (number, True)
            assert (number, world.kubelet.most_live <= 2) == (number, True)
            assert (number, world.leftovers()) == (number, {})


FAULTS = {
    "a conflict": Fault(How.REFUSED, Conflict("newer", 409)),
    "an ill server": Fault(How.REFUSED, ServerError("boom", 500)),
    "no answer": Fault(How.LOST_ANSWER, LOST),
    "no answer, and carried out late": Fault(How.LATE, LOST, after=40),
    "slow": Fault(How.SLOW, after=3),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize(("verb", "resource"), [("update", "workflowruns"), ("get", "workflows"), ("create", "pods")])
async def test_requests_that_go_wrong_lose_no_turn(fault: Fault, verb: str, resource: str) -> None:
    async with World({"a": Play(seconds=4)}) as world:
        order = Order(world)
        etl(world, limit=1)
        world.api.inject = on(verb, resource, fault, times=6)
        names = runs(world, 5)
        assert await all_end(world) == dict.fromkeys(names, "Succeeded")
        assert (order.most, world.kubelet.most_live) == (1, 1)
        world.api.inject = lambda request: None
        await nothing_is_left(world)


async def test_five_hundred_runs_that_wait_cost_a_few_requests_each() -> None:
    async with World({"a": Play(seconds=2)}) as world:
        order = Order(world)
        etl(world, limit=5)
        names = [f"r{number:03}" for number in range(500)]
        for number, name in enumerate(names):
            world.run(name, workflow="etl", logicalDate=format_time(START + timedelta(minutes=number)))
        await world.clock.advance(1)
        woken = len(world.api.requests)
        assert woken < 500 * 2 + 60
        await world.kill()
        await world.start()
        await world.clock.advance(1)
        found = await all_end(world, 4000)
        assert set(found.values()) == {"Succeeded"}
        assert order.most == 5
        assert order.began[10:] == names[10:]
        count = Counter((one.verb, one.resource) for one in world.api.requests)
        assert count["get", "workflows"] < 500 * 2, "once after the restart, and once when its turn has come"
        assert count["update", "workflowruns"] < 500 * 4
        await nothing_is_left(world)
