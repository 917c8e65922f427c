"""What lint and admission say of an approval."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.workflow import WorkflowSpec
from windlass.plan.checks import check_spec

Task = dict[str, Any]


def asking(task: Task | None = None, **approval: Any) -> Task:
    return {"name": "ask", "approval": {"message": "?", **approval}, **(task or {})}


CASES: dict[str, tuple[Task, list[str]]] = {
    "a good one": (asking(timeout="1h", onTimeout="Fail", form={"n": {"type": "integer", "default": 1}}), []),
    "no schema": (
        asking(form={"n": {"type": "number!"}}),
        ["spec.tasks[0].approval.form.n.type: this is no JSON Schema: 'number!' is not valid"],
    ),
    "a default that is wrong": (
        asking(form={"n": {"type": "integer", "default": "x"}}),
        ["spec.tasks[0].approval.form.n.default: 'x' is not of type 'integer'"],
    ),
    "a template in the form": (
        asking(form={"n": {"type": "string", "default": "{{ params.x }}"}}),
        ["spec.tasks[0].approval.form.n: templates are not rendered here; write the value out"],
    ),
    "the controller's own value": (
        asking(form={"approvedBy": {"type": "string"}}),
        ["spec.tasks[0].approval.form.approvedBy: approvedBy is who approved: call the value something else"],
    ),
    "a secret": (
        asking(form={"n": {"type": "string", "sensitive": True}}),
        ["spec.tasks[0].approval.form.n: a form has no sensitive values: they would stand in the status"],
    ),
    "the timeout of attempts": (
        asking({"timeout": "1h"}),
        ["spec.tasks[0].timeout: timeout is for attempts, and an approval has none; write it in approval.timeout"],
    ),
    "a default without a timeout": (
        asking(onTimeout="Reject"),
        [
            "spec.tasks[0].approval.onTimeout: onTimeout has no effect: without a timeout the approval waits for ever; "
            "add approval.timeout"
        ],
    ),
    "a value that nobody gives": (
        asking(
            timeout="1h", onTimeout="Approve", form={"n": {"type": "integer"}, "m": {"type": "integer", "default": 1}}
        ),
        [
            "spec.tasks[0].approval.form.n: approved by its timeout the task has no output n: the value has no "
            "default; give it a default"
        ],
    ),
    "values that all have defaults": (
        asking(timeout="1h", onTimeout="Approve", form={"n": {"type": "integer", "default": 1}}),
        [],
    ),
    "a message that can't be rendered": (
        asking(message="{{ params.nothing }}"),
        ["spec.tasks[0].approval.message"],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_approvals(case: tuple[Task, list[str]]) -> None:
    task, expected = case
    found = [str(one) for one in check_spec(WorkflowSpec.model_validate({"tasks": [task]}))]
    assert len(found) >= len(expected) and (bool(found) == bool(expected))
    for words in expected:
        assert any(one.startswith(words) for one in found), found
