"""What templates of a task may read: the context of a run, and of one of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windlass.models.common import parse_time
from windlass.models.run import TaskStatus
from windlass.plan.graph import transitive_upstream
from windlass.plan.params import guarded
from windlass.plan.templates import moments
from windlass.plan.types import Node, Program, RunView


def run_context(run: RunView) -> dict[str, Any]:
    """What all tasks of a run share: its parameters, its identity and its moments."""
    logical = parse_time(run.spec.logical_date) if run.spec.logical_date else run.created_at
    times = moments(logical)
    return {
        "params": run.status.params if run.status.params is not None else run.spec.params,
        "run": {
            "name": run.name,
            "namespace": run.namespace,
            "uid": run.uid,
            "trigger": trigger_of(run),
            "attempt": 1,
        },
        "workflow": {"name": run.workflow},
        **times,
        "scheduled_at": times["logical_date"],
        "data_interval_start": times["logical_date"],
        "data_interval_end": times["logical_date"],
    }


def task_context(
    shared: Mapping[str, Any],
    program: Program,
    node: Node,
    tasks: Mapping[str, TaskStatus],
    attempt: int,
    outcome: str | None = None,
) -> dict[str, Any]:
    """The context of one task: the run's, the task itself, and the tasks that have ended before it starts.

    `outcome` is how the run's tasks ended, for `finally`.
    """
    upstream = transitive_upstream(program, node.task.name) if node.upstream or node.is_finally else ()
    context = {
        **shared,
        "params": guarded(program.spec, shared["params"]),
        "task": {"name": node.task.name, "attempt": attempt},
        "tasks": {name: {"phase": tasks[name].phase.value, "outputs": tasks[name].outputs or {}} for name in upstream},
    }
    if outcome is not None:
        context["run"] = {**shared["run"], "outcome": outcome}
    return context


def trigger_of(run: RunView) -> str:
    """What made the run."""
    return run.status.trigger or "Manual"
