"""What a Backfill does next: which slots get a run, what became of those that have one, and when it is over. Pure.

(new) ─▶ Pending ─▶ Running ◀─▶ Suspended
            │          └─▶ Succeeded, Failed, Cancelled
            └─▶ Refused

The slots are those of the schedule that was pinned at the start, from `status.first` to `status.last`. `status.cursor`
says how far they are dealt with: each slot up to it was skipped, is in `active`, or is counted, so that none gets a
second run, whether its run still exists or not. What lies beyond is asked of the runs that exist.

    first ── skipped, active or counted ── cursor ── by what exists ── last
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.backfill import MOST_LISTED, BackfillPhase, BackfillRun, BackfillStatus, Order
from windlass.models.common import format_time, parse_time
from windlass.models.condition import Condition
from windlass.plan.backfill_book import Book, counted
from windlass.plan.backfill_slots import Walk, listed, walk
from windlass.plan.backfill_start import MOST_SLOTS, Trouble, check_start, find_range, without_bounds
from windlass.plan.backfill_types import BackfillPlan, BackfillSeen, BackfillView, Slots
from windlass.plan.history import RunSummary
from windlass.plan.types import RunEvent
from windlass.plan.workflow_types import Problem

WORKFLOW_PATIENCE: Final = timedelta(minutes=5)
"""How long a backfill waits for its Workflow: `kubectl apply -f dir/` has no order."""
CALENDAR_RETRY: Final = timedelta(seconds=30)
"""Between two looks for a ConfigMap of the schedule's calendar."""
MESSAGE_LIMIT: Final = 1024
P = BackfillPhase


def plan_backfill(seen: BackfillSeen, now: datetime) -> BackfillPlan:
    """The next actions of a backfill; equal inputs give equal plans."""
    status = seen.backfill.status
    if status.phase is not None and status.phase.ended:
        return BackfillPlan(status)
    if status.started_at is None:
        return _start(seen, now)
    return _go_on(seen, now)


def needed_by(view: BackfillView) -> Callable[[RunSummary], bool]:
    """Says of runs of the Workflow whether the backfill still asks if they exist: history must not delete them."""
    status = view.status
    if status.phase is not None and status.phase.ended:
        return lambda run: False
    if status.first is None or status.last is None:
        return lambda run: run.slot is not None
    active = frozenset(one.run for one in status.active)
    first, last = parse_time(status.first), parse_time(status.last)
    cursor = parse_time(status.cursor) if status.cursor is not None else None
    newest = view.spec.order is Order.NEWEST

    def needed(run: RunSummary) -> bool:
        if run.slot is None or not first <= run.slot <= last:
            return run.name in active
        return run.name in active or cursor is None or (run.slot < cursor if newest else run.slot > cursor)

    return needed


def refuse(view: BackfillView, trouble: Trouble, now: datetime) -> BackfillPlan:
    """The end of a backfill that never began."""
    message = trouble.message[:MESSAGE_LIMIT]
    status = _with(
        view,
        phase=P.REFUSED,
        reason=trouble.reason,
        message=message,
        finished_at=format_time(now),
        conditions=_conditions(view, now, Accepted=("False", trouble.reason, message)),
    )
    return BackfillPlan(status, events=(RunEvent("Warning", trouble.reason, message),))


# The start


def _start(seen: BackfillSeen, now: datetime) -> BackfillPlan:
    view, workflow = seen.backfill, seen.workflow
    if view.spec.stop is not None:
        return _end(view, Book.of(view.status), P.CANCELLED, "Cancelled", "it was stopped before it started", now)
    if workflow is None:
        return _missing(view, now)
    if workflow.spec is None:
        message = f"the Workflow {view.spec.workflow} can't be read: {workflow.complaint}"
        return refuse(view, Trouble("WorkflowInvalid", message), now)
    if seen.waits_for is not None:
        return _calendar_missing(view, seen.waits_for, now)
    trouble = check_start(view.spec, workflow.spec, seen.slots, seen.trouble)
    if trouble is not None or seen.slots is None or seen.schedule is None:
        return refuse(view, trouble or Trouble("ScheduleInvalid", seen.trouble), now)
    basis = find_range(view.spec, seen.schedule, seen.slots, now)
    if isinstance(basis, Trouble):
        return refuse(view, basis, now)
    if seen.total is None:
        return BackfillPlan(view.status, count=basis)
    if seen.total > MOST_SLOTS:
        message = (
            f"there are more than {MOST_SLOTS:,} slots from {view.spec.from_} to {view.spec.to}: take less at once"
        )
        return refuse(view, Trouble("TooManySlots", message), now)
    pinned = without_bounds(seen.schedule).model_dump(mode="json", by_alias=True, exclude_none=True)
    status = _with(
        view,
        phase=P.SUSPENDED if view.spec.suspend else P.RUNNING,
        reason="Started",
        message=f"{counted(seen.total, 'slot')} from {format_time(basis.first)} to {format_time(basis.last)}",
        total=seen.total,
        first=format_time(basis.first),
        last=format_time(basis.last),
        schedule=pinned,
        workflow_uid=workflow.uid,
        started_at=format_time(now),
        conditions=_conditions(view, now, Accepted=("True", "Started", "")),
        **Book.of(view.status).figures(seen.total),
    )
    if not view.spec.dry_run:
        return BackfillPlan(status, again=True)
    return _dry(seen, seen.slots, status, now)


