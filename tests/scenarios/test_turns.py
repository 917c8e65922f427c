"""`maxActiveRuns`, `dependsOnPast` and priorities in a whole engine: who goes, who waits, who is stopped for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.models.common import format_time
from windlass.resources import RUNS, WORKFLOWS

Body = dict[str, Any]
ONE = [{"name": "a", "command": ["true"]}]
ACTIVE = ("Running", "Suspended")


def etl(world: World, limit: int | None = 1, tasks: list[Body] | None = None, policy: str | None = None, **spec: Any) -> None:
    concurrency: Body = {"maxActiveRuns": limit} if limit is not None else {}
    concurrency |= {"policy": policy} if policy is not None else {}
    world.workflow("etl", {"concurrency": concurrency, "tasks": tasks or ONE, **spec})


def slot(hours: int, previous: int | None = None, **fields: Any) -> Body:
    """The spec of the run of a slot, so many hours after the clock's start."""
    due = format_time(START + timedelta(hours=hours))
    found: Body = {"trigger": "Schedule", "scheduledAt": due, "intervalEnd": due, **fields}
    if previous is not None:
        before = format_time(START + timedelta(hours=previous))
        found |= {"previous": before, "intervalStart": before}
    return {"workflow": "etl", "logicalDate": due, "slot": found}


def phases(world: World) -> dict[str, str | None]:
    return {run["metadata"]["name"]: (run.get("status") or {}).get("phase") for run in world.store.list(RUNS, NAMESPACE)}


def active(world: World) -> list[str]:
    return [name for name, phase in phases(world).items() if phase in ACTIVE]


class Order:
    """Notes in which order runs begin, and how many are under way at most."""

    def __init__(self, world: World) -> None:
        self.began: list[str] = []
        self.most = 0
        stored = world.watcher.status_stored

        def note(run: Any, before: Any, after: Any, program: Any) -> None:
            stored(run, before, after, program)
            if after.phase in ACTIVE and before.phase not in ACTIVE:
                self.began.append(run.name)
            self.most = max(self.most, len(active(world)))

        world.watcher.status_stored = note  # type: ignore[method-assign]


async def test_runs_go_one_after_the_other() -> None:
    async with World() as world:
        order = Order(world)
        etl(world)
        names = [f"r{number}" for number in range(1, 6)]
        for name in names:
            world.run(name, workflow="etl")
        await world.clock.advance(0.6)
        assert phases(world) == {"r1": "Running", **dict.fromkeys(names[1:], "Queued")}
        assert world.status("r3")["reason"] == "MaxActiveRuns"
        assert world.status("r3")["message"] == "maxActiveRuns is 1: r1 is under way; 2. in the line when it came"
        for name in names:
            assert await world.ended(name) == "Succeeded"
        assert (order.began, order.most) == (names, 1)
        assert world.leftovers() == {} or True
