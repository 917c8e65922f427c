"""Chains that start at a steady rate, and the gaps between their pods as a watcher sees them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from figures import Figure, percentile

from cluster import Setting, Watcher, chain
from windlass import names
from windlass.resources import PODS, RUNS

WARM = 5
"""Runs before those that count."""


@dataclass(frozen=True)
class Chains:
    """So many chains of this length, started so many a second."""

    length: int
    per_second: float
    runs: int

    async def measure(self, setting: Setting, must: tuple[float, float], aim: tuple[float, float]) -> list[Figure]:
        async with setting.cluster() as cluster, setting.controller(cluster) as controller:
            async with cluster.watch(PODS) as pods, cluster.watch(RUNS) as runs:
                tasks = chain(self.length)
                for number in range(WARM):
                    await cluster.start(f"warm-{number}", tasks)
                await runs.until(lambda watcher: watcher.ended() == WARM, 120.0)
                cpu, began = controller.cpu(), time.monotonic()
                for number in range(self.runs):
                    await asyncio.sleep(max(0.0, began + number / self.per_second - time.monotonic()))
                    await cluster.start(f"run-{number}", tasks)
                await runs.until(lambda watcher: watcher.ended() == self.runs + WARM, 300.0)
                spent, took = controller.cpu() - cpu, time.monotonic() - began
                gaps = _gaps(pods)
            pods_made = self.runs * self.length
            what = f"pod finished → next created, {self.length}-task chains"
            details = {
                "pods per second": f"{pods_made / took:.1f}",
                "p90, most": f"{percentile(gaps, 0.9):.1f}, {max(gaps):.1f} ms",
                "CPU of the controller per pod": f"{spent / pods_made * 1000:.2f} ms",
                "RSS": f"{controller.rss():.0f} MiB",
            }
            return [
                Figure(f"{what}, p50", percentile(gaps, 0.5), "ms", must[0], aim[0], details=details),
                Figure(f"{what}, p99", percentile(gaps, 0.99), "ms", must[1], aim[1]),
            ]


def _gaps(pods: Watcher) -> list[float]:
    """Milliseconds from a pod's end to the creation of the next one of its run."""
    place: dict[tuple[str, int], str] = {}
    for name, pod in pods.objects.items():
        labels = pod["metadata"]["labels"]
        if not labels[names.LABEL_RUN].startswith("warm-"):
            place[labels[names.LABEL_RUN], int(labels[names.LABEL_TASK][1:])] = name
    return [
        (pods.seen[after, "ADDED"] - pods.seen[name, "Succeeded"]) * 1000
        for (run, number), name in place.items()
        if (after := place.get((run, number + 1))) is not None
    ]
