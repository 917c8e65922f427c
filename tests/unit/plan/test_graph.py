"""Compiling definitions: order, defaults, and what no program can be made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.simulate import workflow
from windlass.models.task import Retry, Task, TaskDefaults
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import (
    CycleError,
    ProgramError,
    UnknownDependencyError,
    compile_program,
    find_cycle,
    merge_defaults,
    transitive_upstream,
)


def tasks(**upstream: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "dependsOn": its} for name, its in upstream.items()]


BAD: dict[str, tuple[WorkflowSpec, type[ProgramError], str]] = {
    "a cycle of two": (
        workflow(tasks(a=["b"], b=["a"])),
        CycleError,
        "the tasks wait for each other: a → b → a",
    ),
    "a task that waits for itself": (workflow(tasks(a=["a"])), CycleError, "the tasks wait for each other: a → a"),
    "a cycle behind good tasks": (
        workflow(tasks(x=[], y=["x"], a=["y", "c"], b=["a"], c=["b"])),
        CycleError,
        "the tasks wait for each other: a → c → b → a",
    ),
    "an unknown dependency": (
        workflow(tasks(a=["extrakt"])),
        UnknownDependencyError,
        "task a depends on extrakt, which is no task of the workflow",
    ),
    "a task that waits for finally": (
        workflow(tasks(a=["z"]), **{"finally": [{"name": "z"}]}),
        UnknownDependencyError,
        "task a depends on z, which runs in finally, after all tasks",
    ),
    "a cycle in finally": (
        workflow(tasks(a=[]), **{"finally": tasks(y=["z"], z=["y"])}),
        CycleError,
        "the tasks wait for each other: y → z → y",
    ),
}


@pytest.mark.parametrize(("spec", "kind", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_no_dag_is_refused(spec: WorkflowSpec, kind: type[ProgramError], message: str) -> None:
    with pytest.raises(kind) as caught:
        compile_program(spec)
    assert str(caught.value) == message


def test_nodes_stand_in_topological_order_with_finally_last() -> None:
    spec = workflow(tasks(load=["check"], check=["extract"], extract=[], other=[]), **{"finally": tasks(z=[])})
    program = compile_program(spec)
    assert [(name, node.is_finally) for name, node in program.nodes.items()] == [
        ("extract", False),
        ("other", False),
        ("check", False),
        ("load", False),
        ("z", True),
    ]
    assert program.nodes["check"].downstream == ("load",)
    assert program.source_step is None


@given(st.data())
def test_every_task_comes_after_its_upstream(data: st.DataObject) -> None:
    names = [f"t{number}" for number in range(data.draw(st.integers(1, 12)))]
    upstream = {
        name: data.draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }
    shuffled = data.draw(st.permutations(names))
    order = list(compile_program(workflow(tasks(**{name: upstream[name] for name in shuffled}))).nodes)
    assert sorted(order) == sorted(names)
    assert all(order.index(up) < order.index(name) for name in names for up in upstream[name])


def test_a_cycle_is_found_among_a_thousand() -> None:
    upstream = {f"t{number}": [f"t{(number + 1) % 1000}"] for number in range(1000)}
    cycle = find_cycle(upstream)
    assert cycle is not None
    assert len(cycle) == 1001
    assert find_cycle({f"t{number}": [f"t{number + 1}"] for number in range(1000)}) is None


def test_transitive_upstream() -> None:
    spec = workflow(tasks(a=[], b=["a"], c=["b"], d=[]), **{"finally": tasks(y=[], z=["y"])})
    program = compile_program(spec)
    assert {name: set(transitive_upstream(program, name)) for name in program.nodes} == {
        "a": set(),
        "b": {"a"},
        "c": {"a", "b"},
        "d": set(),
        "y": {"a", "b", "c", "d"},
        "z": {"a", "b", "c", "d", "y"},
    }


DEFAULTS = TaskDefaults.model_validate(
    {
        "image": "python:3.12-slim",
        "env": [{"name": "A", "value": "default"}, {"name": "B", "value": "default"}],
        "labels": {"team": "data", "tier": "gold"},
        "nodeSelector": {"disk": "ssd"},
        "retry": {"limit": 3, "delay": "5m", "factor": 2},
        "resources": {"requests": {"cpu": "1"}},
        "timeout": "1h",
    }
)
MERGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a task that says nothing takes all": (
        {"script": "true"},
        {"script": "true", **DEFAULTS.model_dump(exclude_none=True)},
    ),
    "what is merged by name or key": (
        {
            "script": "true",
            "env": [{"name": "B", "value": "own"}, {"name": "C", "value": "own"}],
            "labels": {"tier": "silver"},
            "nodeSelector": {"zone": "a"},
            "retry": {"limit": 0, "jitter": 0.5},
        },
        {
            "script": "true",
            "image": "python:3.12-slim",
            "env": [
                {"name": "A", "value": "default"},
                {"name": "B", "value": "own"},
                {"name": "C", "value": "own"},
            ],
            "labels": {"team": "data", "tier": "silver"},
            "node_selector": {"disk": "ssd", "zone": "a"},
            "retry": {"limit": 0, "delay": "5m", "factor": 2.0, "jitter": 0.5},
            "resources": {"requests": {"cpu": "1"}},
            "timeout": "1h",
        },
    ),
    "what is replaced": (
        {"image": "own:1", "resources": {"limits": {"cpu": "2"}}, "timeout": "1m"},
        {
            **DEFAULTS.model_dump(exclude_none=True),
            "image": "own:1",
            "resources": {"limits": {"cpu": "2"}},
            "timeout": "1m",
        },
    ),
    "a join stays a join": ({"dependsOn": ["a", "b"]}, {"depends_on": ["a", "b"]}),
}


@pytest.mark.parametrize(("own", "merged"), MERGES.values(), ids=MERGES.keys())
def test_defaults_are_merged(own: dict[str, Any], merged: dict[str, Any]) -> None:
    task = merge_defaults(Task.model_validate({"name": "t", **own}), DEFAULTS)
    assert task.model_dump(exclude_none=True, exclude_defaults=True) == {"name": "t", **merged}


def test_the_source_step_takes_what_places_its_pod_and_the_retries() -> None:
    defaults = {"image": "own:1", "nodeSelector": {"disk": "ssd"}, "retry": {"limit": 2}, "env": [{"name": "A"}]}
    spec = workflow(tasks(a=[]), taskDefaults=defaults, source={"git": {"repo": "https://git.example.com/a.git"}})
    step = compile_program(spec).source_step
    assert step is not None
    assert step.task == Task(name="windlass-source").model_copy(
        update={"node_selector": {"disk": "ssd"}, "retry": Retry(limit=2)}
    )
    assert step.start_timeout == timedelta(minutes=10)
