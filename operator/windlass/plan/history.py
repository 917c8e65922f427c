"""What is kept of each run that exists, and which runs of a Workflow are history that may go. Pure.

A run is kept while anything needs it: it has not ended, it guards a slot that the Workflow's status does not yet count
as dealt with, a Backfill is at work on it, or the next slot's run asks how it ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from sys import intern
from typing import Any, Final, NamedTuple

from windlass.models.common import format_time, parse_time
from windlass.models.run import RunPhase, Trigger
from windlass.names import short_hash
from windlass.plan.terms import Terms

MOST_DELETES: Final = 20
"""Runs that one plan deletes."""
LEAST_AGE: Final = timedelta(minutes=2)
"""So long the run of a slot stays after its creation: a create whose answer was lost, and which is carried out a minute
later, meets its name."""
DELETE_PAUSE: Final = timedelta(seconds=1)
"""Between two plans that delete."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PHASES: Final = {phase.value: phase for phase in RunPhase}
_TRIGGERS: Final = {trigger.value: trigger for trigger in Trigger}


class AssetEvent(NamedTuple):
    """That a run has produced an asset."""

    asset: str
    at: datetime
    task: str
    has_fields: bool
    """Its fields are to be read from the run."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as history knows it: half a kilobyte, so that ten thousand cost little."""

    namespace: str
    name: str
    uid: str
    version: int = field(compare=False)
    """Its resourceVersion."""
    workflow: str
    """Its Workflow's name; empty for a definition of its own."""
    owner: str | None
    """The UID of the Workflow that owns it; None for a run made by hand."""
    phase: RunPhase | None
    """None: it was not looked at yet, or its status can't be read."""
    trigger: Trigger | None
    """None: it was made by hand."""
    slot: datetime | None
    """When it was due."""
    logical_date: datetime
    """Its creation where it says nothing."""
    priority: int | None
    """None: the Workflow's."""
    created_at: datetime
    interval: tuple[datetime, datetime] | None = None
    """The time that it is about, where it says so."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    backfill: str | None = None
    """The name of the Backfill that made it."""
    attempt: int = 1
    stopping: bool = False
    """`spec.stop` is set."""
    parent: tuple[str, str] | None = None
    """Name and UID of the run that started it, as a task of its own."""
    deleting: bool = False
    """Its deletion was asked for."""
    assets: tuple[AssetEvent, ...] = ()
    """The assets that its tasks have produced."""
    consumed: tuple[str, ...] = ()
    """The identities of the events that it answers (`event_id`)."""
    chain: tuple[str, ...] = ()
    """The Workflows whose runs led to it."""

    @property
    def ended(self) -> bool:
        return self.phase is not None and self.phase.ended

    @property
    def active(self) -> bool:
        """It was let go, and has not ended: it takes one of the Workflow's `maxActiveRuns`."""
        return self.phase in (RunPhase.RUNNING, RunPhase.SUSPENDED)


def summarize(body: Mapping[str, Any]) -> RunSummary:
    """The summary of a WorkflowRun's body. What can't be read is as if it were not there."""
    meta, spec, status = _object(body, "metadata"), _object(body, "spec"), _object(body, "status")
    slot = _object(spec, "slot")
    created = _time(meta.get("creationTimestamp")) or _EPOCH
    due = _time(slot.get("scheduledAt"))
    logical = _time(spec.get("logicalDate")) or created
    priority, attempt = spec.get("priority"), status.get("attempt")
    backfill = slot.get("backfill")
    return RunSummary(
        namespace=intern(str(meta.get("namespace", ""))),
        name=str(meta.get("name", "")),
        uid=str(meta.get("uid", "")),
        version=int(meta.get("resourceVersion", 0)),
        workflow=intern(_text(spec.get("workflow"))),
        owner=_owner(meta),
        phase=_PHASES.get(_text(status.get("phase"))),
        trigger=_TRIGGERS.get(_text(slot.get("trigger"))),
        slot=due if due != logical else logical,
        logical_date=logical,
        priority=priority if isinstance(priority, int) else None,
        created_at=created,
        interval=_interval(slot, status, due),
        started_at=_time(status.get("startedAt")),
        finished_at=_time(status.get("finishedAt")),
        backfill=intern(backfill) if isinstance(backfill, str) else None,
        attempt=attempt if isinstance(attempt, int) else 1,
        stopping=spec.get("stop") is not None,
        parent=_parent(meta),
        deleting="deletionTimestamp" in meta,
        assets=_assets(status),
        consumed=_consumed(slot),
        chain=_chain(spec, slot),
    )


def event_id(uid: str, finished_at: datetime, asset: str | None = None) -> str:
    """Ten characters that stand for the end of a run, or for an asset that it has produced: another end, after the run
    was started again, is another event."""
    return short_hash(uid, asset or "", format_time(finished_at))


