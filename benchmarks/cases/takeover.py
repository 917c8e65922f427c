"""How long nobody acts when the leader is killed: from the kill to the first pod that the other process makes."""

from __future__ import annotations

import time

from figures import Figure
from process import ready, started

from cluster import Setting, task
from windlass.resources import PODS

TRIES = 3


async def measure(setting: Setting) -> list[Figure]:
    rounds = [await _round(setting, number) for number in range(max(1, round(TRIES * setting.scale)))]
    details = {"rounds": ", ".join(f"{seconds:.1f} s" for seconds in rounds)}
    return [Figure("takeover after the leader is killed, longest", max(rounds), "s", 20, 10, details=details)]


async def _round(setting: Setting, number: int) -> float:
    async with setting.cluster() as cluster, cluster.watch(PODS) as pods:
        log = setting.work / f"takeover-{number}.log"
        first, second = (started(setting.kubeconfig, cluster.namespace, log) for _ in range(2))
        async with first as leader:
            await ready(leader, log)
            async with second:
                await cluster.start("before", [task("only")])
                await pods.until(lambda watcher: watcher.count("Succeeded") == 1, 30.0)
                leader.kill()
                killed = time.monotonic()
                await cluster.start("after", [task("only")])
                return await pods.until(lambda watcher: watcher.count("ADDED") == 2, 60.0) - killed
