"""The values that templates work on: plain JSON values and moments in time, and what keeps them small."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from windlass.models.common import format_time

MAX_WORK: Final = 1_048_576
"""Characters that one call of `render` may make, those on the way to the result counted."""
MAX_ITEMS: Final = 10_000
"""Items that a list made by a template may have."""
MAX_DEPTH: Final = 64
"""Levels that a value may be nested."""
MAX_BITS: Final = 1024
"""Bits of a whole number."""


class TemplateError(Exception):
    """A template is wrong, or can't be rendered with the values there are.

    The message names the field (when it is known), the expression, and what is wrong with it.
    """

    def __init__(self, problem: str, expression: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.expression = expression
        self.path = path

    def __str__(self) -> str:
        shown = _shortened(self.expression)
        text = f"{shown}: {self.problem}" if shown else self.problem
        return f"{_joined(self.path)}: {text}" if self.path else text


def _shortened(expression: str) -> str:
    flat = " ".join(expression.split())
    return flat if len(flat) <= 120 else f"{flat[:117]}..."


def _joined(path: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class Undefined:
    """What a name that does not exist gives: only `default` and `is defined` may look at it."""

    __slots__ = ("problem",)

    def __init__(self, problem: str) -> None:
        self.problem = problem


@dataclass(frozen=True, slots=True)
class SecretReference:
    """The value of a sensitive parameter: where it stands in a Secret. No template can see or make text of it."""

    reference: Mapping[str, Any]
    """A secretKeyRef."""


class Meter:
    """Counts what a rendering makes, and stops it before it makes too much."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = MAX_WORK) -> None:
        self._left = limit

    def charge(self, size: int) -> None:
        """Account for `size` characters before they are made."""
        if size > self._left:
            raise TemplateError(f"makes too much: a rendering may make {MAX_WORK} characters")
        self._left -= size


def defined(value: Any) -> Any:
    """The value itself; TemplateError when it is undefined."""
    if isinstance(value, Undefined):
        raise TemplateError(value.problem)
    return value


def plain(value: Any, meter: Meter, depth: int = 0) -> Any:
    """A fresh copy of a value with JSON's types only, moments as RFC 3339; bounded by the meter."""
    if depth > MAX_DEPTH:
        raise TemplateError(f"the value is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        meter.charge(len(value) + 2)
        return str(value)
    if isinstance(value, SecretReference):
        raise TemplateError("a sensitive parameter can only be the whole value of an env entry")
    meter.charge(8)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return bounded(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TemplateError("the value is no finite number")
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {key_text(key, meter): plain(item, meter, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item, meter, depth + 1) for item in value]
    raise TemplateError(f"a value of type {type_name(value)} can't be put into a manifest")


def key_text(key: Any, meter: Meter) -> str:
    """The key of an object: strings only."""
    if not isinstance(key, str):
        raise TemplateError("the keys of an object are strings")
    meter.charge(len(key) + 2)
    return str(key)


def bounded(number: int) -> int:
    """The number itself; TemplateError when it has too many digits."""
    if number.bit_length() > MAX_BITS:
        raise TemplateError("the number is too large")
    return number


def text_of(value: Any, meter: Meter) -> str:
    """A value as it stands inside a longer text: strings and moments as they are, anything else as JSON."""
    if isinstance(value, str):
        meter.charge(len(value))
        return str(value)
    safe = plain(defined(value), meter)
    return safe if isinstance(safe, str) else json_text(safe)


def json_text(value: Any) -> str:
    """Compact JSON of a plain value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def type_name(value: Any) -> str:
    """What people call the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, datetime):
        return "moment"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple | range):
        return "list"
    if isinstance(value, SecretReference):
        return "sensitive parameter"
    return type(value).__name__
