"""Backfills on the engine in a pretended cluster: whatever happens, a slot gets one run, and the figures are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from support.faults import LOST, on
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Forbidden, NotFound, QuotaExceeded
from windlass.resources import BACKFILLS, CONFIG_MAPS, EVENTS, RUNS, WORKFLOWS

Body = dict[str, Any]
DAYS = [f"2025-03-{day:02}" for day in range(1, 32)]
ENDS = ("Succeeded", "Failed", "Cancelled", "Refused")


def spec(*failing: int, **fields: Any) -> Body:
    """A Workflow that is due daily, and whose runs fail on some days of March."""
    good = {day: "ok" for number, day in enumerate(DAYS, 1) if number not in failing}
    return {
        "schedule": {"cron": "0 2 * * *", "suspend": True},
        "params": {"good": {"type": "object", "default": good}},
        "tasks": [{"name": "a", "script": "true", "env": [{"name": "DAY", "value": "{{ params.good[ds] }}"}]}],
        **fields,
    }


class Story:
    """A world with one Workflow, and a note of each run that is ever made in it."""

    def __init__(self, world: World, **workflow: Any) -> None:
        self.world = world
        self.made: Counter[str] = Counter()
        """By slot, without its hour."""
        self.order: list[str] = []
        self.most = 0
        """The most runs of backfills that had not ended, at a time."""
        create = world.store.create

        def noting(resource: Any, obj: Body, *rest: Any, **more: Any) -> Body:
            answer = create(resource, obj, *rest, **more)
            if resource is RUNS:
                self._note(answer)
            return answer

        world.store.create = noting  # type: ignore[method-assign]  # to see what is made
        if workflow:
            world.workflow("etl", workflow)

    def _note(self, run: Body) -> None:
        slot = run["spec"].get("slot", {}).get("scheduledAt", "none")[:10]
        self.made[slot] += 1
        self.order.append(slot)
        active = [one for one in self.runs().values() if (one.get("status") or {}).get("phase") not in ENDS]
        self.most = max(self.most, sum("backfill" in one["spec"].get("slot", {}) for one in active))

    def backfill(self, name: str = "b", **fields: Any) -> Body:
        given = {"workflow": "etl", "from": "2025-03-01", "to": "2025-03-05", **fields}
        body = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Backfill", "spec": given}
        return self.world.store.create(BACKFILLS, {**body, "metadata": {"name": name, "namespace": NAMESPACE}})

    def change(self, name: str = "b", **fields: Any) -> None:
        patch = {"spec": fields}
        self.world.store.patch(BACKFILLS, NAMESPACE, name, patch, "application/merge-patch+json", None)

    def status(self, name: str = "b") -> Body:
        found: Body = self.world.store.get(BACKFILLS, NAMESPACE, name).get("status") or {}
        return found

    def figures(self, name: str = "b") -> tuple[str, str, int, int, int, int]:
        told = self.status(name)
        figures = (told["succeeded"], told["failed"], told["cancelled"], told["skipped"])
        return (told["phase"], told["reason"], *figures)

    def runs(self) -> dict[str, Body]:
        return {run["metadata"]["name"]: run for run in self.world.store.list(RUNS, NAMESPACE)}

    async def until(self, done: Callable[[], bool], seconds: float = 3600.0) -> None:
        """Let time pass until `done`; a controller that is killed is started again."""
        end = self.world.clock.monotonic() + seconds
        await self.world.clock.advance(0)
        while not done():
            if self.world.api.killed:
                await self.world.kill()
                await self.world.clock.advance(2)
                await self.world.start()
            step = self.world.clock.next_timer
            assert step is not None and self.world.clock.monotonic() + step <= end, self.world.told()
            await self.world.clock.advance(step)

    async def over(self, name: str = "b", seconds: float = 3600.0) -> Body:
        await self.until(lambda: self.status(name).get("phase") in ENDS, seconds)
        return self.status(name)

    def days(self, *numbers: int) -> Counter[str]:
        return Counter({DAYS[number - 1]: 1 for number in numbers})


ALL = (1, 2, 3, 4, 5)


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


async def test_a_run_that_is_deleted_while_it_runs_is_not_made_again() -> None:
    async with World({"a": Play(seconds=60)}) as world:
        story = Story(world, **spec())
        story.backfill()
        await story.until(lambda: story.status().get("running") == 1)
        world.store.delete(RUNS, NAMESPACE, "etl-20250301t0200")
        await story.over()
        assert story.figures() == ("Failed", "RunsFailed", 4, 0, 1, 0)
        assert story.made == story.days(*ALL)


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


# Faults

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
