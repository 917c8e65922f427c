"""The filters, functions and tests that templates may use: all there are, each bounded.

Each filter takes the meter, the value and its arguments. What Python raises for wrong values is told by the caller.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from windlass.plan.template_values import (
    MAX_BITS,
    MAX_ITEMS,
    Meter,
    TemplateError,
    Undefined,
    bounded,
    defined,
    json_text,
    plain,
    text_of,
    type_name,
)

Operation = Callable[..., Any]

_FORMAT: Final = re.compile(r"%-?[aAbBdeHIjmMpSyYzZfGuUVwWFTDsx%]")
"""The directives that date_format knows: none with a width, which would make any number of characters."""


def _items(meter: Meter, value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value)
    if not isinstance(value, list | tuple | range):
        raise TemplateError(f"a list is needed here, not a {type_name(value)}")
    meter.charge(len(value))
    return list(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"a string is needed here, not a {type_name(value)}: use the filter string")
    return value


def _number(value: Any) -> int | float:
    if not isinstance(value, int | float):
        raise TemplateError(f"a number is needed here, not a {type_name(value)}: use the filter int or float")
    return value


def _default(meter: Meter, value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Undefined) or (boolean and not value) else value


def _int(meter: Meter, value: Any, default: Any = None, base: int = 10) -> Any:
    try:
        if isinstance(value, str):
            if len(value) > MAX_BITS:
                raise ValueError("too long")
            digits = value.strip()
            return bounded(int(digits, base) if base != 10 or "." not in digits else int(float(digits)))
        return bounded(int(_number(value)))
    except (ValueError, OverflowError, TemplateError):
        if default is not None:
            return default
        raise TemplateError("the value is no whole number") from None


def _float(meter: Meter, value: Any, default: Any = None) -> Any:
    try:
        return float(value if isinstance(value, str) and len(value) <= MAX_BITS else _number(value))
    except (ValueError, OverflowError, TemplateError):
        if default is not None:
            return default
        raise TemplateError("the value is no number") from None


def truth(value: Any) -> bool:
    """What a value means as a condition: booleans, numbers, null, lists, objects, and the words true and false."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in ("true", "false", "yes", "no", "1", "0", ""):
            raise TemplateError("the text is neither true nor false: compare it with something")
        return word in ("true", "yes", "1")
    return bool(value)


def _length(meter: Meter, value: Any) -> int:
    if not isinstance(value, str | list | tuple | range | Mapping):
        raise TemplateError(f"a {type_name(value)} has no length")
    return len(value)


def _join(meter: Meter, value: Any, separator: str = "", attribute: str | None = None) -> str:
    items = _items(meter, value)
    if attribute is not None:
        items = _map(meter, items, attribute=attribute)
    parts = [text_of(item, meter) for item in items]
    meter.charge(len(_text(separator)) * len(parts))
    return separator.join(parts)


def _split(meter: Meter, value: Any, separator: str | None = None) -> list[str]:
    parts = _text(value).split(separator, MAX_ITEMS)
    if len(parts) > MAX_ITEMS:
        raise TemplateError(f"a list may have {MAX_ITEMS} items")
    meter.charge(len(value) + len(parts))
    return parts


def _tojson(meter: Meter, value: Any) -> str:
    return json_text(plain(value, meter))


def _no_constant(word: str) -> Any:
    raise TemplateError(f"{word} is no JSON")


def _fromjson(meter: Meter, value: Any) -> Any:
    meter.charge(len(_text(value)))
    try:
        return plain(json.loads(value, parse_constant=_no_constant), meter)
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"the text is no JSON: {str(error)[:80]}") from None


