"""What a run is told of the past: the last good run before it, and the interval that it is about."""

from __future__ import annotations

from support.kubelet import Play
from support.turns import etl, slot
from support.world import NAMESPACE, World
from windlass.resources import CONFIG_MAPS


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
