"""What is counted, under which names, and how many series that can be at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from windlass import __version__
from windlass.models.run import FailureClass
from windlass.telemetry.census import Census
from windlass.telemetry.families import FAMILIES, Kind
from windlass.telemetry.metrics import MAX_TASKS, MAX_WORKFLOWS, Metrics, TaskOf
from windlass.telemetry.reference import render

RETRIES = "windlass_workflow_task_retries_total"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(metrics: Metrics) -> Samples:
    """All samples of ours by name and labels, without the buckets."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if sample.name.startswith("windlass_") and not sample.name.endswith("_bucket")
    }


def _use_queue(metrics: Metrics) -> None:
    metrics.queue_changed(4)
    metrics.queue_waited(0.5)
    metrics.queue_changed(3)


def _use_cache(metrics: Metrics) -> None:
    metrics.relisted("pods", "Gone")
    metrics.watch_failed("pods", "CutLine")
    metrics.observe_cache("pods", lambda: 12, lambda: 1, lambda: 30.5)


def _lead_for_a_while(metrics: Metrics) -> None:
    metrics.leads(True)
    metrics.leads(False)


def labels(**more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({"namespace": "data", "workflow": "sales", **more}.items()))


LOAD = TaskOf("data", "sales", "load")
OF_LOAD = labels(task="load")
CENSUS = Census(
    runs={"Running": 2, "Queued": 1},
    tasks={("Queued", "MaxActiveTasks"): 3},
    pods={"Unscheduled": 1},
    oldest_pending=12.5,
    slots={("data", "sales"): (4, 3)},
    pools={("data", "db", "used"): 2},
)
CASES: dict[str, tuple[Callable[[Metrics], None], Samples]] = {
    "a run began": (
        lambda m: m.run_began("data", "sales"),
        {("windlass_runs_total", labels(outcome=outcome)): 0 for outcome in ("Succeeded", "Failed", "Cancelled")}
        | {("windlass_workflow_failures_total", labels(**{"class": failure})): 0 for failure in FailureClass}
        | {("windlass_deadlines_missed_total", labels()): 0},
    ),
    "a run is late": (
        lambda m: m.deadline_missed("data", "sales", 100.0),
        {
            ("windlass_deadlines_missed_total", labels()): 1,
            ("windlass_workflow_last_missed_deadline_timestamp_seconds", labels()): 100.0,
        },
    ),
    "a run ended": (
        lambda m: m.run_ended("data", "sales", "Succeeded", 7.5, 100.0),
        {
            ("windlass_runs_total", labels(outcome="Succeeded")): 1,
            ("windlass_run_duration_seconds_count", (("outcome", "Succeeded"),)): 1,
            ("windlass_run_duration_seconds_sum", (("outcome", "Succeeded"),)): 7.5,
            ("windlass_workflow_run_duration_seconds_count", labels(outcome="Succeeded")): 1,
            ("windlass_workflow_run_duration_seconds_sum", labels(outcome="Succeeded")): 7.5,
            ("windlass_workflow_last_run_duration_seconds", labels()): 7.5,
            ("windlass_workflow_last_end_timestamp_seconds", labels(outcome="Succeeded")): 100.0,
        },
    ),
    "a run was refused": (
        lambda m: m.run_ended("data", "", "Refused", None),
        {("windlass_runs_total", labels(workflow="", outcome="Refused")): 1},
    ),
    "a task ended": (
        lambda m: m.task_ended(LOAD, "Failed", "OOM", 3),
        {
            ("windlass_tasks_total", (("class", "OOM"), ("outcome", "Failed"))): 1,
            ("windlass_task_duration_seconds_count", (("outcome", "Failed"),)): 1,
            ("windlass_task_duration_seconds_sum", (("outcome", "Failed"),)): 3,
            ("windlass_workflow_task_duration_seconds_count", OF_LOAD): 1,
            ("windlass_workflow_task_duration_seconds_sum", OF_LOAD): 3,
        },
    ),
    "a task of a definition of its own": (
        lambda m: m.attempt_began(TaskOf("data", "", "load"), 2),
        {("windlass_workflow_task_retries_total", labels(workflow="", task="")): 1},
    ),
    "an attempt succeeded": (lambda m: m.attempt_ended(LOAD, ""), {("windlass_attempts_total", (("class", ""),)): 1}),
    "an attempt failed": (
        lambda m: m.attempt_ended(LOAD, "App"),
        {
            ("windlass_attempts_total", (("class", "App"),)): 1,
            ("windlass_workflow_failures_total", labels(**{"class": "App"})): 1,
            ("windlass_workflow_task_failures_total", OF_LOAD): 1,
        },
    ),
    "a first attempt": (
        lambda m: m.attempt_began(LOAD, 1),
        {
            ("windlass_workflow_task_duration_seconds_count", OF_LOAD): 0,
            ("windlass_workflow_task_duration_seconds_sum", OF_LOAD): 0,
            ("windlass_workflow_task_failures_total", OF_LOAD): 0,
            ("windlass_workflow_task_retries_total", OF_LOAD): 0,
        },
    ),
    "a retry": (lambda m: m.attempt_began(LOAD, 2), {("windlass_workflow_task_retries_total", OF_LOAD): 1}),
    "what there is": (
        lambda m: m.observe_census(lambda: CENSUS),
        {
            ("windlass_active_runs", (("phase", "Running"),)): 2,
            ("windlass_active_runs", (("phase", "Queued"),)): 1,
            ("windlass_active_tasks", (("phase", "Queued"), ("reason", "MaxActiveTasks"))): 3,
            ("windlass_pods", (("phase", "Unscheduled"),)): 1,
            ("windlass_oldest_pending_pod_seconds", ()): 12.5,
            ("windlass_slots", labels()): 4,
            ("windlass_slots_used", labels()): 3,
            ("windlass_pool_slots", (("namespace", "data"), ("pool", "db"), ("state", "used"))): 2,
        },
    ),
    "a pod was made": (
        lambda m: m.pod_created(0.25),
        {("windlass_task_create_delay_seconds_count", ()): 1, ("windlass_task_create_delay_seconds_sum", ()): 0.25},
    ),
    "a pod runs": (
        lambda m: m.pod_running(2),
        {("windlass_pod_start_delay_seconds_count", ()): 1, ("windlass_pod_start_delay_seconds_sum", ()): 2},
    ),
    "a stray was removed": (
        lambda m: m.stray_removed("Stray"),
        {("windlass_stray_pods_total", (("reason", "Stray"),)): 1},
    ),
    "the queue": (
        _use_queue,
        {
            ("windlass_queue_depth", ()): 3,
            ("windlass_queue_wait_seconds_count", ()): 1,
            ("windlass_queue_wait_seconds_sum", ()): 0.5,
        },
    ),
    "a reconcile": (
        lambda m: m.reconciled(0.125, "ok"),
        {
            ("windlass_reconcile_seconds_count", (("result", "ok"),)): 1,
            ("windlass_reconcile_seconds_sum", (("result", "ok"),)): 0.125,
        },
    ),
    "a request": (
        lambda m: m.api_request("create", "pods", 201, 0.5),
        {
            ("windlass_api_requests_total", (("code", "201"), ("resource", "pods"), ("verb", "create"))): 1,
            ("windlass_api_request_seconds_count", (("verb", "create"),)): 1,
            ("windlass_api_request_seconds_sum", (("verb", "create"),)): 0.5,
        },
    ),
    "an event": (
        lambda m: m.event_told("Warning", "TaskFailed"),
        {("windlass_events_total", (("reason", "TaskFailed"), ("type", "Warning"))): 1},
    ),
    "a cache": (
        _use_cache,
        {
            ("windlass_informer_relists_total", (("reason", "Gone"), ("resource", "pods"))): 1,
            ("windlass_informer_errors_total", (("reason", "CutLine"), ("resource", "pods"))): 1,
            ("windlass_informer_objects", (("resource", "pods"),)): 12,
            ("windlass_informer_unreadable_objects", (("resource", "pods"),)): 1,
            ("windlass_informer_silence_seconds", (("resource", "pods"),)): 30.5,
        },
    ),
    "leadership": (lambda m: m.leads(True), {("windlass_leader", ()): 1}),
    "leadership lost": (_lead_for_a_while, {}),
}


