"""Which tasks a run of a part has, and how the others stand when it begins."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.run import TaskPhase, TaskStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.partial import Earlier, partial

MOMENT = "2026-03-01T00:00:00Z"
P = TaskPhase
PROGRAM = compile_program(
    WorkflowSpec.model_validate(
        {
            "tasks": [
                {"name": "a", "image": "x"},
                {"name": "choose", "dependsOn": ["a"], "switch": [{"then": ["b"]}]},
                {"name": "b", "image": "x", "dependsOn": ["choose"]},
                {"name": "c", "image": "x", "dependsOn": ["b"]},
                {"name": "beside", "image": "x"},
            ],
            "finally": [{"name": "z", "image": "x"}],
        }
    )
)


def earlier(**phases: P) -> Earlier:
    tasks = {
        name: TaskStatus(name=name, phase=phase, reason="Switched" if name == "choose" else None, outputs={"of": name})
        for name, phase in phases.items()
    }
    return Earlier("before", tasks)


GOOD = earlier(a=P.SUCCEEDED, choose=P.SUCCEEDED, b=P.SUCCEEDED, c=P.FAILED)
Rows = dict[str, tuple[P, str | None]]
OVER, SKIPPED = (P.SUCCEEDED, "TakenOver"), (P.SKIPPED, "NotSelected")
NEW = (P.WAITING, None)
CASES: dict[str, tuple[list[str], Earlier, Rows]] = {
    "the last task": (
        ["c"], GOOD,
        {"a": OVER, "choose": (P.SUCCEEDED, "Switched"), "b": OVER, "c": NEW, "beside": SKIPPED, "z": NEW},
    ),
    "a task in the middle": (
        ["b"], GOOD,
        {"a": OVER, "choose": (P.SUCCEEDED, "Switched"), "b": NEW, "c": SKIPPED, "beside": SKIPPED, "z": NEW},
    ),
    "what depends on nothing wants no earlier run": (
        ["a", "beside"], Earlier(), {"a": NEW, "choose": SKIPPED, "b": SKIPPED, "c": SKIPPED, "beside": NEW, "z": NEW},
    ),
    "what was skipped is taken over as skipped": (
        ["c"], earlier(a=P.SUCCEEDED, choose=P.SUCCEEDED, b=P.SKIPPED),
        {"a": OVER, "choose": (P.SUCCEEDED, "Switched"), "b": (P.SKIPPED, "TakenOver"), "c": NEW, "beside": SKIPPED,
         "z": NEW},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("selected", "before", "expected"), CASES.values(), ids=CASES.keys())
def test_how_tasks_stand(selected: list[str], before: Earlier, expected: Rows) -> None:
    tasks, found = partial(PROGRAM, selected, before, MOMENT)
    assert found == []
    assert {task.name: (task.phase, task.reason) for task in tasks} == expected
    assert {task.name: task.outputs for task in tasks if task.outputs} == {
        name: {"of": name} for name, row in expected.items() if row != NEW and row != SKIPPED
    }
    assert all((task.finished_at == MOMENT) is task.phase.ended for task in tasks)


REFUSED: dict[str, tuple[list[str], Earlier, list[Any]]] = {
    "no such task": (["nothing"], GOOD, ["spec.tasks[0]: there is no task nothing"]),
    "no earlier run": (
        ["choose"], Earlier(),
        ["spec.tasks: a is needed, and no run has succeeded that it could be taken from; add a to tasks"],
    ),
    "it failed there": (
        ["c"], earlier(a=P.SUCCEEDED, choose=P.SUCCEEDED, b=P.FAILED),
        ["spec.tasks: b is needed, and has not succeeded in run before; "
         "add b to tasks, or name another run in outputsFrom"],
    ),
    "it was not there yet": (
        ["choose"], earlier(),
        ["spec.tasks: a is needed, and has not succeeded in run before; "
         "add a to tasks, or name another run in outputsFrom"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("selected", "before", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_run(selected: list[str], before: Earlier, expected: list[str]) -> None:
    assert [str(one) for one in partial(PROGRAM, selected, before, MOMENT)[1]] == expected
