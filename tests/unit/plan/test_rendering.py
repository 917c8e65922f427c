"""Templates put into the fields of a task: types, dollars, and errors that say where."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.task import Task
from windlass.plan.rendering import render_task
from windlass.plan.templates import TemplateError

CONTEXT = {
    "params": {"n": 3, "on": True, "price": "$5", "list": [1, 2], "tag": "1.2"},
    "ds": "2025-04-01",
}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "arguments are text, and what is put in is doubled": (
        {
            "command": ["run", "{{ params.n }}", "--price={{ params.price }}", "$(HOME) $5"],
            "args": ["{{ params.list }}"],
        },
        {"command": ["run", "3", "--price=$$5", "$(HOME) $5"], "args": ["[1,2]"]},
    ),
    "a script is not doubled here": (
        {"script": "echo {{ params.price }} $HOME ${#a[@]} {%s}"},
        {"script": "echo $5 $HOME ${#a[@]} {%s}"},
    ),
    "variables are text": (
        {
            "image": "a",
            "env": [
                {"name": "N", "value": "{{ params.n }}"},
                {"name": "ON", "value": "{{ params.on }}"},
                {"name": "PRICE", "value": "{{ params.price }}"},
                {"name": "PLAIN", "value": "$(N)"},
                {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s-{{ params.tag }}", "key": "k"}}},
            ],
        },
        {
            "image": "a",
            "env": [
                {"name": "N", "value": "3"},
                {"name": "ON", "value": "true"},
                {"name": "PRICE", "value": "$$5"},
                {"name": "PLAIN", "value": "$(N)"},
                {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s-1.2", "key": "k"}}},
            ],
        },
    ),
    "labels are text, amounts keep their type": (
        {
            "image": "a:{{ params.tag }}",
            "labels": {"n": "{{ params.n }}"},
            "resources": {"limits": {"cpu": "{{ params.n }}"}},
        },
        {"image": "a:1.2", "labels": {"n": "3"}, "resources": {"limits": {"cpu": 3}}},
    ),
    "containers beside the task": (
        {
            "image": "a",
            "sidecars": [{"name": "s", "args": ["{{ params.price }}"], "env": [{"name": "D", "value": "{{ ds }}"}]}],
            "initContainers": [{"name": "i", "command": ["{{ params.n }}"], "workingDir": "/{{ ds }}"}],
        },
        {
            "image": "a",
            "sidecars": [{"name": "s", "args": ["$$5"], "env": [{"name": "D", "value": "2025-04-01"}]}],
            "initContainers": [{"name": "i", "command": ["3"], "workingDir": "/2025-04-01"}],
        },
    ),
    "a pod template": (
        {
            "image": "a",
            "podTemplate": {
                "metadata": {"labels": {"n": "{{ params.n }}"}},
                "spec": {
                    "priority": "{{ params.n }}",
                    "containers": [{"name": "main", "args": ["{{ params.price }}"], "tty": "{{ params.on }}"}],
                },
            },
        },
        {
            "image": "a",
            "podTemplate": {
                "metadata": {"labels": {"n": "3"}},
                "spec": {"priority": 3, "containers": [{"name": "main", "args": ["$$5"], "tty": True}]},
            },
        },
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_fields(before: dict[str, Any], after: dict[str, Any]) -> None:
    rendered = render_task(Task.model_validate({"name": "t", **before}), CONTEXT)
    assert rendered == Task.model_validate({"name": "t", **after})


def test_a_task_without_templates_is_the_very_same() -> None:
    task = Task.model_validate({"name": "t", "script": "true", "env": [{"name": "A", "value": "$(B)"}]})
    assert render_task(task, CONTEXT) is task


def test_what_a_template_gave_is_not_rendered_again() -> None:
    task = Task.model_validate({"name": "t", "script": "{{ params.evil }}"})
    assert render_task(task, {"params": {"evil": "{{ ds }}"}}).script == "{{ ds }}"


ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "an argument": ({"command": ["a", "{{ params.x }}"]}, "command[1]: "),
    "a variable": ({"image": "a", "env": [{"name": "A", "value": "{{ params.x }}"}]}, "env[0].value: "),
    "a sidecar's argument": ({"image": "a", "sidecars": [{"args": ["{{ params.x }}"]}]}, "sidecars[0].args[0]: "),
    "a nested field": (
        {"image": "a", "podTemplate": {"spec": {"containers": [{"image": "{{ params.x }}"}]}}},
        "podTemplate.spec.containers[0].image: ",
    ),
    "a script that grows too large": (
        {"script": "y" * 102_380 + "{{ params.long }}"},
        "script: ",
    ),
}


@pytest.mark.parametrize(("fields", "beginning"), ERRORS.values(), ids=ERRORS.keys())
def test_errors_say_where(fields: dict[str, Any], beginning: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render_task(Task.model_validate({"name": "t", **fields}), {"params": {"long": "z" * 200}})
    assert str(caught.value).startswith(beginning)
