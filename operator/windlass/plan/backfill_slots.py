"""Slot by slot: whether it is run, run once more, or has a run already. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from windlass import names
from windlass.models.backfill import BackfillSlot, Order, Reprocess
from windlass.models.common import format_time, parse_time
from windlass.models.run import RunPhase, RunSlot, Trigger
from windlass.models.schedule import Interval
from windlass.plan.backfill_types import BackfillSeen, BackfillView, Slots
from windlass.plan.history import RunSummary
from windlass.plan.workflow_types import RunRequest

MOST_STEPS: Final = 200
"""Slots that one plan looks at."""
MOST_CREATES: Final = 20
"""Runs that one plan makes."""
_SECOND: Final = timedelta(seconds=1)


class Do(Enum):
    """What becomes of a slot."""

    RUN = auto()
    REPROCESS = auto()
    SKIP = auto()
    """It has a run already, and is left alone."""
    ADOPT = auto()
    """This backfill has made its run, and the status doesn't say so yet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a slot, and by which run."""

    do: Do
    run: str
    found: RunSummary | None = None
    """The run that there is."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What was found on the way from the cursor on."""

    cursor: datetime | None
    """How far the slots are dealt with by what exists."""
    adopted: tuple[RunSummary, ...]
    skipped: int
    creates: tuple[RunRequest, ...]
    finished: bool
    """There is no slot beyond the cursor."""
    more: bool
    """There may be more to do than one plan does."""


class Judge:
    """Says what becomes of each slot, by the runs that there are."""

    def __init__(self, view: BackfillView, workflow_uid: str | None, runs: Mapping[str, RunSummary]) -> None:
        self._view = view
        self._runs = runs
        self._by_slot: defaultdict[datetime, list[RunSummary]] = defaultdict(list)
        for run in runs.values():
            # Runs of a Workflow that had this name before are about to go with it.
            if run.slot is not None and run.owner in (None, workflow_uid):
                self._by_slot[run.slot].append(run)

    def __call__(self, slot: datetime) -> Verdict:
        found = self._by_slot.get(slot, ())
        for run in found:
            if is_own(self._view, run):
                return Verdict(Do.ADOPT, run.name, run)
        if not found:
            return Verdict(Do.RUN, self._free_name(slot))
        latest = max(found, key=lambda run: (run.created_at, run.name))
        if self._runs_again(found, latest):
            return Verdict(Do.REPROCESS, self._own_name(slot), latest)
        return Verdict(Do.SKIP, latest.name, latest)

    def _runs_again(self, found: Sequence[RunSummary], latest: RunSummary) -> bool:
        mode = self._view.spec.reprocess
        if mode is Reprocess.NONE or not all(run.ended for run in found):
            return False
        return mode is Reprocess.ALL or latest.phase is not RunPhase.SUCCEEDED

    def _free_name(self, slot: datetime) -> str:
        """The slot's own name, which nobody else can then take; another where somebody's run has it."""
        name = names.slot_run_name(self._view.spec.workflow, slot)
        return name if name not in self._runs else self._own_name(slot)

    def _own_name(self, slot: datetime) -> str:
        name = names.slot_run_name(self._view.spec.workflow, slot)
        return names.shortened(name, names.short_hash(self._view.uid, format_time(slot)))


def is_own(view: BackfillView, run: RunSummary) -> bool:
    """Whether this backfill has made the run: not one of the same name that was there before it."""
    made = run.trigger is Trigger.BACKFILL and run.backfill == view.name
    return made and run.created_at >= view.created_at


def walk(seen: BackfillSeen, slots: Slots, cursor: datetime | None, room: int) -> Walk:
    """Go on from the cursor: past what has its run, and to as many new runs as there is room for."""
    view = seen.backfill
    judge = Judge(view, view.status.workflow_uid, seen.runs)
    adopted: list[RunSummary] = []
    creates: list[RunRequest] = []
    skipped = 0
    slot = next_slot(view, slots, cursor)
    for _ in range(MOST_STEPS):
        if slot is None:
            return Walk(cursor, tuple(adopted), skipped, tuple(creates), not creates, False)
        verdict = judge(slot)
        if verdict.do in (Do.RUN, Do.REPROCESS):
            if len(creates) >= min(room, MOST_CREATES):
                return Walk(cursor, tuple(adopted), skipped, tuple(creates), False, len(creates) < room)
            creates.append(wanted(seen, slots, slot, verdict.run))
        elif not creates:
            cursor = slot
            if verdict.do is Do.ADOPT and verdict.found is not None:
                adopted.append(verdict.found)
                room -= not verdict.found.ended
            else:
                skipped += 1
        slot = next_slot(view, slots, slot)
    return Walk(cursor, tuple(adopted), skipped, tuple(creates), False, True)


def next_slot(view: BackfillView, slots: Slots, after: datetime | None) -> datetime | None:
    """The slot that comes after another in the order of the backfill; None when that was the last."""
    first, last = parse_time(view.status.first or ""), parse_time(view.status.last or "")
    if view.spec.order is Order.NEWEST:
        slot = slots.previous_before(after or last + _SECOND)
    else:
        slot = slots.next_after(after or first - _SECOND)
    return slot if slot is not None and first <= slot <= last else None


def wanted(seen: BackfillSeen, slots: Slots, slot: datetime, name: str) -> RunRequest:
    """The run of a slot."""
    before = slots.previous_before(slot)
    interval = seen.schedule.interval if seen.schedule is not None else Interval.TRIGGER
    spec = seen.backfill.spec
    return RunRequest(
        name=name,
        logical_date=before if interval is Interval.DATA_INTERVAL and before is not None else slot,
        slot=RunSlot(
            trigger=Trigger.BACKFILL,
            scheduled_at=format_time(slot),
            interval_start=format_time(before or slot),
            interval_end=format_time(slot),
            previous=format_time(before) if before is not None else None,
            backfill=seen.backfill.name,
        ),
        late=True,
        params=spec.params,
        priority=spec.priority,
        labels={names.LABEL_BACKFILL: seen.backfill.name},
    )


def listed(seen: BackfillSeen, slots: Slots, limit: int) -> list[BackfillSlot]:
    """What a dry run tells: the first slots in the order of the backfill, and what would become of each."""
    view = seen.backfill
    judge = Judge(view, view.status.workflow_uid, seen.runs)
    found: list[BackfillSlot] = []
    slot = next_slot(view, slots, None)
    while slot is not None and len(found) < limit:
        verdict = judge(slot)
        action = _ACTIONS[verdict.do]
        found.append(BackfillSlot(slot=format_time(slot), action=action, run=verdict.run))
        slot = next_slot(view, slots, slot)
    return found


_ACTIONS: Final = {Do.RUN: "Run", Do.REPROCESS: "Reprocess", Do.SKIP: "Skip", Do.ADOPT: "Skip"}
