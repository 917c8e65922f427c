"""Conversations about custom resources: their schema, and their status."""

from __future__ import annotations

from typing import Any

from support.conformance import MERGE, STRATEGIC, TABLE, Ask
from support.conformance_bodies import (
    DELETE,
    GET,
    PATCH,
    PLAIN_WIDGETS,
    POST,
    PUT,
    STRICT,
    WIDGETS,
    widget,
)


def bad_widget(spec: Any, *unlike: str) -> list[Ask]:
    return [Ask(POST, WIDGETS, widget("bad", spec), unlike=unlike)]


CUSTOM: dict[str, list[Ask]] = {
    "a custom resource is made, changed and deleted": [
        Ask(POST, WIDGETS, widget("a", status={"phase": "ignored"})),
        Ask(PATCH, f"{WIDGETS}/a", {"spec": {"size": 4}, "status": {"phase": "ignored"}}, type=MERGE),
        Ask(PATCH, f"{WIDGETS}/a", {"metadata": {"labels": {"a": "b"}}}, type=MERGE),
        Ask(PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Done"}, "spec": {"size": 9}}, type=MERGE),
        Ask(
            PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Over"}, "metadata": {"labels": {"c": "d"}}}, type=MERGE
        ),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5})),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5}, {"resourceVersion": "$1.metadata.resourceVersion"})),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5}, {"resourceVersion": "$5.metadata.resourceVersion"})),
        Ask(
            PUT,
            f"{WIDGETS}/a/status",
            widget(
                "a",
                {"size": 5},
                {"resourceVersion": "$8.metadata.resourceVersion"},
                status={"phase": "Again", "count": 2},
            ),
        ),
        Ask(GET, f"{WIDGETS}/a/status"),
        Ask(PATCH, f"{WIDGETS}/a", {"spec": {"size": 4}}, type=STRATEGIC, unlike=["message"]),
        Ask(DELETE, f"{WIDGETS}/a"),
        Ask(GET, f"{WIDGETS}/a"),
    ],
    "a custom resource without a status of its own": [
        Ask(POST, PLAIN_WIDGETS, {**widget("a", status={"phase": "kept"}), "kind": "PlainWidget"}),
        Ask(PATCH, f"{PLAIN_WIDGETS}/a", {"status": {"phase": "changed"}}, type=MERGE),
        Ask(PATCH, f"{PLAIN_WIDGETS}/a/status", {"status": {"phase": "changed"}}, type=MERGE),
    ],
    "a custom resource with a finalizer": [
        Ask(POST, WIDGETS, widget("a", meta={"finalizers": ["example.com/x"]})),
        Ask(DELETE, f"{WIDGETS}/a"),
        Ask(PATCH, f"{WIDGETS}/a", {"metadata": {"finalizers": None}}, type=MERGE),
        Ask(GET, f"{WIDGETS}/a"),
    ],
    "defaults, pruning and unknown fields": [
        Ask(POST, WIDGETS, widget("a", {"size": 1, "parts": [{"name": "p"}], "free": {"x": {"y": 1}}})),
        Ask(POST, WIDGETS, widget("b", {"size": 1, "sise": 2, "parts": [{"name": "p", "wight": 2}]}, top=1), STRICT),
        Ask(POST, WIDGETS, widget("b", {"size": 1, "sise": 2, "parts": [{"name": "p", "wight": 2}]}, top=1)),
        Ask(POST, WIDGETS, widget("c", {"size": 1, "sise": 2}), {"fieldValidation": "Ignore"}),
        Ask(
            PATCH,
            f"{WIDGETS}/c",
            {"spec": {"sise": 3}},
            STRICT,
            type=MERGE,
            unlike=["message", "details.causes.message"],
        ),
        Ask(POST, WIDGETS, widget("d", {"size": 1, "color": None, "maybe": None})),
        Ask(POST, WIDGETS, widget("e"), {"fieldValidation": "Sometimes"}, unlike=["message", "details"]),
    ],
    "a required field is missing": bad_widget({}),
    "a whole object is of another type": bad_widget("text"),
    "a number is too small": bad_widget({"size": 0}),
    "a number is too large": bad_widget({"size": 11}),
    "a number at its exclusive limit": bad_widget({"size": 1, "ratio": 0}),
    "a number that is no multiple": bad_widget({"size": 1, "step": 7}),
    "a text for a number": bad_widget({"size": "3"}),
    "a fraction for an integer": bad_widget({"size": 3.5}),
    "a value that is not in its list": bad_widget({"size": 1, "color": "green"}),
    "a text against its pattern": bad_widget({"size": 1, "code": "A1"}),
    "a text too short": bad_widget({"size": 1, "code": "a"}),
    "a text too long": bad_widget({"size": 1, "code": "abcde"}),
    "a time that is none": bad_widget({"size": 1, "when": "yesterday"}),
    "a null where none is taken": bad_widget({"size": None}),
    "a null where there may be nothing": bad_widget({"size": 1, "flag": None, "labels": None}),
    "neither a number nor a text": bad_widget({"size": 1, "port": True}),
    "an item twice in a set": bad_widget({"size": 1, "names": ["a", "a"]}),
    "too many items": bad_widget({"size": 1, "names": ["a", "b", "c", "d"]}),
    "a key twice in a list": bad_widget({"size": 1, "parts": [{"name": "a"}, {"name": "a"}]}),
    "a list item without its key": bad_widget({"size": 1, "parts": [{"weight": 1}]}),
    "a value of a map of another type": bad_widget({"size": 1, "labels": {"a": 1}}),
    "too many properties": bad_widget({"size": 1, "labels": {"a": "1", "b": "2", "c": "3"}}),
    "both of either": bad_widget({"size": 1, "either": {"a": "1", "b": "2"}}),
    "none of either": bad_widget({"size": 1, "either": {}}, "message", "details.causes"),
    "several things wrong": bad_widget({"size": 0, "color": "green", "flag": "yes"}, "message"),
    "the table of a custom resource": [
        Ask(POST, WIDGETS, widget("a", {"size": 3, "parts": [{"name": "a"}, {"name": "b", "weight": 7}]})),
        Ask(GET, f"{WIDGETS}/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Done"}}, type=MERGE),
        Ask(GET, WIDGETS, accept=TABLE, unlike=["columnDefinitions.description"]),
    ],
}
