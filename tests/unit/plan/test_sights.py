"""How objects answer what tasks want to know of them, whatever other controllers have written into them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.wait import ObjectTest
from windlass.plan.sights import PathError, as_text, conditions, holds, told, values

Body = dict[str, Any]
OBJECT: Body = {
    "metadata": {"name": "x", "annotations": {"example.com/state": "good"}, "labels": None},
    "spec": {"replicas": 3, "suspend": False, "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53}]},
    "status": {
        "phase": "Bound",
        "empty": "",
        "none": None,
        "ratio": 0.5,
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}],
        "loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]},
    },
}

PATHS: dict[str, list[Any]] = {
    "{.status.phase}": ["Bound"],
    "{ .status.phase }": ["Bound"],
    ".status.phase": ["Bound"],
    "status.phase": ["Bound"],
    "$.status.phase": ["Bound"],
    "$['status']['phase']": ["Bound"],
    "{.status.loadBalancer.ingress[0].ip}": ["10.0.0.1"],
    "{.spec.ports[-1].name}": ["dns"],
    "{.spec.ports[*].port}": [80, 53],
    "{.spec.ports[0:1].port}": [80],
    "{.status.conditions[?(@.type=='Ready')].status}": ["True"],
    '$.status.conditions[?@.type=="Stalled"].status': ["False"],
    "{.metadata.annotations['example.com/state']}": ["good"],
    "{..ip}": ["10.0.0.1"],
    "{.status.nothing}": [],
    "{.status.phase.deeper}": [],
    "{.status.none}": [None],
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    assert values(path, OBJECT) == PATHS[path]


HOURS = {
    "a pattern": "$.a[?match(@.b, '(a+)+$')]",
    "another one": "$.a[?search(@.b, 'x')]",
    "a third one": "$.a[?(@.b =~ /(a+)+$/)]",
    "everything of everything": "$..a..b",
    "in a filter": "$..a[?@..b]",
    "the same again and again": "$[*,*][*,*][*,*]",
    "by its name": "$['a','a']['b','b']",
    "the whole for each": "$.a[?@.b == $.c]",
    "the whole by another sign": "$.a[?@.b == ^.c]",
}  # fmt: skip


@pytest.mark.parametrize("path", HOURS.values(), ids=HOURS.keys())
def test_paths_that_could_cost_hours_are_not_taken(path: str) -> None:
    with pytest.raises(PathError, match=r"regular expressions|may stand once|no lists|begin with @"):
        values(path, OBJECT)


def test_signs_within_texts_are_texts() -> None:
    obj = {"a": [{"b": "x, $y ..z .. ^ =~ match("}]}
    assert values("$.a[?@.b == 'x, $y ..z .. ^ =~ match('].b", obj) == ["x, $y ..z .. ^ =~ match("]


BROKEN = ("", "{}", "{.a[}", "a b", "{range .items[*]}{.a}{end}", r"{.metadata.annotations.a\.b}", "[", "(" * 400, "'")


@pytest.mark.parametrize("path", BROKEN)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(PathError) as caught:
        values(path, OBJECT)
    assert "\n" not in str(caught.value)


TESTS: dict[str, tuple[dict[str, str], bool]] = {
    "nothing asked: it is there": ({}, True),
    "a condition": ({"condition": "Ready"}, True),
    "in another case": ({"condition": "ready=true"}, True),
    "of another status": ({"condition": "Stalled=False"}, True),
    "one that is false": ({"condition": "Stalled"}, False),
    "one that is not there": ({"condition": "Complete"}, False),
    "a value": ({"jsonPath": "{.status.phase}", "equals": "Bound"}, True),
    "another value": ({"jsonPath": "{.status.phase}", "equals": "bound"}, False),
    "a number": ({"jsonPath": "{.spec.replicas}", "equals": "3"}, True),
    "a fraction": ({"jsonPath": "{.status.ratio}", "equals": "0.5"}, True),
    "a truth": ({"jsonPath": "{.spec.suspend}", "equals": "false"}, True),
    "anything": ({"jsonPath": "{.status.phase}"}, True),
    "an empty text is something": ({"jsonPath": "{.status.empty}"}, True),
    "null is nothing": ({"jsonPath": "{.status.none}"}, False),
    "null is no text": ({"jsonPath": "{.status.none}", "equals": "None"}, False),
    "nothing there": ({"jsonPath": "{.status.x}", "equals": ""}, False),
    "one of many": ({"jsonPath": "{.spec.ports[*].name}", "equals": "dns"}, True),
    "both": ({"condition": "Ready", "jsonPath": "{.status.phase}", "equals": "Bound"}, True),
    "only one of both": ({"condition": "Stalled", "jsonPath": "{.status.phase}", "equals": "Bound"}, False),
}


@pytest.mark.parametrize(("test", "expected"), TESTS.values(), ids=TESTS.keys())
def test_tests(test: dict[str, str], expected: bool) -> None:
    assert holds(ObjectTest.model_validate(test), OBJECT) is expected


JUNK: dict[str, Any] = {
    "none": None, "a text": "Ready", "a number": 7, "a list": [{"type": "Ready", "status": "True"}],
    "conditions of nothing": {"conditions": None}, "an object of conditions": {"conditions": {"type": "Ready"}},
    "a text of conditions": {"conditions": "Ready"}, "conditions that are none": {"conditions": [None, 1, "Ready", []]},
    "conditions without a type": {"conditions": [{"status": "True"}]},
    "types that are no texts": {"conditions": [{"type": ["Ready"], "status": {"a": 1}}, {"type": None}]},
}  # fmt: skip


@pytest.mark.parametrize("status", JUNK.values(), ids=JUNK.keys())
def test_junk_says_nothing(status: Any) -> None:
    obj = {"metadata": {"name": "x"}, "status": status}
    assert conditions(obj, "Ready") == []
    assert not holds(ObjectTest(condition="Ready"), obj)
    assert not holds(ObjectTest(json_path="{.status.phase}"), obj)


KEYS = st.sampled_from(["type", "status", "a"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(JSON, JSON, st.sampled_from([*PATHS]))
def test_no_object_is_too_odd(status: Any, found: Any, path: str) -> None:
    for obj in ({"status": status}, {"status": {"conditions": found, "phase": status}}, {}):
        assert holds(ObjectTest(condition="Ready", json_path=path), obj) in (True, False)


WORDS = {
    "nothing": ({}, ""),
    "a condition": ({"condition": "Ready"}, "condition Ready"),
    "a value": ({"jsonPath": ".a", "equals": "b"}, ".a = b"),
    "both": ({"condition": "Ready", "jsonPath": ".a"}, "condition Ready and .a"),
}


@pytest.mark.parametrize(("test", "words"), WORDS.values(), ids=WORDS.keys())
def test_tests_in_words(test: dict[str, str], words: str) -> None:
    assert told(ObjectTest.model_validate(test)) == words


def test_values_as_texts() -> None:
    assert [as_text(one) for one in (True, False, 3, 0.5, "x")] == ["true", "false", "3", "0.5", "x"]
