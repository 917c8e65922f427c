"""The development cluster: its start, what it takes at rest, a chain of tasks, and runs side by side."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from figures import Figure
from process import memory_of

from cluster import Body, Cluster, Setting
from windlass.kube.client import KubeClient
from windlass.kube.credentials import find_credentials
from windlass.resources import RUNS

LENGTH = 10
AT_ONCE = 20
STARTS = 3
TRUE = {"command": ["true"]}


async def measure(setting: Setting) -> list[Figure]:
    starts = []
    for number in range(STARTS):
        began = time.monotonic()
        process, kubeconfig = _start(setting.work / f"dev-{number}")
        starts.append(time.monotonic() - began)
        if number < STARTS - 1:
            _stop(process)
    try:
        await asyncio.sleep(5.0)
        family = _family(process)
        pss = sum(memory_of(pid, "smaps_rollup", "Pss") for pid in family)
        async with KubeClient(find_credentials(str(kubeconfig), None, os.environ)) as api:
            cluster = Cluster(api, "default")
            chain = [await _run(cluster, f"chain-{number}", _chain()) for number in range(3)]
            rate = [await _side_by_side(cluster, f"side-{number}") for number in range(3)]
    finally:
        _stop(process)
    return [
        Figure("development cluster, start to ready", statistics.median(starts), "s", 4, 2),
        Figure("processes at rest", len(family), "", 3, 1),
        Figure("memory at rest (PSS)", pss, "MiB", 200, 120),
        Figure(f"a chain of {LENGTH} `true` tasks", statistics.median(chain), "s", 4, 1.5, details=_all(chain)),
        Figure(
            f"one-task runs, {AT_ONCE} at once", statistics.median(rate), "runs/s", 8, 20, more_is_better=True,
            details=_all(rate),
        ),
    ]  # fmt: skip


def _all(values: list[float]) -> dict[str, str]:
    return {"rounds": ", ".join(f"{value:.2f}" for value in values)}


def _chain() -> list[Body]:
    first: Body = {"name": "t0", **TRUE}
    return [first, *({"name": f"t{n}", "dependsOn": [f"t{n - 1}"], **TRUE} for n in range(1, LENGTH))]


async def _run(cluster: Cluster, name: str, tasks: list[Body]) -> float:
    async with cluster.watch(RUNS) as runs:
        began = time.monotonic()
        await cluster.start(name, tasks)
        return await runs.until(lambda watcher: watcher.count("Succeeded") == 1, 120.0) - began


async def _side_by_side(cluster: Cluster, name: str) -> float:
    async with cluster.watch(RUNS) as runs:
        began = time.monotonic()
        await asyncio.gather(*(cluster.start(f"{name}-{n}", [{"name": "only", **TRUE}]) for n in range(AT_ONCE)))
        return AT_ONCE / (await runs.until(lambda watcher: watcher.count("Succeeded") == AT_ONCE, 120.0) - began)


def _start(state: Path) -> tuple[int, Path]:
    """The process, and its kubeconfig."""
    command = [sys.executable, "-m", "windlass", "dev", "--state", str(state), "--detach"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return int((state / "dev.lock").read_text()), Path(told.stdout.strip())


def _stop(process: int) -> None:
    os.kill(process, signal.SIGTERM)
    while Path(f"/proc/{process}").exists():
        time.sleep(0.05)


def _family(process: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in children for one in _family(int(child)))]