def _missing(view: BackfillView, now: datetime) -> BackfillPlan:
    due = view.created_at + WORKFLOW_PATIENCE
    message = f"there is no Workflow {view.spec.workflow} in namespace {view.namespace}"
    if now >= due:
        text = f"{message}: the backfill has waited for it for 5 minutes"
        return refuse(view, Trouble("WorkflowNotFound", text), now)
    told = f"{message}; the backfill waits for it until {format_time(due)}"
    status = _with(
        view,
        phase=P.PENDING,
        reason="WorkflowNotFound",
        message=told,
        conditions=_conditions(view, now, Accepted=("Unknown", "WorkflowNotFound", told)),
    )
    return BackfillPlan(status, wake_at=due)


def _calendar_missing(view: BackfillView, problem: Problem, now: datetime) -> BackfillPlan:
    """Nothing is made before the days of the schedule's calendar are known."""
    status = _with(view, phase=view.status.phase or P.PENDING, reason=problem.reason, message=problem.message)
    return BackfillPlan(status, wake_at=now + CALENDAR_RETRY)


def _dry(seen: BackfillSeen, slots: Slots, status: BackfillStatus, now: datetime) -> BackfillPlan:
    view = seen.backfill
    found = listed(replace(seen, backfill=replace(view, status=status)), slots, MOST_LISTED)
    actions = [slot.action for slot in found]
    words = [("Run", "would be run"), ("Reprocess", "would be run once more"), ("Skip", "with a run already")]
    counts = ", ".join(f"{actions.count(action)} {text}" for action, text in words if action in actions)
    shown = "" if len(found) == seen.total else f"; of the first {len(found)}"
    message = f"{counted(seen.total or 0, 'slot')} from {status.first} to {status.last}{shown}: {counts}"
    return BackfillPlan(
        status.model_copy(
            update={
                "phase": P.SUCCEEDED,
                "reason": "DryRun",
                "message": message,
                "slots": found,
                "finished_at": format_time(now),
                "conditions": _conditions(
                    view, now, Accepted=("True", "Started", ""), Succeeded=("True", "DryRun", message)
                ),
            }
        )
    )


# Under way


def _go_on(seen: BackfillSeen, now: datetime) -> BackfillPlan:
    view = seen.backfill
    status, slots = view.status, seen.slots
    book = Book.of(status)
    confirm = book.settle(seen.runs, seen.gone)
    if confirm:
        return BackfillPlan(status, confirm=confirm)
    if slots is None and seen.waits_for is not None and view.spec.stop is None:
        settled = replace(view, status=_with(view, **book.figures(status.total or 0)))
        return _calendar_missing(settled, seen.waits_for, now)
    if slots is None and view.spec.stop is None:
        message = f"the schedule that the backfill was started with can't be used any more: {seen.trouble}"
        return _end(view, book, P.FAILED, "ScheduleInvalid", message, now)
    cursor = parse_time(status.cursor) if status.cursor else None
    held = _closing(seen, book) is not None or view.spec.suspend or _unreadable(seen) is not None
    room = 0 if held else view.spec.max_active_runs - len(book.active)
    found = walk(seen, slots, cursor, room) if slots is not None else Walk(cursor, (), 0, (), False, False)
    book.skipped += found.skipped
    for run in found.adopted:
        book.enter(run)
    why_not = _closing(seen, book)
    moved = view if found.cursor == cursor else _moved(view, found.cursor)
    if why_not is not None and not found.more and (not book.active or why_not[0] == "WorkflowGone"):
        return _end(moved, book, P.CANCELLED if why_not[0] == "Cancelled" else P.FAILED, *why_not, now)
    if found.finished and not book.active:
        return _end(moved, book, *_verdict(book), now)
    return _under_way(seen, moved, book, found, why_not)


