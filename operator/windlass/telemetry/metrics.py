"""Counts what happened, in a registry of its own. Methods are named for what happened; none of them fails or waits.

The number of series is bounded: no names of runs, tasks or pods are labels, and of what has no bound by itself only
the first values are kept apart.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from windlass import __version__
from windlass.telemetry import families
from windlass.telemetry.families import Family

MAX_WORKFLOWS: Final = 500
MAX_WORDS: Final = 200
OTHER: Final = "other"


class _Bounded:
    """Lets the first `most` values through; all later ones are others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[Hashable] = set()

    def admits(self, value: Hashable) -> bool:
        if value not in self._known:
            if len(self._known) >= self._most:
                return False
            self._known.add(value)
        return True

    def of(self, word: str) -> str:
        return word if self.admits(word) else OTHER


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        # A series more for each counter and histogram, which nobody reads. It is a switch of the whole library.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type for it
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self._workflows = _Bounded(MAX_WORKFLOWS)
        self._words = _Bounded(MAX_WORDS)
        self._active: Callable[[], Mapping[str, int]] = dict
        self._runs = self._counter(families.RUNS)
        self._run_seconds = self._histogram(families.RUN_SECONDS)
        self._tasks = self._counter(families.TASKS)
        self._task_seconds = self._histogram(families.TASK_SECONDS)
        self._attempts = self._counter(families.ATTEMPTS)
        self._create_delay = self._histogram(families.CREATE_DELAY)
        self._start_delay = self._histogram(families.START_DELAY)
        self._strays = self._counter(families.STRAYS)
        self._depth = self._gauge(families.QUEUE_DEPTH)
        self._wait = self._histogram(families.QUEUE_WAIT)
        self._reconcile = self._histogram(families.RECONCILE_SECONDS)
        self._requests = self._counter(families.API_REQUESTS)
        self._request_seconds = self._histogram(families.API_SECONDS)
        self._events = self._counter(families.EVENTS)
        self._relists = self._counter(families.RELISTS)
        self._watch_errors = self._counter(families.WATCH_ERRORS)
        self._silence = self._gauge(families.WATCH_SILENCE)
        self._cached = self._gauge(families.CACHED)
        self._unreadable = self._gauge(families.UNREADABLE)
        self._leader = self._gauge(families.LEADER)
        self._gauge(families.BUILD).labels(__version__, platform.python_version()).set(1)
        self.registry.register(_ActiveRuns(lambda: self._active()))

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def run_ended(self, namespace: str, workflow: str, outcome: str, seconds: float | None) -> None:
        """A run ended; `workflow` is empty when its definition was its own, `seconds` None when it never started."""
        if not self._workflows.admits((namespace, workflow)):
            namespace = workflow = OTHER
        self._runs.labels(namespace, workflow, outcome).inc()
        if seconds is not None:
            self._run_seconds.labels(outcome).observe(seconds)

    def task_ended(self, outcome: str, failure: str, seconds: float | None) -> None:
        """A task ended; `failure` is the class of its last failure, or empty."""
        self._tasks.labels(outcome, failure).inc()
        if seconds is not None:
            self._task_seconds.labels(outcome).observe(seconds)

    def attempt_ended(self, failure: str) -> None:
        """An attempt ended; `failure` is its class, or empty."""
        self._attempts.labels(failure).inc()

    def pod_created(self, delay: float) -> None:
        """A pod was made, `delay` seconds after its task was ready."""
        self._create_delay.observe(delay)

    def pod_running(self, delay: float) -> None:
        """A main container started, `delay` seconds after its pod was made."""
        self._start_delay.observe(delay)

    def stray_removed(self, why: str) -> None:
        """A pod that belongs to no attempt was removed."""
        self._strays.labels(self._words.of(why)).inc()

    def queue_changed(self, depth: int) -> None:
        """So many keys are in the queue."""
        self._depth.set(depth)

    def queue_waited(self, seconds: float) -> None:
        """A key left the queue."""
        self._wait.observe(seconds)

    def reconciled(self, seconds: float, result: str) -> None:
        """A reconcile ended, `ok` or `error`."""
        self._reconcile.labels(self._words.of(result)).observe(seconds)

    def api_request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A request was answered; 0: it was not."""
        self._requests.labels(verb, self._words.of(resource), str(code)).inc()
        self._request_seconds.labels(verb).observe(seconds)

    def event_told(self, kind: str, reason: str) -> None:
        """A Kubernetes Event was made."""
        self._events.labels(kind, self._words.of(reason)).inc()

    def relisted(self, resource: str, why: str) -> None:
        """A cache read all its objects."""
        self._relists.labels(resource, self._words.of(why)).inc()

    def watch_failed(self, resource: str, why: str) -> None:
        """A list or a watch of a cache broke off."""
        self._watch_errors.labels(resource, self._words.of(why)).inc()

    def leads(self, leader: bool) -> None:
        """This process became, or is no longer, the one that acts."""
        self._leader.set(int(leader))

    def observe_cache(
        self, resource: str, objects: Callable[[], int], unreadable: Callable[[], int], silence: Callable[[], float]
    ) -> None:
        """Ask a cache at each scrape how it is."""
        self._cached.labels(resource).set_function(objects)
        self._unreadable.labels(resource).set_function(unreadable)
        self._silence.labels(resource).set_function(silence)

    def observe_runs(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Ask at each scrape how many runs are in which phase."""
        self._active = count

    def _counter(self, family: Family) -> Counter:
        return Counter(family.name, family.meaning, family.labels, registry=self.registry)

    def _gauge(self, family: Family) -> Gauge:
        return Gauge(family.name, family.meaning, family.labels, registry=self.registry)

    def _histogram(self, family: Family) -> Histogram:
        return Histogram(family.name, family.meaning, family.labels, buckets=family.buckets, registry=self.registry)


class _ActiveRuns(Collector):
    """Counted when asked, never up and down, so that it can't drift."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        for phase, number in sorted(self._count().items()):
            family.add_metric([phase], number)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        row = families.RUNS_IN_WORK
        return GaugeMetricFamily(row.name, row.meaning, labels=row.labels)
