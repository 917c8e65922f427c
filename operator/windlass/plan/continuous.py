"""`@continuous`: a run follows the end of the last one. Pure.

Its slot is derived from that end, so that it is the same whoever asks; and it comes no sooner than a pause after the
slot before, a longer one after a failure, so that runs that end at once make no storm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from windlass import names
from windlass.models.common import format_time
from windlass.models.run import RunPhase, Trigger
from windlass.models.schedule import Schedule
from windlass.plan.anchor import anchor, moment
from windlass.plan.workflow_types import WorkflowPlan, WorkflowSeen, slot_request

CONTINUOUS_PAUSE: Final = timedelta(seconds=5)
"""The least time from one slot to the next."""
FAILURE_PAUSE: Final = timedelta(minutes=1)
"""The least time from the end of a run that did not succeed to the next slot."""


def plan_continuous(seen: WorkflowSeen, schedule: Schedule, now: datetime) -> WorkflowPlan:
    """A run follows the end of the last one. Its slot is derived from that end, so that it is the same whoever asks."""
    last, end, start = moment(seen.status.last_slot), moment(schedule.end), moment(schedule.start)
    own = [run for run in seen.runs.values() if run.owner == seen.uid and run.trigger is Trigger.SCHEDULE]
    newest = max(own, key=lambda run: run.slot or run.created_at, default=None)
    begin = max(seen.created_at, start or seen.created_at)
    slot = _whole_second(begin)
    if newest is not None and newest.slot is not None and (last is None or newest.slot > last):
        last = newest.slot  # its status was not written
    if last is not None:
        slot = max(slot, last + CONTINUOUS_PAUSE)
    if newest is not None and newest.finished_at is not None:
        pause = timedelta(0) if newest.phase is RunPhase.SUCCEEDED else FAILURE_PAUSE
        slot = max(slot, _whole_second(newest.finished_at) + pause)
    update = {
        "reason": "Scheduled",
        "message": None,
        "last_slot": format_time(last) if last is not None else None,
        "next_slot": None,
        **anchor(seen, schedule),
    }
    status = seen.status.model_copy(update=update)
    if any(not run.ended for run in own):
        return WorkflowPlan(status, hungry=True)
    if end is not None and slot > end:
        return WorkflowPlan(status.model_copy(update={"reason": "Ended", "message": "the schedule has ended"}))
    if slot > now:
        status = status.model_copy(update={"next_slot": format_time(slot)})
        return WorkflowPlan(status, wake_at=slot, hungry=True)
    request = slot_request(schedule, names.slot_run_name(seen.name, slot), slot, last or slot, last, now)
    return WorkflowPlan(status.model_copy(update={"last_slot": format_time(slot)}), (request,), hungry=True)


def _whole_second(moment: datetime) -> datetime:
    """The first whole second that is not earlier."""
    floor = moment.replace(microsecond=0)
    return floor if floor == moment else floor + timedelta(seconds=1)