def _closing(seen: BackfillSeen, book: Book) -> tuple[str, str] | None:
    """Why no more runs are made: reason and message."""
    view, workflow = seen.backfill, seen.workflow
    limit = view.spec.stop_after_failures
    if view.spec.stop is not None:
        return "Cancelled", "it was stopped"
    if workflow is None or workflow.uid != view.status.workflow_uid:
        return "WorkflowGone", f"the Workflow {view.spec.workflow} was deleted, and its runs with it"
    if limit is not None and book.failed >= limit:
        return "TooManyFailures", f"{counted(book.failed, 'run')} failed, and stopAfterFailures is {limit}"
    return None


def _unreadable(seen: BackfillSeen) -> str | None:
    return seen.workflow.complaint or None if seen.workflow is not None else None


def _under_way(
    seen: BackfillSeen, view: BackfillView, book: Book, found: Walk, why_not: tuple[str, str] | None
) -> BackfillPlan:
    complaint = _unreadable(seen)
    phase, reason, message = P.RUNNING, "RunsActive", book.told(view.status.total or 0)
    if why_not is not None:
        active = f"{counted(len(book.active), 'run')} still active" if book.active else "no run is active"
        reason, message = why_not[0], f"{why_not[1]}; {active}"
    elif view.spec.suspend:
        phase, reason, message = P.SUSPENDED, "Suspended", f"{message}; no more are made until it is resumed"
    elif seen.hindrance:
        reason, message = "RunRefused", f"no run can be made now, it is tried again: {seen.hindrance}"
    elif complaint is not None:
        reason = "WorkflowInvalid"
        message = f"the Workflow {view.spec.workflow} can't be read, so no run is made until it is mended: {complaint}"
    status = _with(
        view, phase=phase, reason=reason, message=message[:MESSAGE_LIMIT], **book.figures(view.status.total or 0)
    )
    cancels: tuple[BackfillRun, ...] = ()
    if view.spec.stop is not None:
        runs = ((one, seen.runs.get(one.run)) for one in book.active)
        cancels = tuple(one for one, run in runs if run is not None and not run.stopping)
    creates = found.creates if why_not is None else ()
    return BackfillPlan(status, creates=creates, cancels=cancels, again=found.more)


def _verdict(book: Book) -> tuple[BackfillPhase, str, str]:
    if book.failed or book.cancelled:
        return P.FAILED, "RunsFailed", book.told()
    return P.SUCCEEDED, "Completed", book.told()


def _end(
    view: BackfillView, book: Book, phase: BackfillPhase, reason: str, message: str, now: datetime
) -> BackfillPlan:
    """The backfill is over. What failed is told as an Event, too."""
    told = message if reason in ("RunsFailed", "Completed") else f"{message}: {book.told(view.status.total or 0)}"
    told = told[:MESSAGE_LIMIT]
    good = "True" if phase is P.SUCCEEDED else "False"
    status = _with(
        view,
        phase=phase,
        reason=reason,
        message=told,
        finished_at=format_time(now),
        conditions=_conditions(view, now, Succeeded=(good, reason, told)),
        **book.figures(view.status.total or 0),
    )
    return BackfillPlan(status, events=(RunEvent("Warning", reason, told),) if phase is P.FAILED else ())


# The status


def _moved(view: BackfillView, cursor: datetime | None) -> BackfillView:
    status = view.status.model_copy(update={"cursor": format_time(cursor) if cursor is not None else None})
    return replace(view, status=status)


def _with(view: BackfillView, **changes: Any) -> BackfillStatus:
    """The status with these changes; the very same when there are none."""
    before = view.status
    changes["observed_generation"] = view.generation
    if all(getattr(before, name) == value for name, value in changes.items()):
        return before
    return before.model_copy(update=changes)


def _conditions(view: BackfillView, now: datetime, **said: tuple[str, str, str]) -> list[Condition]:
    """The conditions with what is said of them now: status, reason and message."""
    found = {one.type: one for one in view.status.conditions}
    for kind, (status, reason, message) in said.items():
        before = found.get(kind)
        same = before is not None and before.status == status
        found[kind] = Condition.model_validate(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "last_transition_time": before.last_transition_time if before and same else format_time(now),
                "observed_generation": view.generation,
            }
        )
    return list(found.values())
