"""Pods without a controller: what it costs to create and finish as many as a benchmark's run has."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

import aiohttp

from cluster import AT_ONCE, Body, Cluster, Setting, Watcher, task
from windlass.resources import PODS, RUNS

WITHIN = 1800.0


def last(pods: Watcher, word: str) -> float:
    """When the last pod was seen to be so."""
    return max(moment for (_, seen), moment in pods.seen.items() if seen == word)


async def sample(setting: Setting, cluster: Cluster) -> Body:
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


async def bare(cluster: Cluster, sample: Body, count: int) -> float:
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
