"""Approvals: a task that waits for a person's word, and holds no pod.

                    ┌─ Approve ──▶ Succeeded, the form's values are its outputs
Running ────────────┼─ Reject ───▶ Failed (Rejected)
AwaitingApproval    └─ timeout ──▶ what onTimeout says: Succeeded | Failed (Rejected | ApprovalTimeout)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from windlass.models.approval import Approval, OnTimeout
from windlass.models.common import delta, format_time, parse_time
from windlass.models.findings import summary
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.action_types import Action, ActionRefused, Change
from windlass.plan.attempts import fail
from windlass.plan.budget import MAX_RUN_OUTPUTS, cut, json_size, outputs_size
from windlass.plan.choosing import chosen, listed
from windlass.plan.draft import Draft, changed
from windlass.plan.params import check_given
from windlass.plan.templates import TemplateError, render
from windlass.plan.types import Node, Program, RunView

AWAITING: Final = "AwaitingApproval"
REJECTED: Final = "Rejected"
TIMED_OUT: Final = "ApprovalTimeout"
APPROVED: Final = "Approved"
BY_DEFAULT: Final = "ApprovedByDefault"


def advance_approval(draft: Draft, node: Node, status: TaskStatus, context: Mapping[str, Any]) -> TaskStatus:
    """Ask, and go on waiting until the time is over. `context` is what the message may read."""
    approval = node.task.approval
    assert approval is not None, "only approvals are asked"
    if status.phase is not TaskPhase.RUNNING:
        if draft.holding:
            return changed(status, phase=TaskPhase.QUEUED, reason="Suspended", message=None, retry_at=None)
        try:
            message = str(render({"message": approval.message}, context, double_dollar=False)["message"])
        except TemplateError as error:
            return fail(draft, status, "TemplateError", str(error))
        status = status.model_copy(
            update={
                "phase": TaskPhase.RUNNING,
                "reason": AWAITING,
                "message": cut(message),
                "started_at": draft.moment,
                "retry_at": None,
            }
        )
    due = deadline(approval, status)
    if due is None:
        return status
    if due > draft.now:
        draft.wake(due)
        return status
    return _unanswered(draft, approval, status, due)


def deadline(approval: Approval, status: TaskStatus) -> datetime | None:
    """Until when it may be answered; None: for ever."""
    if approval.timeout is None or status.started_at is None:
        return None
    return parse_time(status.started_at) + delta(approval.timeout)


def approve(run: RunView, program: Program, action: Action, now: datetime) -> Change:
    """The answer yes, with the values of the form."""
    name, approval = _asked(run, program, action, now)
    values = _filled_in(approval, action)
    outputs = {**values, "approvedBy": action.spec.requested_by}
    used = outputs_size(run.status.tasks)
    if used + json_size(outputs) > MAX_RUN_OUTPUTS:
        budget = MAX_RUN_OUTPUTS // 1024
        raise ActionRefused(f"the values don't fit: the outputs of a run have a budget of {budget} KiB")
    return _answered(run, name, now, TaskPhase.SUCCEEDED, APPROVED, f"approved {action.author}", outputs)


def reject(run: RunView, program: Program, action: Action, now: datetime) -> Change:
    """The answer no."""
    name, _ = _asked(run, program, action, now)
    return _answered(run, name, now, TaskPhase.FAILED, REJECTED, f"rejected {action.author}", None)


def _asked(run: RunView, program: Program, action: Action, now: datetime) -> tuple[str, Approval]:
    """The approval that is meant. ActionRefused when there is none, it is over, or it is another's to give."""
    tasks = {task.name: task for task in run.status.tasks}
    named = chosen(program, action)
    waiting = [name for name, task in tasks.items() if _waits(task)]
    if not named and len(waiting) != 1:
        several = f"{listed(waiting)} wait for approval: name the task" if waiting else "no task waits for approval"
        raise ActionRefused(several)
    if len(named) > 1:
        raise ActionRefused("an answer is for one approval: name one task")
    name = named[0] if named else waiting[0]
    approval = program.nodes[name].task.approval
    if approval is None:
        raise ActionRefused(f"{name} is no approval")
    if not _waits(tasks[name]):
        raise ActionRefused(_not_waiting(tasks[name]))
    due = deadline(approval, tasks[name])
    if due is not None and due <= now:
        raise ActionRefused(f"{name} could be answered until {format_time(due)}: its time is over")
    _refuse_others(name, approval, action)
    return name, approval


def _waits(task: TaskStatus) -> bool:
    return task.phase is TaskPhase.RUNNING and task.reason == AWAITING


def _not_waiting(task: TaskStatus) -> str:
    if task.phase.ended:
        told = f": {task.message}" if task.message else ""
        return f"{task.name} waits for no answer any more, it is {task.phase.value}{told}"
    return f"{task.name} waits for no answer yet, it is {task.phase.value}"


def _refuse_others(name: str, approval: Approval, action: Action) -> None:
    who = approval.approvers
    if who is None or not (who.users or who.groups):
        return
    if action.spec.requested_by in who.users or set(who.groups).intersection(action.spec.requested_groups):
        return
    parts = [f"user {user}" for user in who.users] + [f"group {group}" for group in who.groups]
    raise ActionRefused(f"{action.spec.requested_by} is no approver of {name}: it wants {listed(parts)}")


def _filled_in(approval: Approval, action: Action) -> dict[str, Any]:
    """The form's values, defaults included. ActionRefused when something is missing or wrong."""
    given = action.spec.values
    if unknown := [name for name in given if name not in approval.form]:
        there = f"it has {listed(sorted(approval.form))}" if approval.form else "it takes none"
        raise ActionRefused(f"the form has no value {listed(unknown)}: {there}")
    if found := check_given(approval.form, given):
        raise ActionRefused(f"the values are not as the form wants them: {summary(found, 600)}")
    defaults = {name: schema["default"] for name, schema in approval.form.items() if "default" in schema}
    missing = [name for name in approval.form if name not in given and name not in defaults]
    if missing:
        wanted = [f"{name} ({kind})" if (kind := approval.form[name].get("type")) else name for name in missing]
        raise ActionRefused(f"the form wants a value for {listed(wanted)}")
    return {**defaults, **given}


def _answered(
    run: RunView,
    name: str,
    now: datetime,
    phase: TaskPhase,
    reason: str,
    message: str,
    outputs: dict[str, Any] | None,
) -> Change:
    update = {
        "phase": phase,
        "reason": reason,
        "message": cut(message),
        "finished_at": format_time(now),
        "outputs": outputs,
    }
    tasks = [task.model_copy(update=update) if task.name == name else task for task in run.status.tasks]
    return Change(run.status.model_copy(update={"tasks": tasks}), f"{name} was {message}", (name,))


def _unanswered(draft: Draft, approval: Approval, status: TaskStatus, due: datetime) -> TaskStatus:
    message = f"nobody answered within {approval.timeout}"
    match approval.on_timeout or OnTimeout.FAIL:
        case OnTimeout.APPROVE:
            defaults = {name: schema["default"] for name, schema in approval.form.items() if "default" in schema}
            return status.model_copy(
                update={
                    "phase": TaskPhase.SUCCEEDED,
                    "reason": BY_DEFAULT,
                    "message": f"{message}: approved by default",
                    "finished_at": format_time(due),
                    "outputs": {**defaults, "approvedBy": None},
                }
            )
        case OnTimeout.REJECT:
            return fail(draft, status, REJECTED, f"{message}: rejected by default", due)
        case OnTimeout.FAIL:
            return fail(draft, status, TIMED_OUT, message, due)
