"""Runs of the Workflow etl that wait for their turn, in a whole engine: who began, who waits, and how all end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from support.clock import START
from support.world import NAMESPACE, World
from windlass.models.common import format_time
from windlass.resources import RUNS

Body = dict[str, Any]
ONE = [{"name": "a", "command": ["true"]}]
ACTIVE = ("Running", "Suspended")
ENDS = ("Succeeded", "Failed", "Cancelled", "Refused")


def etl(world: World, limit: int | None = 1, tasks: list[Body] | None = None, **spec: Any) -> None:
    concurrency: Body = {"maxActiveRuns": limit} if limit is not None else {}
    if "policy" in spec:
        concurrency["policy"] = spec.pop("policy")
    world.workflow("etl", {"concurrency": concurrency, "tasks": tasks or ONE, **spec})


def runs(world: World, count: int, **spec: Any) -> list[str]:
    names = [f"r{number}" for number in range(1, count + 1)]
    for name in names:
        world.run(name, workflow="etl", **spec)
    return names


def slot(hours: float, previous: float | None = None, **fields: Any) -> Body:
    """The spec of the run of a slot, so many hours after the clock's start."""
    due = format_time(START + timedelta(hours=hours))
    found: Body = {"trigger": "Schedule", "scheduledAt": due, **fields}
    if previous is not None:
        before = format_time(START + timedelta(hours=previous))
        found |= {"previous": before, "intervalStart": before, "intervalEnd": due}
    return {"workflow": "etl", "logicalDate": due, "slot": found}


def phases(world: World) -> dict[str, str | None]:
    found = {}
    for run in world.store.list(RUNS, NAMESPACE):
        found[run["metadata"]["name"]] = (run.get("status") or {}).get("phase")
    return found


def said(world: World, name: str) -> tuple[str, str, str]:
    status = world.status(name)
    return (status["phase"], status["reason"], status["message"])


class Order:
    """Notes in which order runs begin, and how many are under way at most."""

    def __init__(self, world: World) -> None:
        self.began: list[str] = []
        self.under_way: set[str] = set()
        self.most = 0
        stored = world.watcher.status_stored

        def note(run: Any, before: Any, after: Any, program: Any) -> None:
            stored(run, before, after, program)
            if after.phase in ACTIVE and run.name not in self.under_way:
                self.began.append(run.name)
                self.under_way.add(run.name)
            elif after.phase in ENDS:
                self.under_way.discard(run.name)
            self.most = max(self.most, len(self.under_way))

        world.watcher.status_stored = note  # type: ignore[method-assign]  # what the engine is told is noted on the way


async def all_end(world: World, seconds: float = 3600.0) -> dict[str, str | None]:
    await world.until(lambda: all(phase in ENDS for phase in phases(world).values()), seconds)
    return phases(world)


async def nothing_is_left(world: World) -> None:
    await world.clock.advance(4000)
    assert world.leftovers() == {}
