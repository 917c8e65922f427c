"""What is wrong with a schedule, and the timetable of one that is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from windlass.models.common import parse_time
from windlass.models.findings import Finding, Path, Severity, errors, summary
from windlass.models.schedule import Schedule, Shift
from windlass.plan.schedule.calendar import config_maps, on_calendar, open_days_of
from windlass.plan.schedule.cron import (
    CLOCKLESS,
    CONTINUOUS,
    ONCE,
    CronError,
    Expression,
    compile_cron,
    suspicious_steps,
)
from windlass.plan.schedule.slots import Line, Timetable
from windlass.plan.schedule.zone_names import UNCHANGING, UnknownZone, find_zone
from windlass.plan.schedule.zones import LAST_YEAR, instant

_ANYONE: Final = "default/workflow"
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the search for a first slot begins when the schedule has no start: each pattern of days comes after it."""


class ScheduleError(ValueError):
    """A schedule can't be used. `findings` say everything that is wrong with it."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(summary(findings))
        self.findings = tuple(findings)


def compile_schedule(
    schedule: Schedule,
    *,
    identity: str,
    holidays: Mapping[str, frozenset[date]] | None = None,
    created: datetime | None = None,
    path: Path = ("spec", "schedule"),
) -> Timetable:
    """The timetable of a schedule. ScheduleError when anything is wrong with it.

    `identity` (`namespace/name` of the Workflow) is what `H` is made of; `holidays` are the days of each ConfigMap that
    its calendar names, by their `ref`; `created` is when the Workflow was, for `@once`.
    """
    known = holidays or {}
    found = [*errors(check_schedule(schedule, path, identity=identity, holidays=known))]
    for source in config_maps(schedule):
        if source.ref not in known:
            found.append(Finding(path, f"the days of the ConfigMap {source.ref} are not known", "create it"))
    if found:
        raise ScheduleError(found)
    return _timetable(schedule, identity, known, created)


def check_schedule(
    schedule: Schedule,
    path: Path,
    *,
    identity: str = _ANYONE,
    holidays: Mapping[str, frozenset[date]] | None = None,
) -> list[Finding]:
    """Everything that is wrong with a schedule that stands at `path`. What depends on a ConfigMap's days is found only
    where they are in `holidays`."""
    found = [*_check_sources(schedule, path), *_check_times(schedule, path), *_check_crons(schedule, path, identity)]
    try:
        find_zone(schedule.time_zone)
    except UnknownZone as error:
        found.append(Finding((*path, "timeZone"), error.message, error.fix))
    if place := UNCHANGING.get(schedule.time_zone):
        message = f"the clocks of {schedule.time_zone} are never changed"
        found.append(Finding((*path, "timeZone"), message, f"write {place} if yours are", Severity.WARNING))
    known = holidays or {}
    if not errors(found) and all(source.ref in known for source in config_maps(schedule)):
        found += _check_slots(schedule, path, identity, known)
    return found


def _timetable(
    schedule: Schedule, identity: str, holidays: Mapping[str, frozenset[date]], created: datetime | None
) -> Timetable:
    zone, word = find_zone(schedule.time_zone), clockless(schedule)
    start, end = _moment(schedule.start), _moment(schedule.end)
    once = (start or _whole(created)) if word == ONCE else None
    return Timetable(
        zone,
        () if word else _lines(schedule, zone, identity, holidays),
        start=None if start is None else instant(start) + (1 if start.microsecond else 0),
        end=None if end is None else instant(end),
        once=None if once is not None and end is not None and once > end else once,
        is_once=word == ONCE,
        is_continuous=word == CONTINUOUS,
    )


def clockless(schedule: Schedule) -> str | None:
    """`@once` or `@continuous`, where the schedule is one of them."""
    word = schedule.crons[0].strip().lower() if len(schedule.crons) == 1 else None
    return word if word in CLOCKLESS else None


def _whole(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0)


def _lines(
    schedule: Schedule, zone: ZoneInfo, identity: str, holidays: Mapping[str, frozenset[date]]
) -> tuple[Line, ...]:
    return tuple(_line(compile_cron(text, identity), schedule, zone, holidays) for text in schedule.crons)


def _line(expression: Expression, schedule: Schedule, zone: ZoneInfo, holidays: Mapping[str, frozenset[date]]) -> Line:
    open_days = open_days_of(schedule, holidays)
    years = None if open_days is None else open_days.years()
    return Line(expression, on_calendar(expression.days, schedule, open_days), zone, years or (1, LAST_YEAR))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _check_sources(schedule: Schedule, path: Path) -> Iterator[Finding]:
    """Whether there is one thing that runs follow. What that thing must be is a rule of its model."""
    if schedule.cron is None and schedule.after is None:
        yield Finding(path, "nothing says when runs are made", 'write cron: "0 2 * * *", or after: {any: […]}')
    if schedule.after is None:
        return
    place = (*path, "after")
    if schedule.cron is not None:
        yield Finding(place, "a schedule follows the clock or other runs, not both", "leave cron or after out")
    for name, calendar in (("exclude", schedule.exclude), ("include", schedule.include)):
        if calendar is not None:
            yield Finding((*path, name), "a calendar is for the slots of cron", "leave it out beside after")
    for number, source in enumerate(schedule.after.any):
        if source.within is not None:
            message = "within compares the events of several sources, and any makes a run for each event"
            yield Finding((*place, "any", number, "within"), message, "leave it out, or write all", Severity.WARNING)


def _check_times(schedule: Schedule, path: Path) -> Iterator[Finding]:
    start, end = _moment(schedule.start), _moment(schedule.end)
    if start is not None and end is not None and end < start:
        yield Finding((*path, "end"), f"{schedule.end} is before start, {schedule.start}", "write a later end")


def _check_crons(schedule: Schedule, path: Path, identity: str) -> Iterator[Finding]:
    for place, text in _placed(schedule, path):
        word = text.strip().lower()
        if word in CLOCKLESS:
            yield from _check_clockless(schedule, word, path, place)
            continue
        try:
            compile_cron(text, identity)
        except CronError as error:
            yield Finding(place, error.message, error.fix)
        else:
            for message, fix in suspicious_steps(text):
                yield Finding(place, message, fix, Severity.WARNING)


def _check_clockless(schedule: Schedule, word: str, path: Path, place: Path) -> Iterator[Finding]:
    if len(schedule.crons) > 1:
        yield Finding(place, f"{word} stands alone, not in a list of expressions", "leave it or the others out")
    for name, calendar in (("exclude", schedule.exclude), ("include", schedule.include)):
        if calendar is not None:
            yield Finding((*path, name), f"{word} has no days that a calendar could choose", "leave it out")


def _placed(schedule: Schedule, path: Path) -> Iterator[tuple[Path, str]]:
    """The expressions, and where each stands."""
    if isinstance(schedule.cron, str):
        yield (*path, "cron"), schedule.cron
        return
    for number, text in enumerate(schedule.cron or ()):
        yield (*path, "cron", number), text


def _check_slots(
    schedule: Schedule, path: Path, identity: str, holidays: Mapping[str, frozenset[date]]
) -> Iterator[Finding]:
    """What can never fire: by its days, by its calendar, or between start and end. All else is right already."""
    zone = find_zone(schedule.time_zone)
    start, end = _moment(schedule.start), _moment(schedule.end)
    earliest = instant(start or _EARLIEST)
    first: list[int] = []
    for place, text in _placed(schedule, path):
        if text.strip().lower() in CLOCKLESS:
            return
        expression = compile_cron(text, identity)
        found = _line(expression, schedule, zone, holidays).slot_from(earliest)
        if found is not None:
            first.append(found)
        elif Line(expression, expression.days, zone).slot_from(earliest) is None:
            fix = "write L for the last day of a month, or name another month"
            yield Finding(place, f'"{text}" never fires: no month that it names has such a day', fix)
            return
        else:
            yield _closed(schedule, path, text)
            return
    if first and end is not None and min(first) > instant(end):
        message = f"no slot is between {schedule.start or 'the beginning'} and {schedule.end}"
        yield Finding((*path, "end"), message, "write a later end")


def _closed(schedule: Schedule, path: Path, text: str) -> Finding:
    place = (*path, "exclude" if schedule.exclude is not None else "include")
    fix = "open one of its days"
    if schedule.shift is Shift.SKIP:
        fix += ", or write shift: Next"
    return Finding(place, f'the calendar leaves no day on which "{text}" fires', fix)
