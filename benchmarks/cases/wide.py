"""One run of 1,000 tasks side by side, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

import time

from cases._bare import bare, last, sample
from figures import Figure

from cluster import Setting, task
from windlass.resources import PODS, RUNS

WITHIN = 600.0


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(1000)
    async with setting.cluster() as cluster:
        pod = await sample(setting, cluster)
        alone = [await bare(cluster, pod, count)]
        async with setting.controller(cluster) as controller:
            cpu, requests = controller.cpu(), await controller.requests()
            async with cluster.watch(PODS) as pods, cluster.watch(RUNS) as runs:
                began = time.monotonic()
                await cluster.start("wide", [task(f"t{number}") for number in range(count)])
                took = await runs.until(lambda watcher: watcher.ended() == 1, WITHIN) - began
                pods_took = last(pods, "Succeeded") - began
                made = last(pods, "ADDED") - began
            spent, memory = controller.cpu() - cpu, controller.rss()
            asked = await controller.requests()
            asked.subtract(requests)
        await cluster.clear()
        alone.append(await bare(cluster, pod, count))
    mean = sum(alone) / len(alone)
    details = {
        "the run": f"{took:.2f} s: last pod made after {made:.2f} s, last ended after {pods_took:.2f} s",
        "bare, before and after": ", ".join(f"{seconds:.2f} s" for seconds in alone),
        "requests": ", ".join(f"{number} {what}" for what, number in asked.most_common() if number),
    }
    return [
        Figure(f"{count} tasks side by side over bare pods", took / mean, "×", 1.5, 1.15, details=details),
        Figure("CPU of the controller per pod, side by side", spent / count * 1000, "ms", 10, 4),
        Figure("RSS after these, side by side", memory, "MiB", 160, 110),
    ]
