"""Whether a backfill can start, and the range of slots that it is then about. Pure.

A slot belongs to the range by the logical date of its run: from `from` to `to`, both included, as in Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from windlass.models.backfill import BackfillSpec, Order
from windlass.models.common import format_time, parse_time
from windlass.models.findings import summary
from windlass.models.schedule import Interval, Schedule
from windlass.models.workflow import WorkflowSpec
from windlass.plan.backfill_types import Basis, Slots
from windlass.plan.params import check_given
from windlass.plan.schedule.zone_names import find_zone

MOST_SLOTS: Final = 100_000
"""Slots of one backfill."""
_SECOND: Final = timedelta(seconds=1)
_LONE: Final = frozenset({"@once", "@continuous"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a backfill is refused."""

    reason: str
    message: str


def without_bounds(schedule: Schedule) -> Schedule:
    """The schedule as a backfill reads it: what was before its `start` may be run too."""
    return schedule.model_copy(update={"start": None, "end": None, "suspend": False})


def has_clock(schedule: Schedule | None) -> bool:
    """Whether the schedule has slots in the past: those of a cron expression."""
    return schedule is not None and any(cron.strip().lower() not in _LONE for cron in schedule.crons)


def check_start(spec: BackfillSpec, workflow: WorkflowSpec, slots: Slots | None, trouble: str) -> Trouble | None:
    """What forbids the start, whatever the range is."""
    name = spec.workflow
    if not has_clock(workflow.schedule):
        what = "no schedule" if workflow.schedule is None else "no schedule by the clock"
        advice = "give it a schedule with cron, or start single runs: windlass run --logical-date"
        return Trouble("NoSchedule", f"the Workflow {name} has {what}, so there are no slots: {advice}")
    if slots is None:
        return Trouble("ScheduleInvalid", f"the schedule of the Workflow {name} can't be used: {trouble}")
    past = workflow.depends_on_past or any(task.depends_on_past for task in workflow.tasks)
    if past and spec.order is Order.NEWEST:
        why = "dependsOnPast makes each slot wait for the one before it"
        return Trouble("OrderConflict", f"order is Newest, but {why}: leave order out")
    wrong = check_given(workflow.params, spec.params)
    if wrong:
        return Trouble("ParamsInvalid", f"params: {summary(wrong, 900)}")
    return None


def find_range(spec: BackfillSpec, schedule: Schedule, slots: Slots, now: datetime) -> Basis | Trouble:
    """The oldest and the newest slot, of those that are due."""
    zone = find_zone(schedule.time_zone)
    start, end = _first_moment(spec.from_, zone), _last_moment(spec.to, zone)
    if start > end:
        return Trouble("RangeInvalid", f"from ({spec.from_}) is later than to ({spec.to})")
    first = slots.next_after(start - _SECOND)
    last = slots.previous_before(end + _SECOND)
    if schedule.interval is Interval.DATA_INTERVAL:
        # What was found are logical dates: each is the slot before the one that runs it.
        first = first and slots.next_after(first)
        last = last and slots.next_after(last)
    if last is not None and last > now:
        last = slots.previous_before(now + _SECOND)
    if first is None or last is None or first > last:
        return Trouble("NoSlots", _no_slots(spec, slots, start, now))
    return Basis(first, last)


def slots_of(basis: Basis, slots: Slots) -> Iterator[datetime]:
    """All slots of a range, the oldest first."""
    slot: datetime | None = basis.first
    while slot is not None and slot <= basis.last:
        yield slot
        slot = slots.next_after(slot)


def _no_slots(spec: BackfillSpec, slots: Slots, start: datetime, now: datetime) -> str:
    text = f"the schedule of the Workflow {spec.workflow} has no slot from {spec.from_} to {spec.to}"
    if start > now:
        return f"{text} that is due yet: a backfill is for the past"
    after = slots.next_after(start)
    return text if after is None else f"{text}; the next one is {format_time(after)}"


def _first_moment(text: str, zone: ZoneInfo) -> datetime:
    """The first full second."""
    if len(text) == len("2025-04-01"):
        return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
    moment = parse_time(text)
    return moment if not moment.microsecond else moment.replace(microsecond=0) + _SECOND


def _last_moment(text: str, zone: ZoneInfo) -> datetime:
    """The last full second; of a day all of it."""
    if len(text) == len("2025-04-01"):
        return _first_moment((date.fromisoformat(text) + timedelta(days=1)).isoformat(), zone) - _SECOND
    return parse_time(text).replace(microsecond=0)
