"""The values of a run's parameters: defaults, checks, and what is told of wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.workflow import WorkflowSpec
from windlass.plan.params import check_params
from windlass.plan.templates import moments

CONTEXT = moments(datetime(2025, 4, 1, 17, tzinfo=UTC))
REFERENCE = {"secretKeyRef": {"name": "db", "key": "url"}}
SPEC = WorkflowSpec.model_validate(
    {
        "params": {
            "day": {"type": "string", "format": "date", "default": "{{ ds }}"},
            "limit": {"type": "integer", "minimum": 1, "default": 100},
            "token": {"type": "string", "sensitive": True, "default": REFERENCE},
            "since": {"type": "string", "format": "date-time", "default": "2025-04-01T00:00:00Z"},
            "table": {"type": "string", "pattern": "^[a-z_]+$", "default": "sales"},
            "list": {"type": "array", "items": {"type": "object", "required": ["n"]}, "default": []},
        },
        "tasks": [{"name": "a", "image": "x"}],
    }
)
DEFAULTS = {
    "day": "2025-04-01", "limit": 100, "token": REFERENCE, "since": "2025-04-01T00:00:00Z", "table": "sales",
    "list": [],
}  # fmt: skip

GOOD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "a value": ({"limit": 5}, {"limit": 5}),
    "a float that is whole": ({"limit": 5.0}, {"limit": 5.0}),
    "a Secret": (
        {"token": {"secretKeyRef": {"name": "x", "key": "y"}}},
        {"token": {"secretKeyRef": {"name": "x", "key": "y"}}},
    ),
    "a moment": ({"since": "2025-04-01T02:00:00+09:00"}, {"since": "2025-04-01T02:00:00+09:00"}),
}


@pytest.mark.parametrize(("given_values", "changed"), GOOD.values(), ids=GOOD.keys())
def test_good(given_values: dict[str, Any], changed: dict[str, Any]) -> None:
    assert check_params(SPEC, given_values, CONTEXT) == ({**DEFAULTS, **changed}, [])


SECRET = "token is sensitive: its value stands in a Secret, never in a run; write {secretKeyRef: {name: …, key: …}}"
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown": ({"limt": 5}, ['spec.params.limt: the workflow has no parameter limt; did you mean "limit"?']),
    "of another type": ({"limit": "5"}, ["spec.params.limit: '5' is not of type 'integer'"]),
    "too small": ({"limit": 0}, ["spec.params.limit: 0 is less than the minimum of 1"]),
    "no date": ({"day": "tomorrow"}, ["spec.params.day: 'tomorrow' is not a 'date'"]),
    "a date that is none": ({"day": "2025-02-30"}, ["spec.params.day: '2025-02-30' is not a 'date'"]),
    "a moment without zone": (
        {"since": "2025-04-01T00:00:00"}, ["spec.params.since: '2025-04-01T00:00:00' is not a 'date-time'"],
    ),
    "not as its pattern": ({"table": "x; drop"}, ["spec.params.table: 'x; drop' does not match '^[a-z_]+$'"]),
    "below": ({"list": [{"n": 1}, {}]}, ["spec.params.list[1]: 'n' is a required property"]),
    "the value of a secret": ({"token": "hunter2"}, [f"spec.params.token: {SECRET}"]),
    "half a reference": ({"token": {"secretKeyRef": {"name": "x"}}}, [f"spec.params.token: {SECRET}"]),
    "more than a reference": ({"token": {**REFERENCE, "value": "x"}}, [f"spec.params.token: {SECRET}"]),
    "template syntax is no template": (
        {"day": "{{ ds }}"}, ["spec.params.day: '{{ ds }}' is not a 'date'"],
    ),
    "two": ({"limit": 0, "x": 1}, [
        "spec.params.x: the workflow has no parameter x; there are: day, limit, list, since, table, token",
        "spec.params.limit: 0 is less than the minimum of 1",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("given_values", "told"), BAD.values(), ids=BAD.keys())
def test_bad(given_values: dict[str, Any], told: list[str]) -> None:
    assert [str(found) for found in check_params(SPEC, given_values, CONTEXT)[1]] == told


def test_a_parameter_without_value_or_default() -> None:
    spec = WorkflowSpec.model_validate({"params": {"day": {"type": "string"}}, "tasks": [{"name": "a", "image": "x"}]})
    assert [str(found) for found in check_params(spec, {}, CONTEXT)[1]] == [
        "spec.params: the parameter day has no value; give it one, it has no default"
    ]


def test_a_default_that_can_not_be_rendered() -> None:
    spec = WorkflowSpec.model_validate(
        {"params": {"n": {"default": "{{ 'x' | int }}"}}, "tasks": [{"name": "a", "image": "x"}]}
    )
    assert [str(found) for found in check_params(spec, {}, CONTEXT)[1]] == [
        "spec.params.n: its default can't be rendered: {{ 'x' | int }}: the value is no whole number"
    ]


def test_a_workflow_without_parameters() -> None:
    spec = WorkflowSpec.model_validate({"tasks": [{"name": "a", "image": "x"}]})
    assert [str(found) for found in check_params(spec, {"n": 1}, CONTEXT)[1]] == [
        "spec.params.n: the workflow has no parameter n; it takes none"
    ]


def test_the_value_of_a_secret_is_told_to_nobody() -> None:
    values, found = check_params(SPEC, {"token": "hunter2"}, CONTEXT)
    assert "hunter2" not in "".join(map(str, found))
    assert values["token"] == "hunter2", "a run with findings is refused, and its values are not kept"


@given(st.text())
def test_values_are_never_rendered(value: str) -> None:
    spec = WorkflowSpec.model_validate({"params": {"s": {"type": "string"}}, "tasks": [{"name": "a", "image": "x"}]})
    assert check_params(spec, {"s": value}, CONTEXT) == ({"s": value}, [])
