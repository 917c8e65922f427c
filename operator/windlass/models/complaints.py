"""What pydantic found wrong, in words for the person who wrote the manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from windlass.models.common import PATTERN_WORDS
from windlass.models.findings import Finding, Path, suggestion
from windlass.models.shape import fields, type_at

SYNONYMS: Final[Mapping[str, str]] = {
    "dependencies": "dependsOn", "depends": "dependsOn", "upstream": "dependsOn", "needs": "dependsOn",
    "requires": "dependsOn", "retries": "retry", "retryStrategy": "retry", "retryDelay": "delay",
    "entrypoint": "command", "cmd": "command", "bash": "script", "run": "script", "source": "script",
    "serviceAccount": "serviceAccountName", "parameters": "params", "arguments": "args", "environment": "env",
    "activeDeadlineSeconds": "timeout", "executionTimeout": "timeout", "onExit": "finally", "branch": "ref",
    "url": "repo", "revision": "ref", "ttl": "keepPodsFor", "workflowRef": "workflow", "cancel": "stop",
}  # fmt: skip
"""Words of other systems for our fields."""

_TYPES: Final = {
    "string_type": "a string", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "bool_type": "true or false", "list_type": "a list", "dict_type": "an object",
    "model_type": "an object", "model_attributes_type": "an object",
}  # fmt: skip


def finding(model: type[BaseModel], error: ErrorDetails, path: Path) -> Finding:
    """One error of pydantic on reading `model`, which stands at `path`, as a finding."""
    place = (*path, *error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_field(model, error, path)
    if kind in _TYPES:
        return _wrong_type(place, error["input"], _TYPES[kind])
    words = _WORDS.get(kind)
    return words(place, error["input"], error.get("ctx", {})) if words else Finding(place, error["msg"])


def _unknown_field(model: type[BaseModel], error: ErrorDetails, path: Path) -> Finding:
    *parents, word = error["loc"]
    known = [*fields(type_at(model, tuple(parents)))]
    synonym = SYNONYMS.get(str(word), "")
    fix = f'did you mean "{synonym}"?' if synonym in known else suggestion(str(word), known)
    return Finding((*path, *error["loc"]), f'unknown field "{word}"', fix or _listing(known))


def _listing(known: list[str]) -> str:
    return f"known are {', '.join(known)}" if 0 < len(known) <= 12 else ""


def _wrong_type(place: Path, value: Any, wanted: str) -> Finding:
    quotes = wanted == "a string" and isinstance(value, (bool, int, float))
    return Finding(place, f"must be {wanted}, not {_kind(value)}", "write it in quotes" if quotes else "")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the string "{_short(value)}"'
    return "a list" if isinstance(value, list) else "an object"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _pattern(place: Path, value: Any, facts: Mapping[str, Any]) -> Finding:
    words = PATTERN_WORDS.get(facts["pattern"], f"does not match {facts['pattern']}")
    message, _, fix = words.partition(": ")
    return Finding(place, f'"{_short(value)}" {message}', fix)


def _choice(place: Path, value: Any, facts: Mapping[str, Any]) -> Finding:
    options = [option.strip("'") for option in facts["expected"].replace(" or ", ", ").split(", ")]
    return Finding(place, f'"{_short(value)}" is none of {", ".join(options)}', suggestion(str(value), options))


def _length(place: Path, value: Any, facts: Mapping[str, Any]) -> Finding:
    what = "entries" if isinstance(value, (list, dict)) else "characters"
    if "max_length" in facts:
        return Finding(place, f"has {len(value):,} {what}, and at most {facts['max_length']:,} are allowed")
    return Finding(place, f"is empty: it must have at least {facts['min_length']} {what}")


def _bound(place: Path, value: Any, facts: Mapping[str, Any]) -> Finding:
    return Finding(place, f"is {value}: at {'least' if 'ge' in facts else 'most'} {facts.get('ge', facts.get('le'))}")


_WORDS: Final[Mapping[str, Callable[[Path, Any, Mapping[str, Any]], Finding]]] = {
    "missing": lambda place, value, facts: Finding(place, "is required"),
    "string_pattern_mismatch": _pattern,
    "enum": _choice,
    "literal_error": _choice,
    "too_long": _length,
    "too_short": _length,
    "string_too_long": _length,
    "string_too_short": _length,
    "greater_than_equal": _bound,
    "less_than_equal": _bound,
    "value_error": lambda place, value, facts: Finding(place, f'"{_short(value)}" is wrong: {facts["error"]}'),
}
