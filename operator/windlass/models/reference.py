"""The API reference, made from the models: one table a type, one line a field."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from windlass.models.action import RunAction
from windlass.models.backfill import Backfill
from windlass.models.common import (
    DURATION_PATTERN,
    INSTANT_PATTERN,
    MOMENT_PATTERN,
    NAME_PATTERN,
    OBJECT_NAME_PATTERN,
    QUANTITY_PATTERN,
)
from windlass.models.examples import EXAMPLES
from windlass.models.rules import RULES
from windlass.models.run import WorkflowRun
from windlass.models.schema import Schema, structural
from windlass.models.shape import fields, plain
from windlass.models.task import ContainerFields
from windlass.models.workflow import Workflow

Type = type[BaseModel]

_HEAD: Final = """\
# API reference

The resources of `windlass.dev/v1alpha1`, field by field. This page is made from the models
(`python -m windlass.models.generate`): mend a text there, beside its field.

Durations are written `500ms`, `90s`, `1h30m`, `2d`; instants as `2025-04-01T17:00:00Z`; quantities as Kubernetes writes
them, `512Mi`. A field whose value is null is no field. An unknown field is refused by `kubectl` and found by
`windlass lint`. *object* stands for one of Kubernetes' own objects, which the API server checks when the pod is made.
"""
_WORDS: Final = {
    DURATION_PATTERN: "duration",
    INSTANT_PATTERN: "instant",
    MOMENT_PATTERN: "day or instant",
    NAME_PATTERN: "name",
    OBJECT_NAME_PATTERN: "name of an object",
    QUANTITY_PATTERN: "quantity",
}


def render() -> str:
    """The whole page."""
    types = list(_types())
    index = "".join(f"- [{model.__name__}](#{model.__name__.lower()})\n" for model in types)
    return f"{_HEAD}\n{index}" + "".join(_section(model) for model in types)


def _types() -> Iterator[Type]:
    """All models, each after the one that first has it; what tasks and their defaults share stands once."""
    seen: list[Type] = []
    for root in (Workflow, WorkflowRun, RunAction, Backfill):
        _collect(root, seen)
    seen.insert(seen.index(next(model for model in seen if ContainerFields in model.__bases__)), ContainerFields)
    yield from seen


def _collect(annotation: Any, seen: list[Type]) -> None:
    annotation = plain(annotation)
    if get_origin(annotation) in (list, dict):
        return _collect(get_args(annotation)[-1], seen)
    if not fields(annotation) or annotation in seen:
        return None
    seen.append(annotation)
    for inner in fields(annotation).values():
        _collect(inner, seen)
    return None


def _section(model: Type) -> str:
    text = f"\n## {model.__name__}\n\n{' '.join((model.__doc__ or '').split())}\n"
    inherited = ContainerFields in model.__bases__
    if inherited:
        text += "\nIt has all of [ContainerFields](#containerfields)" + (", and:\n" if _own(model) else ".\n")
    if _own(model):
        schema = structural(model, {})
        rows = [_row(name, info, schema["properties"][info.alias or name]) for name, info in _own(model).items()]
        text += "\n| field | type | default | what it is |\n|---|---|---|---|\n" + "".join(rows)
    if model.__name__ in RULES:
        text += "\nRefused:\n\n" + "".join(f"- {rule.message}\n" for rule in RULES[model.__name__])
    if model.__name__ in EXAMPLES:
        text += f"\n```yaml\n{EXAMPLES[model.__name__]}```\n"
    return text


def _own(model: Type) -> dict[str, FieldInfo]:
    """The fields that are not those of all containers."""
    shared = ContainerFields.model_fields if ContainerFields in model.__bases__ else {}
    return {name: info for name, info in model.model_fields.items() if name not in shared}


def _row(name: str, info: FieldInfo, schema: Schema) -> str:
    cells = (f"`{info.alias or name}`", _type(info.annotation, schema), _default(info), schema["description"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(annotation: Any, schema: Schema) -> str:
    annotation = plain(annotation)
    if get_origin(annotation) is list:
        entry, comma, bound = _type(get_args(annotation)[0], schema["items"]).partition(", at ")
        return f"list of {entry}{f' (at {bound})' if comma else ''}{_limit(schema, 'Items', 'entries')}"
    if get_origin(annotation) is dict and "additionalProperties" in schema:
        return f"map of {_type(get_args(annotation)[1], schema['additionalProperties'])}"
    if fields(annotation):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if "maxLength" in schema and "maxItems" in schema:
        bounds = f"at most {schema['maxItems']} of at most {schema['maxLength']} characters"
        return f"string, or list of strings ({bounds})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("format") == "date-time":
        return "instant"
    if schema.get("pattern") in _WORDS:
        return _WORDS[schema["pattern"]]
    if schema.get("type") in ("integer", "number"):
        return f"{schema['type']}{_bounds(schema)}"
    return f"{schema.get('type', 'anything')}{_limit(schema, 'Length', 'characters')}"


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    return "" if low is None and high is None else f", {low} to {high}"


def _limit(schema: Schema, what: str, unit: str) -> str:
    most = schema.get(f"max{what}")
    return "" if most is None else f", at most {most:,} {unit}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value in (None, "", [], {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value.value if isinstance(value, Enum) else value}`"
