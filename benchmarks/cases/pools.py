"""A Pool that 10,000 tasks wait for: from a pod's end to the next one's grant, and to take a place in the line."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from figures import Figure

from cluster import Setting
from windlass.engine.keepers import ObjectKey
from windlass.engine.pools import Pools
from windlass.engine.record import RunKey
from windlass.models.pool import PoolSpec
from windlass.plan.task_types import PoolAnswerKind, PoolWant
from windlass.plan.types import PodPhase, PodView

WAITING: Final = 10_000
ENDS: Final = 500
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def measure(setting: Setting) -> list[Figure]:
    count, woken = setting.size(WAITING), list[RunKey]()
    pools = Pools(woken.append)
    pools.pool_seen(ObjectKey("data", "db"), PoolSpec(slots=8))
    enter = [_timed(lambda number=number: pools.ask(_run(number), [_want(number)])) for number in range(count + 8)]
    live = [_pod(run) for run in (_run(number) for number in range(count + 8)) if _granted(pools, run)]
    for pod in live:
        pools.pod_changed(None, pod)
    took = []
    for _ in range(min(ENDS, count // 2)):
        woken.clear()
        first = live.pop(0)
        took.append(_timed(lambda first=first: pools.pod_changed(first, replace(first, phase=PodPhase.ENDED))))
        (run,) = woken
        live.append(_pod(run))
        pools.pod_changed(None, live[-1])
    return [
        Figure(f"a pod of a pool ends → the next of {count} has its slots", statistics.median(took), "µs", 1000, 100),
        Figure("the same, the longest", max(took), "µs"),
        Figure("to take a place in that line", statistics.median(enter), "µs", 1000, 100),
    ]


def _timed(work: object) -> float:
    began = time.process_time()
    work()  # type: ignore[operator]  # any callable
    return (time.process_time() - began) * 1e6


def _run(number: int) -> RunKey:
    return RunKey("data", f"r{number}")


def _want(number: int) -> PoolWant:
    # Neither in the order of their coming nor in that of their priorities.
    return PoolWant("db", f"p{number}", "t", 1, number * 7919 % 100, NOON + timedelta(seconds=number * 104729 % 86400))


def _granted(pools: Pools, run: RunKey) -> bool:
    return any(answer.kind is PoolAnswerKind.GRANTED for answer in pools.answers(run).values())


def _pod(run: RunKey) -> PodView:
    return PodView(
        namespace="data", name=f"p{run.name[1:]}", uid=f"u{run.name}", version=1, workflow="w", run=run.name,
        run_uid="u", task="t", attempt=1, phase=PodPhase.RUNNING, created_at=NOON, pool="db", slots=1,
    )  # fmt: skip
