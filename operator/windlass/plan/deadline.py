"""When a run is late: told once, by a condition and an Event. It ends nothing: `timeout` does that.

A deadline counts from the slot of a run that its schedule or another run made, late as it may have been made; from the
creation of one made by hand or by a Backfill, whose slot may be long past; or from the start. A run is late when it has
not ended by then, whatever its phase: one whose end is only seen after its deadline is late too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from windlass.models.common import delta, format_time, parse_time
from windlass.models.condition import Condition
from windlass.models.run import Trigger, WorkflowRunStatus
from windlass.models.workflow import LateFrom, WorkflowSpec
from windlass.plan.types import RunEvent, RunView

DEADLINE_MISSED: Final = "DeadlineMissed"
"""The condition, its reason, and the Event."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A status that says when the run is late, and whether it is."""

    status: WorkflowRunStatus
    """The very object that was given, when nothing changed."""
    events: tuple[RunEvent, ...] = ()
    wake_at: datetime | None = None
    """When the run would be late."""


def deadline_of(run: RunView, spec: WorkflowSpec, started_at: str | None) -> datetime | None:
    """When the run is late; None: never, or not before it has started."""
    deadline = spec.deadline
    if deadline is None:
        return None
    after = delta(deadline.after)
    if deadline.from_ is LateFrom.STARTED:
        return parse_time(started_at) + after if started_at is not None else None
    slot = run.spec.slot
    due = slot is not None and slot.trigger is not Trigger.BACKFILL
    return (parse_time(slot.scheduled_at) if slot is not None and due else run.created_at) + after


def judge(run: RunView, spec: WorkflowSpec, status: WorkflowRunStatus, now: datetime) -> Judged:
    """`status`, which a plan has made of the run, with what is to be said of its deadline."""
    due = deadline_of(run, spec, status.started_at)
    text = format_time(due) if due is not None else None
    if status.deadline != text:
        status = status.model_copy(update={"deadline": text})
    if due is None or missed_at(status) is not None:
        return Judged(status)
    if now < due:
        return Judged(status, wake_at=None if status.phase is not None and status.phase.ended else due)
    assert spec.deadline is not None
    since = "it was due" if spec.deadline.from_ is LateFrom.SCHEDULED else "its start"
    message = f"the run has not ended {spec.deadline.after} after {since}, which was its deadline: {text}"
    late = Condition(
        type=DEADLINE_MISSED,
        status="True",
        reason=DEADLINE_MISSED,
        message=message,
        last_transition_time=format_time(now),
        observed_generation=run.generation,
    )
    told = RunEvent("Warning", DEADLINE_MISSED, message)
    return Judged(status.model_copy(update={"conditions": [*status.conditions, late]}), (told,))


def missed_at(status: WorkflowRunStatus) -> datetime | None:
    """When it was found that the run is late; None: it is not, for all that is known."""
    for condition in status.conditions:
        if condition.type == DEADLINE_MISSED and condition.status == "True":
            return parse_time(condition.last_transition_time)
    return None
