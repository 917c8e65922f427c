"""Tasks that are runs of other Workflows: started, followed, stopped with their parent, and started again as tasks are.

                       ┌─ the child succeeded ─▶ Succeeded, with its outputs
Queued ─▶ Running ─────┼─ it ended otherwise ──▶ Retrying | Failed (ChildFailed, ChildCancelled, ChildRefused)
          ChildRunning └─ it was deleted ──────▶ Retrying | Failed (class Infra, ChildGone)

The child's name is derived, and stands in the status before the child is made: to make it again is to find it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from windlass import names
from windlass.models.child import MOST_DEEP
from windlass.models.common import parse_time
from windlass.models.run import Attempt, FailureClass, RunPhase, Stop, TaskPhase, TaskStatus
from windlass.plan.attempts import cancel, conclude, fail, next_number, refused, under_way, with_attempt
from windlass.plan.budget import MAX_RUN_OUTPUTS, cut
from windlass.plan.draft import Draft, changed
from windlass.plan.task_types import ChildLaunch, ChildStop, ChildView
from windlass.plan.templates import TemplateError, render
from windlass.plan.types import Node, PodResult, RefusalKind

CHILD_RUNNING: Final = "ChildRunning"
CYCLE: Final = "ChildCycle"
_ENDS: Final = {
    RunPhase.FAILED: "ChildFailed",
    RunPhase.CANCELLED: "ChildCancelled",
    RunPhase.REFUSED: "ChildRefused",
}


_AT_WORK: Final = (RunPhase.RUNNING, *_ENDS)


def follow_child(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """Take what the child of an attempt under way says."""
    if not under_way(status):
        return status
    name = status.attempts[-1].run or ""
    read = draft.seen.read_children
    view = read[name] if name in read else draft.seen.children.get(name)
    uid = status.attempts[-1].uid
    if view is None or uid not in (None, view.uid):
        return _missing(draft, node, status, name, read=name in read)
    status = _noted(status, view)
    due = _due(node, view)
    late = due is not None and due <= draft.now
    if not _waits(node):
        return _concluded(draft, node, status, _success({"run": name}))
    if view.phase is not None and view.phase.ended:
        if view.outputs is None:
            draft.confirm_children.append(name)
            return status
        return _concluded(draft, node, status, _end(view, late=late))
    stopping = draft.stops(node)
    if stopping is not None or status.order is not None or late:
        stop = Stop.TERMINATE if stopping is not None and stopping.reason == "Terminated" else Stop.CANCEL
        if view.stop not in (stop, Stop.TERMINATE):
            draft.child_stops.append(ChildStop(name, view.uid, stop))
        return changed(status, reason="Stopping", message=None)
    if due is not None:
        draft.wake(due)
    told = f": {view.message}" if view.message else "" if view.phase in _AT_WORK else f" is {view.phase or 'Pending'}"
    return changed(status, phase=TaskPhase.RUNNING, reason=CHILD_RUNNING, message=cut(f"run {name}{told}", 512))


def start_child(draft: Draft, node: Node, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    """Make the child of the next attempt. `context` is what its parameters may read."""
    child = node.task.run
    assert child is not None, "only tasks that are runs have children"
    run = draft.seen.run
    number = next_number(status)
    name = names.child_run_name(run.name, run.uid, status.name, number)
    refusal = draft.seen.refusals.get(name)
    if refusal is not None and refusal.kind is RefusalKind.LAUNCH:
        return refused(draft, status, refusal.reason, refusal.message)
    if draft.holding:
        return changed(status, phase=TaskPhase.QUEUED, reason="Suspended", message=None, retry_at=None)
    parent = run.spec.parent
    chain = [*(parent.chain if parent is not None else ()), run.workflow]
    if child.workflow in chain or len(chain) >= MOST_DEEP:
        return fail(draft, status, CYCLE, _no_further(child.workflow, chain))
    try:
        params = render({"run": {"params": child.params}}, context, double_dollar=False)["run"]["params"]
    except TemplateError as error:
        return fail(draft, status, "TemplateError", str(error))
    draft.children.append(ChildLaunch(name, status.name, number, child.workflow, params, run.spec.logical_date, chain))
    update = with_attempt(status, Attempt(number=number, run=name))
    message = f"run {name} of {child.workflow}"
    return status.model_copy(
        update={
            **update,
            "phase": TaskPhase.RUNNING,
            "reason": CHILD_RUNNING,
            "message": message,
            "retry_at": None,
            "started_at": status.started_at or draft.moment,
        }
    )


def _missing(draft: Draft, node: Node, status: TaskStatus, name: str, *, read: bool) -> TaskStatus:
    """No such child is known: it was never made, or it was deleted."""
    last = status.attempts[-1]
    refusal = draft.seen.refusals.get(name)
    if last.uid is None and refusal is not None:
        if refusal.kind is RefusalKind.LAUNCH:
            return refused(draft, _without_last(status), refusal.reason, refusal.message)
        if refusal.retry_at is not None and refusal.retry_at > draft.now:
            draft.wake(refusal.retry_at)
            return changed(status, reason=refusal.reason, message=cut(refusal.message, 512))
    if not read:
        draft.confirm_children.append(name)
        return status
    if last.uid is None:
        if (stopping := draft.stops(node)) is not None:
            return cancel(status, stopping.reason, draft.moment)
        return _without_last(status).model_copy(update={"phase": TaskPhase.QUEUED})
    message = f"the run {name} was deleted, and its result with it"
    return _concluded(draft, node, status, PodResult(FailureClass.INFRA, "ChildGone", message=message))


def _without_last(status: TaskStatus) -> TaskStatus:
    return status.model_copy(update={"attempts": status.attempts[:-1]})


def _waits(node: Node) -> bool:
    child = node.task.run
    return child is None or child.wait is not False


def _noted(status: TaskStatus, view: ChildView) -> TaskStatus:
    last = status.attempts[-1]
    if last.uid == view.uid:
        return status
    seen = last.model_copy(update={"uid": view.uid, "created_at": view.created_at, "started_at": view.created_at})
    return status.model_copy(update={"attempts": [*status.attempts[:-1], seen]})


def _due(node: Node, view: ChildView) -> datetime | None:
    """When the task's timeout is over for this attempt."""
    return None if node.timeout is None or view.created_at is None else parse_time(view.created_at) + node.timeout


def _end(view: ChildView, *, late: bool) -> PodResult:
    if view.phase is RunPhase.SUCCEEDED:
        return _success({"run": view.name, "tasks": dict(view.outputs or {})})
    reason = _ENDS.get(view.phase or RunPhase.FAILED, "ChildFailed")
    if late and view.phase is RunPhase.CANCELLED:
        return PodResult(FailureClass.TIMEOUT, "DeadlineExceeded", message=f"the run {view.name} took too long")
    told = f": {view.message}" if view.message else ""
    return PodResult(FailureClass.APP, reason, message=f"the run {view.name} ended {view.phase}{told}")


def _success(outputs: dict[str, Any]) -> PodResult:
    return PodResult(None, "Completed", message=json.dumps(outputs), limit_bytes=MAX_RUN_OUTPUTS)


def _concluded(draft: Draft, node: Node, status: TaskStatus, result: PodResult) -> TaskStatus:
    return conclude(draft, node, status, result, None)


def _no_further(workflow: str, chain: list[str]) -> str:
    way = " → ".join([*chain, workflow])
    if workflow in chain:
        return f"a run can't start its own Workflow again: {way}"
    return f"runs start runs at most {MOST_DEEP} deep: {way}"
