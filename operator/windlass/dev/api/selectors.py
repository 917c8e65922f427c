"""Label and field selectors: from their text to a question about an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from windlass.dev.api.answers import bad_request

Match = Callable[[Mapping[str, Any]], bool]

_REQUIREMENT: Final = re.compile(
    r"""\s*(?:
        (?P<absent>!)\s*(?P<no>[^\s,!=()]+)
      | (?P<key>[^\s,!=()<>]+)\s*(?:
            (?P<op>==|=|!=|<|>)\s*(?P<value>[^\s,()]*)
          | (?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def _labels(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return obj.get("metadata", {}).get("labels") or {}


def _requirement(found: re.Match[str]) -> Callable[[Mapping[str, str]], bool]:
    if found["absent"]:
        return lambda labels, key=found["no"]: key not in labels  # type: ignore[misc]  # the default binds the key
    key = found["key"]
    if found["set"]:
        values = frozenset(value.strip() for value in found["values"].split(","))
        if found["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    value = found["value"]
    match found["op"]:
        case "=" | "==":
            return lambda labels: labels.get(key) == value
        case "!=":
            return lambda labels: labels.get(key) != value
        case "<":
            return lambda labels: key in labels and int(labels[key]) < int(value)
        case ">":
            return lambda labels: key in labels and int(labels[key]) > int(value)
        case _:
            return lambda labels: key in labels


def label_selector(text: str) -> Match | None:
    """The question that a label selector asks; None for an empty one, which all objects match."""
    if not text.strip():
        return None
    requirements = []
    position = 0
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if found is None or found.end() == position:
            raise bad_request(f'unable to parse requirement: "{text[position:]}" in label selector "{text}"')
        requirements.append(_requirement(found))
        position = found.end()
    if len(requirements) == 1:
        only = requirements[0]
        return lambda obj: only(_labels(obj))
    return lambda obj: all(requirement(_labels(obj)) for requirement in requirements)


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """The text of a field, empty where there is none."""
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def field_selector(text: str, known: Mapping[str, str]) -> Match | None:
    """The question that a field selector asks. `known` gives the path of each field that the kind lets select by."""
    terms: list[tuple[str, bool, str]] = []
    for term in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+?)(==|=|!=)(.*)", term)
        if found is None:
            raise bad_request(f'invalid selector: "{text}"; can\'t understand "{term}"')
        label, operator, value = found.groups()
        if label not in known:
            raise bad_request(f'field label not supported: "{label}"')
        terms.append((known[label], operator != "!=", value))
    if not terms:
        return None
    return lambda obj: all((field_value(obj, path) == value) is wanted for path, wanted, value in terms)


def both(one: Match | None, other: Match | None) -> Match | None:
    """The objects that match both."""
    if one is None or other is None:
        return one or other
    return lambda obj: one(obj) and other(obj)
