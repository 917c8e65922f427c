"""Schedules on the pretended cluster: each slot has its run, once, whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.resources import RUNS, WORKFLOWS

TASKS = [{"name": "work", "image": "busybox", "command": ["true"]}]


def spec(cron: str = "*/5 * * * *", **schedule: Any) -> dict[str, Any]:
    fields = {key: schedule.pop(key) for key in ("concurrency", "history", "dependsOnPast") if key in schedule}
    return {"schedule": {"cron": cron, **schedule}, "tasks": TASKS, **fields}


def runs(world: World, workflow: str = "etl") -> list[str]:
    found = [run for run in world.store.list(RUNS, NAMESPACE) if run["spec"].get("workflow") == workflow]
    return sorted(run["metadata"]["name"].removeprefix(f"{workflow}-") for run in found)


def status(world: World, workflow: str = "etl") -> dict[str, Any]:
    return world.store.get(WORKFLOWS, NAMESPACE, workflow).get("status") or {}


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
        assert run["status"]["phase"] == "Succeeded"
        told = status(world)
        assert {key: told[key] for key in ("reason", "lastSlot", "nextSlot", "activeRuns", "lastSuccess")} == {
            "reason": "Scheduled",
            "lastSlot": "2025-04-01T12:15:00Z",
            "nextSlot": "2025-04-01T12:20:00Z",
            "activeRuns": 0,
            "lastSuccess": {
                "run": "etl-20250401t1215",
                "slot": "2025-04-01T12:15:00Z",
                "finishedAt": told["lastSuccess"]["finishedAt"],
            },
        }
        assert world.watcher.errors == 0
