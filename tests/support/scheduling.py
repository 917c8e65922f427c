"""What scenarios of schedules share: Workflows that fire, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.world import NAMESPACE, World
from windlass.resources import RUNS, WORKFLOWS

TASKS = [{"name": "work", "image": "busybox", "command": ["true"]}]
_BESIDE = ("concurrency", "history", "dependsOnPast")


def spec(cron: str | None = "*/5 * * * *", **schedule: Any) -> dict[str, Any]:
    """A Workflow's spec with this schedule; concurrency, history and dependsOnPast stand beside it."""
    fields = {key: schedule.pop(key) for key in _BESIDE if key in schedule}
    timing = {"cron": cron, **schedule} if cron is not None else schedule
    return {"schedule": timing, "tasks": TASKS, **fields}


def runs(world: World, workflow: str = "etl") -> list[str]:
    """The runs of a Workflow, by what its name is followed by, in the order of their slots."""
    found = [run for run in world.store.list(RUNS, NAMESPACE) if run["spec"].get("workflow") == workflow]
    ordered = sorted(found, key=lambda run: (run["spec"].get("logicalDate", ""), run["metadata"]["name"]))
    return [run["metadata"]["name"].removeprefix(f"{workflow}-") for run in ordered]


def status(world: World, workflow: str = "etl") -> dict[str, Any]:
    """The Workflow's status."""
    return world.store.get(WORKFLOWS, NAMESPACE, workflow).get("status") or {}


def told(world: World) -> list[str]:
    """The reasons of the events about Workflows."""
    return [reason for reason, _ in world.watcher.events if reason not in ("TaskFailed", "RunFailed")]


async def down(world: World, seconds: float) -> None:
    """Nobody controls for so long."""
    await world.kill()
    await world.clock.advance(seconds)
    await world.start()


def edit(world: World, how: Callable[[dict[str, Any]], Any], workflow: str = "etl") -> None:
    """Change a Workflow."""
    whole = world.store.get(WORKFLOWS, NAMESPACE, workflow)
    how(whole)
    world.store.replace(WORKFLOWS, whole)


def change(world: World, workflow: str = "etl", **schedule: Any) -> None:
    """Change fields of its schedule."""
    edit(world, lambda whole: whole["spec"]["schedule"].update(schedule), workflow)
