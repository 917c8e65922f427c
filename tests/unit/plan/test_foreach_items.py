"""What a task is repeated over: items, what is none, and how many there may be."""

from __future__ import annotations

from typing import Any

import pytest

from support.foreach import outcome, outcome_or_none, task, world
from support.simulate import World, workflow


def test_each_item_gets_a_pod_that_knows_it() -> None:
    played = world(script="echo {{ item }} {{ index }} {{ task.attempt }}")
    played.play()
    found = [
        (one.index, one.body.script, one.environment["WINDLASS_ITEM"], one.environment["WINDLASS_INDEX"])
        for one in played.launched
    ]
    assert found == [
        (0, "echo a 0 1", '"a"', "0"),
        (1, "echo b 1 1", '"b"', "1"),
        (2, "echo c 2 1", '"c"', "2"),
        (3, "echo d 3 1", '"d"', "3"),
    ]
    assert len({one.pod for one in played.launched}) == 4


ITEMS: dict[str, tuple[dict[str, Any], Any, list[str]]] = {
    "a literal list": ({"items": [1, "x", None]}, None, ["1", '"x"', "null"]),
    "templates in a list": ({"items": ["{{ params.p }}", "a-{{ params.p }}"]}, [1, 2], ["[1,2]", '"a-[1,2]"']),
    "a template": ({"items": "{{ params.p }}"}, [{"a": 1}, [2]], ['{"a":1}', "[2]"]),
    "a text with JSON": ({"items": "{{ params.p | fromjson }}"}, "[1, 2]", ["1", "2"]),
    "a count": ({"count": 2}, None, ["0", "1"]),
    "a count by a template": ({"count": "{{ params.p }}"}, 2, ["0", "1"]),
    "a count as a text": ({"count": "{{ params.p }}"}, "2", ["0", "1"]),
    "a matrix": (
        {"matrix": {"x": [1, 2], "y": "{{ params.p }}"}},
        ["a", "b"],
        ['{"x":1,"y":"a"}', '{"x":1,"y":"b"}', '{"x":2,"y":"a"}', '{"x":2,"y":"b"}'],
    ),
    "unicode and dollars": ({"items": ["é$HOME$(X)"]}, None, ['"é$HOME$(X)"']),
}


@pytest.mark.parametrize("case", ITEMS.values(), ids=ITEMS.keys())
def test_items(case: tuple[dict[str, Any], Any, list[str]]) -> None:
    for_each, value, items = case
    played = world(params={"p": value}, forEach=for_each)
    played.play()
    assert [one.environment["WINDLASS_ITEM"] for one in played.launched] == items


