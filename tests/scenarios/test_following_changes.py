"""What happens while Workflows follow others: pauses, edits, deletions; no event is lost, none counts twice."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from support.clock import DAY, HOUR, MINUTE
from support.following import SOURCE, answered, fired, follows, producing, runs_of
from support.following_runs import ran
from support.scheduling import TASKS, change, down, edit, status
from support.world import NAMESPACE, World
from windlass.resources import PODS, RUNS, WORKFLOWS


async def test_what_was_before_is_past() -> None:
    async with World() as world:
        for name in ("a", "b"):
            world.workflow(name, producing(f"{name}/daily"))
        await ran(world, "a1")
        await ran(world, "b1", "b")
        world.workflow("c", follows("a"))
        await world.clock.advance(10)
        change(world, "c", after={"any": [{"workflow": "a"}, {"workflow": "b"}, {"asset": "b/daily"}]})
        await world.clock.advance(10)
        assert fired(world) == []
        await ran(world, "b2", "b")
        # The run, and its asset: two events.
        assert fired(world) == ["b2", "b2"]


async def test_a_schedule_of_the_clock_becomes_one_that_follows_and_back() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        await ran(world, "a1")
        world.workflow("c", {"schedule": {"cron": "*/5 * * * *"}, "tasks": TASKS})
        await world.clock.advance(301)
        await ran(world, "a2")
        edit(world, lambda whole: whole["spec"].update(schedule={"after": {"any": [{"workflow": "a"}]}}), "c")
        await world.clock.advance(301)
        await ran(world, "a3")
        names = [run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE) if run["spec"]["workflow"] == "c"]
        assert [answered(world.store.get(RUNS, NAMESPACE, name)) for name in names if "-1-" in name] == ["a3"]
        assert len(names) == 2
        edit(world, lambda whole: whole["spec"].update(schedule={"cron": "*/5 * * * *"}), "c")
        await ran(world, "a4", seconds=301)
        assert len([run for run in world.store.list(RUNS, NAMESPACE) if run["spec"]["workflow"] == "c"]) == 3


class Suspended(NamedTuple):
    how: str
    catch_up: str
    made: list[str]


SUSPENDED = {
    "any: the newest": Suspended("any", "None", ["b3"]),
    "any, all made up for": Suspended("any", "All", ["a1", "a2", "b3"]),
    "all: one set": Suspended("all", "None", ["a2+b3"]),
    "all, and one set still": Suspended("all", "All", ["a2+b3"]),
}


@pytest.mark.parametrize("case", SUSPENDED.values(), ids=SUSPENDED.keys())
async def test_what_happens_while_it_is_suspended(case: Suspended) -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("b", SOURCE)
        world.workflow("c", follows("a", "b", how=case.how, catchUp=case.catch_up, suspend=True))
        for name in ("a1", "a2"):
            await ran(world, name)
        await ran(world, "b3", "b")
        assert (fired(world), status(world, "c")["reason"]) == ([], "Suspended")
        await down(world, HOUR)
        change(world, "c", suspend=False)
        await world.clock.advance(30)
        assert fired(world) == case.made
        assert status(world, "c")["reason"] == "Waiting"


async def test_the_controller_was_down() -> None:
    async with World() as world:
        world.workflow("a", producing("sales/daily"))
        world.workflow("c", follows("sales/daily"))
        await ran(world, "a1")
        world.run("a2", workflow="a")
        world.run("a3", workflow="a")
        await world.clock.advance(1)
        await down(world, DAY)
        await world.clock.advance(60)
        assert sorted(fired(world)) == ["a1", "a2", "a3"]
        assert world.watcher.errors == 0


async def test_a_source_keeps_its_runs_until_they_were_answered() -> None:
    async with World() as world:
        world.workflow("a", {**SOURCE, "history": {"succeeded": 0, "ttl": "1h"}})
        world.workflow("b", producing("sales/daily", history={"succeeded": 0}))
        world.workflow("c", follows("a", "sales/daily", how="all", history={"succeeded": 1}))
        for name in ("a1", "a2", "a3"):
            await ran(world, name)
        await world.clock.advance(3 * HOUR)
        left = [run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE)]
        assert left == ["a3"], "the newest one, which is all that is wanted"
        await ran(world, "b1", "b", seconds=5 * MINUTE)
        left = [run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE)]
        assert (fired(world), [name for name in left if not name.startswith("c-")]) == (["a3+b1"], [])
        assert world.watcher.errors == 0


async def test_a_run_that_somebody_deletes_takes_its_event_with_it() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("b", SOURCE)
        world.workflow("c", follows("a", "b", how="all"))
        await ran(world, "a1")
        world.store.delete(RUNS, NAMESPACE, "a1")
        await ran(world, "b1", "b")
        assert fired(world) == []
        assert status(world, "c")["waitingFor"] == "waits for a (Succeeded); has b (Succeeded) of run b1"
        world.store.delete(WORKFLOWS, NAMESPACE, "a")
        world.workflow("a", SOURCE)
        await ran(world, "a1")
        assert fired(world) == ["a1+b1"]


async def test_history_of_those_that_follow_uses_no_number_twice() -> None:
    async with World() as world:
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a", history={"succeeded": 0}))
        numbers = []
        for name in ("a1", "a2", "a3"):
            await ran(world, name, seconds=3)
            numbers += [run["metadata"]["name"][:4] for run in runs_of(world)]
            await down(world, 5 * MINUTE)
            await world.clock.advance(2 * MINUTE)
            assert fired(world) == []
        assert numbers == ["c-1-", "c-2-", "c-3-"]


async def test_a_follower_that_is_made_again_under_its_name() -> None:
    async with World() as world:
        world.collects_every = 90
        world.workflow("a", SOURCE)
        world.workflow("c", follows("a"))
        await ran(world, "a1")
        world.store.delete(WORKFLOWS, NAMESPACE, "c")
        await world.clock.advance(1)
        world.workflow("c", follows("a"))
        await ran(world, "a2")
        assert sorted(fired(world)) == ["a1", "a2"]
        await world.clock.advance(120)
        assert fired(world) == ["a2"]


async def test_one_that_cannot_be_read_touches_no_other_and_loses_nothing() -> None:
    async with World() as world:
        world.workflow("a", {**SOURCE, "history": {"succeeded": 0}})
        world.workflow("bad", follows("a", cron="0 0 * * *"))
        world.workflow("c", follows("a"))
        await ran(world, "a1")
        assert (fired(world), fired(world, "bad"), status(world, "bad")["reason"]) == (["a1"], [], "ScheduleInvalid")
        edit(world, lambda whole: whole["spec"]["schedule"].pop("cron"), "bad")
        await ran(world, "a2")
        assert fired(world, "bad") == ["a2"]


async def test_what_is_remembered_goes_with_the_workflows() -> None:
    async with World() as world:
        world.workflow("a", producing("sales/daily"))
        world.workflow("c", follows("a", "sales/daily"))
        await ran(world, "a1", seconds=60)
        for name in ("a", "c"):
            world.store.delete(WORKFLOWS, NAMESPACE, name)
        for run in world.store.list(RUNS, NAMESPACE):
            world.store.delete(RUNS, NAMESPACE, run["metadata"]["name"])
        await world.clock.advance(HOUR)
        following = world.engine.scheduler.following
        assert (following._follows, following._followers, following._producers) == ({}, {}, {})
        assert world.leftovers() == {}
        assert world.store.list(PODS, NAMESPACE) == []
