"""What the attempts of a simulation do: how long they take, how they end, and what they put out.

load            each attempt of load fails
load:1          its first attempt
load:1=OOM      … for want of memory; also Error, Timeout, Infra, Start, Launch, or an exit code: load=75
load@2025-04-01 … in the run of that day, or of that instant
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from windlass.models.common import delta, parse_time
from windlass.models.findings import suggestion
from windlass.testing.errors import UnknownTask, WrongCue

JsonObject = dict[str, Any]
EVERY_TASK: Final = "*"
DURATION: Final = timedelta(minutes=1)
"""How long an attempt takes, from the start of its container, unless it is said."""
STARTUP: Final = timedelta(seconds=1)
"""How long a pod takes to start, unless it is said."""
_FAULT: Final = re.compile(
    r"(?P<task>[^\[:@=]+)(\[(?P<index>[^\]]*)\])?(:(?P<attempt>[^@=]*))?(@(?P<day>[^=]*))?(=(?P<kind>.*))?",
    flags=re.DOTALL,
)


class Kind(StrEnum):
    """How an attempt fails."""

    ERROR = "Error"
    """Its program ends with an exit code."""
    OOM = "OOM"
    """It is killed for want of memory."""
    TIMEOUT = "Timeout"
    """It does not end by itself: the task's `timeout` ends it."""
    INFRA = "Infra"
    """Its node evicts it."""
    START = "Start"
    """Its image can't be pulled: `startTimeout` ends it."""
    LAUNCH = "Launch"
    """The API server does not take its pod."""


@dataclass(frozen=True, slots=True)
class Try:
    """The attempt that is asked about."""

    workflow: str
    run: str
    logical_date: datetime
    day: str
    """The logical date's day in the Workflow's time zone: `2025-04-01`."""
    task: str
    attempt: int
    """From 1."""
    index: int | None = None
    """Of an instance of a forEach, from 0."""
    item: Any = None
    """What that instance is for."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """Attempts that fail."""

    task: str
    attempt: int | None = None
    """None: each."""
    index: int | None = None
    """Of an instance of a forEach; None: each."""
    kind: Kind = Kind.ERROR
    exit_code: int = 1
    """Of an Error."""
    day: str | None = None
    """The day (`2025-04-01`) or the logical date (RFC 3339) of the run that it is for; None: of each."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`task[[index]][:attempt][@day][=kind]`. WrongCue says what is wrong with it."""
        found = _FAULT.fullmatch(text)
        if found is None:
            raise WrongCue(f"{text!r} says no task: write task, task:1 or task:1=OOM")
        attempt, day, index = found["attempt"], found["day"], found["index"]
        if attempt is not None and not re.fullmatch("[1-9][0-9]{0,5}", attempt):
            raise WrongCue(f"{text!r}: {attempt!r} is no attempt: they are counted from 1")
        if index is not None and not re.fullmatch("[0-9]{1,6}", index):
            raise WrongCue(f"{text!r}: {index!r} is no instance: they are counted from 0")
        if day is not None and not _is_day(day):
            raise WrongCue(f"{text!r}: {day!r} is no day: write 2025-04-01, or a run's logical date")
        kind, exit_code = _kind(found["kind"], text) if found["kind"] is not None else (Kind.ERROR, 1)
        return cls(
            found["task"],
            int(attempt) if attempt is not None else None,
            int(index) if index is not None else None,
            kind,
            exit_code,
            day,
        )

    def is_for(self, one: Try) -> bool:
        """Whether it is this attempt that fails."""
        if self.task not in (one.task, EVERY_TASK):
            return False
        if self.attempt not in (None, one.attempt) or self.index not in (None, one.index):
            return False
        if self.day is None or self.day == one.day:
            return True
        return "T" in self.day and parse_time(self.day) == one.logical_date


Outputs = Mapping[str, Any] | Callable[[Try], Mapping[str, Any] | None]
"""What a task puts out, or how to know it for an attempt."""
Fail = str | Fault | Sequence[str | Fault] | Mapping[str, Any]
"""`"load:1=OOM"`; several of them; or by task: `{"load": [1, 2]}`, `{"load": {1: "OOM", 2: 75}}`, `{"load": "OOM"}`."""
Length = str | timedelta | float
"""`"5m"`, a timedelta, or seconds."""


