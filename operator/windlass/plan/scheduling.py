"""From a Workflow's schedule to its runs: what to make, what to tell, and when to look again. Pure.

    slots since the last one ─▶ due, late, missed ─▶ make a run │ skip │ wait for room ─▶ the last slot moves on

The last slot that was dealt with stands in the Workflow's status; a slot up to it never fires again, whatever the clock
says. The status is written after the runs exist, and their names are derived from the slot: so a slot has one run,
though this is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from windlass import names
from windlass.models.common import format_time
from windlass.models.condition import Condition
from windlass.models.run import RunPhase
from windlass.models.schedule import CatchUp, Schedule
from windlass.models.workflow import LastSuccess, RunPolicy, WorkflowStatus
from windlass.plan.anchor import anchor, moment, since_when, slots_digest
from windlass.plan.catchup import Due, due_slots
from windlass.plan.continuous import plan_continuous
from windlass.plan.following import plan_following
from windlass.plan.history import RunSummary, superfluous
from windlass.plan.schedule import Timetable
from windlass.plan.terms import Terms
from windlass.plan.workflow_types import Notice, Problem, RunRequest, WorkflowPlan, WorkflowSeen, slot_request

__all__ = ["Notice", "Problem", "RunRequest", "WorkflowPlan", "WorkflowSeen", "plan_workflow"]

MOST_CREATES: Final = 20
"""Runs that one plan makes."""
CREATE_PAUSE: Final = timedelta(seconds=1)
"""Between two plans that make as many."""
MOST_AHEAD: Final = 2
"""Runs that catching up makes beyond those that may be under way: the next ones stand ready when one ends."""
MOST_QUEUED: Final = 100
"""Runs of a Workflow that wait for their turn: no slot makes another."""
NAME_PATIENCE: Final = timedelta(seconds=5)
"""Between two looks whether the run of a Workflow that was deleted has let go of a name."""
CLOCK_SLACK: Final = timedelta(minutes=1)
"""A last slot that lies this much in the future was made by a clock that was wrong."""

_HELD: Final = frozenset({"CalendarMissing", "CalendarForbidden", "CalendarInvalid", "RunRefused"})
"""Reasons of a schedule that could not fire: its slots wait, whatever `catchUp` says."""
_NO_SCHEDULE: Final = frozenset({"SpecInvalid", "ScheduleInvalid"})
"""Reasons of a Workflow that has promised no slot."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


def plan_workflow(seen: WorkflowSeen, now: datetime) -> WorkflowPlan:
    """Return what to make, write, tell and delete for a Workflow."""
    plan = _plan_slots(seen, now)
    status = _with_runs(seen, _with_condition(seen, plan.status, now))
    plan = replace(plan, status=seen.status if status == seen.status else status)
    if seen.terms is None:
        return plan
    deletes, again = superfluous(seen.runs.values(), seen.terms, seen.stored_slot, seen.needed, now)
    return replace(plan, deletes=deletes, wake_at=_earliest(plan.wake_at, again))


def _plan_slots(seen: WorkflowSeen, now: datetime) -> WorkflowPlan:
    terms = seen.terms
    schedule = terms.schedule if terms is not None else None
    if seen.problem is not None:
        reason, message = seen.problem.reason, seen.problem.message
        notices = (Notice("Warning", reason, message, str(seen.generation)),)
        fields = anchor(seen, None) if reason in _NO_SCHEDULE and seen.status.digest is None else _NONE
        status = _standing(seen, reason, message, fields)
        return WorkflowPlan(status, events=notices if seen.status.reason != reason else ())
    if terms is None or schedule is None:
        return WorkflowPlan(_standing(seen, None, None, anchor(seen, None)))
    if schedule.after is not None:
        return plan_following(seen, terms, schedule, schedule.after, now)
    if schedule.suspend:
        told = "schedule.suspend is true: no slot fires"
        return WorkflowPlan(_standing(seen, "Suspended", told, anchor(seen, schedule)))
    if seen.timetable is None:
        return WorkflowPlan(_standing(seen, "Waiting", None, anchor(seen, schedule)))
    if seen.timetable.is_continuous:
        return plan_continuous(seen, schedule, now)
    return _Slots(seen, terms, schedule, seen.timetable, now).plan()


def _standing(
    seen: WorkflowSeen, reason: str | None, message: str | None, fields: Mapping[str, Any] = _NONE
) -> WorkflowStatus:
    """The status of a Workflow whose clock stands still, or that has none."""
    return seen.status.model_copy(update={"reason": reason, "message": message, "next_slot": None, **fields})


