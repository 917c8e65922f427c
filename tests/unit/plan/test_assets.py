"""What the status of a run tells of the assets that its tasks have produced."""

from __future__ import annotations

from typing import Any

from windlass.models.asset import MAX_ASSETS, ProducedAsset
from windlass.models.run import TaskPhase, TaskStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.assets import MAX_ALL_FIELDS, MAX_FIELDS, fitting, produced_assets
from windlass.plan.budget import json_size
from windlass.plan.graph import compile_program
from windlass.plan.types import Program

AT, LATER = "2025-04-01T12:00:00Z", "2025-04-01T13:00:00Z"


def program(**produces: list[str]) -> Program:
    tasks = [{"name": name, "image": "x", "produces": assets} for name, assets in produces.items()]
    return compile_program(WorkflowSpec.model_validate({"tasks": tasks}))


def status(name: str, phase: TaskPhase = TaskPhase.SUCCEEDED, at: str | None = AT, **fields: Any) -> TaskStatus:
    return TaskStatus(name=name, phase=phase, finished_at=at, **fields)


def asset(name: str, task: str, at: str = AT, **fields: Any) -> ProducedAsset:
    return ProducedAsset(name=name, task=task, finished_at=at, fields=fields or None)


def test_tasks_that_have_succeeded() -> None:
    dag = program(a=["x", "y/z"], b=["x"], c=["w"], d=[], e=["v"])
    tasks = {
        "a": status("a", outputs={"rows": 1}),
        "b": status("b", at=LATER),
        "c": status("c", TaskPhase.FAILED),
        "d": status("d"),
        "e": status("e", reason="TakenOver"),
    }
    expected = [asset("x", "a", rows=1), asset("y/z", "a", rows=1), asset("x", "b", LATER)]
    assert produced_assets(dag, tasks, None) == expected
    assert produced_assets(dag, tasks, expected) == expected
    assert produced_assets(program(a=[]), tasks, None) is None
    assert produced_assets(dag, {"a": status("a", TaskPhase.RUNNING, None)}, None) is None


def test_a_task_that_runs_again_has_produced_until_it_does_so_anew() -> None:
    dag, known = program(a=["x"]), [asset("x", "a", rows=1)]
    assert produced_assets(dag, {"a": status("a", TaskPhase.RUNNING, None)}, known) == known
    assert produced_assets(dag, {"a": status("a", TaskPhase.FAILED, LATER)}, known) == known
    again = status("a", at=LATER, outputs={"rows": 2})
    assert produced_assets(dag, {"a": again}, known) == [asset("x", "a", LATER, rows=2)]


def test_fields_are_what_fits() -> None:
    large = "x" * MAX_FIELDS
    assert fitting({"a": 1, "large": large, "b": [2]}) == {"a": 1, "b": [2]}
    for length in range(MAX_FIELDS - 20, MAX_FIELDS):
        kept = fitting({"a": "x" * length})
        assert json_size(kept) <= MAX_FIELDS
    assert fitting({"a": "x" * (MAX_FIELDS - 10)}) != {}


def test_the_whole_stays_small() -> None:
    names = [f"t{number}" for number in range(150)]
    dag = program(**{name: [f"x/{name}"] for name in names})
    tasks = {name: status(name, outputs={"text": "x" * 900}) for name in names}
    found = produced_assets(dag, tasks, None)
    assert found is not None
    assert len(found) == MAX_ASSETS
    assert sum(json_size(one.fields) for one in found if one.fields) <= MAX_ALL_FIELDS
    assert (found[0].fields, found[-1].fields) == (None, {"text": "x" * 900})
