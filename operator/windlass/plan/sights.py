"""What tasks want to know of objects of the cluster, and how an object answers. Reading them is the engine's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import jsonpath

from windlass.models.wait import ObjectTest

_LITERALS: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_NOT_TAKEN: Final = (
    (re.compile(r"\b(match|search)\s*\(|=~"), "regular expressions are not taken in a path: compare with =="),
    (re.compile(r"\.\..*\.\."), "'..' may stand once in a path"),
    (re.compile(r","), "a path has no lists: write a path for each"),
    (re.compile(r"(?<!^)\$|\^"), "a filter looks at what it filters: begin with @"),
)
"""What could take the controller's processor for hours, if only an author wanted it to."""


class PathError(ValueError):
    """A path that can't be read."""


@dataclass(frozen=True, slots=True)
class ObjectQuestion:
    """Objects of the run's namespace, asked for as a service account."""

    service_account: str
    api_version: str
    kind: str
    name: str | None = None
    selector: str = ""
    """Labels, as `a=b,c=d`; with it the name is None."""
    interval: float = 60.0
    """Seconds between two looks, where they can't be watched."""


class SightKind(StrEnum):
    """How far a question is answered."""

    SEEN = "Seen"
    """All objects that there are, perhaps none."""
    REFUSED = "Refused"
    """The service account may not read them, or there is no such kind."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found."""

    kind: SightKind
    objects: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    message: str = ""
    """The API server's own words, for what was refused."""


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether an object with these labels has those of the selector, `a=b,c=d`; the empty one takes all."""
    pairs = (part.partition("=") for part in selector.split(",") if part)
    return all(labels.get(key) == value for key, _, value in pairs)


def holds(test: ObjectTest, obj: Mapping[str, Any]) -> bool:
    """Whether the object says so; one without condition and path says so by being there."""
    if test.condition is not None and not _condition(obj, test.condition):
        return False
    if test.json_path is None:
        return True
    found = [value for value in values(test.json_path, obj) if value is not None]
    if test.equals is None:
        return bool(found)
    return any(as_text(value) == test.equals for value in found)


def told(test: ObjectTest) -> str:
    """The test in words: `condition Complete`."""
    parts = [f"condition {test.condition}"] if test.condition is not None else []
    if test.json_path is not None:
        parts.append(test.json_path + (f" = {test.equals}" if test.equals is not None else ""))
    return " and ".join(parts)


def values(path: str, obj: Mapping[str, Any]) -> list[Any]:
    """What stands at the path. PathError when it can't be read."""
    try:
        return list(compile_path(path).findall(dict(obj)))
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise PathError(str(error).partition("\n")[0]) from None


@lru_cache(maxsize=1024)
def compile_path(path: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    """A path as kubectl or RFC 9535 writes it. PathError says what is wrong with it."""
    inner = path.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    inner = inner if inner.startswith("$") else f"${inner if inner.startswith(('.', '[')) else f'.{inner}'}"
    bare = _LITERALS.sub("''", inner)
    for pattern, message in _NOT_TAKEN:
        if pattern.search(bare):
            raise PathError(message)
    try:
        return jsonpath.compile(inner)
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise PathError(str(error).partition("\n")[0]) from None


def as_text(value: Any) -> str:
    """A value as one compares it with a text: true, 3, Bound."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def conditions(obj: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Those of `status.conditions` that are of this type; upper and lower case don't count. Other controllers write
    there whatever they like."""
    status = obj.get("status")
    found = status.get("conditions") if isinstance(status, Mapping) else None
    return [
        one
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping) and str(one.get("type", "")).lower() == kind.lower()
    ]


def _condition(obj: Mapping[str, Any], wanted: str) -> bool:
    kind, _, status = wanted.partition("=")
    asked = (status or "True").lower()
    return any(str(one.get("status", "")).lower() == asked for one in conditions(obj, kind))
