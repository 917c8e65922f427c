"""Writing a run's status, with the version it was planned from, and telling what a person should notice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from windlass import names
from windlass.engine.ports import Api, Body, Clock, Observer
from windlass.engine.record import RunRecord, version_of
from windlass.errors import AlreadyExists, ApiError, Refused, Unreachable
from windlass.models.run import WorkflowRunStatus
from windlass.plan.types import RunEvent
from windlass.resources import EVENTS, RUNS

logger = logging.getLogger(__name__)
WRITE_INTERVAL: Final = 1.0
"""Seconds: coalesced writes of one run come no closer than this; urgent ones do."""


def status_json(status: WorkflowRunStatus) -> Body:
    """The status as it stands in the object."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


class StatusWriter:
    """Stores drafts. `stored` is called with each answer."""

    def __init__(self, api: Api, clock: Clock, observer: Observer, stored: Callable[[Body], None]) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer
        self._stored = stored

    async def store(self, record: RunRecord) -> None:
        """Write the record's draft. Conflict when the run is newer than what was planned from, NotFound when gone."""
        draft, before = record.draft, record.stored
        record.writing = status_json(draft)
        metadata = {
            "name": record.key.name,
            "namespace": record.key.namespace,
            "uid": record.uid,
            "resourceVersion": str(record.version),
        }
        try:
            answer = await self._api.replace_status(
                RUNS,
                {"apiVersion": names.API_VERSION, "kind": RUNS.kind, "metadata": metadata, "status": record.writing},
            )
        except Unreachable:
            # It may have been carried out: then its event is recognised by what was written.
            raise
        except ApiError as error:
            record.writing = None
            if isinstance(error, Refused):
                note = f"the API takes no status of this run, so the run stands still: {error.message}"
                await self.tell(record, RunEvent("Warning", "StatusRefused", note[:1024]))
            raise
        record.writing = None
        if version_of(answer) > record.version:
            record.body, record.version = answer, version_of(answer)
        self._stored(answer)
        record.stored = draft
        record.write_due = None
        now = self._clock.monotonic()
        record.confirmed_at, record.next_write = now, now + WRITE_INTERVAL
        self._observer.status_stored(record.view(), before, draft, record.program)

    async def tell(self, record: RunRecord, event: RunEvent) -> None:
        """Make the Kubernetes Event. One that can't be made is logged: the status says the same."""
        try:
            await self._api.create(EVENTS, self._observer.event(record.body, event))
        except AlreadyExists:
            record.log(logger).debug("event %s was told before", event.reason)
        except ApiError as error:
            record.log(logger).warning("event %s was not told: %s", event.reason, error)
