"""One field of a cron expression: its grammar, and what is wrong with a text that doesn't follow it.

What croniter expands (numbers, ranges, steps) is written out for it in digits; what it lacks (names in any place,
ranges that wrap, `H`) is expanded before, and what speaks of a month's shape (`L`, `W`, `#`) is set aside.

    item  = "*" | "?" | H | value | value "-" value      , each but "?" with an optional "/" step
    H     = "H" | "H(" low "-" high ")"
    day of month also: L, L-n, nW, LW            day of week also: nL, Ln, n#1 … n#5
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class FieldError(ValueError):
    """A text is no field of a cron expression. `position` is where in the field, from 0."""

    def __init__(self, message: str, fix: str, position: int = 0) -> None:
        super().__init__(f"{message}; {fix}")
        self.message = message
        self.fix = fix
        self.position = position


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand in a field."""

    name: str
    low: int
    high: int
    names: Mapping[str, int]
    hashed: int
    """The highest value that `H` takes: one that is in every month."""
    top: int
    """The highest value that is written; 7 is Sunday too."""

    @property
    def bounds(self) -> str:
        return f"{self.low} to {self.top}"


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MINUTE: Final = Kind("minute", 0, 59, {}, 59, 59)
HOUR: Final = Kind("hour", 0, 23, {}, 23, 23)
DAY_OF_MONTH: Final = Kind("day of month", 1, 31, {}, 28, 31)
MONTH: Final = Kind("month", 1, 12, {name: place for place, name in enumerate(_MONTHS, 1)}, 12, 12)
DAY_OF_WEEK: Final = Kind("day of week", 0, 6, {name: place for place, name in enumerate(_WEEKDAYS)}, 6, 7)
KINDS: Final = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that was read."""

    plain: str = ""
    """What croniter expands: digits, ranges, steps; empty when the field only holds the rest."""
    star: bool = False
    """It begins with `*` or is `?`: it restricts nothing by itself."""
    from_last: frozenset[int] = frozenset()
    """Days before the last day of the month: 0 is the last."""
    nearest: frozenset[int] = frozenset()
    """Days of the month whose nearest weekday, Monday to Friday, is meant."""
    last_weekday: bool = False
    """The last day of the month from Monday to Friday."""
    nth: frozenset[tuple[int, int]] = frozenset()
    """Weekday (0 is Sunday) and which of the month, from 1."""
    last: frozenset[int] = frozenset()
    """Weekdays whose last of the month is meant."""


_ITEM: Final = re.compile(
    r"(?P<star>\*)|(?P<hash>H)(?:\((?P<low>\w+)-(?P<high>\w+)\))?|(?P<first>\w+)(?:-(?P<last>\w+))?", re.IGNORECASE
)
_FROM_LAST: Final = re.compile(r"L(?:-(?P<days>\d{1,2}))?", re.IGNORECASE)
_NEAREST: Final = re.compile(r"(?P<day>\d{1,2})W", re.IGNORECASE)
_NTH: Final = re.compile(r"(?P<day>\w+)#(?P<place>\w+)")
_LAST: Final = re.compile(r"(?:(?P<before>[A-Z]{3}|\d)L|L(?P<after>[A-Z]{3}|\d))", re.IGNORECASE)


def read_field(kind: Kind, text: str, identity: str) -> Field:
    """A field from its text; `identity` is what `H` is made of. FieldError says what is wrong, and where."""
    if text == "?":
        if kind not in (DAY_OF_MONTH, DAY_OF_WEEK):
            raise FieldError(f"? is for a day of month or a day of week, not for the {kind.name}", "write *")
        return Field("*", star=True)
    plain: list[str] = []
    special = Field()
    position = 0
    for item in text.split(","):
        try:
            found = _special(kind, item)
            if found is None:
                plain.append(_plain(kind, item, identity))
            else:
                special = _joined(special, found)
        except FieldError as error:
            raise FieldError(error.message, error.fix, position + error.position) from None
        position += len(item) + 1
    joined = ",".join(plain)
    return Field(
        "*" if "*" in plain else joined,
        text.startswith("*"),
        special.from_last,
        special.nearest,
        special.last_weekday,
        special.nth,
        special.last,
    )


def _joined(one: Field, other: Field) -> Field:
    return Field(
        "",
        False,
        one.from_last | other.from_last,
        one.nearest | other.nearest,
        one.last_weekday or other.last_weekday,
        one.nth | other.nth,
        one.last | other.last,
    )


def _special(kind: Kind, item: str) -> Field | None:
    """What speaks of a month's shape; None for what doesn't."""
    if kind is DAY_OF_MONTH:
        return _of_month(item)
    if kind is DAY_OF_WEEK:
        return _of_week(item)
    return None


def _of_month(item: str) -> Field | None:
    if item.upper() == "LW":
        return Field(last_weekday=True)
    if found := _FROM_LAST.fullmatch(item):
        days = int(found["days"] or 0)
        if days > 30:
            raise FieldError(f"{item} is more than 30 days before the last", "write L-0 to L-30", 2)
        return Field(from_last=frozenset({days}))
    if found := _NEAREST.fullmatch(item):
        return Field(nearest=frozenset({_number(DAY_OF_MONTH, found["day"])}))
    if "#" in item:
        raise FieldError(f"{item} names a weekday of the month", "write it as the day of week, the last field")
    if re.fullmatch(r"W\d{1,2}", item, re.IGNORECASE):
        raise FieldError(f"{item} is no day of month", f"write {item[1:]}W")
    return None


def _of_week(item: str) -> Field | None:
    if item.upper() == "L":
        raise FieldError("L alone is no day of week", "write 5L for the last Friday of the month, or SAT")
    if found := _NTH.fullmatch(item):
        place = found["place"]
        if place not in ("1", "2", "3", "4", "5"):
            fix = f"write {found['day']}#1 to {found['day']}#5, or {found['day']}L for the last"
            raise FieldError(f"{item}: a month has no {place}. of a weekday", fix, len(found["day"]) + 1)
        return Field(nth=frozenset({(_number(DAY_OF_WEEK, found["day"]) % 7, int(place))}))
    if "#" in item:
        raise FieldError(f"{item}: # takes one day", "write FRI#2, and MON#1,TUE#1 for several", item.index("#"))
    if found := _LAST.fullmatch(item):
        return Field(last=frozenset({_number(DAY_OF_WEEK, found["before"] or found["after"]) % 7}))
    if item[-1:] in ("W", "w") and item[:-1].isdigit():
        raise FieldError(f"{item} is no day of week", "W belongs to the day of month, the third field")
    return None


def _plain(kind: Kind, item: str, identity: str) -> str:
    """An item as croniter takes it: digits, a range that doesn't wrap, a step."""
    if not item:
        raise FieldError("there is nothing between two commas", "take a comma out")
    body, slash, step_text = item.partition("/")
    step = _step(step_text, len(body) + 1) if slash else 1
    found = _ITEM.fullmatch(body)
    if found is None:
        raise FieldError(f'"{item}" is no {kind.name}', _advice(kind, item))
    if found["star"]:
        return f"*/{step}" if step > 1 else "*"
    if found["hash"]:
        if found["low"] is None:
            # With a step the values go on to the end of the field; alone, one is drawn that every month has.
            return _hashed(kind, kind.low, kind.high if slash else kind.hashed, step if slash else None, identity)
        low, high = _range(kind, found["low"], found["high"], found.start("low"))
        if high < low:
            raise FieldError(f"{body} wraps", f"write H({high}-{low})")
        return _hashed(kind, low, high, step if slash else None, identity)
    if found["last"] is None:
        low = _number(kind, found["first"])
        return _listed(kind, low, kind.high, step) if slash else str(low % 7 if kind is DAY_OF_WEEK else low)
    low, high = _range(kind, found["first"], found["last"], 0)
    return _listed(kind, low, high, step)


