"""Tasks without a pod, as `logs` and `status` tell of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from windlass.cli.logs import _nothing_yet
from windlass.cli.tree import render

Body = dict[str, Any]
AT = datetime(2026, 3, 1, tzinfo=UTC)


def run(**task: Any) -> Body:
    return {"metadata": {"name": "r"}, "spec": {}, "status": {"phase": "Running", "tasks": [{"name": "a", **task}]}}


OBJECT = [{"number": 1, "object": "x-1", "kind": "batch/v1/Job"}]
LOGS: dict[str, tuple[Body, str]] = {
    "an object": (
        {"phase": "Running", "attempts": OBJECT, "message": "Job x-1"},
        "the task a has no log: it is the Job x-1; Job x-1",
    ),
    "a run": (
        {"phase": "Running", "attempts": [{"number": 1, "run": "r-a-1"}]},
        "the task a has no log of its own: it is the run r-a-1; see windlass logs r-a-1",
    ),
    "a wait": (
        {"phase": "Running", "reason": "WaitingForTime", "message": "waits until noon"},
        "the task a has no log: it has no pod; Running; waits until noon",
    ),
    "a switch": (
        {"phase": "Succeeded", "reason": "Switched", "message": "goes on with b"},
        "the task a has no log: it has no pod; Succeeded; goes on with b",
    ),
    "a pod that is yet to come": ({"phase": "Queued"}, "the task a has not started: Queued"),
}


@pytest.mark.parametrize(("task", "said"), LOGS.values(), ids=LOGS.keys())
def test_logs(task: Body, said: str) -> None:
    assert _nothing_yet(run(**task), "a", None) == said


TREES: dict[str, tuple[Body, str]] = {
    "an object that is done": ({"phase": "Succeeded", "attempts": OBJECT}, "✔ a  Succeeded  Job x-1"),
    "a run that is done": (
        {"phase": "Succeeded", "attempts": [{"number": 1, "run": "r-a-1"}]}, "✔ a  Succeeded  run r-a-1",
    ),
    "an object under way": (
        {"phase": "Running", "reason": "ResourceRunning", "message": "Job x-1", "attempts": OBJECT},
        "● a  Running  Job x-1",
    ),
    "a wait": (
        {"phase": "Running", "reason": "WaitingForRun", "message": "waits for a run of etl"},
        "● a  Running  waits for a run of etl",
    ),
    "a question": (
        {"phase": "Running", "reason": "AwaitingApproval", "message": "Go?"},
        "● a  Running  Go?\n    └── → `windlass approve RUN TASK`, with `--set NAME=VALUE` for its form",
    ),
    "an answer": (
        {"phase": "Succeeded", "reason": "Approved", "message": "approved by alice: fine"},
        "✔ a  Succeeded  approved by alice: fine",
    ),
    "no answer": (
        {"phase": "Succeeded", "reason": "ApprovedByDefault", "message": "nobody answered within 1h"},
        "✔ a  Succeeded  nobody answered within 1h",
    ),
    "a choice": (
        {"phase": "Succeeded", "reason": "Switched", "message": "goes on with b"}, "✔ a  Succeeded  goes on with b",
    ),
    "what people say": (
        {"phase": "Succeeded", "reason": "MarkedSuccess", "message": "marked by alice"},
        "✔ a  Succeeded  marked by alice",
    ),
    "what an earlier run did": (
        {"phase": "Succeeded", "reason": "TakenOver", "message": "as in run r0"}, "✔ a  Succeeded  as in run r0",
    ),
    "a pod that is done": ({"phase": "Succeeded", "reason": "Completed", "message": "x"}, "✔ a  Succeeded\n"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "line"), TREES.values(), ids=TREES.keys())
def test_trees(task: Body, line: str) -> None:
    console = Console(width=200, color_system=None)
    with console.capture() as shown:
        console.print(render(run(**task), AT))
    assert line in shown.get()


def test_tasks_of_a_group_are_shown_together() -> None:
    tasks = [
        {"name": name, "phase": phase}
        for name, phase in (("stage", "Succeeded"), ("other", "Succeeded"), ("merge", "Skipped"), ("after", "Waiting"))
    ]
    groups = [{"name": "load", "tasks": ["stage", "merge"], "retries": 1}]
    whole = {"metadata": {"name": "r"}, "spec": {}, "status": {"phase": "Running", "tasks": tasks, "groups": groups}}
    screen = Console(width=100, color_system=None, file=io.StringIO())
    screen.print(render(whole, AT))
    assert isinstance(screen.file, io.StringIO)
    assert [line.rstrip() for line in screen.file.getvalue().splitlines()[1:]] == [
        "r  ● Running",
        "├── ▸ load  2/2, run again 1×",
        "│   ├── ✔ stage  Succeeded",
        "│   └── – merge  Skipped",
        "├── ✔ other  Succeeded",
        "└── ○ after  Waiting",
    ]