def _replace(meter: Meter, value: Any, old: str, new: str) -> str:
    text, old, new = _text(value), _text(old), _text(new)
    meter.charge(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _trimmed(meter: Meter, value: Any, characters: str | None = None) -> str:
    return _text(value).strip(characters)


def _lower(meter: Meter, value: Any) -> str:
    meter.charge(len(_text(value)))
    return str(value).lower()


def _upper(meter: Meter, value: Any) -> str:
    meter.charge(len(_text(value)))
    return str(value).upper()


def _round(meter: Meter, value: Any, precision: int = 0) -> Any:
    if not -30 <= precision <= 30:
        raise TemplateError("round takes a precision between -30 and 30")
    number = round(_number(value), precision)
    return int(number) if precision <= 0 else number


def _sum(meter: Meter, value: Any, attribute: str | None = None, start: float = 0) -> Any:
    items = _items(meter, value)
    if attribute is not None:
        items = _map(meter, items, attribute=attribute)
    return sum((_number(item) for item in items), start)


def _sort(meter: Meter, value: Any, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    items = _items(meter, value)
    if attribute is None:
        return sorted(items, reverse=reverse)
    keys = _map(meter, items, attribute=attribute)
    places = sorted(range(len(items)), key=lambda place: keys[place], reverse=reverse)
    return [items[place] for place in places]


def _unique(meter: Meter, value: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for item in _items(meter, value):
        found.setdefault(json_text(plain(item, meter)), item)
    return list(found.values())


def _first(meter: Meter, value: Any) -> Any:
    return value[0] if value else Undefined("the list is empty: it has no first item")


def _last(meter: Meter, value: Any) -> Any:
    return value[-1] if value else Undefined("the list is empty: it has no last item")


def field_of(item: Any, attribute: str) -> Any:
    """What stands at a dotted path of an object, Undefined where nothing does."""
    for part in _text(attribute).split("."):
        if isinstance(item, Mapping) and part in item:
            item = item[part]
        elif isinstance(item, list | tuple) and part.isdigit() and int(part[:9]) < len(item):
            item = item[int(part[:9])]
        else:
            return Undefined(f'an item has no "{attribute}"')
    return item


def _map(meter: Meter, value: Any, *, attribute: str, default: Any = None) -> list[Any]:
    found = [field_of(item, attribute) for item in _items(meter, value)]
    return [defined(item) if default is None else _default(meter, item, default) for item in found]


def _passes(meter: Meter, item: Any, test: str, arguments: tuple[Any, ...]) -> bool:
    if test not in TESTS:
        raise TemplateError(f"there is no test {test}")
    meter.charge(1)
    return bool(TESTS[test](item, *arguments))


def _select(meter: Meter, value: Any, test: str = "true", *arguments: Any) -> list[Any]:
    return [item for item in _items(meter, value) if _passes(meter, item, test, arguments)]


def _reject(meter: Meter, value: Any, test: str = "true", *arguments: Any) -> list[Any]:
    return [item for item in _items(meter, value) if not _passes(meter, item, test, arguments)]


def _selectattr(meter: Meter, value: Any, attribute: str, test: str = "defined", *arguments: Any) -> list[Any]:
    items = _items(meter, value)
    return [item for item in items if _passes(meter, field_of(item, attribute), test, arguments)]


def _rejectattr(meter: Meter, value: Any, attribute: str, test: str = "defined", *arguments: Any) -> list[Any]:
    items = _items(meter, value)
    return [item for item in items if not _passes(meter, field_of(item, attribute), test, arguments)]


def _quote(meter: Meter, value: Any) -> str:
    text = text_of(value, meter)
    meter.charge(len(text) + 5 * text.count("'"))
    return shlex.quote(text)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise TemplateError("the text is no date: write 2025-04-01 or 2025-04-01T17:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _ds_add(meter: Meter, ds: Any, days: int) -> str:
    day = ds.date() if isinstance(ds, datetime) else date.fromisoformat(_text(ds)[:10])
    return (day + timedelta(days=_number(days))).isoformat()


def _date_add(
    meter: Meter, value: Any, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
) -> datetime:
    return _moment(value) + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _date_format(meter: Meter, value: Any, format: str = "%Y-%m-%d", zone: str | None = None) -> str:  # noqa: A002
    if "%" in _FORMAT.sub("", _text(format)):
        raise TemplateError("date_format knows %Y %m %d %H %M %S %j %V %a %b %z and the like, without widths")
    meter.charge(16 * len(format))
    moment = _moment(value)
    return (moment.astimezone(ZoneInfo(_text(zone))) if zone is not None else moment).strftime(format)


def _timestamp(meter: Meter, value: Any) -> int:
    return int(_moment(value).timestamp())


def _range(meter: Meter, *limits: int) -> list[int]:
    numbers = range(*limits)
    if len(numbers) > MAX_ITEMS:
        raise TemplateError(f"a list may have {MAX_ITEMS} items")
    meter.charge(8 * len(numbers))
    return list(numbers)


FILTERS: Final[Mapping[str, Operation]] = {
    "abs": lambda meter, value: abs(_number(value)),
    "bool": lambda meter, value: truth(value),
    "d": _default,
    "date_add": _date_add,
    "date_format": _date_format,
    "default": _default,
    "ds_add": _ds_add,
    "first": _first,
    "float": _float,
    "fromjson": _fromjson,
    "int": _int,
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": _lower,
    "map": _map,
    "max": lambda meter, value: max(_items(meter, value)),
    "min": lambda meter, value: min(_items(meter, value)),
    "quote": _quote,
    "reject": _reject,
    "rejectattr": _rejectattr,
    "replace": _replace,
    "round": _round,
    "select": _select,
    "selectattr": _selectattr,
    "sort": _sort,
    "split": _split,
    "string": lambda meter, value: text_of(value, meter),
    "sum": _sum,
    "timestamp": _timestamp,
    "tojson": _tojson,
    "trim": _trimmed,
    "unique": _unique,
    "upper": _upper,
}

FUNCTIONS: Final[Mapping[str, Operation]] = {
    "date_add": _date_add,
    "date_format": _date_format,
    "ds_add": _ds_add,
    "range": _range,
    "timestamp": _timestamp,
}

TESTS: Final[Mapping[str, Operation]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "divisibleby": lambda value, number: value % number == 0,
    "endswith": lambda value, end: _text(value).endswith(_text(end)),
    "eq": lambda value, other: value == other,
    "even": lambda value: value % 2 == 0,
    "false": lambda value: not truth(defined(value)),
    "ge": lambda value, other: value >= other,
    "gt": lambda value, other: value > other,
    "in": lambda value, other: value in other,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "le": lambda value, other: value <= other,
    "lt": lambda value, other: value < other,
    "mapping": lambda value: isinstance(value, Mapping),
    "ne": lambda value, other: value != other,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: value % 2 == 1,
    "sequence": lambda value: isinstance(value, list | tuple | range),
    "startswith": lambda value, start: _text(value).startswith(_text(start)),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: truth(defined(value)),
    "undefined": lambda value: isinstance(value, Undefined),
}
