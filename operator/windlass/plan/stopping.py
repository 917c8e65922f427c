"""Why and when a run is stopped: asked for, or its time is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from windlass.models.common import delta, parse_time
from windlass.models.run import Stop
from windlass.plan.draft import Draft, Stopping
from windlass.plan.orders import stop_of
from windlass.plan.types import Seen

FINALLY_TIME: Final = timedelta(minutes=10)
"""What `finally` has of its own after a run that was stopped or has used up its timeout."""
CANCELLED: Final = "Cancelled"
TERMINATED: Final = "Terminated"
TIMED_OUT: Final = "TimedOut"
SOURCE_FAILED: Final = "SourceFailed"
REPLACED: Final = "Replaced"


def begin_stopping(draft: Draft) -> None:
    """Stop the run if its spec says so, if another takes its place, or if an earlier plan began to."""
    run = draft.seen.run
    stop, reason = stop_of(run), run.status.stop_reason
    if reason is None and stop is None and draft.seen.replaced_by is not None:
        reason = REPLACED
    if stop is None and reason is None:
        return
    if stop is Stop.TERMINATE and reason in (None, CANCELLED, REPLACED):
        reason = TERMINATED
    since = parse_time(run.status.stopping_at) if run.status.stopping_at else draft.now
    draft.stopping = Stopping(reason or CANCELLED, since)
    if stop is Stop.TERMINATE or reason == SOURCE_FAILED:
        draft.stopping_finals = draft.stopping


def run_deadline(seen: Seen, now: datetime) -> datetime | None:
    """When the run's timeout is over."""
    timeout = seen.program.spec.timeout
    if timeout is None:
        return None
    since = seen.run.status.retried_at or seen.run.status.started_at
    started = parse_time(since) if since else now
    return started + delta(timeout)


def finally_deadline(draft: Draft, deadline: datetime | None) -> datetime | None:
    """When the tasks of `finally` are stopped; None: they may take their time."""
    if draft.stopping is None and deadline is None:
        return None
    ends = [
        parse_time(task.finished_at)
        for name, task in draft.tasks.items()
        if task.finished_at is not None and not draft.seen.program.nodes[name].is_finally
    ]
    own = max(ends, default=draft.now) + FINALLY_TIME
    return max(own, deadline) if deadline is not None and draft.stopping is None else own


def time_out(draft: Draft) -> None:
    """Stop the run, for its time is over."""
    draft.stopping = Stopping(TIMED_OUT, draft.now)


def time_out_finally(draft: Draft, deadline: datetime) -> None:
    """Stop what is left of `finally`, for its time is over."""
    reason = draft.stopping.reason if draft.stopping is not None else TIMED_OUT
    draft.stopping_finals = draft.stopping_finals or Stopping(reason, deadline)
