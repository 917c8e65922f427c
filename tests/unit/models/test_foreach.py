"""What people may write wrong in a forEach, and what they are told."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.parse import InvalidObject, read_workflow

AT = "spec.tasks[0].forEach"


def found(for_each: Any) -> list[str]:
    task = {"name": "a", "image": "x", "forEach": for_each}
    manifest = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"tasks": [task]},
    }
    try:
        read_workflow(manifest)
    except InvalidObject as error:
        return [str(one) for one in error.findings]
    return []


GOOD: dict[str, Any] = {
    "a list": {"items": [1, "a", None, {"x": 1}]},
    "a template": {"items": "{{ params.files }}"},
    "a matrix": {"matrix": {"a": [1], "b_2": "{{ params.b }}"}},
    "a count": {"count": 5000},
    "a count by a template": {"count": "{{ params.n }}"},
    "all else": {"count": 1, "maxActive": 2, "failFast": True, "minSuccess": 1},
    "a whole ratio": {"count": 1, "minSuccess": 0},
    "no items": {"items": []},
}


@pytest.mark.parametrize("for_each", GOOD.values(), ids=GOOD.keys())
def test_what_may_be_written(for_each: Any) -> None:
    assert found(for_each) == []


BAD: dict[str, tuple[Any, list[str]]] = {
    "a list itself": ([1, 2], [f"{AT}: must be an object, not a list"]),
    "nothing": ({}, [f'{AT}: "{{}}" is wrong: give exactly one of items, matrix and count: it has none of them']),
    "two of them": (
        {"items": [1], "count": 1},
        [
            f"{AT}: \"{{'items': [1], 'count': 1}}\" is wrong: give exactly one of items, matrix and count: it has "
            "items and count"
        ],
    ),
    "items that are a number": (
        {"items": 5},
        [f'{AT}.items: "5" is wrong: write a list, or a template that gives one, such as "{{{{ params.files }}}}"'],
    ),
    "items that are a text": (
        {"items": "a,b"},
        [f'{AT}.items: "a,b" is wrong: write a list, or a template that gives one, such as "{{{{ params.files }}}}"'],
    ),
    "a matrix without lists": (
        {"matrix": {}},
        [f'{AT}.matrix: "{{}}" is wrong: write one list at least: {{region: [eu, us]}}'],
    ),
    "a matrix whose key can't be read": (
        {"matrix": {"a b": [1]}},
        [
            f'{AT}.matrix: "{{\'a b\': [1]}}" is wrong: the key "a b" can\'t be read as item.…: write letters, digits '
            "and _"
        ],
    ),
    "a negative count": ({"count": -1}, [f'{AT}.count: "-1" is wrong: a number of instances is not negative']),
    "a count that is too large": (
        {"count": 5001},
        [
            f'{AT}.count: "5001" is wrong: 5001 instances are too many, a run may have 5000: let each instance take a '
            "batch of items"
        ],
    ),
    "a count that is a text": (
        {"count": "ten"},
        [f'{AT}.count: "ten" is wrong: write a number, or a template that gives one, such as "{{{{ params.parts }}}}"'],
    ),
    "no instance at a time": ({"count": 1, "maxActive": 0}, [f"{AT}.maxActive: is 0: at least 1"]),
    "a ratio beyond one": ({"count": 1, "minSuccess": 1.5}, [f"{AT}.minSuccess: is 1.5: at most 1.0"]),
    "a ratio in percent": (
        {"count": 1, "minSuccess": "80%"},
        [f'{AT}.minSuccess: must be a number, not the string "80%"'],
    ),
    "a word that is none": (
        {"count": 1, "maxactive": 3},
        [f'{AT}.maxactive: unknown field "maxactive"; did you mean "maxActive"?'],
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_what_is_told(case: tuple[Any, list[str]]) -> None:
    for_each, told = case
    assert found(for_each) == told


def test_a_matrix_that_is_too_large() -> None:
    (told,) = found({"matrix": {"a": [1] * 100, "b": [1] * 100}})
    assert told.endswith("10000 instances are too many, a run may have 5000: let each instance take a batch of items")


def test_a_list_that_is_too_long() -> None:
    (told,) = found({"items": [1] * 100_001})
    assert told.endswith("100001 instances are too many, a run may have 5000: let each instance take a batch of items")
