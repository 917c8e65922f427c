"""The dashboard *Windlass workflow*: one workflow over time, and its tasks."""

from __future__ import annotations

from typing import Any, Final

from panels import Panel, Query, Row, dashboard, variable
from shared import failures_by_class, run_counts, runs_by_outcome

OF: Final = 'namespace="$namespace", workflow="$workflow"'
_TASK_SUM: Final = f"windlass_workflow_task_duration_seconds_sum{{{OF}}}"
_TASK_COUNT: Final = f"windlass_workflow_task_duration_seconds_count{{{OF}}}"


def _average(over: str) -> str:
    return f"sum by (task) (increase({_TASK_SUM}[{over}])) / sum by (task) (increase({_TASK_COUNT}[{over}]))"


RUNS: Final = Row(
    "Runs",
    (
        *run_counts(OF),
        Panel(
            "Average duration",
            "From the start of a run to its end, over the runs that ended in the time range shown.",
            "s",
            (
                Query(
                    f"sum(increase(windlass_workflow_run_duration_seconds_sum{{{OF}}}[$__range]))"
                    f" / sum(increase(windlass_workflow_run_duration_seconds_count{{{OF}}}[$__range]))"
                ),
            ),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Last duration",
            "How long the run took that ended last, since the controller started.",
            "s",
            (Query(f"max(windlass_workflow_last_run_duration_seconds{{{OF}}})"),),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Since last success",
            "Time since a run last succeeded, since the controller started. Compare it with how often it runs.",
            "s",
            (
                Query(
                    "time() - max(max_over_time(windlass_workflow_last_end_timestamp_seconds"
                    f'{{{OF}, outcome="Succeeded"}}[$__range]))'
                ),
            ),
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Duration over time",
            "Each step is a run that ended: how long it took, and the average about that time.",
            "s",
            (
                Query(f"max(windlass_workflow_last_run_duration_seconds{{{OF}}})", "last run"),
                Query(
                    f"sum(increase(windlass_workflow_run_duration_seconds_sum{{{OF}}}[$__rate_interval]))"
                    f" / sum(increase(windlass_workflow_run_duration_seconds_count{{{OF}}}[$__rate_interval]))",
                    "average",
                ),
            ),
            width=12,
        ),
        runs_by_outcome(OF),
    ),
)

FAILURES: Final = Row(
    "Failures",
    (
        failures_by_class(OF),
        Panel(
            "Failed attempts by task",
            "Which task fails, whether a retry mended it or not.",
            "short",
            (
                Query(
                    f"sum by (task) (increase(windlass_workflow_task_failures_total{{{OF}}}[$__rate_interval]))",
                    "{{task}}",
                ),
            ),
            "bars",
        ),
        Panel(
            "Retries by task",
            "Pods that were made because an attempt had failed.",
            "short",
            (
                Query(
                    f"sum by (task) (increase(windlass_workflow_task_retries_total{{{OF}}}[$__rate_interval]))",
                    "{{task}}",
                ),
            ),
            "bars",
        ),
    ),
)

TASKS: Final = Row(
    "Tasks",
    (
        Panel(
            "Slowest tasks",
            "The ten tasks that took longest on average in the time range shown, retries included.",
            "s",
            (Query(f"topk(10, {_average('$__range')})", "{{task}}"),),
            "bargauge",
        ),
        Panel(
            "Task duration over time",
            "Average of each task: what became slower, and when.",
            "s",
            (Query(_average("$__rate_interval"), "{{task}}"),),
        ),
        Panel(
            "Slots",
            "Live pods of the workflow, over all of its runs, beneath its concurrency.maxActiveTasks. None when it has "
            "no such limit, or no run in work.",
            "short",
            (
                Query(f"max(windlass_slots_used{{{OF}}})", "used"),
                Query(f"max(windlass_slots{{{OF}}})", "maxActiveTasks"),
            ),
        ),
        Panel(
            "Tasks",
            "Each task in the time range shown. The controller keeps the first 1,000 tasks apart that it meets; later "
            "ones are `other`.",
            "short",
            (
                Query(f"sum by (task) (increase({_TASK_COUNT}[$__range]))", "Times run", "short"),
                Query(_average("$__range"), "Average duration", "s"),
                Query(f"sum by (task) (increase({_TASK_SUM}[$__range]))", "Total time", "s"),
                Query(
                    f"sum by (task) (increase(windlass_workflow_task_failures_total{{{OF}}}[$__range]))",
                    "Failed attempts",
                    "short",
                ),
                Query(
                    f"sum by (task) (increase(windlass_workflow_task_retries_total{{{OF}}}[$__range]))",
                    "Retries",
                    "short",
                ),
            ),
            "table",
            width=24,
            height=10,
        ),
    ),
)


def workflow() -> dict[str, Any]:
    """The dashboard."""
    return dashboard(
        "windlass-workflow",
        "Windlass workflow",
        "One workflow: how long its runs take, how they fail, and which task is why.",
        (
            variable("namespace", "Namespace", "label_values(windlass_runs_total, namespace)", several=False),
            variable(
                "workflow",
                "Workflow",
                'label_values(windlass_runs_total{namespace="$namespace"}, workflow)',
                several=False,
            ),
        ),
        (RUNS, FAILURES, TASKS),
    )
