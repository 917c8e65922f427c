"""`forEach` of a task: over what it is repeated, and how its instances count together."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, model_validator

from windlass.models.common import Model

MAX_INSTANCES: Final = 5_000
"""Instances that all tasks of one run may have together."""
MAX_MATRIX_KEYS: Final = 16
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def _list_or_template(value: Any) -> Any:
    if isinstance(value, str) and "{{" in value:
        return value
    if not isinstance(value, list):
        raise ValueError('write a list, or a template that gives one, such as "{{ params.files }}"')  # noqa: TRY004  # pydantic wants it
    if len(value) > MAX_INSTANCES:
        raise ValueError(too_many(len(value)))
    return value


def _matrix(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise ValueError("write one list at least: {region: [eu, us]}")
    count = 1
    for key, values in value.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f'the key "{key[:70]}" can\'t be read as item.…: write letters, digits and _')
        count *= len(_list_or_template(values)) if not isinstance(values, str) else 1
    if count > MAX_INSTANCES:
        raise ValueError(too_many(count))
    return value


def _number_or_template(value: int | str) -> int | str:
    if isinstance(value, str):
        if "{{" not in value:
            raise ValueError('write a number, or a template that gives one, such as "{{ params.parts }}"')
    elif value < 0:
        raise ValueError("a number of instances is not negative")
    elif value > MAX_INSTANCES:
        raise ValueError(too_many(value))
    return value


def too_many(count: int) -> str:
    """What to say to somebody who wants so many instances."""
    return f"{count} instances are too many, a run may have {MAX_INSTANCES}: let each instance take a batch of items"


class ForEach(Model):
    """Repeats a task: one instance, with a pod of its own, for each item. Exactly one of `items`, `matrix` and `count`
    says for which. Templates of the task read `item` and `index` (from 0)."""

    items: Annotated[Any, AfterValidator(_list_or_template)] = None
    """A list of any values, or a template that gives one: `"{{ tasks.list.outputs.files }}"`."""
    matrix: Annotated[dict[str, Any], Field(max_length=MAX_MATRIX_KEYS), AfterValidator(_matrix)] | None = None
    """Lists, or templates that give lists, by name: one instance for each combination of their values, the last name
    varying fastest. `item` is an object: `{{ item.region }}`."""
    count: Annotated[int | str, AfterValidator(_number_or_template)] | None = None
    """A number of instances, or a template that gives it. `item` is the index."""
    max_active: Annotated[int, Field(ge=1, le=MAX_INSTANCES)] | None = None
    """The most instances that have a live pod at once. Unlimited by default."""
    fail_fast: bool = False
    """True: as soon as failures make `minSuccess` unreachable, the instances that have not ended are cancelled."""
    min_success: Annotated[float, Field(ge=0, le=1)] | None = None
    """The ratio of instances that have to succeed for the task to succeed. Those that were skipped don't count. 1 by
    default."""

    @model_validator(mode="after")
    def _one_of_them(self) -> ForEach:
        said = [name for name in ("items", "matrix", "count") if getattr(self, name) is not None]
        if len(said) != 1:
            given = f"has {' and '.join(said)}" if said else "has none of them"
            raise ValueError(f"give exactly one of items, matrix and count: it {given}")
        return self
