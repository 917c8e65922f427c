"""What lies between two statuses of a run, as counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from windlass.models.backfill import BackfillSpec, BackfillStatus
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.backfill_types import BackfillView
from windlass.plan.types import RunEvent, RunView
from windlass.telemetry.metrics import Metrics
from windlass.telemetry.observer import EngineObserver

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)


def at(second: int) -> str:
    return f"2025-04-01T12:00:{second:02}Z"


class Counted(Metrics):
    """Keeps the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def run_began(self, *what: Any) -> None:
        self.calls.append(("run_began", *what))

    def deadline_missed(self, *what: Any) -> None:
        self.calls.append(("deadline_missed", *what))

    def attempt_began(self, *what: Any) -> None:
        self.calls.append(("attempt_began", *what))

    def run_ended(self, *what: Any) -> None:
        self.calls.append(("run_ended", *what))

    def task_ended(self, *what: Any) -> None:
        self.calls.append(("task_ended", *what))

    def attempt_ended(self, *what: Any) -> None:
        self.calls.append(("attempt_ended", *what))

    def pod_created(self, *what: Any) -> None:
        self.calls.append(("pod_created", *what))

    def pod_running(self, *what: Any) -> None:
        self.calls.append(("pod_running", *what))

    def event_told(self, *what: Any) -> None:
        self.calls.append(("event_told", *what))


def task(phase: str, *attempts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "load", "phase": phase, "attempts": list(attempts)} | fields


CREATED = {"number": 1, "pod": "p", "createdAt": at(3)}
RUNS = CREATED | {"startedAt": at(5)}
FAILED = RUNS | {"finishedAt": at(9), "class": "OOM"}
GOOD = RUNS | {"finishedAt": at(9)}
READY = {"readyAt": at(1)}
LOAD = ("data", "sales", "load")
SOURCE = ("data", "sales", "windlass-source")
STEP = {"name": "windlass-source", "attempts": []}


def source(**step: Any) -> dict[str, Any]:
    return {"source": {"repo": "r", "ref": "main", "step": STEP | step}}


def repeated(detail: str) -> dict[str, Any]:
    return {"tasks": [task("Running", instances={"total": 3, "digest": "d", "detail": detail})]}


LATE = {"type": "DeadlineMissed", "status": "True", "reason": "DeadlineMissed", "lastTransitionTime": at(7)}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[Any, ...]]]] = {
    "nothing": ({}, {}, []),
    "an instance has succeeded": (
        repeated('{"launched":"0-1","seen":"0-1"}'),
        repeated('{"ended":{"Succeeded/Completed/1":"0"},"launched":"1","seen":"1"}'),
        [("attempt_ended", LOAD, "")],
    ),
    "instances have come and gone between two writes, and others never had a pod": (
        {"tasks": [task("Queued")]},
        repeated('{"ended":{"Succeeded/Completed/1":"0","Skipped/WhenFalse/0":"1"}}'),
        [("attempt_began", LOAD, 1), ("attempt_ended", LOAD, "")],
    ),
    "an instance has failed": (
        repeated('{"launched":"0-1"}'),
        repeated(
            '{"launched":"1","others":{"0":{"phase":"Failed","attempts":[{"number":1,"finishedAt":"2025-04-01T12:00:09Z",'
            '"class":"App","createdAt":"2025-04-01T12:00:03Z"}]}}}'
        ),
        [("attempt_began", LOAD, 1), ("attempt_ended", LOAD, "App")],
    ),
    "the same": ({"tasks": [task("Running", RUNS)]}, {"tasks": [task("Running", RUNS)]}, []),
    "a pod was made": (
        {"tasks": [task("Queued", **READY)]},
        {"tasks": [task("Starting", CREATED, **READY)]},
        [("attempt_began", LOAD, 1), ("pod_created", 2.0)],
    ),
    "a pod of a new task was made": (
        {},
        {"tasks": [task("Starting", CREATED, **READY)]},
        [("attempt_began", LOAD, 1), ("pod_created", 2.0)],
    ),
    "a retry was made": (
        {"tasks": [task("Retrying", FAILED, retryAt=at(20), **READY)]},
        {"tasks": [task("Starting", FAILED, {"number": 2, "createdAt": at(21)}, **READY)]},
        [("attempt_began", LOAD, 2), ("pod_created", 1.0)],
    ),
    "a pod runs": (
        {"tasks": [task("Starting", CREATED)]},
        {"tasks": [task("Running", RUNS)]},
        [("pod_running", 2.0)],
    ),
    "clocks differ": (
        {"tasks": [task("Starting", CREATED)]},
        {"tasks": [task("Running", CREATED | {"startedAt": at(1)})]},
        [("pod_running", 0.0)],
    ),
    "an attempt failed, and the task goes on": (
        {"tasks": [task("Running", RUNS)]},
        {"tasks": [task("Retrying", FAILED)]},
        [("attempt_ended", LOAD, "OOM")],
    ),
    "a task failed": (
        {"tasks": [task("Running", RUNS)]},
        {"tasks": [task("Failed", FAILED, startedAt=at(5), finishedAt=at(9))]},
        [("attempt_ended", LOAD, "OOM"), ("task_ended", LOAD, "Failed", "OOM", 4.0)],
    ),
    "a task succeeded after a failure": (
        {"tasks": [task("Running", FAILED, RUNS | {"number": 2})]},
        {"tasks": [task("Succeeded", FAILED, GOOD | {"number": 2}, startedAt=at(5), finishedAt=at(9))]},
        [("attempt_ended", LOAD, ""), ("task_ended", LOAD, "Succeeded", "", 4.0)],
    ),
    "a task was skipped": (
        {"tasks": [task("Waiting")]},
        {"tasks": [task("Skipped", finishedAt=at(9))]},
        [("task_ended", LOAD, "Skipped", "", None)],
    ),
    "all between two writes": (
        {"tasks": [task("Queued", **READY)]},
        {"tasks": [task("Succeeded", GOOD, startedAt=at(5), finishedAt=at(9), **READY)]},
        [
            ("attempt_began", LOAD, 1),
            ("pod_created", 2.0),
            ("pod_running", 2.0),
            ("attempt_ended", LOAD, ""),
            ("task_ended", LOAD, "Succeeded", "", 4.0),
        ],
    ),
    "a task had ended": ({"tasks": [task("Succeeded", GOOD)]}, {"tasks": [task("Succeeded", GOOD, message="x")]}, []),
    "a run ended": (
        {"phase": "Running", "startedAt": at(1)},
        {"phase": "Succeeded", "startedAt": at(1), "finishedAt": at(31)},
        [("run_ended", "data", "sales", "Succeeded", 30.0, datetime(2025, 4, 1, 12, 0, 31, tzinfo=UTC).timestamp())],
    ),
    "a run was refused": (
        {"phase": "Pending"},
        {"phase": "Refused"},
        [("run_ended", "data", "sales", "Refused", None, None)],
    ),
    "a run had ended": ({"phase": "Failed"}, {"phase": "Failed", "message": "x"}, []),
    "a run began": ({"phase": "Pending"}, {"phase": "Running"}, [("run_began", "data", "sales")]),
    "a run goes on": ({"phase": "Queued"}, {"phase": "Running"}, []),
    "a run is late": (
        {"phase": "Queued"},
        {"phase": "Queued", "conditions": [LATE]},
        [("deadline_missed", "data", "sales", datetime(2025, 4, 1, 12, 0, 7, tzinfo=UTC).timestamp())],
    ),
    "a run was late": ({"phase": "Queued", "conditions": [LATE]}, {"phase": "Running", "conditions": [LATE]}, []),
    "the step that resolves the source ended": (
        source(phase="Running", attempts=[RUNS]),
        source(phase="Succeeded", attempts=[GOOD], startedAt=at(5), finishedAt=at(9)),
        [("attempt_ended", SOURCE, ""), ("task_ended", SOURCE, "Succeeded", "", 4.0)],
    ),
    "the step is as it was": (
        source(phase="Succeeded", attempts=[GOOD]),
        source(phase="Succeeded", attempts=[GOOD]),
        [],
    ),
}


