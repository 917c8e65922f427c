"""The dashboard *Windlass overview*: all workflows, what tasks wait for, and how the controller is."""

from __future__ import annotations

from typing import Any, Final

from panels import Panel, Query, Row, dashboard, quantiles, variable
from shared import ended, failures_by_class, run_counts, runs_by_outcome

OF: Final = 'namespace=~"$namespace", workflow=~"$workflow"'
_BY: Final = "sum by (namespace, workflow)"
_OURS: Final = "and on (job, instance) windlass_build_info"
_ALL: Final = "Of the whole cluster, whatever namespace and workflow are chosen. "


RUNS: Final = Row(
    "Runs",
    (
        *run_counts(OF),
        Panel(
            "Runs in work",
            f"{_ALL}Runs that have not ended.",
            "short",
            (Query("sum(max by (phase) (windlass_active_runs))"),),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Live pods",
            f"{_ALL}Pods whose main container has not ended.",
            "short",
            (Query('sum(max by (phase) (windlass_pods{phase!="Ended"}))'),),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Leaders",
            "Controllers that act: 1 when all is well. 0: nothing moves. More than 1 for longer than a scrape: an old "
            "leader was frozen.",
            "short",
            (Query("sum(windlass_leader)"),),
            "stat",
            width=4,
            height=4,
            good_above=1,
        ),
        runs_by_outcome(OF),
        Panel(
            "Run duration",
            f"{_ALL}From the start of a run to its end, of runs that succeeded.",
            "s",
            quantiles("windlass_run_duration_seconds", '{outcome="Succeeded"}'),
            width=12,
        ),
        Panel(
            "Workflows",
            "Each workflow in the time range shown. A click on its name leads to its dashboard. Runs with a definition "
            "of their own have no workflow.",
            "short",
            (
                Query(f"{_BY} ({ended(OF)})", "Runs", "short"),
                Query(f"{_BY} ({ended(OF, 'Failed')})", "Failed", "short"),
                Query(
                    f"{_BY} (increase(windlass_workflow_run_duration_seconds_sum{{{OF}}}[$__range]))"
                    f" / {_BY} (increase(windlass_workflow_run_duration_seconds_count{{{OF}}}[$__range]))",
                    "Average duration",
                    "s",
                ),
                Query(
                    f"max by (namespace, workflow) (windlass_workflow_last_run_duration_seconds{{{OF}}})",
                    "Last duration",
                    "s",
                ),
                Query(
                    "time() - max by (namespace, workflow)"
                    f' (windlass_workflow_last_end_timestamp_seconds{{{OF}, outcome="Succeeded"}})',
                    "Since last success",
                    "s",
                ),
            ),
            "table",
            width=24,
            height=9,
            link={
                "title": "Show ${__data.fields.workflow}",
                "url": "/d/windlass-workflow?var-datasource=${datasource}"
                "&var-namespace=${__data.fields.namespace}&var-workflow=${__data.fields.workflow}&${__url_time_range}",
            },
        ),
    ),
)

TASKS: Final = Row(
    "Tasks",
    (
        Panel(
            "Tasks by outcome",
            f"{_ALL}How many tasks ended, and how.",
            "short",
            (Query("sum by (outcome) (increase(windlass_tasks_total[$__rate_interval]))", "{{outcome}}"),),
            "bars",
        ),
        failures_by_class(OF),
        Panel(
            "Retries",
            "Pods that were made because an attempt had failed. Many: time is lost, though nothing fails.",
            "short",
            (
                Query(
                    f"{_BY} (increase(windlass_workflow_task_retries_total{{{OF}}}[$__rate_interval]))",
                    "{{namespace}}/{{workflow}}",
                ),
            ),
            "bars",
        ),
        Panel(
            "Task duration",
            f"{_ALL}From the start of a task's first attempt to the end of its last, of tasks that succeeded.",
            "s",
            quantiles("windlass_task_duration_seconds", '{outcome="Succeeded"}'),
        ),
        Panel(
            "Tasks in work, and why they wait",
            f"{_ALL}Tasks that have not ended, by phase and reason: MaxActiveTasks waits for a slot, QuotaExceeded for "
            "room in the namespace, Unschedulable for a node.",
            "short",
            (Query("max by (phase, reason) (windlass_active_tasks)", "{{phase}} {{reason}}"),),
        ),
        Panel(
            "Slots used",
            "Live pods of a workflow by its concurrency.maxActiveTasks. At 100 % its tasks wait for each other.",
            "percentunit",
            (
                Query(
                    f"max by (namespace, workflow) (windlass_slots_used{{{OF}}})"
                    f" / max by (namespace, workflow) (windlass_slots{{{OF}}})",
                    "{{namespace}}/{{workflow}}",
                ),
            ),
        ),
    ),
)