# Slots of the clock


class _Slots:
    """One pass over the slots that are due."""

    def __init__(
        self, seen: WorkflowSeen, terms: Terms, schedule: Schedule, timetable: Timetable, now: datetime
    ) -> None:
        self._seen = seen
        self._terms = terms
        self._schedule = schedule
        self._timetable = timetable
        self._now = now
        self._since = since_when(seen, schedule, now)
        self._creates: list[RunRequest] = []
        self._events: list[Notice] = []
        self._last = moment(seen.status.last_slot)
        self._skipped: list[datetime] = []
        self._waiting = sum(1 for run in seen.runs.values() if _waits(run))
        self._active = sum(1 for run in seen.runs.values() if run.active and run.backfill is None)
        self._slots = sorted(run.slot for run in seen.runs.values() if run.slot is not None)

    def plan(self) -> WorkflowPlan:
        after = self._since if self._last is None else max(self._since, self._last)
        due = due_slots(
            self._timetable,
            self._schedule,
            after,
            self._now,
            promised=self._seen.created_at,
            resumed=self._seen.status.reason == "Suspended",
            held=self._seen.status.reason in _HELD,
            made=frozenset(self._slots),
        )
        stopped = self._take(due)
        if not stopped and due.through is not None:
            self._last = due.through
        upcoming = self._timetable.next_after(max(after, self._last or after))
        status = self._status(due, stopped, upcoming)
        wake_at = self._wake_at(stopped, upcoming)
        if due.missed:
            self._events.append(_missed(due, self._schedule))
        if self._skipped:
            self._events.append(self._told_skipped())
        events = (*self._events, *self._clock_notice(after))
        hungry = stopped is not None and stopped.reason != "NameTaken" and wake_at is None
        return WorkflowPlan(status, tuple(self._creates), events=events, wake_at=wake_at, hungry=hungry)

    def _take(self, due: Due) -> Problem | None:
        """Go through the slots that are to be run, in order; why it had to stop before the last, if it had to."""
        for number, slot in enumerate(due.slots):
            stop = self._take_one(slot)
            if stop is not None:
                left = len(due.slots) - number
                return replace(stop, message=f"{left} {_slots(left)} up to {format_time(due.slots[-1])} {stop.message}")
            self._last = slot
        return None

    def _take_one(self, slot: datetime) -> Problem | None:
        name = names.slot_run_name(self._seen.name, slot)
        known = self._seen.runs.get(name)
        if known is not None and known.slot == slot and known.owner in (None, self._seen.uid):
            return None
        if known is not None and known.owner is not None and known.owner != self._seen.uid:
            message = f"wait: the name {name} belongs to a run of an earlier Workflow {self._seen.name}, which is going"
            return Problem("NameTaken", message)
        if known is not None:
            note = f"slot {format_time(slot)} is not run: its name, {name}, belongs to a run that was made by hand"
            self._events.append(Notice("Warning", "NameTaken", note, format_time(slot)))
            return None
        limit = self._terms.run_limit
        ahead = len(self._creates) + self._waiting
        if self._terms.policy is RunPolicy.SKIP and limit is not None and self._active + ahead >= limit:
            self._skipped.append(slot)
            return None
        catches_up = self._schedule.catch_up is CatchUp.ALL
        if catches_up and (ahead >= MOST_QUEUED or (limit is not None and self._active + ahead >= limit + MOST_AHEAD)):
            return Problem("CatchingUp", "wait for the runs before them")
        if ahead >= MOST_QUEUED:
            self._skipped.append(slot)
            return None
        if len(self._creates) == MOST_CREATES:
            return Problem("Paced", "are run a few at a time")
        self._creates.append(self._request(name, slot))
        return None

    def _request(self, name: str, slot: datetime) -> RunRequest:
        previous = [one for one in self._slots if one < slot]
        made = [request.scheduled_at for request in self._creates]
        before = max([*previous[-1:], *made], default=None)
        begin = self._timetable.interval_start(slot)
        return slot_request(self._schedule, name, slot, begin, before, self._now)

    def _status(self, due: Due, stopped: Problem | None, upcoming: datetime | None) -> WorkflowStatus:
        known = self._seen.status
        reason, message = "Scheduled", None
        if stopped is not None:
            reason = "CatchingUp" if stopped.reason == "Paced" else stopped.reason
            message = stopped.message
        elif upcoming is None:
            reason, message = "Ended", "the schedule has no slot any more"
        update = {
            "reason": reason,
            "message": message,
            "last_slot": format_time(self._last) if self._last is not None else None,
            "next_slot": format_time(upcoming) if upcoming is not None else None,
            "missed": _plus(known.missed, due.missed),
            "skipped": _plus(known.skipped, len(self._skipped)),
            "since": format_time(self._since),
            "digest": slots_digest(self._schedule),
        }
        return known.model_copy(update=update)

    def _wake_at(self, stopped: Problem | None, upcoming: datetime | None) -> datetime | None:
        if stopped is None:
            return upcoming
        if stopped.reason == "NameTaken":
            return self._now + NAME_PATIENCE
        return self._now + CREATE_PAUSE if stopped.reason == "Paced" else None

    def _told_skipped(self) -> Notice:
        first, last, many = self._skipped[0], self._skipped[-1], len(self._skipped)
        which = format_time(first) if many == 1 else f"{many} slots from {format_time(first)} to {format_time(last)}"
        why = f"{MOST_QUEUED} runs wait for their turn"
        if self._terms.policy is RunPolicy.SKIP:
            why = f"{self._terms.run_limit} may be under way at once, and policy is Skip"
        return Notice("Normal", "SlotSkipped", f"{which}: no run is made, {why}", format_time(last))

    def _clock_notice(self, after: datetime) -> tuple[Notice, ...]:
        if after <= self._now + CLOCK_SLACK or self._last is None or self._last < after:
            return ()
        last = format_time(self._last)
        note = f"the last slot, {last}, lies in the future: a clock was wrong. No slot fires before it again"
        return (Notice("Warning", "ClockBehind", note, last),)


