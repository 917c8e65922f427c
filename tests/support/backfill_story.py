"""A Workflow and its backfills in a pretended cluster, with a note of each run that is ever made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from support.world import NAMESPACE, World
from windlass.resources import BACKFILLS, RUNS

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
