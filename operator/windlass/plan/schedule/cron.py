"""A cron expression, compiled: the wall times that it matches, whatever the time zone.

Expressions are read here and in `fields`; croniter expands the plain part of each field.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from croniter import croniter

from windlass.models.findings import suggestion
from windlass.plan.schedule.days import DayRule, bits, of_weekdays
from windlass.plan.schedule.fields import KINDS, Field, FieldError, read_field

ONCE: Final = "@once"
CONTINUOUS: Final = "@continuous"
CLOCKLESS: Final = (ONCE, CONTINUOUS)
"""Expressions without wall times."""

ALIASES: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@quarterly": "0 0 1 1,4,7,10 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_REBOOT: Final = "write @once for one run, or @continuous for a run as soon as the last has ended"


class CronError(ValueError):
    """A text is no cron expression. `fix` says what to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}; {fix}" if fix else message)
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Expression:
    """The wall times of one expression."""

    text: str
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    """In seconds of the hour, as the hours are in seconds of the day."""
    days: DayRule
    wildcard: bool
    """Its minute or hour begins with `*`: it fires at each real instant that matches, also in an hour that is shown
    twice. Else a wall time fires once, and those that a change of the clocks passes over fire together after it."""

    def time_from(self, second: int) -> int | None:
        """The first time of day, in seconds, that is not before `second`; None when there is none."""
        hour, rest = second - second % 3600, second % 3600
        place = bisect_left(self.hours, hour)
        if place == len(self.hours):
            return None
        if self.hours[place] > hour:
            return self.hours[place] + self.minutes[0]
        minute = bisect_left(self.minutes, rest)
        if minute < len(self.minutes):
            return hour + self.minutes[minute]
        return self.hours[place + 1] + self.minutes[0] if place + 1 < len(self.hours) else None

    def time_before(self, second: int) -> int | None:
        """The last time of day, in seconds, that is before `second`; None when there is none."""
        hour, rest = second - second % 3600, second % 3600
        place = bisect_left(self.hours, hour)
        if place < len(self.hours) and self.hours[place] == hour:
            minute = bisect_left(self.minutes, rest)
            if minute:
                return hour + self.minutes[minute - 1]
        return self.hours[place - 1] + self.minutes[-1] if place else None


def compile_cron(text: str, identity: str) -> Expression:
    """An expression with wall times from its text; `identity` is what `H` is made of. CronError when it is none."""
    return _compiled(text, identity if "h" in text.lower() else "")


@lru_cache(maxsize=4096)
def _compiled(text: str, identity: str) -> Expression:
    written = ALIASES.get(text.strip().lower(), text)
    fields, texts = _fields(written, identity), written.split()
    minutes, hours, dates, months, weekdays = _expanded(tuple(field.plain for field in fields))
    days = DayRule(
        months=bits(months),
        dates=bits(dates),
        weekdays=of_weekdays(weekdays),
        day_of_month=fields[2],
        day_of_week=fields[4],
        both=fields[2].star or fields[4].star,
    )
    return Expression(
        text=text,
        hours=tuple(3600 * hour for hour in hours),
        minutes=tuple(60 * minute for minute in minutes),
        days=days,
        wildcard=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def suspicious_steps(text: str) -> Iterator[tuple[str, str]]:
    """What is right by the letter, but hardly meant: a step beyond the hour or the day. Each with what to write."""
    for kind, field in zip(KINDS[:2], ALIASES.get(text.strip().lower(), text).split(), strict=False):
        for item in field.split(","):
            step = item.partition("*/")[2]
            if item.startswith("*/") and step.isdigit() and int(step) > kind.high - kind.low:
                yield f"{item} is {kind.low} alone: a step counts within the {kind.name}", f"write {kind.low}"


@lru_cache(maxsize=4096)
def _expanded(plain: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """The numbers of each field; none where a field holds only what speaks of the month's shape."""
    found, _ = croniter.expand(" ".join(text or "*" for text in plain))
    return tuple(
        () if not text else tuple(range(kind.low, kind.high + 1)) if values == ["*"] else tuple(sorted(values))
        for kind, text, values in zip(KINDS, plain, found, strict=True)
    )


def _fields(written: str, identity: str) -> tuple[Field, ...]:
    _refuse_words(written)
    texts = written.split()
    if len(texts) != 5:
        raise _wrong_count(written, texts, identity)
    found: list[Field] = []
    place = 0
    for kind, text in zip(KINDS, texts, strict=True):
        place = written.index(text, place)
        try:
            found.append(read_field(kind, text, identity))
        except FieldError as error:
            at = place + error.position + 1
            raise CronError(f'"{written}": {error.message} (character {at})', error.fix) from None
        place += len(text)
    return tuple(found)


def _refuse_words(written: str) -> None:
    """What other systems take for an expression, and this one doesn't."""
    text = written.strip()
    word = text.split(maxsplit=1)[0].lower() if text else ""
    if not text:
        raise CronError("the expression is empty", "write five fields: minute, hour, day of month, month, day of week")
    if word == "@reboot":
        raise CronError("@reboot has no meaning here: a cluster is never started", _REBOOT)
    if word == "@every":
        raise CronError(f'"{text}": there is no @every', 'write "*/15 * * * *" for each quarter of an hour')
    if word.startswith("@"):
        known = (*ALIASES, *CLOCKLESS)
        fix = suggestion(word, known) or f"write one of {', '.join(known)}, or five fields"
        raise CronError(f'"{text}" is no expression', fix)
    if word.startswith(("tz=", "cron_tz=")):
        zone, _, rest = text.partition(" ")
        fix = f'write timeZone: {zone.partition("=")[2]}, and the expression "{rest.strip()}"'
        raise CronError(f'"{text}": a time zone is no part of an expression', fix)


def _wrong_count(written: str, texts: list[str], identity: str) -> CronError:
    names = "minute, hour, day of month, month, day of week"
    message = f'"{written.strip()}" has {len(texts)} field{"s" if len(texts) > 1 else ""}, not five'
    if len(texts) < 5:
        return CronError(message, f"write {names}, * for any")
    for kept in (texts[1:6], texts[:5]):
        try:
            _fields(" ".join(kept), identity)
        except CronError:
            continue
        return CronError(f"{message}: there are no seconds and no years here", f'write "{" ".join(kept)}"')
    return CronError(message, f"write {names}")
