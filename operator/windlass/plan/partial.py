"""Runs of a part of a definition: the named tasks are run, what they need is taken over from an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from windlass.models.findings import Finding, suggestion
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.graph import transitive_upstream
from windlass.plan.types import Node, Program

TAKEN_OVER: Final = "TakenOver"
NOT_SELECTED: Final = "NotSelected"
_PATH: Final = ("spec", "tasks")


@dataclass(frozen=True, slots=True)
class Earlier:
    """The run that outputs are taken from."""

    run: str = ""
    """Its name; empty: there is none."""
    tasks: Mapping[str, TaskStatus] = field(default_factory=dict)


def partial(
    program: Program, selected: Sequence[str], earlier: Earlier, moment: str
) -> tuple[list[TaskStatus], list[Finding]]:
    """How the tasks of such a run stand when it begins, in the definition's order, and why it can't be run."""
    spec = program.spec
    found = [
        Finding((*_PATH, place), f"there is no task {name}", suggestion(name, program.nodes))
        for place, name in enumerate(selected)
        if name not in program.nodes
    ]
    if found:
        return [], found
    needed: set[str] = set()
    for name in selected:
        needed |= transitive_upstream(program, name)
    tasks = []
    for task in (*spec.tasks, *spec.finally_):
        node = program.nodes[task.name]
        if task.name in selected or node.is_finally:
            tasks.append(TaskStatus(name=task.name))
        elif task.name in needed:
            status = _taken_over(node, earlier, moment)
            tasks.append(status or TaskStatus(name=task.name))
            if status is None:
                found.append(_not_there(task.name, earlier))
        else:
            tasks.append(_ended(task.name, TaskPhase.SKIPPED, NOT_SELECTED, "the run is of other tasks", moment))
    return tasks, found


def _taken_over(node: Node, earlier: Earlier, moment: str) -> TaskStatus | None:
    before = earlier.tasks.get(node.task.name)
    if before is None or before.phase not in (TaskPhase.SUCCEEDED, TaskPhase.SKIPPED):
        return None
    status = _ended(node.task.name, before.phase, TAKEN_OVER, f"as in run {earlier.run}", moment)
    if before.reason == "Switched":
        status = status.model_copy(update={"reason": before.reason})
    return status.model_copy(update={"outputs": before.outputs, "instances": before.instances})


def _ended(name: str, phase: TaskPhase, reason: str, message: str, moment: str) -> TaskStatus:
    fields: dict[str, Any] = {"phase": phase, "reason": reason, "message": message, "finished_at": moment}
    return TaskStatus(name=name, **fields)


def _not_there(name: str, earlier: Earlier) -> Finding:
    if not earlier.run:
        return Finding(
            _PATH, f"{name} is needed, and no run has succeeded that it could be taken from", f"add {name} to tasks"
        )
    return Finding(
        _PATH,
        f"{name} is needed, and has not succeeded in run {earlier.run}",
        f"add {name} to tasks, or name another run in outputsFrom",
    )
