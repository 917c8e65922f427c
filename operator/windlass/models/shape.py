"""What the models look like from outside: which type stands where, and which keys a manifest may hold there."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from windlass.models.findings import Path


def fields(annotation: Any) -> dict[str, Any]:
    """The fields of a model, as manifests spell them, and their types; none for what is no model."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}


def type_at(annotation: Any, place: Path) -> Any:
    """The type that stands at `place` within a type; None where there is none."""
    annotation = plain(annotation)
    if not place:
        return annotation
    if get_origin(annotation) in (list, dict):
        return type_at(get_args(annotation)[-1], place[1:])
    inner = fields(annotation).get(str(place[0]))
    return None if inner is None else type_at(inner, place[1:])


def as_stored(annotation: Any, value: Any) -> Any:
    """`value` as an API server keeps it: a key whose value is null is no key, but within Kubernetes' own objects, and
    a whole number is one, however it is written."""
    annotation = plain(annotation)
    if annotation is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list) and get_origin(annotation) is list:
        return [as_stored(get_args(annotation)[0], part) for part in value]
    if not isinstance(value, Mapping):
        return value
    known = fields(annotation)
    if known:
        kept = {key: part for key, part in value.items() if part is not None or key not in known}
        return {key: as_stored(known.get(key), part) for key, part in kept.items()}
    if get_origin(annotation) is dict and get_args(annotation)[1] is not Any:
        inner = get_args(annotation)[1]
        return {key: as_stored(inner, part) for key, part in value.items() if part is not None}
    return value


def plain(annotation: Any) -> Any:
    """A type without its Annotated and its None."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(option for option in get_args(annotation) if option is not type(None))
    return annotation