DELAYS: Final = Row(
    "Delays",
    (
        Panel(
            "Ready → pod created",
            f"{_ALL}What Windlass adds to each task: from the moment that it may start to the creation of its pod. "
            "Waiting for slots and quota counts too.",
            "s",
            quantiles("windlass_task_create_delay_seconds"),
            width=6,
        ),
        Panel(
            "Pod created → running",
            f"{_ALL}The cluster's part: scheduling, a node that is added, the pull of the image, init containers.",
            "s",
            quantiles("windlass_pod_start_delay_seconds"),
            width=6,
        ),
        Panel(
            "Pods",
            f"{_ALL}Pods of tasks by how far they are. Ended ones are kept as keepPods says.",
            "short",
            (Query("max by (phase) (windlass_pods)", "{{phase}}"),),
            width=6,
        ),
        Panel(
            "Oldest pod that has not started",
            f"{_ALL}Beyond startTimeout (10 minutes by default) its attempt fails.",
            "s",
            (Query("max(windlass_oldest_pending_pod_seconds)", "age"),),
            width=6,
        ),
    ),
)

CONTROLLER: Final = Row(
    "Controller",
    (
        Panel(
            "Queue",
            "Runs that wait to be reconciled, or are. It should come back to 0 within seconds.",
            "short",
            (Query("max(windlass_queue_depth)", "runs"),),
        ),
        Panel(
            "Wait in the queue",
            "How long a run waited for its reconcile.",
            "s",
            quantiles("windlass_queue_wait_seconds"),
        ),
        Panel(
            "Reconcile",
            "Processor time that a reconcile took of the controller's one loop.",
            "s",
            quantiles("windlass_reconcile_seconds", '{result="ok"}'),
        ),
        Panel(
            "API requests",
            "Requests to the API server a second.",
            "reqps",
            (
                Query(
                    "sum by (verb, resource) (rate(windlass_api_requests_total[$__rate_interval]))",
                    "{{verb}} {{resource}}",
                ),
            ),
        ),
        Panel(
            "API requests without success",
            "By code. 404 and 409 belong to the trade; 403 is a quota or missing RBAC; 429 and 5xx are an API server "
            "in trouble; 0: no answer came.",
            "reqps",
            (Query('sum by (code) (rate(windlass_api_requests_total{code!~"2.."}[$__rate_interval]))', "{{code}}"),),
        ),
        Panel(
            "API latency",
            "Time until the API server's answer began.",
            "s",
            (
                Query(
                    "histogram_quantile(0.99, sum by (le, verb)"
                    " (rate(windlass_api_request_seconds_bucket[$__rate_interval])))",
                    "99 % {{verb}}",
                ),
            ),
        ),
        Panel(
            "Errors",
            "Reconciles that failed, watches that broke off, and pods that belonged to no attempt. All should be 0; "
            "watches break off when an API server is replaced.",
            "cps",
            (
                Query('sum(rate(windlass_reconcile_seconds_count{result="error"}[$__rate_interval]))', "reconciles"),
                Query("sum(rate(windlass_informer_errors_total[$__rate_interval])) or vector(0)", "watches"),
                Query("sum(rate(windlass_stray_pods_total[$__rate_interval])) or vector(0)", "stray pods"),
            ),
        ),
        Panel(
            "Events told",
            "Kubernetes Events by reason: failures, retries, refusals and waits.",
            "short",
            (
                Query(
                    "sum by (type, reason) (increase(windlass_events_total[$__rate_interval]))", "{{type}} {{reason}}"
                ),
            ),
            "bars",
        ),
        Panel(
            "Silence of the watch",
            "Time since the API server last told the cache something. Bookmarks come each minute; above 70 s the watch "
            "is opened anew.",
            "s",
            (Query("max by (resource) (windlass_informer_silence_seconds)", "{{resource}}"),),
        ),
        Panel(
            "Memory",
            "Resident memory of each controller. The leader's grows with runs in work and live pods.",
            "bytes",
            (Query(f"process_resident_memory_bytes {_OURS}", "{{instance}}"),),
        ),
        Panel(
            "Processor",
            "Processor time of each controller. It uses one processor at most: near 1 it is at its limit.",
            "short",
            (Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {_OURS}", "{{instance}}"),),
        ),
        Panel(
            "Who leads",
            "1 for the controller that acts, 0 for those that stand by.",
            "short",
            (Query("max by (instance) (windlass_leader)", "{{instance}}"),),
        ),
    ),
)


def overview() -> dict[str, Any]:
    """The dashboard."""
    return dashboard(
        "windlass-overview",
        "Windlass overview",
        "Runs, tasks, delays and the controller of one Windlass installation.",
        (
            variable("namespace", "Namespace", "label_values(windlass_runs_total, namespace)", several=True),
            variable(
                "workflow",
                "Workflow",
                'label_values(windlass_runs_total{namespace=~"$namespace"}, workflow)',
                several=True,
            ),
        ),
        (RUNS, TASKS, DELAYS, CONTROLLER),
    )
