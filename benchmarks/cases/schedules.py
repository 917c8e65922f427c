"""Workflows with schedules: what ten thousand cost while nothing is due, and how soon a thousand runs are made that are
due in the same second."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from figures import Figure

from cluster import Body, Cluster, Setting, task
from windlass.build.run import build_run
from windlass.models.common import format_time
from windlass.models.run import RunSlot, Trigger
from windlass.plan.workflow_types import RunRequest
from windlass.resources import RUNS, WORKFLOWS

IDLE = 30.0
"""Seconds for which the idle controller is watched."""
LEAD = 45.0
"""Seconds that the Workflows which are due have to be made and noted."""


async def measure(setting: Setting) -> list[Figure]:
    many, due = setting.size(10_000), setting.size(1000)
    async with setting.cluster() as cluster:
        alone = [await _bare(cluster, due)]
        await _make(cluster, "idle", many - due, "H H 1 1 *")
        async with setting.controller(cluster) as controller:
            at_rest = controller.rss()
            noted = await _noted(cluster, many - due)
            await asyncio.sleep(5.0)
            cpu = controller.cpu()
            await asyncio.sleep(IDLE)
            idle, memory = (controller.cpu() - cpu) / IDLE, controller.rss()
            slot = _next_minute(LEAD)
            await _make(cluster, "due", due, f"{slot.minute} {slot.hour} * * *")
            await _noted(cluster, many)
            before = controller.cpu()
            first, last, delays = await _fired(cluster, due, slot)
            spent = controller.cpu() - before
        await _clear(cluster)
        await cluster.clear()
        alone.append(await _bare(cluster, due))
    bare = sum(alone) / len(alone)
    return [
        Figure(f"RSS with {many - due} schedules, none due", memory, "MiB", details={"at start": f"{at_rest:.0f} MiB"}),
        Figure(f"CPU with {many - due} schedules, none due", idle * 100, "% of a core", 2, 0.5),
        Figure("from a controller's start until all are noted in their status", noted, "s"),
        Figure(
            f"{due} runs due in one second, the last is made after", last, "s", details={"the first": f"{first:.2f} s"}
        ),
        Figure(
            "the same over the bare cost of creating them",
            last / bare,
            "×",
            1.5,
            1.2,
            details={
                "bare, before and after": ", ".join(f"{seconds:.2f} s" for seconds in alone),
                "median": f"{delays[len(delays) // 2]:.2f} s",
                "CPU until the last": f"{spent:.2f} s",
            },
        ),
    ]


def _workflow(cluster: Cluster, name: str, cron: str) -> Body:
    spec = {"schedule": {"cron": cron}, "tasks": [task("only")]}
    metadata = {"name": name, "namespace": cluster.namespace}
    return {"apiVersion": WORKFLOWS.api_version, "kind": WORKFLOWS.kind, "metadata": metadata, "spec": spec}


async def _make(cluster: Cluster, prefix: str, count: int, cron: str) -> None:
    bodies = (_workflow(cluster, f"{prefix}-{number}", cron) for number in range(count))
    await cluster.each(cluster.api.create(WORKFLOWS, body) for body in bodies)


async def _bare(cluster: Cluster, count: int) -> float:
    """Seconds that it takes to make so many runs of schedules, with an owner and seen by a watcher as theirs are, when
    no controller looks at them."""
    at = datetime(2025, 4, 1, tzinfo=UTC)
    owner = await cluster.api.create(WORKFLOWS, _workflow(cluster, "bare", "H H 1 1 *"))
    slot = RunSlot(trigger=Trigger.SCHEDULE, scheduled_at=format_time(at), interval_end=format_time(at))
    bodies = (
        build_run(
            cluster.namespace, "bare", owner["metadata"]["uid"], RunRequest(f"bare-{number}-20250401t0000", at, slot)
        )
        for number in range(count)
    )
    async with cluster.watch(RUNS) as runs:
        began = time.monotonic()
        await cluster.each(cluster.api.create(RUNS, body) for body in bodies)
        took = await runs.until(lambda watcher: watcher.count("ADDED") == count, 120.0) - began
    await _clear(cluster)
    await cluster.clear()
    return took


async def _noted(cluster: Cluster, count: int) -> float:
    """Seconds until so many Workflows have a next slot in their status."""
    began = time.monotonic()
    while True:
        found = 0
        async for page in cluster.api.pages(WORKFLOWS, cluster.namespace):
            found += sum(1 for body in page if (body.get("status") or {}).get("nextSlot"))
        if found >= count:
            return time.monotonic() - began
        if time.monotonic() - began > 600:
            raise TimeoutError(f"{found} of {count} Workflows have a next slot")
        await asyncio.sleep(1.0)


async def _fired(cluster: Cluster, count: int, slot: datetime) -> tuple[float, float, list[float]]:
    """Seconds from the slot to the first and to the last run, as a watcher sees them made; and all of them."""
    async with cluster.watch(RUNS) as runs:
        at = time.monotonic() + (slot - datetime.now(UTC)).total_seconds()
        await runs.until(
            lambda watcher: watcher.count("ADDED") == count, (slot - datetime.now(UTC)).total_seconds() + 120.0
        )
        delays = sorted(moment - at for (_, word), moment in runs.seen.items() if word == "ADDED")
    return delays[0], delays[-1], delays


def _next_minute(ahead: float) -> datetime:
    """The first full minute that is so many seconds ahead."""
    moment = datetime.now(UTC) + timedelta(seconds=ahead)
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def _clear(cluster: Cluster) -> None:
    workflows: list[str] = []
    async for page in cluster.api.pages(WORKFLOWS, cluster.namespace):
        workflows += [body["metadata"]["name"] for body in page]
    await cluster.each(cluster.api.delete(WORKFLOWS, cluster.namespace, name) for name in workflows)
