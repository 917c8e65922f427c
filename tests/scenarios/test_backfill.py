"""Backfills on the engine in a pretended cluster: whatever happens, each slot gets one run, and the figures are right."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.resources import BACKFILLS, RUNS

Body = dict[str, Any]


def spec(**fields: Any) -> Body:
    return {"schedule": {"cron": "0 2 * * *", "suspend": True}, "tasks": [{"name": "a", "script": "true"}], **fields}


def backfill(world: World, name: str = "b", **fields: Any) -> Body:
    given = {"workflow": "etl", "from": "2025-03-01", "to": "2025-03-05", **fields}
    return world.store.create(
        BACKFILLS,
        {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "Backfill",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": given,
        },
    )


def status(world: World, name: str = "b") -> Body:
    found: Body = world.store.get(BACKFILLS, NAMESPACE, name).get("status") or {}
    return found


async def over(world: World, name: str = "b", seconds: float = 3600.0) -> Body:
    await world.until(
        lambda: status(world, name).get("phase") in ("Succeeded", "Failed", "Cancelled", "Refused"), seconds
    )
    return status(world, name)


def runs(world: World) -> list[str]:
    return sorted(run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE))


async def test_each_slot_gets_its_run() -> None:
    async with World() as world:
        world.workflow("etl", spec())
        backfill(world)
        end = await over(world)
        assert (end["phase"], end["reason"], end["progress"], end["succeeded"]) == ("Succeeded", "Completed", "5/5", 5)
        assert runs(world) == [f"etl-2025030{n}t0200" for n in range(1, 6)]