@dataclass(frozen=True, slots=True)
class Cues:
    """Everything that was asked of the attempts."""

    faults: tuple[Fault, ...] = ()
    durations: Mapping[str, timedelta] = field(default_factory=dict)
    outputs: Mapping[str, Outputs] = field(default_factory=dict)
    duration: timedelta = DURATION
    """Of tasks that `durations` does not name."""
    startup: timedelta = STARTUP

    def fault(self, one: Try) -> Fault | None:
        """How the attempt fails, if it does; what was said first counts."""
        return next((fault for fault in self.faults if fault.is_for(one)), None)

    def lasts(self, task: str) -> timedelta:
        """How long an attempt takes."""
        return self.durations.get(task, self.duration)

    def puts_out(self, one: Try) -> Mapping[str, Any]:
        """What a good attempt puts out."""
        found = self.outputs.get(one.task, {})
        return (found(one) or {}) if callable(found) else found


def make_cues(
    tasks: Sequence[str],
    *,
    fail: Fail | None = None,
    reject: Sequence[str] = (),
    durations: Mapping[str, Length] | None = None,
    outputs: Mapping[str, Outputs] | None = None,
    duration: Length = DURATION,
    startup: Length = STARTUP,
) -> Cues:
    """Cues for a Workflow with these tasks. UnknownTask, or WrongCue, says what can't be played."""
    cues = Cues(
        (*map(Fault, [reject] if isinstance(reject, str) else reject), *_faults(fail)),
        {task: length(value, f"the duration of {task}") for task, value in (durations or {}).items()},
        outputs or {},
        length(duration, "duration"),
        length(startup, "startup"),
    )
    named = [("fail", fault.task) for fault in cues.faults if fault.task != EVERY_TASK]
    named += [("durations", task) for task in cues.durations] + [("outputs", task) for task in cues.outputs]
    for where, task in named:
        if task not in tasks:
            raise UnknownTask(task, tasks, f"{where}: the Workflow")
    for task, value in cues.outputs.items():
        if not callable(value) and not isinstance(value, Mapping):
            raise WrongCue(f"the outputs of {task} are an object, such as {{'rows': 3}}, not {value!r}")
    return cues


def length(value: Length, what: str) -> timedelta:
    """A length of time as people give it. WrongCue when it is none."""
    try:
        found = delta(value) if isinstance(value, str) else value
    except ValueError as error:
        raise WrongCue(f"{what}: {error}") from None
    found = found if isinstance(found, timedelta) else timedelta(seconds=found)
    if found < timedelta(0):
        raise WrongCue(f"{what} is {value}: nothing takes less than no time")
    return found


def _faults(fail: Fail | None) -> Iterator[Fault]:
    if fail is None:
        return
    if isinstance(fail, str | Fault):
        yield fail if isinstance(fail, Fault) else Fault.parse(fail)
    elif isinstance(fail, Mapping):
        for task, how in fail.items():
            yield from _faults_of(task, how)
    else:
        for one in fail:
            yield one if isinstance(one, Fault) else Fault.parse(one)


def _faults_of(task: str, how: Any) -> Iterator[Fault]:
    if how is True:
        yield Fault(task)
    elif isinstance(how, str):
        kind, exit_code = _kind(how, task)
        yield Fault(task, kind=kind, exit_code=exit_code)
    elif isinstance(how, Mapping):
        for attempt, what in how.items():
            kind, exit_code = _kind(str(what), task)
            yield Fault(task, _number(task, attempt), kind=kind, exit_code=exit_code)
    elif isinstance(how, int) and not isinstance(how, bool):
        yield Fault(task, _number(task, how))
    elif isinstance(how, Sequence | set | frozenset):
        for attempt in how:
            yield Fault(task, _number(task, attempt))
    elif how is not False:
        raise WrongCue(f"fail: {task}: {how!r} says no attempts: write [1, 2], {{1: 'OOM'}}, 'Infra' or True")


def _number(task: str, attempt: Any) -> int:
    if not isinstance(attempt, int) or isinstance(attempt, bool) or attempt < 1:
        raise WrongCue(f"fail: {task}: {attempt!r} is no attempt: they are counted from 1")
    return attempt


def _kind(text: str, where: str) -> tuple[Kind, int]:
    known = {kind.value.lower(): kind for kind in Kind}
    if text.lower() in known:
        return known[text.lower()], 1
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 255:
        return Kind.ERROR, int(text)
    kinds = ", ".join(Kind)
    hint = suggestion(text, [kind.value for kind in Kind]) or f"there are {kinds}, and exit codes from 1 to 255"
    raise WrongCue(f"{where!r}: {text!r} is no way to fail; {hint}")


def _is_day(text: str) -> bool:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return True
    try:
        return "T" in text and bool(parse_time(text))
    except ValueError:
        return False
