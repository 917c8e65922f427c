"""Backfills on the engine in a pretended cluster: each slot gets one run, and the figures are right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from support.backfill_story import ALL, DAYS, Story, spec
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.resources import CONFIG_MAPS, EVENTS, WORKFLOWS


async def test_each_slot_gets_its_run() -> None:
    async with World() as world:
        story = Story(world, **spec())
        story.backfill()
        end = await story.over()
        assert story.figures() == ("Succeeded", "Completed", 5, 0, 0, 0)
        assert (end["progress"], end["running"], end["active"]) == ("5/5", 0, [])
        assert (story.made, story.most, story.order) == (story.days(*ALL), 1, [DAYS[n - 1] for n in ALL])
        run = story.runs()["etl-20250302t0200"]
        assert run["metadata"]["labels"] == {
            "windlass.dev/workflow": "etl",
            "windlass.dev/trigger": "backfill",
            "windlass.dev/backfill": "b",
        }
        owner = world.store.get(WORKFLOWS, NAMESPACE, "etl")["metadata"]["uid"]
        assert [(one["uid"], one["controller"]) for one in run["metadata"]["ownerReferences"]] == [(owner, True)]
        assert (run["spec"]["logicalDate"], run["spec"]["priority"]) == ("2025-03-02T02:00:00Z", -10)
        assert (run["status"]["trigger"], run["status"]["slot"]) == ("Backfill", "2025-03-02T02:00:00Z")
        assert world.watcher.errors == 0


async def test_the_newest_first_and_several_at_once() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        story = Story(world, **spec())
        story.backfill(order="Newest", maxActiveRuns=2)
        await story.over()
        assert (story.order, story.most) == ([DAYS[n - 1] for n in reversed(ALL)], 2)


async def test_it_takes_no_turn_of_the_schedule_and_waits_for_none() -> None:
    async with World({"a": Play(seconds=90)}) as world:
        story = Story(world, **spec(schedule={"cron": "0 2 * * *"}, concurrency={"maxActiveRuns": 1}))
        world.run("by-hand", workflow="etl", logicalDate="2025-03-09T00:00:00Z")
        story.backfill(maxActiveRuns=3)
        await story.until(lambda: story.status().get("running") == 3, 30)
        await story.until(lambda: world.phase("by-hand") == "Running", 30)
        assert [world.phase(f"etl-2025030{n}t0200") for n in (1, 2, 3)] == ["Running"] * 3


async def test_a_live_run_goes_before_those_that_wait_for_a_slot() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        story = Story(world, **spec(concurrency={"maxActiveTasks": 1}))
        story.backfill(maxActiveRuns=3)
        await story.until(lambda: len(story.runs()) == 3 and world.phases("etl-20250302t0200") == {"a": "Queued"}, 60)
        world.run("live", workflow="etl", logicalDate="2025-03-20T00:00:00Z")
        await story.until(lambda: world.phase("live") == "Succeeded", 90)
        ended = [name for name, one in story.runs().items() if (one.get("status") or {}).get("phase") == "Succeeded"]
        assert sorted(ended) == ["etl-20250301t0200", "live"]


CALENDAR = {"cron": "0 2 * * *", "suspend": True, "exclude": {"configMap": {"name": "holidays"}}}


async def test_the_days_of_a_calendar_are_waited_for_and_left_out() -> None:
    async with World() as world:
        story = Story(world, **spec(schedule=CALENDAR))
        story.backfill()
        await story.until(lambda: story.status().get("reason") == "CalendarMissing")
        holidays = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "holidays", "namespace": NAMESPACE}}
        world.store.create(CONFIG_MAPS, {**holidays, "data": {"2025-03-03": "a holiday"}})
        await story.over()
        assert story.made == story.days(1, 2, 4, 5)


async def test_failures_are_counted_and_told() -> None:
    async with World() as world:
        story = Story(world, **spec(2, 4))
        story.backfill()
        end = await story.over()
        assert story.figures() == ("Failed", "RunsFailed", 3, 2, 0, 0)
        assert end["message"] == "all slots are done: 3 succeeded, 2 failed"
        assert [(one["run"], one["outcome"]) for one in end["failures"]] == [
            ("etl-20250302t0200", "Failed"),
            ("etl-20250304t0200", "Failed"),
        ]
        told = [event for event in world.store.list(EVENTS, NAMESPACE) if event["regarding"]["kind"] == "Backfill"]
        assert [(event["type"], event["reason"], event["note"]) for event in told] == [
            ("Warning", "RunsFailed", "all slots are done: 3 succeeded, 2 failed")
        ]


async def test_it_stops_after_failures() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        story = Story(world, **spec(1, 2))
        story.backfill(stopAfterFailures=2, maxActiveRuns=2)
        await story.over()
        phase, reason, _, failed, _, _ = story.figures()
        assert (phase, reason, failed) == ("Failed", "TooManyFailures", 2)
        assert sum(story.made.values()) < 5


REPROCESS = {
    "None": ("None", {3: 1, 4: 1, 5: 1}, ("Succeeded", "Completed", 3, 0, 0, 2)),
    "Failed": ("Failed", {2: 1, 3: 1, 4: 1, 5: 1}, ("Succeeded", "Completed", 4, 0, 0, 1)),
    "All": ("All", {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, ("Succeeded", "Completed", 5, 0, 0, 0)),
}


@pytest.mark.parametrize(("mode", "made", "figures"), REPROCESS.values(), ids=REPROCESS.keys())
async def test_what_is_there_already(mode: str, made: dict[int, int], figures: tuple[Any, ...]) -> None:
    """Of the first two slots one run is good and one has failed."""
    async with World() as world:
        story = Story(world, **spec(2))
        story.backfill("first", to="2025-03-02")
        await story.over("first")
        mended = dict.fromkeys(DAYS, "ok")
        story.made.clear()
        story.backfill(reprocess=mode, params={"good": mended})
        await story.over()
        assert story.made == Counter({DAYS[number - 1]: many for number, many in made.items()})
        assert story.figures() == figures
        # Once more it finds the same runs there.
        story.backfill("again")
        await story.over("again")
        assert story.figures("again") == ("Succeeded", "Completed", 0, 0, 0, 5)


async def test_each_slot_waits_for_the_one_before_where_the_workflow_says_so() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        story = Story(world, **spec(dependsOnPast=True))
        story.backfill(maxActiveRuns=3)
        await story.until(lambda: world.phase("etl-20250301t0200") == "Running" and len(story.runs()) == 3)
        assert [world.phase(f"etl-2025030{n}t0200") for n in (2, 3)] == ["Queued", "Queued"]
        await story.over()
        assert (story.figures(), story.made) == (("Succeeded", "Completed", 5, 0, 0, 0), story.days(*ALL))


async def test_where_the_slot_before_has_failed_it_waits_and_goes_on_once_that_is_mended() -> None:
    async with World() as world:
        story = Story(world, **spec(2, dependsOnPast=True))
        story.backfill()
        await story.until(lambda: len(story.runs()) == 3 and world.phase("etl-20250303t0200") == "Queued")
        await world.clock.advance(600)
        told = story.status()
        assert (told["phase"], told["running"], told["failed"]) == ("Running", 1, 1)
        world.act("MarkSuccess", "a", run="etl-20250302t0200")
        await story.over()
        assert story.figures() == ("Succeeded", "Completed", 5, 0, 0, 0)
        assert story.made == story.days(*ALL)


async def test_a_dry_run_makes_nothing() -> None:
    async with World() as world:
        story = Story(world, **spec())
        story.backfill("first", to="2025-03-01")
        await story.over("first")
        story.made.clear()
        story.backfill(dryRun=True)
        end = await story.over()
        assert [(slot["slot"][:10], slot["action"]) for slot in end["slots"]] == [
            (DAYS[0], "Skip"), *((day, "Run") for day in DAYS[1:5]),
        ]  # fmt: skip
        assert (end["phase"], end["reason"], story.made) == ("Succeeded", "DryRun", Counter())


async def test_a_backfill_may_come_before_its_workflow() -> None:
    async with World() as world:
        story = Story(world)
        story.backfill()
        await story.until(lambda: story.status().get("reason") == "WorkflowNotFound")
        world.workflow("etl", spec())
        await story.over(seconds=60)
        assert story.figures() == ("Succeeded", "Completed", 5, 0, 0, 0)


async def test_a_workflow_that_never_comes() -> None:
    async with World() as world:
        story = Story(world)
        story.backfill()
        end = await story.over(seconds=310)
        assert (end["phase"], end["reason"]) == ("Refused", "WorkflowNotFound")


async def test_one_that_can_t_be_read_is_set_aside_and_others_go_on() -> None:
    async with World() as world:
        story = Story(world, **spec())
        story.backfill("bad", **{"from": "2025-02-30"})
        story.backfill()
        await story.over("bad")
        assert (story.status("bad")["phase"], story.status("bad")["reason"]) == ("Refused", "SpecInvalid")
        assert "spec.from" in story.status("bad")["message"]
        assert ("SpecInvalid", None) in world.watcher.events
        await story.over()
        assert story.figures() == ("Succeeded", "Completed", 5, 0, 0, 0)


async def test_a_name_that_somebody_else_has_taken() -> None:
    async with World() as world:
        story = Story(world, **spec())
        world.run("etl-20250303t0200", workflow="etl", logicalDate="2025-01-01T00:00:00Z", params={"good": {"x": 1}})
        story.backfill()
        await story.over()
        assert story.made == story.days(*ALL) + Counter({"none": 1})
        assert story.figures()[2:] == (5, 0, 0, 0)


async def test_a_slot_of_now_that_the_schedule_makes_at_the_same_time_has_one_run() -> None:
    async with World({"a": Play(seconds=30)}) as world:
        good = {"params": {"good": {"type": "object", "default": {f"2025-04-0{n}": "ok" for n in range(1, 10)}}}}
        story = Story(world, **spec(**{"schedule": {"cron": "*/5 * * * *"}, **good}))
        await world.clock.advance(899)
        story.backfill(**{"from": "2025-04-01T12:00:00Z", "to": "2025-04-02"})
        await world.clock.advance(3)
        await story.over()
        slots = Counter(
            run["spec"]["slot"]["scheduledAt"] for run in story.runs().values() if run["spec"]["slot"]["scheduledAt"]
        )
        assert set(slots.values()) == {1}


async def test_many_slots_cost_no_long_stop() -> None:
    """Ten years of hours are counted without holding up the loop; a hundred thousand slots and more are refused."""
    async with World() as world:
        story = Story(world, **spec(schedule={"cron": "0 * * * *", "suspend": True}))
        story.backfill("wide", **{"from": "2010-01-01", "to": "2025-03-31", "dryRun": True})
        end = await story.over("wide")
        assert (end["phase"], end["reason"]) == ("Refused", "TooManySlots")
        story.backfill(**{"from": "2024-01-01", "to": "2024-12-31", "dryRun": True})
        end = await story.over()
        assert (end["total"], len(end["slots"])) == (8784, 500)
