"""Memory of the leader and of a standby: with nothing to do, and with 10,000 live pods of 1,000 runs."""

from __future__ import annotations

import asyncio
import time

from figures import Figure
from process import Controller, ready, started

from cluster import Cluster, Setting, task
from windlass.resources import PODS, RUNS

TASKS = 10
SETTLES = 5.0
"""Seconds after which memory is read."""


async def measure(setting: Setting) -> list[Figure]:
    runs, log = setting.size(1000), setting.work / "standby.log"
    async with (
        setting.cluster() as cluster,
        setting.controller(cluster) as leader,
        started(setting.kubeconfig, cluster.namespace, log) as process,
    ):
        standby = await ready(process, log)
        await asyncio.sleep(SETTLES)
        at_rest = leader.rss(), standby.rss()
        most, took = await _all_live(cluster, runs, leader)
        await asyncio.sleep(SETTLES)
        took_over = not leader.leads()
        if took_over:
            leader, standby = standby, leader
        cpu = leader.cpu(), standby.cpu()
        await asyncio.sleep(20.0)
        idle = (leader.cpu() - cpu[0]) / 20, (standby.cpu() - cpu[1]) / 20
        memory = leader.rss(), standby.rss()
    details = {
        "most": f"{max(most, memory[0]):.0f} MiB",
        "until all ran": f"{took:.0f} s",
        "the one that leads in the end led from the beginning": not took_over,
        "CPU while nothing happens": f"{idle[0]:.1%} of a core; of the standby {idle[1]:.1%}",
    }
    live = f"with {runs * TASKS} live pods and {runs} runs"
    return [
        Figure("RSS with nothing to do", at_rest[0], "MiB"),
        Figure("RSS of a standby with nothing to do", at_rest[1], "MiB"),
        Figure(f"RSS {live}", memory[0], "MiB", 500, 300, details=details),
        Figure(f"RSS of a standby {live}", memory[1], "MiB"),
    ]


async def _all_live(cluster: Cluster, runs: int, leader: Controller) -> tuple[float, float]:
    """Have all pods run; the most memory of the leader meanwhile, and the seconds until then."""
    most = 0.0
    async with cluster.watch(PODS) as pods, cluster.watch(RUNS):
        began = time.monotonic()
        starting = asyncio.create_task(
            cluster.start_all(runs, [task(f"t{number}", seconds=-1) for number in range(TASKS)])
        )
        while pods.count("Running") < runs * TASKS:
            if time.monotonic() - began > 1800:
                raise TimeoutError(f"{pods.count('Running')} pods run")
            most = max(most, leader.rss())
            await asyncio.sleep(1.0)
        took = time.monotonic() - began
        await starting
        pods.objects.clear()
    return most, took
