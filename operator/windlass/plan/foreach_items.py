"""What a task is repeated over: the items of its `forEach`, derived from the context in the same way each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from windlass.models.foreach import MAX_INSTANCES, ForEach, too_many
from windlass.plan.scope import OF_ITEMS
from windlass.plan.template_eval import Scope, evaluate
from windlass.plan.template_syntax import parse
from windlass.plan.template_values import Meter, type_name
from windlass.plan.templates import TemplateError, names_read, render

MAX_ITEM: Final = 65_536
"""Bytes of an item as JSON: it stands in the environment of its pod."""


class ForEachInvalidError(Exception):
    """Nothing can be repeated over what was given; the message says what that was."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance stands, and what its templates read."""

    index: int
    item: Any
    context: Mapping[str, Any]
    """That of its task."""

    def reads(self, attempt: int) -> dict[str, Any]:
        """The context of one of its attempts."""
        task = {**self.context["task"], "attempt": attempt}
        return {**self.context, "task": task, "item": self.item, "index": self.index}

    def environment(self) -> dict[str, str]:
        """What its containers find in their environment, beside what all tasks find."""
        return {"WINDLASS_ITEM": item_json(self.item), "WINDLASS_INDEX": str(self.index)}


def items_of(for_each: ForEach, context: Mapping[str, Any]) -> tuple[Any, ...]:
    """The items. TemplateError where a template can't be rendered, ForEachInvalidError where there is no list."""
    if for_each.count is not None:
        return tuple(range(_count(for_each.count, context)))
    if for_each.matrix is not None:
        return _combinations(for_each.matrix, context)
    return _checked(_list(for_each.items, "items", context))


def digest_of(items: tuple[Any, ...]) -> str:
    """Ten characters that stand for the items."""
    return hashlib.sha256(item_json(items).encode(errors="replace")).hexdigest()[:10]


def item_json(item: Any) -> str:
    """An item as containers find it in WINDLASS_ITEM."""
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def reads_item(text: str | None) -> bool:
    """Whether a template asks for the item or its index, so that it is asked for each instance."""
    if text is None:
        return False
    try:
        return any(path[0] in OF_ITEMS for path in names_read(text))
    except TemplateError:
        return False


def _count(count: int | str, context: Mapping[str, Any]) -> int:
    number = _rendered(count, "count", context)
    if isinstance(number, str) and number.strip().isdecimal() and len(number) < 12:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ForEachInvalidError(f"forEach.count is {_told(number)}, and has to be a whole number")
    if number < 0:
        raise ForEachInvalidError(f"forEach.count is {number}, and can't be negative")
    _fits(number, "count")
    return number


def _combinations(matrix: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[Any, ...]:
    lists = {key: _list(values, f"matrix.{key}", context) for key, values in matrix.items()}
    total = 1
    for values in lists.values():
        total *= len(values)
    _fits(total, "matrix")
    return _checked([dict(zip(lists, values, strict=True)) for values in product(*lists.values())])


def _list(value: Any, field: str, context: Mapping[str, Any]) -> list[Any]:
    found = _rendered(value, field, context)
    if not isinstance(found, list):
        fix = ": does it want `| fromjson`?" if isinstance(found, str) and found.lstrip()[:1] == "[" else ""
        raise ForEachInvalidError(f"forEach.{field} is {_told(found)}, and has to be a list{fix}")
    _fits(len(found), field)
    return found


def _rendered(value: Any, field: str, context: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and (single := parse(value).single) is not None:
        try:
            raw = evaluate(single.node, Scope(context, Meter(), single.source))
        except TemplateError as error:
            raise TemplateError(error.problem, single.source, ("forEach", *field.split("."))) from None
        if isinstance(raw, list | tuple):
            # Told before so much is copied.
            _fits(len(raw), field)
    first, *rest = field.split(".")
    nested: Any = value
    for key in reversed(rest):
        nested = {key: nested}
    made = render({"forEach": {first: nested}}, context)["forEach"][first]
    for key in rest:
        made = made[key]
    return made


def _fits(count: int, field: str) -> None:
    if count > MAX_INSTANCES:
        raise ForEachInvalidError(f"forEach.{field}: {too_many(count)}")


def _checked(items: list[Any]) -> tuple[Any, ...]:
    for index, item in enumerate(items):
        if isinstance(item, str) and len(item) < MAX_ITEM // 8:
            continue
        size = len(item_json(item).encode(errors="replace"))
        if size > MAX_ITEM:
            raise ForEachInvalidError(
                f"item {index} of forEach has {size} bytes as JSON, and may have {MAX_ITEM}: "
                "put what is large into the workspace or object storage, and let the item be its address"
            )
    return tuple(items)


def _told(value: Any) -> str:
    kind = type_name(value)
    if value is None:
        return "null"
    text = item_json(value)
    article = "an" if kind == "object" else "a"
    return f"{article} {kind}, {text if len(text) <= 80 else text[:77] + '…'}"