@pytest.mark.parametrize(("happened", "counted"), CASES.values(), ids=CASES.keys())
def test_counts(happened: Callable[[Metrics], Any], counted: Samples) -> None:
    metrics = Metrics()
    before = samples(metrics)
    happened(metrics)
    after = samples(metrics)
    assert {key: value for key, value in after.items() if before.get(key) != value} == counted


def test_build_info() -> None:
    found = [key for key in samples(Metrics()) if key[0] == "windlass_build_info"]
    assert [dict(labels)["version"] for _, labels in found] == [__version__]


def test_the_number_of_series_is_bounded() -> None:
    metrics = Metrics()
    for number in range(3 * MAX_WORKFLOWS):
        metrics.run_began("data", f"workflow-{number}")
        metrics.run_ended("data", f"workflow-{number}", "Succeeded", 1, 2)
        metrics.api_request("get", f"/path/{number}", 200, 0.1)
        metrics.stray_removed(f"why-{number}")
        metrics.reconciled(0.1, f"result-{number}")
    runs = {key: value for key, value in samples(metrics).items() if key[0] == "windlass_runs_total"}
    assert len(runs) == 3 * (MAX_WORKFLOWS + 1)
    other = ("windlass_runs_total", (("namespace", "other"), ("outcome", "Succeeded"), ("workflow", "other")))
    assert runs[other] == 2 * MAX_WORKFLOWS
    # A workflow: three outcomes, six classes; count and sum of its runs, duration and end of the last.
    assert len(samples(metrics)) < 13 * (MAX_WORKFLOWS + 1) + 1000


