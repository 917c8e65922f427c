"""One forEach of 5,000 instances, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

import json
import time
from typing import Any

from cases._bare import bare, last, sample
from figures import Figure

from cluster import Setting, task
from windlass.resources import PODS, RUNS

WITHIN = 1800.0


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(5000)
    async with setting.cluster() as cluster:
        pod = await sample(setting, cluster)
        alone = [await bare(cluster, pod, count)]
        async with setting.controller(cluster) as controller:
            cpu, requests = controller.cpu(), await controller.requests()
            async with cluster.watch(PODS) as pods, cluster.watch(RUNS) as runs:
                began = time.monotonic()
                await cluster.start("each", [{**task("each"), "forEach": {"count": count}}])
                took = await runs.until(lambda watcher: watcher.ended() == 1, WITHIN) - began
                ended, made = last(pods, "Succeeded") - began, last(pods, "ADDED") - began
                largest = max(_size(run) for run in runs.objects.values())
            spent, memory = controller.cpu() - cpu, controller.rss()
            asked = await controller.requests()
            asked.subtract(requests)
        await cluster.clear()
        alone.append(await bare(cluster, pod, count))
    mean = sum(alone) / len(alone)
    details = {
        "the run": f"{took:.2f} s: last pod made after {made:.2f} s, last ended after {ended:.2f} s",
        "bare, before and after": ", ".join(f"{seconds:.2f} s" for seconds in alone),
        "requests": ", ".join(f"{number} {what}" for what, number in asked.most_common() if number),
    }
    return [
        Figure(f"{count} instances of a forEach over bare pods", took / mean, "×", 1.2, 1.1, details=details),
        Figure("CPU of the controller per pod, forEach", spent / count * 1000, "ms", 10, 4),
        Figure("RSS after these, forEach", memory, "MiB", 300, 200),
        Figure(f"the run's object, {count} instances", largest / 1024, "KiB", 300, 100),
    ]


def _size(run: dict[str, Any]) -> int:
    return len(json.dumps(run, separators=(",", ":")))
