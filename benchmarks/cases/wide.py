"""One run of 1,000 tasks side by side, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

import aiohttp
from figures import Figure

from cluster import AT_ONCE, Body, Cluster, Setting, Watcher, task
from windlass.resources import PODS, RUNS

WITHIN = 600.0


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(1000)
    async with setting.cluster() as cluster:
        sample = await _sample(setting, cluster)
        bare = [await _bare(cluster, sample, count)]
        async with setting.controller(cluster) as controller:
            cpu, requests = controller.cpu(), await controller.requests()
            async with cluster.watch(PODS) as pods, cluster.watch(RUNS) as runs:
                began = time.monotonic()
                await cluster.start("wide", [task(f"t{number}") for number in range(count)])
                took = await runs.until(lambda watcher: watcher.ended() == 1, WITHIN) - began
                pods_took = _last(pods, "Succeeded") - began
                made = _last(pods, "ADDED") - began
            spent, memory = controller.cpu() - cpu, controller.rss()
            asked = await controller.requests()
            asked.subtract(requests)
        await cluster.clear()
        bare.append(await _bare(cluster, sample, count))
    mean = sum(bare) / len(bare)
    details = {
        "the run": f"{took:.2f} s: last pod made after {made:.2f} s, last ended after {pods_took:.2f} s",
        "bare, before and after": ", ".join(f"{seconds:.2f} s" for seconds in bare),
        "requests": ", ".join(f"{number} {what}" for what, number in asked.most_common() if number),
    }
    return [
        Figure(f"{count} tasks side by side over bare pods", took / mean, "×", 1.5, 1.15, details=details),
        Figure("CPU of the controller per pod, side by side", spent / count * 1000, "ms", 10, 4),
        Figure("RSS after these, side by side", memory, "MiB", 160, 110),
    ]


def _last(pods: Watcher, word: str) -> float:
    return max(moment for (_, seen), moment in pods.seen.items() if seen == word)


async def _sample(setting: Setting, cluster: Cluster) -> Body:
    """A pod as the controller makes it, less what ties it to its run."""
    async with setting.controller(cluster), cluster.watch(RUNS) as runs, cluster.watch(PODS) as pods:
        await cluster.start("sample", [task("only")])
        await runs.until(lambda watcher: watcher.ended() == 1, 60.0)
        pod = next(iter(pods.objects.values()))
    await cluster.clear()
    meta = pod["metadata"]
    spec = {key: value for key, value in pod["spec"].items() if key not in ("nodeName", "serviceAccount")}
    kept = {"namespace": meta["namespace"], "labels": meta["labels"], "annotations": meta["annotations"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": spec}


async def _bare(cluster: Cluster, sample: Body, count: int) -> float:
    """Seconds from the first create to the last end, by a plain client."""
    login = await cluster.api.login()
    context: ssl.SSLContext | bool = login.tls.context() if login.tls else True
    url = f"{login.server}{PODS.path(cluster.namespace)}?fieldValidation=Strict"
    turns = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=login.headers) as session:

        async def create(number: int) -> None:
            body: dict[str, Any] = {**sample, "metadata": {**sample["metadata"], "name": f"bare-{number}"}}
            async with turns, session.post(url, json=body, ssl=context) as answer:
                await answer.read()
                answer.raise_for_status()

        async with cluster.watch(PODS) as pods:
            began = time.monotonic()
            await asyncio.gather(*(create(number) for number in range(count)))
            took = await pods.until(lambda watcher: watcher.count("Succeeded") == count, WITHIN) - began
    await cluster.clear()
    return took
