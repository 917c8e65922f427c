"""The runs in work, fed by watches, lists and answers, and never older than the engine's own last write.

An event of a run is taken when its version is newer than what is known. A run that was deleted and made again under
its name has another UID: the old one's pods are orphans, which are cleaned away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from windlass.engine.ports import Body
from windlass.engine.record import RunKey, RunRecord, version_of
from windlass.models.common import parse_time
from windlass.models.findings import summary
from windlass.models.parse import InvalidObject, read_run, read_status
from windlass.models.run import RunPhase
from windlass.plan.retention import DELETE_WORKSPACE_WITHIN, KEEP_WORKSPACE

logger = logging.getLogger(__name__)
WORKSPACE_CARE: Final = KEEP_WORKSPACE + DELETE_WORKSPACE_WITHIN
"""So long after a run's end its workspace is looked after."""
_OVER: Final = frozenset(phase.value for phase in RunPhase if phase.ended)


class Taken(Enum):
    """What became of a body that was given to the cache."""

    OLD = auto()
    """Not newer than what is known."""
    NEW = auto()
    """There is something to do."""
    OVER = auto()
    """The run has ended and nothing of it is in work."""


@dataclass(slots=True)
class Unreadable:
    """A run whose spec or status the models can't read."""

    body: Body
    part: str
    error: str
    told: bool = False
    """Its status, or an Event, says so."""


class RunCache:
    """Run records by key."""

    def __init__(self) -> None:
        self._records: dict[RunKey, RunRecord] = {}
        self.unreadable: dict[RunKey, Unreadable] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RunRecord]:
        return iter(tuple(self._records.values()))

    def get(self, key: RunKey) -> RunRecord | None:
        return self._records.get(key)

    def drop(self, key: RunKey, uid: str | None = None) -> bool:
        """Forget a run, with a UID only that one; whether it was known."""
        record, unreadable = self._records.get(key), self.unreadable.get(key)
        if record is not None and uid in (None, record.uid):
            del self._records[key]
            return True
        if unreadable is not None and uid in (None, unreadable.body["metadata"]["uid"]):
            del self.unreadable[key]
            return True
        return False

    def absorb(self, body: Body, *, in_use: bool = False, now: datetime | None = None) -> tuple[Taken, str | None]:
        """Take a run's body; with it comes the UID of the run that it replaced, if it did.

        `in_use` says that there are pods of the run: then one that has ended is taken too.
        """
        key, uid, version = RunKey.of(body), body["metadata"]["uid"], version_of(body)
        record = self._records.get(key)
        if record is not None and record.uid == uid:
            return (_renew(record, body, version), None)
        if record is not None and version <= record.version:
            return (Taken.OLD, None)
        known = self.unreadable.get(key)
        if known is not None and known.body["metadata"]["uid"] == uid and version <= version_of(known.body):
            return (Taken.OLD, None)
        replaced = record.uid if record is not None else None
        if record is None and not in_use and _is_over(body, now):
            self.unreadable.pop(key, None)
            return (Taken.OVER, None)
        fresh = _read(key, uid, version, body)
        if isinstance(fresh, Unreadable):
            self.drop(key)
            self.unreadable[key] = fresh
        else:
            self._records[key] = fresh
            self.unreadable.pop(key, None)
        return (Taken.NEW, replaced)


def _is_over(body: Body, now: datetime | None) -> bool:
    """Whether the run has ended, and its workspace is gone or stays for ever."""
    status = body.get("status") or {}
    if not isinstance(status, dict) or status.get("phase") not in _OVER:
        return False
    if not status.get("workspace"):
        return True
    try:
        return now is not None and parse_time(status["finishedAt"]) + WORKSPACE_CARE < now
    except (KeyError, TypeError, ValueError):
        return False


def _read(key: RunKey, uid: str, version: int, body: Body) -> RunRecord | Unreadable:
    try:
        spec = read_run(body)
    except InvalidObject as error:
        return Unreadable(body, "spec", summary(error.findings))
    try:
        status = read_status(body.get("status"))
    except InvalidObject as error:
        return Unreadable(body, "status", summary(error.findings))
    return RunRecord(key, uid, body, version, spec, status, status)


def _renew(record: RunRecord, body: Body, version: int) -> Taken:
    if version <= record.version:
        return Taken.OLD
    known, status = record.body, body.get("status")
    try:
        if body.get("spec") != known.get("spec"):
            record.spec = read_run(body)
        if status not in (known.get("status"), record.writing):
            record.stored = record.draft = read_status(status)
            record.events.clear()
            record.answers.clear()
            record.write_due = None
    except InvalidObject:
        # What was read before still holds: specs are immutable but for two fields, and statuses are our own.
        record.log(logger).warning("version %s can't be read; the one before is kept", version)
    record.body, record.version = body, version
    return Taken.NEW
