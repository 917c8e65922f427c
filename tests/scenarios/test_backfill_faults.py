"""Backfills when requests go wrong and controllers die: a slot gets one run all the same."""

from __future__ import annotations

from typing import Any

import pytest

from support.backfill_story import ALL, Story, spec
from support.faults import LOST, on
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Forbidden, QuotaExceeded
from windlass.resources import BACKFILLS, RUNS

REFUSALS = {
    "a quota": (QuotaExceeded("exceeded quota: runs", 403), 3),
    "a policy that refuses runs": (Forbidden("denied by policy", 403), 3),
}


@pytest.mark.parametrize(("error", "times"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_run_that_can_t_be_made_is_told_and_tried_again(error: Any, times: int) -> None:
    async with World() as world:
        story = Story(world, **spec())
        world.api.inject = on("create", "workflowruns", Fault(How.REFUSED, error), times, "20250302")
        story.backfill()
        await story.until(lambda: story.status().get("reason") == "RunRefused")
        assert error.message in story.status()["message"]
        await story.over()
        assert (story.figures(), story.made) == (("Succeeded", "Completed", 5, 0, 0, 0), story.days(*ALL))


LOSSES = {
    "the answer is lost": Fault(How.LOST_ANSWER, LOST),
    "it is carried out a moment later": Fault(How.LATE, LOST, 0.3),
    "it is slow": Fault(How.SLOW, after=20.0),
}


@pytest.mark.parametrize("fault", LOSSES.values(), ids=LOSSES.keys())
async def test_creates_that_go_wrong_make_one_run_a_slot(fault: Fault) -> None:
    async with World() as world:
        story = Story(world, **spec())
        world.api.inject = on("create", "workflowruns", fault, 100)
        story.backfill(maxActiveRuns=2)
        await story.over()
        assert (story.figures(), story.made) == (("Succeeded", "Completed", 5, 0, 0, 0), story.days(*ALL))
        assert story.most <= 2


@pytest.mark.parametrize("fault", LOSSES.values(), ids=LOSSES.keys())
async def test_status_writes_that_go_wrong_change_nothing_in_the_end(fault: Fault) -> None:
    async with World() as world:
        story = Story(world, **spec(2))
        world.api.inject = on("update", "backfills", fault, 100)
        story.backfill(maxActiveRuns=2)
        await story.over()
        assert (story.figures(), story.made) == (("Failed", "RunsFailed", 4, 1, 0, 0), story.days(*ALL))


OURS = ("workflowruns", "backfills", "workflows")


async def a_life(story: Story) -> None:
    """Five slots of which one has a run already and one fails; two at a time, the last ones after a pause."""
    story.world.workflow("etl", spec(3, history={"succeeded": 1, "failed": 1}))
    story.backfill("first", to="2025-03-01")
    await story.over("first")
    story.backfill(maxActiveRuns=2)
    await story.until(lambda: (story.status().get("done") or 0) >= 3)
    story.change(suspend=True)
    await story.until(lambda: story.status().get("phase") == "Suspended")
    story.change(suspend=False)
    await story.over()


async def requests_of_a_life() -> int:
    async with World({"a": Play(seconds=5)}) as world:
        await a_life(Story(world))
        return sum(one.resource in OURS for one in world.api.requests)


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER])
async def test_killed_at_each_request_the_end_is_the_same(how: How) -> None:
    total = await requests_of_a_life()
    assert total > 40
    for number in range(total):
        async with World({"a": Play(seconds=5)}) as world:
            count = -1

            def inject(request: Request, number: int = number) -> Fault | None:
                nonlocal count
                if request.resource not in OURS:
                    return None
                count += 1
                return Fault(how) if count == number else None

            world.api.inject = inject
            story = Story(world)
            await a_life(story)
            told = (number, story.status(), story.order)
            assert story.figures() == ("Failed", "RunsFailed", 3, 1, 0, 1), told
            assert story.made == story.days(*ALL), told
            assert story.most <= 2, told


async def test_an_old_version_that_comes_late_makes_nothing() -> None:
    async with World() as world:
        story = Story(world, **spec(history={"succeeded": 0}))
        made = story.backfill()
        versions = [made]
        await story.until(lambda: (story.status().get("done") or 0) >= 2)
        versions.append(world.store.get(BACKFILLS, NAMESPACE, "b"))
        await story.over()
        await world.clock.advance(300)
        assert story.runs() == {}
        for old in versions:
            world.engine.event(BACKFILLS, "MODIFIED", old)
        await world.clock.advance(60)
        assert story.made == story.days(*ALL)


async def test_watches_that_say_nothing_hide_no_end_for_ever() -> None:
    async with World({"a": Play(seconds=10)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        world.store.delete(RUNS, NAMESPACE, "etl-20250301t0200")
        world.api.cut_watches()
        await story.over()
        assert story.figures() == ("Failed", "RunsFailed", 4, 0, 1, 0)
