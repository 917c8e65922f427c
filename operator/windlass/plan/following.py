"""From what a Workflow follows to its runs: which sets of events fire, and what is awaited. Pure.

    any   each new event makes a run
    all   once each source has a new event, the newest of each make a run; what was before them is dealt with too

The runs are numbered, and each is named by its number. A run that exists under the next number was made by somebody who
then died, or lost the race: what it answers is dealt with, whatever else has happened since. So the numbers, and how
far it has come with each source, move on in the status after the run exists, in the write that counts it.

No run answers an event that its own Workflow has led to: Workflows that follow each other come to rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass import names
from windlass.models.common import delta, format_time
from windlass.models.run import RunSlot, Trigger
from windlass.models.schedule import After, AfterSource, CatchUp, Schedule
from windlass.models.workflow import RunPolicy
from windlass.plan.anchor import LOST, anchor, moment
from windlass.plan.cursors import Cursor, Cursors
from windlass.plan.sources import MOST_CHAIN, SourceEvent, source_key, told
from windlass.plan.terms import Terms
from windlass.plan.workflow_types import LATE, Notice, RunRequest, WorkflowPlan, WorkflowSeen

MOST_CREATES: Final = 20
"""Runs that one plan makes."""
CREATE_PAUSE: Final = timedelta(seconds=1)
"""Between two plans that make as many."""
MOST_QUEUED: Final = 100
"""Runs of a Workflow that wait for their turn: no event makes another until one has it."""
MOST_NAMED: Final = 5
"""Sources that a text names."""
Set = tuple[SourceEvent, ...]
"""The events that one run answers, in the order of their sources."""


def plan_following(seen: WorkflowSeen, terms: Terms, schedule: Schedule, after: After, now: datetime) -> WorkflowPlan:
    """What to make and write for a Workflow whose runs follow others."""
    return _Following(seen, terms, schedule, after, now).plan()


def sources_of(after: After) -> Sequence[AfterSource]:
    """The sources, in their order."""
    return after.all or after.any


def is_wanted(schedule: Schedule, event: SourceEvent, events: Sequence[SourceEvent]) -> bool:
    """Whether the run of an event that was not dealt with has to stay, `events` being all of its source: only so many
    are kept as can make runs."""
    start, end = moment(schedule.start), moment(schedule.end)
    if (start is not None and event.at < start) or (end is not None and event.at > end):
        return False
    most = schedule.catch_up_limit if schedule.after is not None and schedule.after.any else 1
    return sum(1 for one in events if one.order > event.order) < most


class _Following:
    """One pass over the events."""

    def __init__(self, seen: WorkflowSeen, terms: Terms, schedule: Schedule, after: After, now: datetime) -> None:
        self._seen = seen
        self._terms = terms
        self._schedule = schedule
        self._now = now
        self._is_all = bool(after.all)
        self._sources = tuple(sources_of(after))
        self._followed = seen.followed or ((),) * len(self._sources)
        self._resumed = seen.status.reason == "Suspended"
        self._start, self._end = moment(schedule.start), moment(schedule.end)
        self._own = [r for r in seen.runs.values() if r.owner == seen.uid and r.trigger is Trigger.WORKFLOW]
        self._active = sum(1 for run in seen.runs.values() if run.active and run.backfill is None)
        self._waiting = sum(
            1 for run in seen.runs.values() if not run.ended and not run.active and run.backfill is None
        )
        self._last = moment(seen.status.last_slot)
        self._cursors = Cursors()
        self._creates: list[RunRequest] = []
        self._notices: list[Notice] = []
        self._missed = 0
        self._skipped: list[SourceEvent] = []
        self._hungry = False
        self._paced = False

    def plan(self) -> WorkflowPlan:
        self._cursors = self._begun()
        if not self._schedule.suspend:
            pending = self._pending()
            (self._fire_all if self._is_all else self._fire_any)(pending)
        if self._skipped:
            self._notices.append(self._told_skipped())
        return WorkflowPlan(
            status=self._seen.status.model_copy(update=self._status()),
            creates=tuple(self._creates),
            events=tuple(self._notices),
            wake_at=self._wake_at(),
            hungry=self._hungry and not self._paced,
        )

    # How far it has come

    def _begun(self) -> Cursors:
        """The cursors of the sources that there are now, with what the runs that exist have answered."""
        stored = Cursors.read(self._seen.status.cursors)
        base = self._base()
        number = stored.number
        taken = {run.name for run in self._own}
        while self._name(number + 1) in taken:
            number += 1
        answered = {id_ for run in self._own for id_ in run.consumed}
        known = {key: stored.sources.get(key) or Cursor(base) for key in map(source_key, self._sources)}
        cursors = Cursors(number, known)
        for source, events in zip(self._sources, self._followed, strict=True):
            cursors = self._past(cursors, source, [event for event in events if event.id in answered])
        return cursors

    def _base(self) -> datetime:
        """Since when the events of a new source count: what was before the Workflow, or before it was said that they
        are followed, is past."""
        status = self._seen.status
        if status.digest is None and status.cursors is None:
            begin = self._seen.created_at
        elif status.digest == LOST:
            begin = self._now
        else:
            edited = self._seen.edited_at
            begin = min(edited, self._now) if edited is not None else self._now
        return begin if self._start is None else max(begin, self._start)

    def _past(self, cursors: Cursors, source: AfterSource, events: Sequence[SourceEvent]) -> Cursors:
        cursor = cursors.sources[source_key(source)]
        return cursors.with_source(source_key(source), cursor.through(events) if self._is_all else cursor.past(events))

    def _deal_with(self, *events: SourceEvent) -> None:
        """Count these events as dealt with, for each source that they belong to."""
        ids = {event.id for event in events}
        for source, its in zip(self._sources, self._followed, strict=True):
            self._cursors = self._past(self._cursors, source, [event for event in its if event.id in ids])

    def _pending(self) -> list[list[SourceEvent]]:
        """Of each source the events that are yet to be dealt with, the oldest first."""
        found = []
        for source, events in zip(self._sources, self._followed, strict=True):
            cursor = self._cursors.sources[source_key(source)]
            new = sorted((one for one in events if self._counts(one, cursor)), key=lambda one: one.order)
            found.append([event for event in new if not self._is_own(event)])
        return found

    def _counts(self, event: SourceEvent, cursor: Cursor) -> bool:
        too_early = self._start is not None and event.at < self._start
        too_late = self._end is not None and event.at > self._end
        return not (too_early or too_late or cursor.knows(event))

    def _is_own(self, event: SourceEvent) -> bool:
        """Whether its own runs have led to the event. That is told, and dealt with."""
        if self._seen.name not in event.chain and len(event.chain) <= MOST_CHAIN:
            return False
        way = " → ".join([*event.chain[-MOST_NAMED:], self._seen.name])
        note = f"run {event.run.name} makes no run: its Workflow follows this one in turn, {way}"
        self._notices.append(Notice("Warning", "FollowsItself", note, event.id))
        self._deal_with(event)
        return True

    # What fires

    def _fire_any(self, pending: Sequence[Sequence[SourceEvent]]) -> None:
        new = sorted({event.id: event for its in pending for event in its}.values(), key=lambda event: event.order)
        if self._resumed and new:
            made_up_for = self._schedule.catch_up_limit if self._schedule.catch_up is CatchUp.ALL else 1
            self._deal_with(*new[:-made_up_for])
            new = new[-made_up_for:]
        for event in new:
            if not self._fire((event,)):
                break

    def _fire_all(self, pending: Sequence[Sequence[SourceEvent]]) -> None:
        newest = [its[-1] if its else None for its in pending]
        complete = tuple(event for event in newest if event is not None)
        if len(complete) < len(newest) or any(self._is_stale(*pair, complete) for pair in self._pairs(newest)):
            return
        self._fire(complete)

    def _pairs(self, newest: Sequence[SourceEvent | None]) -> list[tuple[AfterSource, SourceEvent]]:
        return [(source, one) for source, one in zip(self._sources, newest, strict=True) if one is not None]

    @staticmethod
    def _is_stale(source: AfterSource, event: SourceEvent, others: Sequence[SourceEvent]) -> bool:
        """Whether the event is older than `within` allows beside the newest of the others."""
        return source.within is not None and event.at < max(one.at for one in others) - delta(source.within)

    def _fire(self, events: Set) -> bool:
        """Make the run of a set; False when it has to wait, and with it those after it."""
        at = max(event.at for event in events)
        deadline = self._schedule.starting_deadline
        if deadline is not None and at + delta(deadline) < self._now:
            note = f"no run answers {_named(events)}: it was noticed too late (startingDeadline {deadline})"
            self._notices.append(Notice("Warning", "SlotsMissed", note, events[-1].id))
            self._missed += 1
            self._deal_with(*events)
            return True
        limit, ahead = self._terms.run_limit, self._waiting + len(self._creates)
        if self._terms.policy is RunPolicy.SKIP and limit is not None and self._active + ahead >= limit:
            self._skipped.append(max(events, key=lambda event: event.order))
            self._deal_with(*events)
            return True
        if ahead >= MOST_QUEUED:
            self._hungry = True
            return False
        if len(self._creates) == MOST_CREATES:
            self._paced = True
            return False
        number = self._cursors.number + 1
        known = self._seen.runs.get(self._name(number))
        while known is not None:  # somebody else's: a name is never used twice
            number += 1
            known = self._seen.runs.get(self._name(number))
        self._creates.append(self._request(self._name(number), events, at))
        self._deal_with(*events)
        self._cursors = replace(self._cursors, number=number)
        self._last = at if self._last is None else max(self._last, at)
        return True

    def _name(self, number: int) -> str:
        return names.following_run_name(self._seen.name, self._seen.uid, number)

    def _request(self, name: str, events: Set, at: datetime) -> RunRequest:
        """The run of a set: it is about what the newest of its events is about."""
        newest = max(events, key=lambda event: event.order).run
        before = [run.slot for run in self._own if run.slot is not None and run.slot < at]
        chain = dict.fromkeys(workflow for event in events for workflow in event.chain)
        interval = newest.interval
        return RunRequest(
            name=name,
            logical_date=newest.logical_date,
            slot=RunSlot(
                trigger=Trigger.WORKFLOW,
                scheduled_at=format_time(at),
                interval_start=format_time(interval[0]) if interval is not None else None,
                interval_end=format_time(interval[1]) if interval is not None else None,
                previous=format_time(max(before)) if before else None,
                sources=[event.as_source() for event in events],
                chain=list(chain)[-MOST_CHAIN:],
            ),
            late=self._now - at > LATE,
        )

    # What is told

    def _status(self) -> Mapping[str, Any]:
        known = self._seen.status
        waiting: str | None = self._waiting_for()
        reason, message = "Waiting", waiting
        if self._schedule.suspend:
            reason, message = "Suspended", "schedule.suspend is true: no run is made"
        elif self._end is not None and self._now >= self._end and not self._paced and not self._hungry:
            reason, message, waiting = "Ended", "the schedule has ended", None
        elif self._hungry:
            reason, message = "CatchingUp", f"{MOST_QUEUED} runs wait for their turn: further events wait for that"
        return {
            **anchor(self._seen, self._schedule),
            "reason": reason,
            "message": message,
            "waiting_for": waiting,
            "next_slot": None,
            "last_slot": format_time(self._last) if self._last is not None else None,
            "missed": _plus(known.missed, self._missed),
            "skipped": _plus(known.skipped, len(self._skipped)),
            "cursors": self._cursors.stored(),
        }

    def _waiting_for(self) -> str:
        """What the next run waits for, after those that this plan makes."""
        if not self._is_all:
            return f"waits for {_listed([told(source) for source in self._sources], 'or')}"
        cursors = self._cursors.sources
        newest = [
            max((one for one in its if self._counts(one, cursors[source_key(source)])), key=_order, default=None)
            for source, its in zip(self._sources, self._followed, strict=True)
        ]
        here = [one for one in newest if one is not None]
        wanted, had = [], []
        for source, event in zip(self._sources, newest, strict=True):
            if event is None:
                wanted.append(told(source))
            elif self._is_stale(source, event, here):
                wanted.append(f"{told(source)} again, as that of run {event.run.name} is older than {source.within}")
            else:
                had.append(f"{told(source)} of run {event.run.name}")
        parts = [("waits for", wanted), ("has", had)]
        return "; ".join(f"{word} {_listed(words, 'and')}" for word, words in parts if words)

    def _told_skipped(self) -> Notice:
        newest = self._skipped[-1]
        many = "" if len(self._skipped) == 1 else f" and {len(self._skipped) - 1} before it"
        why = f"{self._terms.run_limit} may be under way at once, and policy is Skip"
        note = f"no run answers {_named((newest,))}{many}: {why}"
        return Notice("Normal", "SlotSkipped", note, newest.id)

    def _wake_at(self) -> datetime | None:
        if self._paced:
            return self._now + CREATE_PAUSE
        return self._end if self._end is not None and self._end > self._now else None


def _order(event: SourceEvent) -> tuple[datetime, str, str]:
    return event.order


def _named(events: Sequence[SourceEvent]) -> str:
    return _listed([_named_one(event) for event in events], "and")


def _named_one(event: SourceEvent) -> str:
    return f"asset {event.asset} of run {event.run.name}" if event.asset is not None else f"run {event.run.name}"


def _listed(words: Sequence[str], last: str) -> str:
    if len(words) > MOST_NAMED:
        words = [*words[: MOST_NAMED - 1], f"{len(words) - MOST_NAMED + 1} more"]
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def _plus(count: int | None, more: int) -> int | None:
    return (count or 0) + more if count is not None or more else None
