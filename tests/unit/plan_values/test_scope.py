"""What admission knows of names, and what a run's templates are given: the same."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulate import START, workflow
from windlass.models.run import GoodRun, TaskPhase, TaskStatus, WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.context import run_context, task_context
from windlass.plan.graph import compile_program
from windlass.plan.scope import known_to_any, known_to_task
from windlass.plan.types import RunView

SPEC = workflow(
    [{"name": "a"}, {"name": "b", "dependsOn": ["a"]}], **{"finally": [{"name": "z"}]}, params={"p": {"default": 1}}
)
PROGRAM = compile_program(SPEC)
STATUS = WorkflowRunStatus(params={"p": 1}, previous_success=GoodRun(run="q", logical_date="2025-03-31T17:00:00Z"))
RUN = RunView("data", "r", "u", 1, START, WorkflowRunSpec(workflow="w"), STATUS, "w")
TASKS = {name: TaskStatus(name=name, phase=TaskPhase.SUCCEEDED, outputs={"x": 1}) for name in ("a", "b", "z")}


def names_of(value: Any) -> list[str] | None:
    """The names in an object; nothing where anything may be."""
    return sorted(value) if isinstance(value, dict) else None


@pytest.mark.parametrize("name", ["a", "b", "z"])
def test_the_names_are_those_of_the_context(name: str) -> None:
    node = PROGRAM.nodes[name]
    context = task_context(run_context(RUN), PROGRAM, node, TASKS, 1, "Succeeded" if node.is_finally else None)
    known = dict(known_to_task(PROGRAM, name).names)
    allowed = {task for task in ("a", "b", "z") if known_to_task(PROGRAM, name).explain(("tasks", task)) is None}
    assert set(context["tasks"]) == allowed
    assert {key: names_of(value) for key, value in context.items() if key != "tasks"} == {
        key: names_of(value) for key, value in known.items() if key != "tasks"
    }


def test_without_a_graph_all_tasks_may_be_read() -> None:
    known = known_to_any(SPEC)
    assert names_of(known.names["tasks"]) == ["a", "b", "z"]
    assert known.explain(("tasks", "z")) is None