def view(**spec: Any) -> RunView:
    return RunView("data", "sales-1", "uid", 1, NOW, WorkflowRunSpec(**spec), WorkflowRunStatus(), "sales")


@pytest.mark.parametrize(("before", "after", "calls"), CASES.values(), ids=CASES.keys())
def test_status_stored(before: dict, after: dict, calls: list) -> None:
    metrics = Counted()
    observer = EngineObserver(metrics, lambda: NOW)
    statuses = [WorkflowRunStatus.model_validate(status) for status in (before, after)]
    observer.status_stored(view(workflow="sales"), *statuses, None)
    assert metrics.calls == calls


def test_a_definition_of_its_own_is_no_workflow() -> None:
    metrics = Counted()
    ended = WorkflowRunStatus.model_validate({"phase": "Failed"})
    EngineObserver(metrics, lambda: NOW).status_stored(view(), WorkflowRunStatus(), ended, None)
    assert metrics.calls == [("run_ended", "data", "", "Failed", None, None)]


BACKFILLS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, float]]] = {
    "the start": ({}, {"phase": "Running", "startedAt": at(0), "total": 9}, {}),
    "slots that are done": (
        {"phase": "Running", "startedAt": at(0), "succeeded": 1},
        {"phase": "Running", "startedAt": at(0), "succeeded": 3, "failed": 1, "skipped": 2},
        {"succeeded": 2, "failed": 1, "skipped": 2},
    ),
    "one that succeeds after all": (
        {"phase": "Running", "startedAt": at(0), "failed": 1},
        {"phase": "Running", "startedAt": at(0), "failed": 0, "succeeded": 1},
        {"succeeded": 1},
    ),
    "the end": (
        {"phase": "Running", "startedAt": at(0)},
        {"phase": "Failed", "reason": "RunsFailed", "startedAt": at(0), "cancelled": 1},
        {"cancelled": 1, "Failed": 1},
    ),
    "the end, once": ({"phase": "Failed"}, {"phase": "Failed", "message": "x"}, {}),
}


@pytest.mark.parametrize(("before", "after", "counted"), BACKFILLS.values(), ids=BACKFILLS.keys())
def test_backfills(before: dict[str, Any], after: dict[str, Any], counted: dict[str, float]) -> None:
    metrics = Metrics()
    spec = BackfillSpec.model_validate({"workflow": "etl", "from": "2025-04-01", "to": "2025-04-01"})
    first, then = (BackfillStatus.model_validate(status) for status in (before, after))
    view = BackfillView("data", "b", "u1", 1, NOW, spec, then)
    EngineObserver(metrics, lambda: NOW).backfill_stored(view, first, then)
    found = {
        sample.labels["outcome"]: sample.value
        for family in metrics.registry.collect()
        if family.name in ("windlass_backfills", "windlass_backfill_slots")
        for sample in family.samples
    }
    assert found == counted


def test_events_are_counted_and_made() -> None:
    metrics = Counted()
    run = {"metadata": {"namespace": "data", "name": "sales-1", "uid": "u"}}
    event = EngineObserver(metrics, lambda: NOW, "me").event(run, RunEvent("Warning", "TaskFailed", "oh", "load", 1))
    assert (event["reason"], event["reportingInstance"]) == ("TaskFailed", "me")
    assert metrics.calls == [("event_told", "Warning", "TaskFailed")]