def _waits(run: RunSummary) -> bool:
    """Whether a run waits for its turn; those of a Backfill have limits of their own."""
    return not run.ended and not run.active and run.backfill is None


def _missed(due: Due, schedule: Schedule) -> Notice:
    assert due.first_missed is not None and due.last_missed is not None
    first, last = format_time(due.first_missed), format_time(due.last_missed)
    if due.missed == 1:
        which = f"slot {last} was missed"
    else:
        which = f"{'more than ' if due.uncounted else ''}{due.missed} slots were missed, {first} to {last}"
    why = f"catchUp is {schedule.catch_up}"
    if schedule.catch_up is CatchUp.ALL:
        why += f", at most {schedule.catch_up_limit} slots"
    if schedule.starting_deadline is not None:
        why += f", startingDeadline {schedule.starting_deadline}"
    return Notice("Warning", "SlotsMissed", f"{which}: they were noticed too late ({why})", last)


# The rest of the status


def _with_condition(seen: WorkflowSeen, status: WorkflowStatus, now: datetime) -> WorkflowStatus:
    """The condition Ready, and the generation that it was judged by."""
    problem = seen.problem
    wanted = ("False", problem.reason, problem.message) if problem is not None else ("True", "Accepted", "")
    known = next((one for one in status.conditions if one.type == "Ready"), None)
    same = known is not None and known.status == wanted[0]
    ready = Condition(
        type="Ready",
        status="True" if problem is None else "False",
        reason=wanted[1],
        message=wanted[2],
        last_transition_time=known.last_transition_time if known is not None and same else format_time(now),
        observed_generation=seen.generation,
    )
    others = [one for one in status.conditions if one.type != "Ready"]
    return status.model_copy(update={"conditions": [*others, ready], "observed_generation": seen.generation})


def _with_runs(seen: WorkflowSeen, status: WorkflowStatus) -> WorkflowStatus:
    """What stands in the status of the Workflow's runs."""
    runs = seen.runs.values()
    active = sum(1 for run in runs if run.active)
    queued = sum(1 for run in runs if not run.ended and not run.active)
    good = [run for run in runs if run.phase is RunPhase.SUCCEEDED and run.finished_at is not None]
    best = max(good, key=lambda run: (run.finished_at or run.created_at, run.name), default=None)
    known = status.last_success
    success = known
    if best is not None and best.finished_at is not None:
        before = moment(known.finished_at) if known is not None else None
        if before is None or best.finished_at > before:
            slot = format_time(best.slot) if best.slot is not None else None
            success = LastSuccess(run=best.name, slot=slot, finished_at=format_time(best.finished_at))
    return status.model_copy(update={"active_runs": active, "queued_runs": queued, "last_success": success})


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _plus(count: int | None, more: int) -> int | None:
    return (count or 0) + more if count is not None or more else None


def _slots(many: int) -> str:
    return "slot" if many == 1 else "slots"
