"""The metrics of Windlass, one row each: the code that counts and the table in the docs are made from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WORK: Final = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 86400)
"""Buckets, in seconds, for what users' programs take."""
DELAYS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
"""Buckets for waiting, from a moment to an autoscaler that brings a node."""
MOMENTS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""Buckets for what Windlass itself does."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    """The number and the sum of what was observed, without quantiles."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name (with the unit and, for a counter, `_total`), its meaning, its labels."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_WORKFLOW: Final = ("namespace", "workflow")
_TASK: Final = (*_WORKFLOW, "task")

RUNS: Final = Family(
    "windlass_runs_total",
    Kind.COUNTER,
    "Runs that ended",
    (*_WORKFLOW, "outcome"),
)
RUN_SECONDS: Final = Family(
    "windlass_run_duration_seconds", Kind.HISTOGRAM, "From the start of a run to its end", ("outcome",), WORK
)
WORKFLOW_RUN_SECONDS: Final = Family(
    "windlass_workflow_run_duration_seconds",
    Kind.SUMMARY,
    "From the start of a run to its end, by workflow",
    (*_WORKFLOW, "outcome"),
)
LAST_RUN_SECONDS: Final = Family(
    "windlass_workflow_last_run_duration_seconds",
    Kind.GAUGE,
    "How long the run of a workflow took that ended last",
    _WORKFLOW,
)
LAST_END: Final = Family(
    "windlass_workflow_last_end_timestamp_seconds",
    Kind.GAUGE,
    "When a run of a workflow last ended so, in seconds since 1970",
    (*_WORKFLOW, "outcome"),
)
DEADLINES_MISSED: Final = Family(
    "windlass_deadlines_missed_total", Kind.COUNTER, "Runs that had not ended by their deadline", _WORKFLOW
)
LAST_DEADLINE_MISSED: Final = Family(
    "windlass_workflow_last_missed_deadline_timestamp_seconds",
    Kind.GAUGE,
    "When a run of a workflow was last found late, in seconds since 1970",
    _WORKFLOW,
)
RUNS_IN_WORK: Final = Family("windlass_active_runs", Kind.GAUGE, "Runs that have not ended, by phase", ("phase",))
TASKS: Final = Family(
    "windlass_tasks_total",
    Kind.COUNTER,
    "Tasks that ended, with the class of the last failure (empty where there was none)",
    ("outcome", "class"),
)
TASK_SECONDS: Final = Family(
    "windlass_task_duration_seconds",
    Kind.HISTOGRAM,
    "From the start of a task's first attempt to the end of its last",
    ("outcome",),
    WORK,
)
ATTEMPTS: Final = Family(
    "windlass_attempts_total", Kind.COUNTER, "Attempts that ended, by failure class (empty: succeeded)", ("class",)
)
TASKS_IN_WORK: Final = Family(
    "windlass_active_tasks",
    Kind.GAUGE,
    "Tasks that have not ended, by phase and reason: why they wait",
    ("phase", "reason"),
)
WORKFLOW_FAILURES: Final = Family(
    "windlass_workflow_failures_total",
    Kind.COUNTER,
    "Attempts that failed, by workflow and failure class",
    (*_WORKFLOW, "class"),
)
TASK_RUN_SECONDS: Final = Family(
    "windlass_workflow_task_duration_seconds",
    Kind.SUMMARY,
    "From the start of a task's first attempt to the end of its last, by workflow and task",
    _TASK,
)
TASK_FAILURES: Final = Family(
    "windlass_workflow_task_failures_total", Kind.COUNTER, "Attempts that failed, by workflow and task", _TASK
)
TASK_RETRIES: Final = Family(
    "windlass_workflow_task_retries_total",
    Kind.COUNTER,
    "Pods that were made because an attempt had failed, by workflow and task",
    _TASK,
)
PODS: Final = Family("windlass_pods", Kind.GAUGE, "Pods that exist, by how far they are", ("phase",))
OLDEST_PENDING: Final = Family(
    "windlass_oldest_pending_pod_seconds",
    Kind.GAUGE,
    "Age of the oldest pod whose main container has not started; 0 where there is none",
)
SLOTS: Final = Family(
    "windlass_slots",
    Kind.GAUGE,
    "Slots of a workflow that has runs in work: its `concurrency.maxActiveTasks`",
    _WORKFLOW,
)
SLOTS_USED: Final = Family("windlass_slots_used", Kind.GAUGE, "Slots of a workflow that hold a live pod", _WORKFLOW)
POOL_SLOTS: Final = Family(
    "windlass_pool_slots",
    Kind.GAUGE,
    "Slots of a pool: used and free ones, and pods that wait for some",
    ("namespace", "pool", "state"),
)
CREATE_DELAY: Final = Family(
    "windlass_task_create_delay_seconds",
    Kind.HISTOGRAM,
    "From the moment that a task is ready to the creation of its pod",
    buckets=DELAYS,
)
START_DELAY: Final = Family(
    "windlass_pod_start_delay_seconds",
    Kind.HISTOGRAM,
    "From the creation of a pod to the start of its main container: the cluster's part",
    buckets=DELAYS,
)
SCHEDULE_SLOTS: Final = Family(
    "windlass_schedule_slots_total",
    Kind.COUNTER,
    "Slots of schedules, by what became of them: fired, missed (noticed too late), skipped (by policy)",
    (*_WORKFLOW, "outcome"),
)
SCHEDULE_DELAY: Final = Family(
    "windlass_schedule_delay_seconds",
    Kind.HISTOGRAM,
    "From the moment that a slot is due to the creation of its run; those that catch up are left out",
    buckets=DELAYS,
)
BACKFILLS: Final = Family("windlass_backfills_total", Kind.COUNTER, "Backfills that ended", (*_WORKFLOW, "outcome"))
BACKFILL_SLOTS: Final = Family(
    "windlass_backfill_slots_total",
    Kind.COUNTER,
    "Slots of backfills that are done, by how: succeeded, failed, cancelled, skipped (had a run already)",
    (*_WORKFLOW, "outcome"),
)
BACKFILL_LEFT: Final = Family(
    "windlass_backfill_slots_left", Kind.GAUGE, "Slots that the backfills of a workflow have yet to do", _WORKFLOW
)
STRAYS: Final = Family(
    "windlass_stray_pods_total", Kind.COUNTER, "Pods that were removed because no attempt is theirs", ("reason",)
)
QUEUE_DEPTH: Final = Family("windlass_queue_depth", Kind.GAUGE, "Runs that wait to be reconciled, or are")
QUEUE_WAIT: Final = Family(
    "windlass_queue_wait_seconds", Kind.HISTOGRAM, "How long a run waited for its reconcile", buckets=MOMENTS
)
RECONCILE_SECONDS: Final = Family(
    "windlass_reconcile_seconds", Kind.HISTOGRAM, "Time that the loop spent on a reconcile", ("result",), MOMENTS
)
API_REQUESTS: Final = Family(
    "windlass_api_requests_total",
    Kind.COUNTER,
    "Requests to the API server; code 0: no answer came",
    ("verb", "resource", "code"),
)
API_SECONDS: Final = Family(
    "windlass_api_request_seconds", Kind.HISTOGRAM, "Time until the API server's answer began", ("verb",), DELAYS
)
EVENTS: Final = Family("windlass_events_total", Kind.COUNTER, "Kubernetes Events that were told", ("type", "reason"))
RELISTS: Final = Family(
    "windlass_informer_relists_total",
    Kind.COUNTER,
    "Full lists by a cache, the first included",
    ("resource", "reason"),
)
WATCH_ERRORS: Final = Family(
    "windlass_informer_errors_total", Kind.COUNTER, "Lists and watches that broke off", ("resource", "reason")
)
WATCH_SILENCE: Final = Family(
    "windlass_informer_silence_seconds",
    Kind.GAUGE,
    "Time since the API server last told a cache something; above 70 the watch is opened anew",
    ("resource",),
)
CACHED: Final = Family("windlass_informer_objects", Kind.GAUGE, "Objects in a cache", ("resource",))
UNREADABLE: Final = Family(
    "windlass_informer_unreadable_objects", Kind.GAUGE, "Objects that were set aside as unreadable", ("resource",)
)
LEADER: Final = Family("windlass_leader", Kind.GAUGE, "1 where this process is the one that acts")
BUILD: Final = Family("windlass_build_info", Kind.GAUGE, "Always 1", ("version", "python"))

FAMILIES: Final = (
    RUNS,
    RUN_SECONDS,
    WORKFLOW_RUN_SECONDS,
    LAST_RUN_SECONDS,
    LAST_END,
    DEADLINES_MISSED,
    LAST_DEADLINE_MISSED,
    RUNS_IN_WORK,
    TASKS,
    TASK_SECONDS,
    ATTEMPTS,
    TASKS_IN_WORK,
    WORKFLOW_FAILURES,
    TASK_RUN_SECONDS,
    TASK_FAILURES,
    TASK_RETRIES,
    PODS,
    OLDEST_PENDING,
    SLOTS,
    SLOTS_USED,
    POOL_SLOTS,
    CREATE_DELAY,
    START_DELAY,
    SCHEDULE_SLOTS,
    SCHEDULE_DELAY,
    BACKFILLS,
    BACKFILL_SLOTS,
    BACKFILL_LEFT,
    STRAYS,
    QUEUE_DEPTH,
    QUEUE_WAIT,
    RECONCILE_SECONDS,
    API_REQUESTS,
    API_SECONDS,
    EVENTS,
    RELISTS,
    WATCH_ERRORS,
    WATCH_SILENCE,
    CACHED,
    UNREADABLE,
    LEADER,
    BUILD,
)
