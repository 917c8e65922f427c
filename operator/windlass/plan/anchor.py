"""Where the slots of a schedule count from: no slot up to there is made up for. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.models.schedule import CatchUp, Schedule
from windlass.plan.workflow_types import WorkflowSeen

NO_SLOTS: Final = "none"
"""The digest where there is no schedule that can be used: one that is written later has slots from then on."""
LOST: Final = "lost"
"""The digest of a status that could not be read: nothing is known of the past, so slots count from now on."""


def slots_digest(schedule: Schedule) -> str:
    """What a schedule's slots depend on, in short: another digest means other slots."""
    days = [part and part.model_dump_json(exclude_none=True) for part in (schedule.exclude, schedule.include)]
    return _digest(repr((schedule.cron, schedule.time_zone, schedule.shift.value, *days)))


@lru_cache(maxsize=1024)
def _digest(parts: str) -> str:
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def origin(seen: WorkflowSeen, schedule: Schedule) -> datetime:
    """The moment after which slots count when the Workflow is new."""
    start = moment(schedule.start)
    first = seen.created_at
    if seen.timetable is not None and seen.timetable.is_once:
        first -= timedelta(seconds=1)  # its slot is the very creation
    if start is None or start > seen.created_at or schedule.catch_up is CatchUp.NONE:
        return first
    return start - timedelta(seconds=1)


def since_when(seen: WorkflowSeen, schedule: Schedule, now: datetime) -> datetime:
    """The moment after which slots count: the creation, `start` where catching up begins there, or the schedule's last
    edit, which is no reason to make up for slots that it never had."""
    status = seen.status
    if status.digest == LOST or (status.digest is None and status.last_slot is not None):
        return now
    if status.digest is None:
        return origin(seen, schedule)
    if status.digest == slots_digest(schedule):
        since = moment(status.since) or origin(seen, schedule)
    else:
        since = min(seen.edited_at, now) if seen.edited_at is not None else now
    if status.last_slot is None and schedule.start is not None and schedule.catch_up is not CatchUp.NONE:
        since = min(since, origin(seen, schedule))
    return since


def anchor(seen: WorkflowSeen, schedule: Schedule | None) -> dict[str, Any]:
    """The fields of the status that keep it while no slot is dealt with."""
    status = seen.status
    if schedule is None:
        return {"since": None, "digest": NO_SLOTS}
    if status.digest is None:
        return {"since": format_time(origin(seen, schedule)), "digest": slots_digest(schedule)}
    return {"since": status.since, "digest": status.digest}


def moment(text: str | None) -> datetime | None:
    """The instant that a field of the status names, where it is there."""
    return parse_time(text) if text is not None else None
