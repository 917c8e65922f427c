"""What people do while a backfill is under way: to it, to its Workflow, and to its runs."""

from __future__ import annotations

import pytest

from support.backfill_story import ALL, Story, spec
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.errors import NotFound
from windlass.resources import BACKFILLS, RUNS, WORKFLOWS


async def test_suspended_it_makes_no_more_until_it_is_resumed() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill(maxActiveRuns=2)
        await story.until(lambda: story.status().get("running") == 2)
        story.change(suspend=True)
        await world.clock.advance(600)
        told = story.status()
        assert (told["phase"], told["progress"], sum(story.made.values())) == ("Suspended", "2/5", 2)
        await world.kill()
        await world.start()
        await world.clock.advance(600)
        assert sum(story.made.values()) == 2
        story.change(suspend=False)
        await story.over()
        assert story.made == story.days(*ALL)


async def test_stopped_it_cancels_what_runs() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        story = Story(world, **spec())
        story.backfill(maxActiveRuns=2)
        await story.until(lambda: story.status().get("running") == 2)
        story.change(stop="Cancel")
        await story.over()
        assert story.figures() == ("Cancelled", "Cancelled", 0, 0, 2, 0)
        assert {run["status"]["phase"] for run in story.runs().values()} == {"Cancelled"}


async def test_deleted_it_makes_no_more_and_its_runs_go_on() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill(maxActiveRuns=2)
        await story.until(lambda: story.status().get("running") == 2)
        world.store.delete(BACKFILLS, NAMESPACE, "b")
        await world.clock.advance(600)
        assert [run["status"]["phase"] for run in story.runs().values()] == ["Succeeded", "Succeeded"]
        assert (sum(story.made.values()), len(world.engine.backfills.live)) == (2, 0)


async def test_one_of_the_same_name_again_leaves_the_runs_of_the_first_alone() -> None:
    async with World() as world:
        story = Story(world, **spec())
        story.backfill(to="2025-03-02")
        await story.over()
        world.store.delete(BACKFILLS, NAMESPACE, "b")
        await world.clock.advance(5)
        story.backfill()
        await story.over()
        assert story.figures() == ("Succeeded", "Completed", 3, 0, 0, 2)
        assert story.made == story.days(*ALL)


async def test_the_workflow_is_deleted_meanwhile() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        await story.over(seconds=60)
        assert story.figures()[:2] == ("Failed", "WorkflowGone")
        await world.clock.advance(60)
        assert (sum(story.made.values()), story.runs()) == (1, {})


async def test_the_workflow_is_made_again_meanwhile() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        await world.kill()
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        world.workflow("etl", spec())
        await world.start()
        await story.over(seconds=60)
        assert story.figures()[:2] == ("Failed", "WorkflowGone")
        assert sum(story.made.values()) == 1


async def test_an_edit_of_the_schedule_moves_no_slot_and_an_edit_of_the_tasks_reaches_the_next_runs() -> None:
    async with World({"a": Play(seconds=60), "b": Play(seconds=1)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        edited = spec(schedule={"cron": "*/10 * * * *", "suspend": True}, tasks=[{"name": "b", "script": "true"}])
        known = world.store.get(WORKFLOWS, NAMESPACE, "etl")
        world.store.replace(WORKFLOWS, {**known, "spec": edited})
        await story.over()
        assert (story.made, story.figures()) == (story.days(*ALL), ("Succeeded", "Completed", 5, 0, 0, 0))
        assert [task["name"] for task in world.status("etl-20250301t0200")["tasks"]] == ["a"]
        assert [task["name"] for task in world.status("etl-20250302t0200")["tasks"]] == ["b"]


async def test_a_workflow_that_can_t_be_read_any_more_is_waited_for() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        known = world.store.get(WORKFLOWS, NAMESPACE, "etl")
        cycle = [
            {"name": "a", "script": "true", "dependsOn": ["b"]},
            {"name": "b", "script": "true", "dependsOn": ["a"]},
        ]
        world.store.replace(WORKFLOWS, {**known, "spec": spec(tasks=cycle)})
        await story.until(lambda: story.status().get("reason") == "WorkflowInvalid")
        await world.clock.advance(600)
        assert sum(story.made.values()) == 1
        known = world.store.get(WORKFLOWS, NAMESPACE, "etl")
        world.store.replace(WORKFLOWS, {**known, "spec": spec()})
        await story.over()
        assert story.figures() == ("Succeeded", "Completed", 5, 0, 0, 0)


async def test_history_that_keeps_less_than_the_range_makes_no_slot_run_twice() -> None:
    async with World() as world:
        story = Story(world, **spec(history={"succeeded": 1, "failed": 0}))
        story.backfill(to="2025-03-20", maxActiveRuns=3)
        await story.over()
        assert story.made == story.days(*range(1, 21))
        assert story.figures() == ("Succeeded", "Completed", 20, 0, 0, 0)
        await world.clock.advance(300)
        assert len(story.runs()) == 1


async def test_history_keeps_what_a_backfill_has_yet_to_look_at() -> None:
    """The good runs of the whole range are there, and more than history would keep."""
    async with World({"a": Play(seconds=120)}) as world:
        story = Story(world, **spec(tasks=[{"name": "a", "script": "true"}]))
        story.backfill("first", to="2025-03-10")
        await story.over("first", 7200)
        story.made.clear()
        story.backfill("wide", **{"from": "2025-02-27", "to": "2025-03-10"})
        await story.until(lambda: story.status("wide").get("running") == 1)
        known = world.store.get(WORKFLOWS, NAMESPACE, "etl")
        world.store.replace(WORKFLOWS, {**known, "spec": {**known["spec"], "history": {"succeeded": 0}}})
        await story.over("wide")
        assert story.figures("wide")[2:] == (2, 0, 0, 10)
        assert set(story.made) == {"2025-02-27", "2025-02-28"}


async def test_a_run_that_is_deleted_while_it_runs_is_not_made_again() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        world.store.delete(RUNS, NAMESPACE, "etl-20250301t0200")
        await story.over()
        assert story.figures() == ("Failed", "RunsFailed", 4, 0, 1, 0)
        assert story.made == story.days(*ALL)


async def test_a_backfill_that_is_gone_is_forgotten() -> None:
    async with World() as world:
        story = Story(world, **spec())
        story.backfill()
        await story.over()
        world.store.delete(BACKFILLS, NAMESPACE, "b")
        await world.clock.advance(5)
        records = world.engine.backfills._records
        assert (records.keys(), dict(records._by_workflow), records.unreadable) == (set(), {}, {})
        with pytest.raises(NotFound):
            story.status()
