"""Memory with 10,000 live pods of 1,000 runs."""

from __future__ import annotations

import asyncio
import time

from figures import Figure

from cluster import Setting, task
from windlass.resources import PODS, RUNS

TASKS = 10


async def measure(setting: Setting) -> list[Figure]:
    runs = setting.size(1000)
    async with setting.cluster() as cluster, setting.controller(cluster) as controller:
        at_rest, most = controller.rss(), 0.0
        async with cluster.watch(PODS) as pods, cluster.watch(RUNS):
            began = time.monotonic()
            starting = asyncio.create_task(
                cluster.start_all(runs, [task(f"t{number}", seconds=-1) for number in range(TASKS)])
            )
            while pods.count("Running") < runs * TASKS:
                if time.monotonic() - began > 1800:
                    raise TimeoutError(f"{pods.count('Running')} pods run")
                most = max(most, controller.rss())
                await asyncio.sleep(1.0)
            took = time.monotonic() - began
            await starting
            pods.objects.clear()
        await asyncio.sleep(5.0)
        cpu = controller.cpu()
        await asyncio.sleep(20.0)
        idle = (controller.cpu() - cpu) / 20
        memory = controller.rss()
    details = {
        "at rest before, most": f"{at_rest:.0f}, {max(most, memory):.0f} MiB",
        "until all ran": f"{took:.0f} s",
        "CPU while nothing happens": f"{idle:.1%} of a core",
    }
    return [Figure(f"RSS with {runs * TASKS} live pods and {runs} runs", memory, "MiB", 500, 300, details=details)]
