"""Kubernetes Events: whole values, and names that repeat when the event does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from windlass.plan.types import RunEvent
from windlass.telemetry.events import build_event

NOW = datetime(2025, 4, 1, 12, 0, 0, 250, tzinfo=UTC)
RUN = {"metadata": {"namespace": "data", "name": "sales-1", "uid": "run-uid"}}
FAILED = RunEvent("Warning", "TaskFailed", "exit code 1", "load", 2)


def test_event() -> None:
    event = build_event(RUN, FAILED, NOW, instance="controller-0")
    name = event["metadata"].pop("name")
    assert name.startswith("sales-1.")
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "data"},
        "eventTime": "2025-04-01T12:00:00.000250Z",
        "reportingController": "windlass.dev/controller",
        "reportingInstance": "controller-0",
        "action": "Reconcile",
        "type": "Warning",
        "reason": "TaskFailed",
        "note": "load: exit code 1",
        "regarding": {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "WorkflowRun",
            "namespace": "data",
            "name": "sales-1",
            "uid": "run-uid",
        },
    }


def name_of(event: RunEvent, *, uid: str = "run-uid", later: float = 0) -> str:
    run = {"metadata": RUN["metadata"] | {"uid": uid}}
    return build_event(run, event, NOW + timedelta(seconds=later))["metadata"]["name"]


SAME = {
    "later": name_of(FAILED, later=100),
    "in other words": name_of(RunEvent("Warning", "TaskFailed", "exit code 2", "load", 2)),
}
OTHER = {
    "another run of that name": name_of(FAILED, uid="other"),
    "another attempt": name_of(RunEvent("Warning", "TaskFailed", "exit code 1", "load", 3)),
    "another task": name_of(RunEvent("Warning", "TaskFailed", "exit code 1", "store", 2)),
    "another reason": name_of(RunEvent("Warning", "TaskRetried", "exit code 1", "load", 2)),
    "of the run": name_of(RunEvent("Warning", "TaskFailed", "exit code 1")),
}


@pytest.mark.parametrize("name", SAME.values(), ids=SAME.keys())
def test_told_again_it_has_the_same_name(name: str) -> None:
    assert name == name_of(FAILED)


@pytest.mark.parametrize("name", OTHER.values(), ids=OTHER.keys())
def test_other_events_have_other_names(name: str) -> None:
    assert name != name_of(FAILED)


NOTES = {
    "of the run": (RunEvent("Normal", "Queued", "it waits"), "it waits"),
    "of a task that it names": (RunEvent("Normal", "Retry", "load is tried again", "load"), "load is tried again"),
    "of a task that it does not name": (RunEvent("Normal", "Retry", "tried again", "load"), "load: tried again"),
    "too long, in bytes": (RunEvent("Normal", "Long", "é" * 800), "é" * 510 + "…"),
    "as long as may be": (RunEvent("Normal", "Long", "é" * 512), "é" * 512),
}


@pytest.mark.parametrize(("event", "note"), NOTES.values(), ids=NOTES.keys())
def test_notes(event: RunEvent, note: str) -> None:
    built = build_event(RUN, event, NOW)["note"]
    assert (built, len(built.encode()) <= 1024) == (note, True)


def test_a_long_run_name_is_cut() -> None:
    run = {"metadata": {"namespace": "data", "name": "a" * 240 + "." + "b" * 12, "uid": "u"}}
    name = build_event(run, FAILED, NOW)["metadata"]["name"]
    assert (len(name) <= 253, ".." in name, "-." in name) == (True, False, False)
