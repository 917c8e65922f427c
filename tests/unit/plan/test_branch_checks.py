"""What lint says of switches, teardowns and groups."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.workflow import WorkflowSpec
from windlass.plan.checks import check_spec

Task = dict[str, Any]


def pod(name: str, *upstream: str, **fields: Any) -> Task:
    return {"name": name, "image": "x", "dependsOn": [*upstream], **fields}


def switch(*cases: Task, upstream: tuple[str, ...] = ()) -> Task:
    return {"name": "choose", "dependsOn": [*upstream], "switch": [*cases]}


YES = "{{ 1 > 0 }}"
GROUPED = [pod("a", group="g"), pod("b", "a"), pod("c", "b", group="g")]
RETRY = {"name": "g", "retry": {"limit": 1}}
CASES: dict[str, tuple[Task, list[str]]] = {
    "a good switch": ({"tasks": [switch({"when": YES, "then": ["a"]}, {"then": ["b"]}), pod("a", "choose"),
                                 pod("b", "choose")]}, []),
    "a case that is always taken": (
        {"tasks": [switch({"then": ["a"]}, {"when": YES}), pod("a", "choose")]},
        ["tasks[0].switch[0]: a case without when is always taken, so those after it never are; put it last"],
    ),
    "a task that doesn't come after": (
        {"tasks": [switch({"when": YES, "then": ["b"]}), pod("a", "choose"), pod("b")]},
        ["tasks[0].switch[0].then[0]: b does not depend on choose; add choose to its dependsOn"],
    ),
    "a slip": (
        {"tasks": [switch({"when": YES, "then": ["deplyo"]}), pod("deploy", "choose")]},
        ["tasks[0].switch[0].then[0]: there is no task deplyo; did you mean \"deploy\"?"],
    ),
    "a task that there is not": (
        {"tasks": [switch({"when": YES, "then": ["zz"]}), pod("a", "choose")]},
        ["tasks[0].switch[0].then[0]: there is no task zz; name tasks that depend on choose"],
    ),
    "a good teardown": ({"tasks": [pod("up"), pod("work", "up"), pod("down", "work", teardownOf=["up"])]}, []),
    "a setup that there is not": (
        {"tasks": [pod("up"), pod("down", teardownOf=["upp"])]},
        ["tasks[1].teardownOf[0]: there is no task upp in tasks; did you mean \"up\"?"],
    ),
    "a setup of the other part": (
        {"tasks": [pod("up")], "finally": [pod("down", teardownOf=["up"])]},
        ["finally[0].teardownOf[0]: there is no task up in finally"],
    ),
    "a rule of a teardown": (
        {"tasks": [pod("up"), pod("down", "up", teardownOf=["up"], triggerRule="AllDone")]},
        ["tasks[1].triggerRule: triggerRule has no effect: a teardown runs when its setup succeeded and the tasks "
         "before it have ended; leave it out"],
    ),
    "a good group": ({"groups": [RETRY], "tasks": [pod("a", group="g"), pod("b", "a", group="g"), pod("c", "b")]}, []),
    "a group of nobody": (
        {"groups": [{"name": "h"}], "tasks": [pod("a", group="g")]},
        ["groups[0].name: no task has the group h"],
    ),
    "somebody in between": (
        {"groups": [RETRY], "tasks": GROUPED},
        ["groups[0].retry: b comes between tasks of the group, so they can't be run again as a whole; "
         "take b into the group, or change the dependencies"],
    ),
    "somebody in between, never run again": ({"groups": [{"name": "g"}], "tasks": GROUPED}, []),
    "a group of finally": (
        {"groups": [RETRY], "tasks": [pod("a")], "finally": [pod("z", group="g")]},
        ["groups[0].retry: tasks of finally can't be run again as a group; give these tasks a retry of their own"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), CASES.values(), ids=CASES.keys())
def test_branches(spec: Task, expected: list[str]) -> None:
    assert [str(one) for one in check_spec(WorkflowSpec.model_validate(spec), ())] == expected
