"""Structural schemas of custom resources: pruning, defaults and validation, as the API server does them.

A schema is compiled once into a tree of `Structural`. Rules in CEL are not evaluated here; whoever knows a kind
gives the store a validator that says the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from windlass.dev.api.answers import Cause
from windlass.dev.api.formats import FORMATS

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_NAMES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Limits:
    """What a schema says about the value itself."""

    enum: tuple[Any, ...] = ()
    pattern: re.Pattern[str] | None = None
    format: str = ""
    min_length: int = 0
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_items: int = 0
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int = 0
    max_properties: int | None = None


_NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Structural:
    """One node of a structural schema."""

    type: str = ""
    nullable: bool = False
    int_or_string: bool = False
    preserve: bool = False
    embedded: bool = False
    has_default: bool = False
    default: Any = None
    required: tuple[str, ...] = ()
    properties: Mapping[str, Structural] | None = None
    additional: Structural | None = None
    additional_allowed: bool = False
    items: Structural | None = None
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    limits: Limits = _NO_LIMITS
    junctors: tuple[tuple[str, tuple[Structural, ...]], ...] = ()

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Structural:
        """Compile `schema`, the JSON of an openAPIV3Schema."""
        additional = schema.get("additionalProperties")
        items = schema.get("items")
        properties = schema.get("properties")
        junctors = [
            (name, tuple(cls.of(part) for part in schema[name]))
            for name in ("allOf", "anyOf", "oneOf")
            if schema.get(name)
        ]
        if schema.get("not"):
            junctors.append(("not", (cls.of(schema["not"]),)))
        return cls(
            schema.get("type", ""),
            bool(schema.get("nullable")),
            bool(schema.get("x-kubernetes-int-or-string")),
            bool(schema.get("x-kubernetes-preserve-unknown-fields")),
            bool(schema.get("x-kubernetes-embedded-resource")),
            schema.get("default") is not None,
            schema.get("default"),
            tuple(schema.get("required") or ()),
            {name: cls.of(part) for name, part in properties.items()} if properties else None,
            cls.of(additional) if isinstance(additional, Mapping) else None,
            bool(additional) or additional == {},
            cls.of(items) if isinstance(items, Mapping) else None,
            schema.get("x-kubernetes-list-type", ""),
            tuple(schema.get("x-kubernetes-list-map-keys") or ()),
            _limits(schema),
            tuple(junctors),
        )

    def unknown(self, value: Any, path: str = "", *, root: bool = False) -> Iterator[str]:
        """The paths of the fields of `value` that the schema does not know, which are removed from it."""
        if isinstance(value, dict):
            yield from self._unknown_keys(value, path, root=root)
        elif isinstance(value, list) and self.items is not None:
            for index, item in enumerate(value):
                yield from self.items.unknown(item, f"{path}[{index}]")

    def _unknown_keys(self, value: dict[str, Any], path: str, *, root: bool) -> Iterator[str]:
        known = self.properties or {}
        meta = root or self.embedded
        for name in list(value):
            where = f"{path}.{name}" if path else name
            if meta and name in {"apiVersion", "kind", "metadata"}:
                continue
            if name in known:
                yield from known[name].unknown(value[name], where)
            elif self.additional is not None:
                yield from self.additional.unknown(value[name], where)
            elif not self.preserve and not self.additional_allowed:
                del value[name]
                yield where

    def fill(self, value: Any) -> None:
        """Write the defaults of the schema into `value` where it says nothing, and remove nulls that may not be."""
        if isinstance(value, dict):
            known = self.properties or {}
            for name, part in known.items():
                self._fill_one(value, name, part)
            if self.additional is not None:
                for name in [name for name in value if name not in known]:
                    self._fill_one(value, name, self.additional)
        elif isinstance(value, list) and self.items is not None:
            for item in value:
                self.items.fill(item)

    @staticmethod
    def _fill_one(holder: dict[str, Any], name: str, part: Structural) -> None:
        if part.has_default and (name not in holder or (holder[name] is None and not part.nullable)):
            holder[name] = _copy(part.default)
        if name not in holder:
            return
        if holder[name] is None and not part.nullable:
            del holder[name]
        else:
            part.fill(holder[name])

    def causes(self, value: Any, path: str = "") -> Iterator[Cause]:
        """Everything that is wrong with `value`."""
        if value is None and self.nullable:
            return
        mistyped = self._mistyped(value, path)
        if mistyped is not None:
            yield mistyped
            return
        yield from _beyond(self.limits, value, path)
        if isinstance(value, dict):
            yield from self._object_causes(value, path)
        elif isinstance(value, list):
            yield from self._list_causes(value, path)
        for name, parts in self.junctors:
            yield from _junction(name, parts, value, path)

    def _mistyped(self, value: Any, path: str) -> Cause | None:
        if self.int_or_string:
            if isinstance(value, (int, str)) and not isinstance(value, bool):
                return None
            wanted = "integer,string"
        else:
            allowed = _TYPES.get(self.type)
            of_type = allowed is None or isinstance(value, allowed)
            if of_type and (allowed is None or self.type == "boolean" or not isinstance(value, bool)):
                return None
            if self.type == "integer" and isinstance(value, float) and value.is_integer():
                return None
            wanted = self.type
        got = "null" if value is None else _NAMES.get(type(value), type(value).__name__)
        said = f'Invalid value: "{got}": {path or "<nil>"} in body must be of type {wanted}: "{got}"'
        return Cause(path or "<nil>", said, "FieldValueTypeInvalid")

    def _object_causes(self, value: dict[str, Any], path: str) -> Iterator[Cause]:
        known = self.properties or {}
        for name in self.required:
            if name not in value:
                yield Cause(f"{path}.{name}" if path else name, "Required value", "FieldValueRequired")
        for name, item in value.items():
            part = known.get(name) or self.additional
            if part is not None:
                yield from part.causes(item, f"{path}.{name}" if path else name)

    def _list_causes(self, value: list[Any], path: str) -> Iterator[Cause]:
        if self.items is not None:
            for index, item in enumerate(value):
                yield from self.items.causes(item, f"{path}[{index}]")
        if self.list_type in {"map", "set"}:
            yield from self._duplicates(value, path)

    def _duplicates(self, value: list[Any], path: str) -> Iterator[Cause]:
        seen: set[str] = set()
        for index, item in enumerate(value):
            if self.list_type == "map":
                if not isinstance(item, dict):
                    continue
                shown = "{%s}" % ", ".join(f'"{key}":{_shown(item.get(key))}' for key in self.map_keys)  # noqa: UP031
            else:
                shown = _shown(item)
            if shown in seen:
                yield Cause(f"{path}[{index}]", f"Duplicate value: {shown}", "FieldValueDuplicate")
            seen.add(shown)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _limits(schema: Mapping[str, Any]) -> Limits:
    pattern = schema.get("pattern")
    limits = Limits(
        tuple(schema.get("enum") or ()),
        re.compile(pattern) if pattern else None,
        schema.get("format", "") if schema.get("format", "") in FORMATS else "",
        schema.get("minLength", 0),
        schema.get("maxLength"),
        schema.get("minimum"),
        schema.get("maximum"),
        bool(schema.get("exclusiveMinimum")),
        bool(schema.get("exclusiveMaximum")),
        schema.get("multipleOf"),
        schema.get("minItems", 0),
        schema.get("maxItems"),
        bool(schema.get("uniqueItems")),
        schema.get("minProperties", 0),
        schema.get("maxProperties"),
    )
    return _NO_LIMITS if limits == _NO_LIMITS else limits


def _beyond(limits: Limits, value: Any, path: str) -> Iterator[Cause]:
    if limits is _NO_LIMITS:
        return
    if limits.enum and value not in limits.enum:
        supported = ", ".join(_shown(item) for item in limits.enum)
        yield Cause(
            path, f"Unsupported value: {_shown(value)}: supported values: {supported}", "FieldValueNotSupported"
        )
    if isinstance(value, str):
        yield from _text_beyond(limits, value, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number_beyond(limits, value, path)
    elif isinstance(value, list):
        if limits.max_items is not None and len(value) > limits.max_items:
            said = f"Too many: {len(value)}: must have at most {limits.max_items} items"
            yield Cause(path, said, "FieldValueTooMany")
        if len(value) < limits.min_items:
            yield _invalid(path, len(value), f"{path} in body should have at least {limits.min_items} items")
    elif isinstance(value, dict):
        if limits.max_properties is not None and len(value) > limits.max_properties:
            said = f"Too many: {len(value)}: must have at most {limits.max_properties} items"
            yield Cause(path, said, "FieldValueTooMany")
        if len(value) < limits.min_properties:
            yield _invalid(path, len(value), f"{path} in body should have at least {limits.min_properties} properties")


def _invalid(path: str, value: Any, said: str, reason: str = "FieldValueInvalid") -> Cause:
    return Cause(path, f"Invalid value: {_shown(value)}: {said}", reason)


def _text_beyond(limits: Limits, value: str, path: str) -> Iterator[Cause]:
    if limits.max_length is not None and len(value) > limits.max_length:
        yield Cause(path, f"Too long: may not be more than {limits.max_length} bytes", "FieldValueTooLong")
    if len(value) < limits.min_length:
        yield _invalid(path, value, f"{path} in body should be at least {limits.min_length} chars long")
    if limits.pattern is not None and limits.pattern.search(value) is None:
        yield _invalid(path, value, f"{path} in body should match '{limits.pattern.pattern}'")
    if limits.format and not FORMATS[limits.format](value):
        yield _invalid(
            path, value, f"{path} in body must be of type {limits.format}: {_shown(value)}", "FieldValueTypeInvalid"
        )


def _number_beyond(limits: Limits, value: float, path: str) -> Iterator[Cause]:
    low, high = limits.minimum, limits.maximum
    if low is not None and (value < low or (limits.exclusive_minimum and value == low)):
        than = "greater than" if limits.exclusive_minimum else "greater than or equal to"
        yield _invalid(path, value, f"{path} in body should be {than} {low}")
    if high is not None and (value > high or (limits.exclusive_maximum and value == high)):
        than = "less than" if limits.exclusive_maximum else "less than or equal to"
        yield _invalid(path, value, f"{path} in body should be {than} {high}")
    if limits.multiple_of and not math.isclose(value / limits.multiple_of, round(value / limits.multiple_of)):
        yield _invalid(path, value, f"{path} in body should be a multiple of {limits.multiple_of}")


def _junction(name: str, parts: tuple[Structural, ...], value: Any, path: str) -> Iterator[Cause]:
    good = sum(1 for part in parts if next(part.causes(value, path), None) is None)
    where = path or "<nil>"
    if name == "allOf" and good < len(parts):
        for part in parts:
            yield from part.causes(value, path)
    elif name == "anyOf" and good == 0:
        yield _invalid("<nil>", "", f'"{where}" must validate at least one schema (anyOf)')
    elif name == "oneOf" and good != 1:
        found = "Found none valid" if good == 0 else f"Found {good} valid alternatives"
        yield _invalid("<nil>", "", f'"{where}" must validate one and only one schema (oneOf). {found}')
    elif name == "not" and good:
        yield _invalid("<nil>", "", f'"{where}" must not validate the schema (not)')
