"""Schedules that can't be used, calendars that are missing, statuses that were spoilt, and clocks that jump."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from support.clock import DAY, HOUR, MINUTE
from support.scheduling import edit, runs, spec, status, told
from support.world import NAMESPACE, World
from windlass.resources import CONFIG_MAPS, RUNS, WORKFLOWS

HOLIDAYS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "holidays", "namespace": NAMESPACE}}


async def test_a_calendar_that_is_not_there_loses_no_slot() -> None:
    async with World() as world:
        world.workflow("etl", spec("0 * * * *", exclude={"configMap": {"name": "holidays"}}))
        await world.clock.advance(2 * HOUR + 60)
        assert runs(world) == []
        assert status(world)["reason"] == "CalendarMissing"
        assert told(world) == ["CalendarMissing"]
        world.store.create(CONFIG_MAPS, {**HOLIDAYS, "data": {"days": "2025-04-02\n"}})
        await world.clock.advance(40)
        assert runs(world) == ["20250401t1300", "20250401t1400"]
        await world.clock.advance(DAY)
        assert runs(world)[-1] == "20250401t2300"
        await world.clock.advance(DAY)
        assert runs(world)[-1].startswith("20250403t14")


async def test_a_calendar_that_changes_is_heard_of() -> None:
    async with World() as world:
        made = world.store.create(CONFIG_MAPS, {**HOLIDAYS, "data": {"days": ""}})
        world.workflow("etl", spec("0 * * * *", exclude={"configMap": {"name": "holidays"}}))
        await world.clock.advance(60)
        world.store.replace(CONFIG_MAPS, {**made, "data": {"days": "2025-04-01"}})
        await world.clock.advance(2 * HOUR)
        assert (runs(world), status(world)["nextSlot"]) == ([], "2025-04-02T00:00:00Z")


BAD = {
    "a cron that makes no sense": {"cron": "61 * * * *"},
    "a day that never comes": {"cron": "0 0 31 2 *"},
    "an unknown zone": {"timeZone": "Mars/Olympus"},
    "an end before its start": {"start": "2025-05-01T00:00:00Z", "end": "2025-04-01T00:00:00Z"},
    "nothing that says when": {"cron": None},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_a_bad_schedule_is_told_and_touches_no_other(bad: dict[str, Any]) -> None:
    async with World() as world:
        world.workflow("bad", spec(**{"cron": "*/5 * * * *", **bad}))
        world.workflow("etl", spec())
        await world.clock.advance(310)
        assert runs(world) == ["20250401t1205"]
        known = status(world, "bad")
        (ready,) = known["conditions"]
        assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "False", "ScheduleInvalid")
        assert ready["message"].startswith("spec.schedule")
        assert told(world) == ["ScheduleInvalid"]
        edit(world, lambda whole: whole["spec"].update(schedule={"cron": "*/5 * * * *"}), "bad")
        await world.clock.advance(600)
        assert runs(world, "bad") == ["20250401t1210", "20250401t1215"]
        assert status(world, "bad")["conditions"][0]["status"] == "True"
        assert world.watcher.errors == 0


async def test_a_definition_that_cannot_be_run_stands_still() -> None:
    async with World() as world:
        circle = [{"name": "a", "dependsOn": ["b"]}, {"name": "b", "dependsOn": ["a"]}]
        world.workflow("bad", {**spec(), "tasks": circle})
        await world.clock.advance(310)
        assert (runs(world, "bad"), status(world, "bad")["reason"]) == ([], "SpecInvalid")


async def test_a_status_that_somebody_spoilt_runs_nothing_again() -> None:
    async with World() as world:
        world.workflow("etl", spec("0 * * * *", catchUp="All"))
        await world.clock.advance(2 * HOUR + 60)
        for name in runs(world):
            world.store.delete(RUNS, NAMESPACE, f"etl-{name}")
        await world.kill()
        whole = world.store.get(WORKFLOWS, NAMESPACE, "etl")
        world.store.replace(WORKFLOWS, {**whole, "status": {"lastSlot": "0001-01-01T00:00:00Z"}}, "status")
        await world.start()
        await world.clock.advance(60)
        assert runs(world) == []
        await world.clock.advance(HOUR)
        assert runs(world) == ["20250401t1500"]


class Jump(NamedTuple):
    ahead: float
    run: list[str]
    """At 13:02 of the true time; the clock is set at 12:30."""
    later: list[str]
    """Once it was set right, at 15:02."""


JUMPS = {
    "forth by a minute": Jump(60, ["t1300"], ["t1300", "t1400", "t1500"]),
    "forth by a quarter": Jump(900, ["t1300"], ["t1300", "t1400", "t1500"]),
    "forth by hours": Jump(5400, ["t1400"], ["t1400", "t1500"]),
    "back by a quarter": Jump(-900, [], ["t1300", "t1400", "t1500"]),
    "back by hours": Jump(-7200, [], ["t1300", "t1400", "t1500"]),
}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())
async def test_the_clock_of_the_host_jumps(jump: Jump) -> None:
    async with World() as world:
        world.workflow("etl", spec("0 * * * *"))
        await world.clock.advance(30 * MINUTE)
        world.host.ahead = jump.ahead
        await world.clock.advance(32 * MINUTE)
        assert [name[8:] for name in runs(world)] == jump.run
        world.host.ahead = 0
        await world.clock.advance(2 * HOUR)
        assert [name[8:] for name in runs(world)] == jump.later
