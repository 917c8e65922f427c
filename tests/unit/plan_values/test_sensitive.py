"""Sensitive parameters: references to Secrets that reach an env entry as a whole, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.task import Task
from windlass.models.workflow import WorkflowSpec
from windlass.plan.params import guarded
from windlass.plan.rendering import render_task
from windlass.plan.templates import TemplateError

REFERENCE = {"secretKeyRef": {"name": "db", "key": "url"}}
SPEC = WorkflowSpec.model_validate(
    {
        "params": {"token": {"type": "string", "sensitive": True}, "config": {"type": "object"}},
        "tasks": [{"name": "a", "image": "x"}],
    }
)
CONTEXT = {
    "params": guarded(SPEC, {"token": REFERENCE, "config": REFERENCE}),
    "tasks": {"b": {"outputs": {"o": REFERENCE}}},
}


def env_of(value: str) -> dict[str, Any]:
    env = render_task(Task(name="a", env=[{"name": "X", "value": value}]), CONTEXT).env
    assert env is not None
    return env[0]


def test_it_becomes_a_reference() -> None:
    assert env_of("{{ params.token }}") == {"name": "X", "valueFrom": REFERENCE}
    assert env_of("{{ params['token'] }}") == {"name": "X", "valueFrom": REFERENCE}


@pytest.mark.parametrize("value", ["{{ params.config }}", "{{ tasks.b.outputs.o }}"])
def test_what_only_looks_like_one_stays_text(value: str) -> None:
    assert env_of(value) == {"name": "X", "value": '{"secretKeyRef":{"name":"db","key":"url"}}'}


@pytest.mark.parametrize(
    "value",
    [
        "x{{ params.token }}", "{{ params.token ~ 'x' }}", "{{ params.token | tojson }}", "{{ params | tojson }}",
        "{{ params.token.name }}", "{{ params.token.reference }}", "{{ params.token | quote }}", "{{ [params.token] }}",
        "{{ params.token | string }}",
    ],
)  # fmt: skip
def test_nothing_is_made_of_it(value: str) -> None:
    with pytest.raises(TemplateError, match="sensitive parameter"):
        env_of(value)


@pytest.mark.parametrize(
    "field",
    [
        {"command": ["{{ params.token }}"]}, {"script": "echo {{ params.token }}"}, {"image": "{{ params.token }}"},
        {"labels": {"a": "{{ params.token }}"}}, {"resources": {"limits": {"cpu": "{{ params.token }}"}}},
        {"podTemplate": {"spec": {"volumes": "{{ params.token }}"}}}, {"volumes": [{"name": "{{ params.token }}"}]},
    ],
    ids=lambda field: next(iter(field)),
)  # fmt: skip
def test_it_stands_nowhere_else(field: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="can only be the whole value of an env entry"):
        render_task(Task.model_validate({"name": "a", **field}), CONTEXT)
