"""What templates of a task may read: the context of a run, and of one of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

from windlass.models.run import TaskStatus
from windlass.plan.graph import transitive_upstream
from windlass.plan.params import guarded
from windlass.plan.templates import moments
from windlass.plan.times import previous_success, times_of, triggers
from windlass.plan.types import Node, Program, RunView


def run_context(run: RunView, zone: tzinfo = UTC) -> dict[str, Any]:
    """What all tasks of a run share: its parameters, its identity and its moments, in the time zone of its schedule."""
    times = times_of(run)
    return {
        "params": run.status.params if run.status.params is not None else run.spec.params,
        "run": {
            "name": run.name,
            "namespace": run.namespace,
            "uid": run.uid,
            "trigger": trigger_of(run),
            "attempt": run.status.attempt or 1,
        },
        "workflow": {"name": run.workflow},
        **moments(times.logical_date, zone),
        "scheduled_at": times.scheduled_at.astimezone(zone),
        "data_interval_start": times.start.astimezone(zone),
        "data_interval_end": times.end.astimezone(zone),
        "prev_success": previous_success(run.status.previous_success, zone),
        "triggers": triggers(run.spec.slot, zone),
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
        "tasks": {name: {"phase": tasks[name].phase.value, "outputs": outputs_of(tasks[name])} for name in upstream},
    }
    if outcome is not None:
        context["run"] = {**shared["run"], "outcome": outcome}
    return context


def outputs_of(status: TaskStatus) -> Any:
    """What templates read as the outputs of a task: an object; of a forEach the list of its instances' in their order,
    null where one has not succeeded."""
    return status.outputs or {} if status.instances is None else status.instances.outputs()


def trigger_of(run: RunView) -> str:
    """What made the run."""
    slot = run.spec.slot
    if slot is not None:
        return slot.trigger.value
    return run.status.trigger or ("Workflow" if run.spec.parent is not None else "Manual")
