"""What pydantic found wrong, in words for the person who wrote the manifest."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from windlass.models.common import PATTERN_WORDS
from windlass.models.findings import Finding, Path, suggestion

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
    known = _fields(_descend(model, tuple(parents)))
    synonym = SYNONYMS.get(str(word), "")
    fix = f'did you mean "{synonym}"?' if synonym in known else suggestion(str(word), known)
    return Finding((*path, *error["loc"]), f'unknown field "{word}"', fix or _listing(known))


def nulls(annotation: Any, value: Any, path: Path) -> Iterator[Finding]:
    """The fields of ours that are null where pydantic takes it for absent: null has no meaning here."""
    annotation = _plain(annotation)
    if isinstance(value, list) and get_origin(annotation) is list:
        for number, part in enumerate(value):
            yield from nulls(get_args(annotation)[0], part, (*path, number))
    if isinstance(value, dict) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            key = field.alias or name
            if key in value and value[key] is None and not field.is_required() and field.default is None:
                yield Finding((*path, key), "is null", "leave the key out")
            elif key in value:
                yield from nulls(field.annotation, value[key], (*path, key))


def _listing(known: list[str]) -> str:
    return f"known are {', '.join(known)}" if 0 < len(known) <= 12 else ""


def _fields(annotation: Any) -> list[str]:
    """The fields of a model as manifests spell them."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _descend(annotation: Any, place: Path) -> Any:
    """The type that stands at `place` within a type."""
    annotation = _plain(annotation)
    if not place:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == place[0]:
                return _descend(field.annotation, place[1:])
        return None
    inner = get_args(annotation)
    return _descend(inner[-1], place[1:]) if get_origin(annotation) in (list, dict) and inner else None


def _plain(annotation: Any) -> Any:
    """A type without its Annotated and its None."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        annotation = options[0]
    return annotation


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