WRONG: dict[str, tuple[dict[str, Any], Any, str, str]] = {
    "a number": (
        {"items": "{{ params.p }}"}, 5, "ForEachInvalid", "forEach.items is a number, 5, and has to be a list"
    ),
    "null": ({"items": "{{ params.p }}"}, None, "ForEachInvalid", "forEach.items is null, and has to be a list"),
    "an object": (
        {"items": "{{ params.p }}"}, {"a": 1}, "ForEachInvalid",
        'forEach.items is an object, {"a":1}, and has to be a list',
    ),
    "a text": (
        {"items": "{{ params.p }}"}, "a,b", "ForEachInvalid", 'forEach.items is a string, "a,b", and has to be a list'
    ),
    "a text with a list in it": (
        {"items": "{{ params.p }}"}, "[1]", "ForEachInvalid",
        'forEach.items is a string, "[1]", and has to be a list: does it want `| fromjson`?',
    ),
    "a list within a text": (
        {"items": "x{{ params.p }}"}, [1], "ForEachInvalid",
        'forEach.items is a string, "x[1]", and has to be a list',
    ),
    "100,001 items": (
        {"items": "{{ params.p }}"}, ["item"] * 100_001, "ForEachInvalid",
        "forEach.items: 100001 instances are too many, a run may have 5000: let each instance take a batch of items",
    ),
    "5,001 items": (
        {"items": "{{ params.p }}"}, [1] * 5001, "ForEachInvalid",
        "forEach.items: 5001 instances are too many, a run may have 5000: let each instance take a batch of items",
    ),
    "a matrix that is too large": (
        {"matrix": {"a": "{{ params.p }}", "b": "{{ params.p }}"}}, [1] * 100, "ForEachInvalid",
        "forEach.matrix: 10000 instances are too many, a run may have 5000: let each instance take a batch of items",
    ),
    "a matrix over no list": (
        {"matrix": {"a": [1], "b": "{{ params.p }}"}}, 7, "ForEachInvalid",
        "forEach.matrix.b is a number, 7, and has to be a list",
    ),
    "a count below zero": (
        {"count": "{{ params.p }}"}, -1, "ForEachInvalid", "forEach.count is -1, and can't be negative"
    ),
    "a count that is no number": (
        {"count": "{{ params.p }}"}, "many", "ForEachInvalid",
        'forEach.count is a string, "many", and has to be a whole number',
    ),
    "a count that is a fraction": (
        {"count": "{{ params.p }}"}, 1.5, "ForEachInvalid",
        "forEach.count is a number, 1.5, and has to be a whole number"
    ),
    "a count that is true": (
        {"count": "{{ params.p }}"}, True, "ForEachInvalid",
        "forEach.count is a boolean, true, and has to be a whole number",
    ),
    "a count that is enormous": (
        {"count": "{{ params.p }}"}, 10**8, "ForEachInvalid",
        "forEach.count: 100000000 instances are too many, a run may have 5000: let each instance take a batch of items",
    ),
    "an item that is too large": (
        {"items": "{{ params.p }}"}, ["x", "y" * 70_000], "ForEachInvalid",
        "item 1 of forEach has 70002 bytes as JSON, and may have 65536: put what is large into the workspace or object "
        "storage, and let the item be its address",
    ),
    "a template that fails": (
        {"items": "{{ params.p.files }}"}, {"a": 1}, "TemplateError",
        'forEach.items: {{ params.p.files }}: params.p has no "files"; there are: a',
    ),
    "a template in a matrix that fails": (
        {"matrix": {"a": "{{ params.q }}"}}, 1, "TemplateError",
        'forEach.matrix.a: {{ params.q }}: params has no "q"; there are: p',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_nothing_can_be_repeated_over(case: tuple[dict[str, Any], Any, str, str]) -> None:
    for_each, value, reason, message = case
    played = world(params={"p": value}, forEach=for_each)
    played.play()
    status = task(played)
    assert (status.phase.value, status.reason, status.message) == ("Failed", reason, message)
    assert played.launched == []


@pytest.mark.parametrize("for_each", [{"items": []}, {"items": "{{ params.p }}"}, {"count": 0}, {"matrix": {"a": []}}])
def test_no_items_are_no_failure(for_each: dict[str, Any]) -> None:
    played = world(params={"p": []}, forEach=for_each)
    assert played.play().phase == "Succeeded"
    assert (task(played).phase.value, task(played).reason) == ("Skipped", "NoItems")


def test_a_template_that_fails_for_one_item_fails_that_instance() -> None:
    played = world(forEach={"items": [{"a": 1}, {}]}, script="echo {{ item.a }}")
    played.play()
    assert outcome(played) == (
        "Failed",
        "InstancesFailed",
        '1 of 2 instances failed: index 1; the first: script: {{ item.a }}: item has no "a"; there are none',
        {"succeeded": 1, "failed": 1},
    )


def test_a_run_has_5000_instances_in_all() -> None:
    spec = workflow(
        [
            {"name": "a", "forEach": {"count": 3000, "maxActive": 1}},
            {"name": "b", "forEach": {"count": 2001, "maxActive": 1}},
        ]
    )
    played = World(spec)
    played.step()
    assert task(played, "b").message == (
        "forEach has 2001 items, and the run has 3000 instances already: it may have 5000 in all"
    )


def test_thousands_that_are_skipped_or_fail_at_once_take_several_plans() -> None:
    played = world(forEach={"count": 1200, "maxActive": 1}, when="{{ index >= 1190 }}", script="x {{ item.y }}")
    plan = played.step()
    assert plan.wake_at == played.now
    assert sum(outcome_or_none(played).values()) == 250
    played.play()
    assert outcome(played)[3] == {"skipped": 1190, "failed": 10}
