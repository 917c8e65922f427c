"""Counts the runs, tasks, pods and slots that the engine knows of, for the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from windlass.engine.backfill_records import BackfillRecord
from windlass.engine.keepers import ObjectKey
from windlass.engine.record import RunRecord
from windlass.models.pool import PoolStatus
from windlass.plan.types import PodPhase, PodView
from windlass.telemetry.census import Census


def take_census(
    runs: Iterable[RunRecord],
    pods: Iterable[PodView],
    now: datetime,
    pools: Mapping[ObjectKey, PoolStatus] = MappingProxyType({}),
    backfills: Iterable[BackfillRecord] = (),
) -> Census:
    """What there is, as of `now`."""
    phases: Counter[str] = Counter()
    tasks: Counter[tuple[str, str]] = Counter()
    limits: dict[tuple[str, str], int] = {}
    for record in runs:
        if record.ended:
            continue  # its pods are still to be dealt with
        phases[str(record.draft.phase or "Pending")] += 1
        tasks.update((str(task.phase), task.reason or "") for task in record.draft.tasks if not task.phase.ended)
        limit = _limit(record)
        if limit is not None and record.spec.workflow is not None:
            workflow = (record.key.namespace, record.spec.workflow)
            limits[workflow] = max(limit, limits.get(workflow, 0))
    pod_phases: Counter[str] = Counter()
    live: Counter[tuple[str, str]] = Counter()
    oldest = now
    for pod in pods:
        pod_phases[str(pod.phase)] += 1
        if pod.phase is PodPhase.ENDED:
            continue
        live[(pod.namespace, pod.workflow)] += 1
        if pod.phase is not PodPhase.RUNNING and pod.deleting_since is None:
            oldest = min(oldest, pod.created_at)
    return Census(
        runs=phases,
        tasks=tasks,
        pods=pod_phases,
        oldest_pending=(now - oldest).total_seconds(),
        slots={workflow: (limit, live[workflow]) for workflow, limit in limits.items()},
        backfills=_left(backfills),
        pools={
            (*pool, state): slots
            for pool, status in pools.items()
            for state, slots in (("used", status.used), ("free", status.free), ("waiting", status.waiting))
        },
    )


def _left(backfills: Iterable[BackfillRecord]) -> Mapping[tuple[str, str], int]:
    left: Counter[tuple[str, str]] = Counter()
    for record in backfills:
        left[record.workflow] += (record.status.total or 0) - (record.status.done or 0)
    return left


def _limit(record: RunRecord) -> int | None:
    concurrency = record.program.spec.concurrency if record.program is not None else None
    return concurrency.max_active_tasks if concurrency is not None else None