def test_the_number_of_tasks_is_bounded() -> None:
    metrics = Metrics()
    for number in range(MAX_TASKS + 5):
        metrics.attempt_began(TaskOf("data", "sales", f"task-{number}"), 2)
        metrics.attempt_began(TaskOf("data", "", f"task-{number}"), 2)
    retries = {key: value for key, value in samples(metrics).items() if key[0] == RETRIES}
    assert len(retries) == MAX_TASKS + 2
    assert retries[(RETRIES, labels(task="other"))] == 5
    assert retries[(RETRIES, labels(workflow="", task=""))] == MAX_TASKS + 5


def test_tasks_of_workflows_beyond_the_bound_are_others() -> None:
    metrics = Metrics()
    for number in range(MAX_WORKFLOWS + 1):
        metrics.attempt_began(TaskOf("data", f"workflow-{number}", "load"), 2)
    assert samples(metrics)[(RETRIES, labels(namespace="other", workflow="other", task="other"))] == 1


def test_a_known_workflow_stays_apart() -> None:
    metrics = Metrics()
    for number in [*range(MAX_WORKFLOWS + 10), 0]:
        metrics.run_ended("data", f"workflow-{number}", "Failed", None)
    first = ("windlass_runs_total", (("namespace", "data"), ("outcome", "Failed"), ("workflow", "workflow-0")))
    assert samples(metrics)[first] == 2


def test_two_sets_don_t_share_a_count() -> None:
    one, other = Metrics(), Metrics()
    one.attempt_ended(LOAD, "App")
    assert samples(other)[("windlass_attempts_total", (("class", "App"),))] == 0


def test_the_registry_holds_the_table() -> None:
    """Each row is registered with its name and kind, and nothing else is."""
    metrics = Metrics()
    found = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in metrics.registry.collect()
        if family.name.startswith("windlass_")
    }
    assert found == {family.name: str(family.kind) for family in FAMILIES}
    assert all(family.buckets for family in FAMILIES if family.kind is Kind.HISTOGRAM)


def test_the_page_of_the_docs_is_fresh() -> None:
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    assert page.read_text() == render(), "run: python -m windlass.telemetry.reference > docs/metrics.md"
