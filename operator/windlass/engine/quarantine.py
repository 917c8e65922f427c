"""A run that can't be read is set aside with a status that says why; no other run notices."""

from __future__ import annotations

import logging
from datetime import datetime

from windlass.engine.cache import Unreadable
from windlass.engine.ports import Api, Body, Observer
from windlass.engine.record import RunKey
from windlass.errors import AlreadyExists, Conflict, NotFound, Refused
from windlass.loglines import of_run
from windlass.models.common import format_time
from windlass.plan.types import RunEvent
from windlass.resources import EVENTS, RUNS

logger = logging.getLogger(__name__)
MERGE = "application/merge-patch+json"


async def quarantine(api: Api, observer: Observer, unreadable: Unreadable, now: datetime) -> None:
    """Say in the run's status what can't be read; in an Event where the API takes no such status.

    A bad spec ends the run; a bad status is left as it is, and so are the run's pods, which hold their results.
    """
    key = RunKey.of(unreadable.body)
    metadata = unreadable.body["metadata"]
    reason = "SpecInvalid" if unreadable.part == "spec" else "StatusUnreadable"
    message = f"the {unreadable.part} can't be read: {unreadable.error}"[:1024]
    condition = {
        "type": "Accepted",
        "status": "False",
        "reason": reason,
        "message": message,
        "lastTransitionTime": format_time(now),
    }
    status: dict[str, object] = {"reason": reason, "message": message, "conditions": [condition]}
    if unreadable.part == "spec":
        status |= {"phase": "Refused", "finishedAt": format_time(now)}
    if _says(unreadable.body, message):
        return
    # What is wrong may quote a value: the status has it, for those who may read the run.
    log = of_run(logger, *key, metadata["uid"])
    log.warning("run is set aside: %s; its status says what is wrong", reason)
    patch = {"metadata": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}, "status": status}
    try:
        await api.patch(RUNS, *key, patch, content_type=MERGE, subresource="status")
    except (Conflict, NotFound):
        log.debug("run has changed meanwhile")
    except Refused:
        try:
            await api.create(EVENTS, observer.event(unreadable.body, RunEvent("Warning", reason, message)))
        except AlreadyExists:
            log.debug("that the run can't be read was told before")


def _says(body: Body, message: str) -> bool:
    status = body.get("status")
    return isinstance(status, dict) and status.get("message") == message
