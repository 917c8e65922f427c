"""What there is at this moment, counted when Prometheus asks: never up and down, so that it can't drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from windlass.telemetry import families
from windlass.telemetry.families import Family


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of what has not ended."""

    runs: Mapping[str, int] = field(default_factory=dict)
    """By phase."""
    tasks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By phase and reason."""
    pods: Mapping[str, int] = field(default_factory=dict)
    """By phase."""
    oldest_pending: float = 0.0
    """Age, in seconds, of the oldest pod that has not started."""
    slots: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """How many a workflow has, by namespace and name, and how many of them are used."""
    backfills: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Slots that backfills have yet to do, by namespace and workflow."""
    pools: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """By namespace, pool and state: slots that are used or free, pods that wait."""


class CensusCollector(Collector):
    """Takes a census at each scrape. `bound` maps the labels of a workflow to those it is counted under."""

    def __init__(self, take: Callable[[], Census], bound: Callable[[str, str], tuple[str, str]]) -> None:
        self._take = take
        self._bound = bound

    def describe(self) -> Iterable[Metric]:
        return self._families(Census())

    def collect(self) -> Iterable[Metric]:
        return self._families(self._take())

    def _families(self, census: Census) -> list[Metric]:
        slots: dict[tuple[str, ...], float] = {}
        used: dict[tuple[str, ...], float] = {}
        for workflow, (limit, live) in census.slots.items():
            labels = self._bound(*workflow)
            slots[labels] = slots.get(labels, 0) + limit
            used[labels] = used.get(labels, 0) + live
        left: dict[tuple[str, ...], float] = {}
        for workflow, slots_left in census.backfills.items():
            labels = self._bound(*workflow)
            left[labels] = left.get(labels, 0) + slots_left
        return [
            _gauge(families.RUNS_IN_WORK, {(phase,): count for phase, count in census.runs.items()}),
            _gauge(families.TASKS_IN_WORK, census.tasks),
            _gauge(families.PODS, {(phase,): count for phase, count in census.pods.items()}),
            _gauge(families.OLDEST_PENDING, {(): census.oldest_pending}),
            _gauge(families.SLOTS, slots),
            _gauge(families.SLOTS_USED, used),
            _gauge(families.POOL_SLOTS, census.pools),
            _gauge(families.BACKFILL_LEFT, left),
        ]


def _gauge(row: Family, values: Mapping[Any, float]) -> GaugeMetricFamily:
    """`values` are by label values."""
    family = GaugeMetricFamily(row.name, row.meaning, labels=row.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family
