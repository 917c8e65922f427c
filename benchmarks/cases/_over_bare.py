"""One run of many pods, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from cases._bare import bare, last, sample

from cluster import Body, Setting
from windlass.resources import PODS, RUNS


@dataclass(frozen=True, slots=True)
class OverBare:
    """What the run took of what its bare pods took."""

    ratio: float
    cpu: float
    """Milliseconds of the controller's processor for a pod."""
    memory: float
    """MiB of the controller after it."""
    bodies: list[Body]
    """The run as it was last seen."""
    details: dict[str, Any]


async def over_bare(setting: Setting, name: str, tasks: list[Body], count: int, within: float) -> OverBare:
    """Run these tasks, which make so many pods, between two measures of the bare pods. `within` is in seconds."""
    async with setting.cluster() as cluster:
        pod = await sample(setting, cluster)
        alone = [await bare(cluster, pod, count)]
        async with setting.controller(cluster) as controller:
            cpu, requests = controller.cpu(), await controller.requests()
            async with cluster.watch(PODS) as pods, cluster.watch(RUNS) as runs:
                began = time.monotonic()
                await cluster.start(name, tasks)
                took = await runs.until(lambda watcher: watcher.ended() == 1, within) - began
                ended, made = last(pods, "Succeeded") - began, last(pods, "ADDED") - began
                bodies = list(runs.objects.values())
            spent, memory = controller.cpu() - cpu, controller.rss()
            asked = await controller.requests()
            asked.subtract(requests)
        await cluster.clear()
        alone.append(await bare(cluster, pod, count))
    details = {
        "the run": f"{took:.2f} s: last pod made after {made:.2f} s, last ended after {ended:.2f} s",
        "bare, before and after": ", ".join(f"{seconds:.2f} s" for seconds in alone),
        "requests": ", ".join(f"{number} {what}" for what, number in asked.most_common() if number),
    }
    return OverBare(took / (sum(alone) / len(alone)), spent / count * 1000, memory, bodies, details)
