"""What a one-task run asks of the API, up to its end and up to the removal of its pod."""

from __future__ import annotations

import asyncio
from collections import Counter

from figures import Figure
from process import Controller

from cluster import Body, Cluster, Setting, task
from windlass.resources import PODS, RUNS, WORKFLOWS

REMOVED_WITHIN = 240.0
NOT_OF_RUNS = ("watch ", "list ", "update leases", "get leases", "create leases")


async def measure(setting: Setting) -> list[Figure]:
    runs = setting.size(60)
    async with setting.cluster() as cluster, setting.controller(cluster) as controller:
        inline = await _round(cluster, controller, [task("only")], "inline", runs)
        workflow: Body = {
            "apiVersion": WORKFLOWS.api_version,
            "kind": WORKFLOWS.kind,
            "metadata": {"namespace": cluster.namespace, "name": "one"},
            "spec": {"tasks": [task("only")]},
        }
        await cluster.api.create(WORKFLOWS, workflow)
        by_name = await _round(cluster, controller, "one", "named", runs)
    return [
        Figure(
            "API requests per one-task run, definition in it",
            inline.total() / runs,
            "requests",
            6,
            4,
            details=_each(inline, runs),
        ),
        Figure("the same, by reference", by_name.total() / runs, "requests", 7, 5, details=_each(by_name, runs)),
    ]


async def _round(
    cluster: Cluster, controller: Controller, tasks: list[Body] | str, name: str, runs: int
) -> Counter[str]:
    """The requests from the first run to the removal of the last pod; retention is two minutes."""
    before = await controller.requests()
    async with cluster.watch(RUNS) as seen_runs, cluster.watch(PODS) as seen_pods:
        for number in range(runs):
            await cluster.start(f"{name}-{number}", tasks)
            await asyncio.sleep(0.1)
        await seen_runs.until(lambda watcher: watcher.ended() == runs, 60.0)
        await seen_pods.until(lambda watcher: watcher.count("DELETED") == runs, REMOVED_WITHIN)
    asked = await controller.requests()
    asked.subtract(before)
    return Counter({what: count for what, count in asked.items() if count > 0 and not what.startswith(NOT_OF_RUNS)})


def _each(asked: Counter[str], runs: int) -> dict[str, str]:
    return {"each": ", ".join(f"{count / runs:.2f} {what}" for what, count in asked.most_common())}
