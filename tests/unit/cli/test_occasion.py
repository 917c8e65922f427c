"""What `windlass status` says of a run's slot, of what it follows, and of its deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from windlass.cli import tree
from windlass.cli.occasion import occasion

AT = datetime(2025, 4, 1, 18, tzinfo=UTC)
SLOT = {
    "trigger": "Schedule",
    "scheduledAt": "2025-04-01T17:00:00Z",
    "intervalStart": "2025-03-31T17:00:00Z",
    "intervalEnd": "2025-04-01T17:00:00Z",
}
INTERVAL = "Interval:  2025-03-31T17:00:00Z to 2025-04-01T17:00:00Z"
DUE = "2025-04-01T19:00:00Z"
LATE = {"type": "DeadlineMissed", "status": "True"}
SOURCE = {"workflow": "load", "run": "load-1", "asset": "sales/daily", "slot": "2025-04-01T16:00:00Z"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "made by hand": ({}, {"trigger": "Manual"}, []),
    "made by hand for a moment": (
        {"logicalDate": "2025-03-01T00:00:00Z"},
        {"interval": {"start": "2025-02-27T00:00:00Z", "end": "2025-02-28T00:00:00Z"}},
        ["For:       2025-03-01T00:00:00Z  (Manual)", "Interval:  2025-02-27T00:00:00Z to 2025-02-28T00:00:00Z"],
    ),
    "a slot": ({"slot": SLOT}, {}, ["Slot:      2025-04-01T17:00:00Z  (Schedule)", INTERVAL]),
    "a slot of a backfill": (
        {"slot": {**SLOT, "trigger": "Backfill", "backfill": "march"}},
        {},
        ["Slot:      2025-04-01T17:00:00Z  (Backfill march)", INTERVAL],
    ),
    "after others": (
        {"slot": {"trigger": "Workflow", "scheduledAt": DUE, "sources": [SOURCE, {"workflow": "b", "run": "b-1"}]}},
        {},
        [
            f"Slot:      {DUE}  (Workflow)",
            "After:     load-1  (Workflow load, asset sales/daily, slot 2025-04-01T16:00:00Z)",
            "After:     b-1  (Workflow b)",
        ],
    ),
    "after very many others": (
        {"slot": {"trigger": "Workflow", "scheduledAt": DUE, "sources": [{"workflow": "b", "run": "b-1"}] * 7}},
        {},
        [f"Slot:      {DUE}  (Workflow)", *["After:     b-1  (Workflow b)"] * 5, "After:     … 2 more"],
    ),
    "a deadline to come": ({}, {"phase": "Queued", "deadline": DUE}, [f"Deadline:  {DUE}  (in 1h)"]),
    "a deadline missed": (
        {},
        {"phase": "Queued", "deadline": "2025-04-01T17:00:00Z", "conditions": [LATE]},
        ["Deadline:  2025-04-01T17:00:00Z  (missed)"],
    ),
    "a deadline met": ({}, {"phase": "Succeeded", "deadline": DUE}, [f"Deadline:  {DUE}"]),
    "a deadline that is just over": (
        {},
        {"phase": "Running", "deadline": "2025-04-01T17:59:59Z"},
        ["Deadline:  2025-04-01T17:59:59Z"],
    ),
}


@pytest.mark.parametrize(("spec", "status", "lines"), CASES.values(), ids=CASES.keys())
def test_lines(spec: dict[str, Any], status: dict[str, Any], lines: list[str]) -> None:
    assert [*occasion({"metadata": {"name": "r"}, "spec": spec, "status": status}, AT)] == lines


def test_they_stand_in_the_head_of_a_run() -> None:
    run = {"metadata": {"name": "r"}, "spec": {"workflow": "sales", "slot": SLOT}, "status": {"phase": "Queued"}}
    screen = tree.console()
    with screen.capture() as shown:
        screen.print(tree.render(run, AT + timedelta(minutes=1)))
    assert "Slot:      2025-04-01T17:00:00Z  (Schedule)\n" in shown.get()
