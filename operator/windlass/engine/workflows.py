"""What is remembered of each Workflow: the terms of its runs and its status, without its tasks.

A body is kept until it was looked at, in its turn: ten thousand that come at once hold nobody up. One that was found
good before, as its status says, is not checked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from windlass.engine.ports import Body
from windlass.engine.record import created_at, version_of
from windlass.engine.slots import WorkflowKey
from windlass.models.common import parse_time
from windlass.models.findings import errors, summary
from windlass.models.parse import InvalidObject, read_workflow, read_workflow_status
from windlass.models.workflow import WorkflowSpec, WorkflowStatus
from windlass.plan.anchor import LOST
from windlass.plan.checks import check_spec
from windlass.plan.schedule import Timetable
from windlass.plan.terms import Terms, terms_of
from windlass.plan.workflow_types import Notice, Problem

MESSAGE_LIMIT: Final = 1024
_STAND_IN: Final = [{"name": "task"}]
"""In the place of the tasks, where these are of no interest."""


@dataclass(slots=True)
class WorkflowRecord:
    """One Workflow. Only the work on its key changes it, `seen` apart."""

    key: WorkflowKey
    uid: str
    version: int
    generation: int
    created_at: datetime
    stored: WorkflowStatus
    """As the API server has it, for all we know."""
    draft: WorkflowStatus
    """As planned, ahead of `stored` until it is written."""
    body: Body | None = None
    """Until its spec was read."""
    edited_at: datetime | None = None
    """When its spec was last written."""
    deleting: bool = False
    terms: Terms | None = None
    problem: Problem | None = None
    """What is wrong with its spec."""
    timetable: Timetable | None = None
    holidays: tuple[Any, ...] | None = None
    """The days of its ConfigMaps that the timetable was made with; None before it was made."""
    events: list[Notice] = field(default_factory=list)
    """To be told once the status that they belong to is stored."""
    writing: WorkflowStatus | None = None
    """The status whose write is under way: its event may come before its answer."""
    write_due: float | None = None
    """When, on the monotonic clock, the draft is to be written."""
    counts_due: float = 0.0
    """Figures that nobody waits for are not written before this moment."""
    hungry: bool = False
    """The end of a run is to be looked at at once."""

    @property
    def stored_slot(self) -> datetime | None:
        """The last slot that was dealt with, as the API server has it."""
        return parse_time(self.stored.last_slot) if self.stored.last_slot is not None else None

    @property
    def dirty(self) -> bool:
        return self.draft is not self.stored

    def read_spec(self) -> None:
        """Read what was not read yet."""
        if self.body is None:
            return
        body, self.body = self.body, None
        self.timetable = self.holidays = None
        try:
            self.terms, self.problem = terms_of(_spec(body, self.stored)), None
        except InvalidObject as error:
            message = summary(error.findings)[:MESSAGE_LIMIT]
            self.terms, self.problem = None, Problem("SpecInvalid", message)


def _spec(body: Body, status: WorkflowStatus) -> WorkflowSpec:
    """The spec; without its tasks where all of it was found good before. InvalidObject when anything is wrong."""
    spec = body.get("spec")
    ready = any(one.type == "Ready" and one.status == "True" for one in status.conditions)
    if ready and status.observed_generation == body["metadata"].get("generation") and isinstance(spec, dict):
        small = {name: value for name, value in spec.items() if name not in ("tasks", "finally", "params", "source")}
        if any(task.get("dependsOnPast") for task in (*spec.get("tasks", ()), *spec.get("finally", ()))):
            small["dependsOnPast"] = True
        try:
            return read_workflow({**body, "spec": {**small, "tasks": _STAND_IN}})
        except InvalidObject:
            pass  # all that is wrong with it is told below
    whole = read_workflow(body)
    if wrong := errors(check_spec(whole, ("spec",))):
        raise InvalidObject(list(wrong))
    return whole


class WorkflowCache:
    """Records by key."""

    def __init__(self) -> None:
        self._records: dict[WorkflowKey, WorkflowRecord] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[WorkflowRecord]:
        return iter(tuple(self._records.values()))

    def get(self, key: WorkflowKey) -> WorkflowRecord | None:
        return self._records.get(key)

    def seen(self, body: Body) -> bool:
        """Take a Workflow as the API gave it; whether there is anything to do."""
        meta = body["metadata"]
        key, version = WorkflowKey(meta["namespace"], meta["name"]), version_of(body)
        record = self._records.get(key)
        if record is not None and version <= record.version:
            return False
        if record is None or record.uid != meta["uid"]:
            status = _status(body)
            generation = meta.get("generation", 1)
            record = WorkflowRecord(key, meta["uid"], version, generation, created_at(body), status, status, body)
            record.edited_at, record.deleting = _edited_at(meta), "deletionTimestamp" in meta
            self._records[key] = record
            return True
        return _renew(record, body, version)

    def gone(self, key: WorkflowKey, uid: str | None = None) -> bool:
        """Forget a Workflow, with a UID only that one; whether it was known."""
        record = self._records.get(key)
        if record is None or uid not in (None, record.uid):
            return False
        del self._records[key]
        return True

    def keep_only(self, before: Iterable[WorkflowRecord], listed: Mapping[str, Any] | set[str]) -> list[WorkflowKey]:
        """Forget those that were known before a list began and that it did not hold, by UID; which those were."""
        lost = [record for record in before if record.uid not in listed]
        return [record.key for record in lost if self.gone(record.key, record.uid)]


def _renew(record: WorkflowRecord, body: Body, version: int) -> bool:
    meta = body["metadata"]
    generation = meta.get("generation", 1)
    deleting = "deletionTimestamp" in meta
    changed = generation != record.generation or deleting != record.deleting
    if generation != record.generation:
        record.body, record.edited_at = body, _edited_at(meta)
    status = _status(body)
    if status not in (record.stored, record.writing):
        record.stored = record.draft = status
        record.events.clear()
        record.write_due = None
        changed = True
    record.version, record.generation, record.deleting = version, generation, deleting
    return changed


def _status(body: Body) -> WorkflowStatus:
    """The stored status. When it can't be read nothing is known of the past: slots count from now on."""
    status = body.get("status")
    try:
        return read_workflow_status(status if isinstance(status, dict) else None)
    except InvalidObject:
        return WorkflowStatus(digest=LOST)


def _edited_at(meta: Mapping[str, Any]) -> datetime | None:
    """When the object was last written, but for its status, as the API server notes it."""
    entries = meta.get("managedFields")
    times = [
        entry["time"]
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and not entry.get("subresource") and isinstance(entry.get("time"), str)
    ]
    try:
        return max(map(parse_time, times), default=None)
    except ValueError:
        return None