def _range(kind: Kind, first: str, last: str, position: int) -> tuple[int, int]:
    return _number(kind, first, position), _number(kind, last, position + len(first) + 1)


def _step(text: str, position: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise FieldError(f'"{text}" is no step', "write a number from 1 after the /, as in */15", position)
    return int(text)


def _listed(kind: Kind, low: int, high: int, step: int) -> str:
    """A range, which may wrap, as croniter takes it; a range of one value would be the whole field to it."""
    if kind is DAY_OF_WEEK and low == 7 and high != 7:
        low = 0
    if low < high <= kind.high:
        return f"{low}-{high}/{step}"
    if low == high:
        return str(low % 7 if kind is DAY_OF_WEEK else low)
    size = kind.high - kind.low + 1
    length = high - low if high > low else high - low + size
    return ",".join(str((value - kind.low) % size + kind.low) for value in range(low, low + length + 1, step))


def _hashed(kind: Kind, low: int, high: int, step: int | None, identity: str) -> str:
    """`H`: the same value for the same object and field, whatever else the expression says."""
    draw = int.from_bytes(hashlib.sha256(f"{identity}\0{kind.name}".encode()).digest()[:8], "big")
    size = high - low + 1
    if step is None:
        value = low + draw % size
        return str(value % 7 if kind is DAY_OF_WEEK else value)
    return _listed(kind, low + draw % min(step, size), high, step)


def _number(kind: Kind, text: str, position: int = 0) -> int:
    """A number or a name as a number."""
    if text.isascii() and text.isdigit():
        if not kind.low <= int(text) <= kind.top:
            raise FieldError(f"{text} is no {kind.name}", f"write {kind.bounds}", position)
        return int(text)
    value = kind.names.get(text.upper())
    if value is None:
        raise FieldError(f'"{text}" is no {kind.name}', _advice(kind, text), position)
    return value


def _advice(kind: Kind, text: str) -> str:
    """What to write instead of something that is no value."""
    if kind.names:
        for name in kind.names:
            if text.upper().startswith(name):
                return f"write {name}"
        names = list(kind.names)
        return f"write {kind.bounds}, or {names[0]} to {names[-1]}"
    return f"write {kind.bounds}, *, or a range, list or step of them"
