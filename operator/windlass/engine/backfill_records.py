"""What is remembered of each Backfill that has not ended: its spec, its status, and the slots of its schedule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from windlass.engine.keepers import ObjectKey
from windlass.engine.ports import Body
from windlass.engine.record import created_at, version_of
from windlass.engine.slots import WorkflowKey
from windlass.models.backfill import BackfillSpec, BackfillStatus
from windlass.models.findings import summary
from windlass.models.parse import InvalidObject, read_backfill, read_backfill_status
from windlass.plan.backfill import needed_by
from windlass.plan.backfill_types import BackfillView, Slots
from windlass.plan.history import RunSummary
from windlass.plan.types import RunEvent


@dataclass(slots=True)
class BackfillRecord:
    """One Backfill. Only the work on its key changes it, `Records.seen` apart."""

    key: ObjectKey
    uid: str
    version: int
    body: Body
    spec: BackfillSpec
    status: BackfillStatus
    """As the API server has it, for all we know."""
    names: frozenset[str] = frozenset()
    """The runs that the status names."""
    slots: Slots | None = None
    """Of the pinned schedule, once it was compiled."""
    needed: Callable[[RunSummary], bool] = lambda run: True
    """Whether it still needs a run of its Workflow."""
    events: list[RunEvent] = field(default_factory=list)
    """To be told, now that the status that they belong to is stored."""

    @property
    def workflow(self) -> WorkflowKey:
        return WorkflowKey(self.key.namespace, self.spec.workflow)

    def view(self) -> BackfillView:
        """The backfill as the planner reads it."""
        generation = self.body["metadata"].get("generation", 1)
        made = created_at(self.body)
        return BackfillView(self.key.namespace, self.key.name, self.uid, generation, made, self.spec, self.status)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A Backfill whose spec or status the models can't read."""

    body: Body
    part: str
    error: str


class Records:
    """The backfills that have not ended, by key and by Workflow; of the others the version alone."""

    def __init__(self) -> None:
        self._records: dict[ObjectKey, BackfillRecord] = {}
        self._by_workflow: defaultdict[WorkflowKey, set[ObjectKey]] = defaultdict(set)
        self._over: dict[ObjectKey, tuple[str, int]] = {}
        """Those that have ended, or can't be read: UID and version."""
        self.unreadable: dict[ObjectKey, Unreadable] = {}
        """Those of which nobody was told yet."""

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[BackfillRecord]:
        return iter(tuple(self._records.values()))

    def get(self, key: ObjectKey) -> BackfillRecord | None:
        return self._records.get(key)

    def of(self, workflow: WorkflowKey) -> tuple[BackfillRecord, ...]:
        """The backfills of a Workflow."""
        return tuple(self._records[key] for key in self._by_workflow.get(workflow, ()))

    def keys(self) -> set[ObjectKey]:
        """Every backfill that is known, ended or not."""
        return {*self._records, *self._over}

    def seen(self, body: Body) -> bool:
        """Take a backfill as the API gave it, unless something newer is known; whether there is anything to do."""
        key, uid, version = ObjectKey.of(body), body["metadata"]["uid"], version_of(body)
        record, over = self._records.get(key), self._over.get(key)
        known = record.version if record is not None else over[1] if over is not None else 0
        if version <= known:
            return False
        try:
            spec = read_backfill(body)
        except InvalidObject as error:
            return self._set_aside(key, uid, Unreadable(body, "spec", summary(error.findings)))
        try:
            status = read_backfill_status(body.get("status"))
        except InvalidObject as error:
            return self._set_aside(key, uid, Unreadable(body, "status", summary(error.findings)))
        if (status.phase is not None and status.phase.ended) or "deletionTimestamp" in body["metadata"]:
            self._end(key, uid, version)
            return False
        fresh = BackfillRecord(key, uid, version, body, spec, status, named(status))
        fresh.needed = needed_by(fresh.view())
        if record is not None and record.uid == uid:
            fresh.slots, fresh.events = record.slots, record.events
        self._put(fresh)
        return True

    def gone(self, key: ObjectKey, uid: str | None = None) -> None:
        """Forget a backfill that was deleted, with a UID only that one."""
        record, over = self._records.get(key), self._over.get(key)
        known = record.uid if record is not None else over[0] if over is not None else None
        if uid in (None, known):
            self._take(key)
            self._over.pop(key, None)
            self.unreadable.pop(key, None)

    def _end(self, key: ObjectKey, uid: str, version: int) -> None:
        self._take(key)
        self.unreadable.pop(key, None)
        self._over[key] = (uid, version)

    def _set_aside(self, key: ObjectKey, uid: str, unreadable: Unreadable) -> bool:
        self._end(key, uid, version_of(unreadable.body))
        self.unreadable[key] = unreadable
        return True

    def _put(self, record: BackfillRecord) -> None:
        self._take(record.key)
        self._over.pop(record.key, None)
        self.unreadable.pop(record.key, None)
        self._records[record.key] = record
        self._by_workflow[record.workflow].add(record.key)

    def _take(self, key: ObjectKey) -> None:
        record = self._records.pop(key, None)
        if record is None:
            return
        self._by_workflow[record.workflow].discard(key)
        if not self._by_workflow[record.workflow]:
            del self._by_workflow[record.workflow]


def named(status: BackfillStatus) -> frozenset[str]:
    """The runs that a status names."""
    return frozenset(one.run for one in (*status.active, *status.failures))


def status_json(status: BackfillStatus) -> dict[str, Any]:
    """The status as it stands in the object."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