def _assets(status: Mapping[str, Any]) -> tuple[AssetEvent, ...]:
    found = []
    for one in _objects(status, "assets"):
        at = _time(one.get("finishedAt"))
        if isinstance(one.get("name"), str) and at is not None:
            task = intern(_text(one.get("task")))
            found.append(AssetEvent(intern(one["name"]), at, task, has_fields=bool(one.get("fields"))))
    return tuple(found)


def _consumed(slot: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for source in _objects(slot, "sources"):
        at = _time(source.get("finishedAt"))
        if at is not None:
            found.append(event_id(_text(source.get("uid")), at, _text(source.get("asset")) or None))
    return tuple(found)


def _chain(spec: Mapping[str, Any], slot: Mapping[str, Any]) -> tuple[str, ...]:
    named = [*_list(slot, "chain"), *_list(_object(spec, "parent"), "chain")]
    return tuple(intern(name) for name in named if isinstance(name, str))


def _objects(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [one for one in _list(value, key) if isinstance(one, Mapping)]


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _interval(
    slot: Mapping[str, Any], status: Mapping[str, Any], due: datetime | None
) -> tuple[datetime, datetime] | None:
    known = _object(status, "interval")
    start = _time(slot.get("intervalStart") or known.get("start"))
    end = _time(slot.get("intervalEnd") or known.get("end"))
    if start is None or end is None:
        return None
    return (start, due if due is not None and due == end else end)


def _parent(meta: Mapping[str, Any]) -> tuple[str, str] | None:
    uid, owners = _owner(meta, "WorkflowRun"), meta.get("ownerReferences")
    if uid is None or not isinstance(owners, list):
        return None
    return next(str(owner.get("name")) for owner in owners if _is(owner, uid)), uid


def _is(owner: Any, uid: str) -> bool:
    return isinstance(owner, Mapping) and owner.get("uid") == uid


def _owner(meta: Mapping[str, Any], kind: str = "Workflow") -> str | None:
    """The UID of the owner of this kind."""
    owners = meta.get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, Mapping) and owner.get("kind") == kind and isinstance(owner.get("uid"), str):
            return intern(owner["uid"])
    return None


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_time(value)
    except (ValueError, OverflowError):
        return None


def superfluous(
    runs: Collection[RunSummary],
    terms: Terms,
    last_slot: datetime | None,
    needed: Callable[[RunSummary], bool],
    now: datetime,
) -> tuple[tuple[RunSummary, ...], datetime | None]:
    """The runs of a Workflow that are history no more, oldest first, and when to ask again.

    `last_slot` is what the stored status says: a later slot's run guards it from being run twice. `needed` says of a
    run whether somebody else needs it.
    """
    history, ttl = terms.history, terms.ttl
    ended = [run for run in runs if run.ended and not run.deleting]
    past = _past(runs) if terms.depends_on_past else frozenset()
    keep = {True: history.succeeded, False: history.failed}
    going: list[RunSummary] = []
    soonest: datetime | None = None
    young = now - LEAST_AGE
    for run in sorted(ended, key=_ended_at, reverse=True):
        good = run.phase is RunPhase.SUCCEEDED
        keep[good] -= 1
        expires = _ended_at(run) + ttl
        if keep[good] < 0:
            expires = now
        if run.slot is not None and run.created_at > young:
            expires = max(expires, run.created_at + LEAST_AGE)
        if expires > now:
            soonest = expires if soonest is None else min(soonest, expires)
        elif run.name not in past and not _guards(run, last_slot) and not needed(run):
            going.append(run)
    going.reverse()
    if len(going) > MOST_DELETES:
        return tuple(going[:MOST_DELETES]), now + DELETE_PAUSE
    return tuple(going), soonest


def _ended_at(run: RunSummary) -> datetime:
    return run.finished_at or run.created_at


def _guards(run: RunSummary, last_slot: datetime | None) -> bool:
    """Whether its existence is all that keeps its slot from being run again."""
    return run.trigger is Trigger.SCHEDULE and run.slot is not None and (last_slot is None or run.slot > last_slot)


def _past(runs: Collection[RunSummary]) -> frozenset[str]:
    """The names of runs whose end the runs of later slots ask for: those of the last slot, and those of the slot before
    each run that has not ended. A run that was cancelled before it started stands for no slot."""
    by_slot: defaultdict[datetime, list[RunSummary]] = defaultdict(list)
    for run in runs:
        if run.slot is not None and not (run.phase is RunPhase.CANCELLED and run.started_at is None):
            by_slot[run.slot].append(run)
    slots = sorted(by_slot)
    asked = slots[-1:] + [before for before, slot in pairwise(slots) if not all(run.ended for run in by_slot[slot])]
    return frozenset(run.name for slot in asked for run in by_slot[slot])
