"""Counts what happened, in a registry of its own. Methods are named for what happened; none of them fails or waits.

The number of series is bounded: no names of runs or pods are labels, and of workflows, tasks and all else that has no
bound by itself only the first values are kept apart. A counter that may be watched for its first step is there before
it, at zero: Prometheus sees no step in a series that begins with one.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    Summary,
    disable_created_metrics,
    generate_latest,
)

from windlass import __version__
from windlass.models.run import FailureClass
from windlass.telemetry import families
from windlass.telemetry.census import Census, CensusCollector
from windlass.telemetry.families import Family

MAX_WORKFLOWS: Final = 500
"""Workflows that are kept apart; later ones are counted together."""
MAX_TASKS: Final = 1000
"""Tasks of workflows that are kept apart."""
MAX_WORDS: Final = 200
OTHER: Final = "other"
_OUTCOMES: Final = ("Succeeded", "Failed", "Cancelled")


class TaskOf(NamedTuple):
    """A task of a workflow, whatever the run; `workflow` is empty for a run with a definition of its own."""

    namespace: str
    workflow: str
    task: str


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
        self._task_names = _Bounded(MAX_TASKS)
        self._words = _Bounded(MAX_WORDS)
        # Workflows and tasks whose counters stand at zero, or beyond.
        self._begun: set[tuple[str, ...]] = set()
        self._take_census: Callable[[], Census] = Census
        self._runs = self._counter(families.RUNS)
        self._run_seconds = self._histogram(families.RUN_SECONDS)
        self._workflow_run_seconds = self._summary(families.WORKFLOW_RUN_SECONDS)
        self._last_run_seconds = self._gauge(families.LAST_RUN_SECONDS)
        self._last_end = self._gauge(families.LAST_END)
        self._deadlines_missed = self._counter(families.DEADLINES_MISSED)
        self._last_deadline_missed = self._gauge(families.LAST_DEADLINE_MISSED)
        self._tasks = self._counter(families.TASKS)
        self._task_seconds = self._histogram(families.TASK_SECONDS)
        self._attempts = self._counter(families.ATTEMPTS)
        self._workflow_failures = self._counter(families.WORKFLOW_FAILURES)
        self._task_run_seconds = self._summary(families.TASK_RUN_SECONDS)
        self._task_failures = self._counter(families.TASK_FAILURES)
        self._task_retries = self._counter(families.TASK_RETRIES)
        self._create_delay = self._histogram(families.CREATE_DELAY)
        self._start_delay = self._histogram(families.START_DELAY)
        self._slots = self._counter(families.SCHEDULE_SLOTS)
        self._slot_delay = self._histogram(families.SCHEDULE_DELAY)
        self._backfills = self._counter(families.BACKFILLS)
        self._backfill_slots = self._counter(families.BACKFILL_SLOTS)
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
        for failure in ("", *FailureClass):
            self._attempts.labels(failure)
        for result in ("ok", "error"):
            self._reconcile.labels(self._words.of(result))
        self._gauge(families.BUILD).labels(__version__, platform.python_version()).set(1)
        self.registry.register(CensusCollector(lambda: self._take_census(), self._workflow))

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def run_began(self, namespace: str, workflow: str) -> None:
        """A run was admitted: its counts begin at zero, so that a rate over its end sees the step."""
        labels = self._workflow(namespace, workflow)
        if labels in self._begun:
            return
        self._begun.add(labels)
        for outcome in _OUTCOMES:
            self._runs.labels(*labels, outcome)
        for failure in FailureClass:
            self._workflow_failures.labels(*labels, failure)
        self._deadlines_missed.labels(*labels)

    def deadline_missed(self, namespace: str, workflow: str, at: float) -> None:
        """A run was found late `at` an instant in seconds since 1970."""
        labels = self._workflow(namespace, workflow)
        self._deadlines_missed.labels(*labels).inc()
        self._last_deadline_missed.labels(*labels).set(at)

    def run_ended(
        self, namespace: str, workflow: str, outcome: str, seconds: float | None, at: float | None = None
    ) -> None:
        """A run ended `at` an instant in seconds since 1970.

        `workflow` is empty when its definition was its own, `seconds` None when it never started.
        """
        labels = self._workflow(namespace, workflow)
        self._runs.labels(*labels, outcome).inc()
        if at is not None:
            self._last_end.labels(*labels, outcome).set(at)
        if seconds is not None:
            self._run_seconds.labels(outcome).observe(seconds)
            self._workflow_run_seconds.labels(*labels, outcome).observe(seconds)
            self._last_run_seconds.labels(*labels).set(seconds)

    def task_ended(self, of: TaskOf, outcome: str, failure: str, seconds: float | None) -> None:
        """A task ended; `failure` is the class of its last failure, or empty."""
        self._tasks.labels(outcome, failure).inc()
        if seconds is not None:
            self._task_seconds.labels(outcome).observe(seconds)
            self._task_run_seconds.labels(*self._task(of)).observe(seconds)

    def attempt_began(self, of: TaskOf, number: int) -> None:
        """The pod of an attempt, counted from 1, was made."""
        labels = self._task(of)
        if number > 1:
            self._task_retries.labels(*labels).inc()
        elif labels not in self._begun:
            self._begun.add(labels)
            for family in (self._task_run_seconds, self._task_failures, self._task_retries):
                family.labels(*labels)

    def attempt_ended(self, of: TaskOf, failure: str) -> None:
        """An attempt ended; `failure` is its class, or empty."""
        self._attempts.labels(failure).inc()
        if failure:
            labels = self._task(of)
            self._workflow_failures.labels(*labels[:2], failure).inc()
            self._task_failures.labels(*labels).inc()

    def pod_created(self, delay: float) -> None:
        """A pod was made, `delay` seconds after its task was ready."""
        self._create_delay.observe(delay)

    def pod_running(self, delay: float) -> None:
        """A main container started, `delay` seconds after its pod was made."""
        self._start_delay.observe(delay)

    def stray_removed(self, why: str) -> None:
        """A pod that belongs to no attempt was removed."""
        self._strays.labels(self._words.of(why)).inc()

    def slot_fired(self, namespace: str, workflow: str, delay: float | None) -> None:
        """A slot's run was made, so many seconds after it was due; None: it caught up."""
        self._slots.labels(*self._workflow(namespace, workflow), "fired").inc()
        if delay is not None:
            self._slot_delay.observe(delay)

    def slots_passed(self, namespace: str, workflow: str, missed: int, skipped: int) -> None:
        """So many slots got no run."""
        for outcome, many in (("missed", missed), ("skipped", skipped)):
            if many:
                self._slots.labels(*self._workflow(namespace, workflow), outcome).inc(many)

    def backfill_ended(self, namespace: str, workflow: str, outcome: str) -> None:
        """A backfill ended."""
        self._backfills.labels(*self._workflow(namespace, workflow), outcome).inc()

    def backfill_slots_done(self, namespace: str, workflow: str, outcome: str, many: int) -> None:
        """So many slots of a backfill are done."""
        self._backfill_slots.labels(*self._workflow(namespace, workflow), outcome).inc(many)

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

    def observe_census(self, take: Callable[[], Census]) -> None:
        """Ask at each scrape what there is."""
        self._take_census = take

    def _workflow(self, namespace: str, workflow: str) -> tuple[str, str]:
        return (namespace, workflow) if self._workflows.admits((namespace, workflow)) else (OTHER, OTHER)

    def _task(self, of: TaskOf) -> TaskOf:
        # The tasks of one-off definitions have names without end, and nobody follows them over time.
        if not of.workflow:
            return TaskOf(*self._workflow(of.namespace, ""), "")
        namespace, workflow = self._workflow(of.namespace, of.workflow)
        task = of.task if namespace == of.namespace and self._task_names.admits(of) else OTHER
        return TaskOf(namespace, workflow, task)

    def _counter(self, family: Family) -> Counter:
        return Counter(family.name, family.meaning, family.labels, registry=self.registry)

    def _gauge(self, family: Family) -> Gauge:
        return Gauge(family.name, family.meaning, family.labels, registry=self.registry)

    def _histogram(self, family: Family) -> Histogram:
        return Histogram(family.name, family.meaning, family.labels, buckets=family.buckets, registry=self.registry)

    def _summary(self, family: Family) -> Summary:
        return Summary(family.name, family.meaning, family.labels, registry=self.registry)
