"""Writing a Workflow's status, with the version it was planned from, and telling what a person should notice."""

from __future__ import annotations

import logging
from typing import Final

from windlass import names
from windlass.engine.ports import Api, Clock, Observer
from windlass.engine.record import version_of
from windlass.engine.workflows import WorkflowRecord
from windlass.errors import AlreadyExists, ApiError, Conflict, NotFound
from windlass.models.workflow import WorkflowStatus
from windlass.plan.scheduling import Notice
from windlass.plan.types import RunEvent
from windlass.resources import EVENTS, WORKFLOWS

logger = logging.getLogger(__name__)

COALESCE: Final = 1.0
"""Seconds: changes of a status within this time go into one write."""
COUNTS_EVERY: Final = 5.0
"""Seconds between two writes of a status in which only figures have changed."""
IDLE_COUNTS_EVERY: Final = 30.0
"""The same for a Workflow without a schedule."""


class WorkflowStatuses:
    """Stores drafts, a moment after they were made."""

    def __init__(self, api: Api, clock: Clock, observer: Observer) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer

    def take(self, record: WorkflowRecord, status: WorkflowStatus, wait: float) -> None:
        """Take the planned status for the draft, and say when it is to be written, at least `wait` seconds later."""
        before, record.draft = record.draft, status
        if record.draft == record.stored:
            record.draft = record.stored
        if not record.dirty:
            record.write_due = None
        elif record.write_due is None or before is not record.draft:
            due = self._clock.monotonic() + COALESCE + wait
            if _only_counts(record):
                due = max(due, record.counts_due)
            record.write_due = due if record.write_due is None else min(record.write_due, due)

    def is_due(self, record: WorkflowRecord) -> bool:
        return record.write_due is not None and record.write_due <= self._clock.monotonic()

    async def store(self, record: WorkflowRecord) -> bool:
        """Write the draft; False when the Workflow is newer than what was planned from, or gone."""
        draft, before = record.draft, record.stored
        metadata = {
            "name": record.key.name,
            "namespace": record.key.namespace,
            "uid": record.uid,
            "resourceVersion": str(record.version),
        }
        status = draft.model_dump(mode="json", by_alias=True, exclude_none=True)
        body = {"apiVersion": names.API_VERSION, "kind": WORKFLOWS.kind, "metadata": metadata, "status": status}
        record.writing = draft
        try:
            answer = await self._api.replace_status(WORKFLOWS, body)
        except (Conflict, NotFound):
            record.writing = None
            return False
        finally:
            record.write_due = None
        record.writing = None
        record.version = max(record.version, version_of(answer))
        record.stored = draft
        scheduled = record.terms is not None and record.terms.schedule is not None
        record.counts_due = self._clock.monotonic() + (COUNTS_EVERY if scheduled else IDLE_COUNTS_EVERY)
        missed, skipped = _more(before.missed, draft.missed), _more(before.skipped, draft.skipped)
        if missed or skipped:
            self._observer.slots_passed(*record.key, missed, skipped)
        events, record.events = record.events, []
        for event in events:
            await self._tell(record, event)
        return True

    async def _tell(self, record: WorkflowRecord, notice: Notice) -> None:
        """Make the Kubernetes Event. One that can't be made is logged: the status says the same."""
        about = {"name": record.key.name, "namespace": record.key.namespace, "uid": record.uid}
        event = RunEvent(notice.type, notice.reason, notice.note)
        whole = self._observer.event({"metadata": about}, event, resource=WORKFLOWS, about=notice.about)
        try:
            await self._api.create(EVENTS, whole)
        except AlreadyExists:
            logger.debug("event %s was told before", notice.reason)
        except ApiError as error:
            logger.warning("event %s of workflow %s/%s was not told: %s", notice.reason, *record.key, error)


def _only_counts(record: WorkflowRecord) -> bool:
    """Whether nothing differs from what is stored but figures that nobody waits for."""
    figures = {"active_runs": None, "queued_runs": None, "last_success": None}
    return record.draft.model_copy(update=figures) == record.stored.model_copy(update=figures)


def _more(before: int | None, after: int | None) -> int:
    return max(0, (after or 0) - (before or 0))
