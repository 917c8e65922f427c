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


def without_nulls(annotation: Any, value: Any) -> Any:
    """`value` as an API server keeps it: a key whose value is null is no key, but within Kubernetes' own objects."""
    annotation = plain(annotation)
    if isinstance(value, list) and get_origin(annotation) is list:
        return [without_nulls(get_args(annotation)[0], part) for part in value]
    if not isinstance(value, Mapping):
        return value
    known = fields(annotation)
    if known:
        return {key: without_nulls(known.get(key), part) for key, part in value.items() if part is not None}
    if get_origin(annotation) is dict and get_args(annotation)[1] is not Any:
        inner = get_args(annotation)[1]
        return {key: without_nulls(inner, part) for key, part in value.items() if part is not None}
    return value


def plain(annotation: Any) -> Any:
    """A type without its Annotated and its None."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(option for option in get_args(annotation) if option is not type(None))
    return annotation
