"""Which RunActions can be read, and which can't: the words are those of the API server's own check."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.parse import check
from windlass.models.rules import violations

GOOD: dict[str, Any] = {"run": "r", "verb": "Retry", "requestedBy": "alice"}


def action(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "RunAction",
        "metadata": {"name": "x", "namespace": "data"},
        "spec": {key: value for key, value in {**GOOD, **spec}.items() if value is not None},
    }


CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "retry": ({}, None),
    "approve with values": ({"verb": "Approve", "values": {"n": 1}}, None),
    "no run": ({"run": None}, "spec.run: is required"),
    "no author": ({"requestedBy": None}, "spec.requestedBy: is required"),
    "an unknown verb": ({"verb": "retry"}, "spec.verb: "),
    "no reason": (
        {"verb": "MarkFailed", "tasks": ["a"]},
        "spec.reason: MarkFailed needs a reason: say why the tasks are to count as failed",
    ),
    "values of a retry": ({"values": {"a": 1}}, "spec.values: values are for Approve"),
    "tasks of a cancel": (
        {"verb": "Cancel", "tasks": ["a"]},
        "spec.tasks: Suspend, Resume, Cancel and Terminate are about the whole run: leave tasks out",
    ),
    "a clear of nothing": ({"verb": "Clear"}, "spec.tasks: say which tasks"),
    "indices of no task": ({"verb": "Retry", "indices": [1]}, "spec.indices: indices are instances of one task"),
    "indices of two tasks": (
        {"verb": "Clear", "tasks": ["a", "b"], "indices": [1]},
        "spec.indices: indices are instances of one task",
    ),
    "an index below 0": ({"verb": "Clear", "tasks": ["a"], "indices": [-1]}, "spec.indices[0]: "),
    "a field that there is not": ({"task": "a"}, "spec.task: "),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_can_be_read(case: tuple[dict[str, Any], str | None]) -> None:
    spec, words = case
    found = [str(one) for one in check(action(**spec))]
    if words is None:
        assert found == []
    else:
        assert any(one.startswith(words) for one in found), found


@pytest.mark.parametrize("change", [{"verb": "Clear"}, {"tasks": ["a"]}, {"requestedBy": "eve"}, {"reason": "so"}])
def test_nothing_of_it_changes(change: dict[str, Any]) -> None:
    found = [str(one) for one in violations("RunAction", action(**change), action())]
    assert "spec: an action can't be changed: create another one" in found
    assert violations("RunAction", action(), action()) == []
