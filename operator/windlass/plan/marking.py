"""Skip, MarkSuccess and MarkFailed: a person says how tasks have ended.

A task with a pod gets an order, which is carried out once the pod has ended; any other is marked at once. What never
ran because of it is decided anew. A run that has ended is judged anew, and starts nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from windlass.models.action import TaskOrder, Verb
from windlass.models.common import format_time
from windlass.models.run import RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.plan.action_types import Action, ActionRefused, Change
from windlass.plan.assets import produced_assets
from windlass.plan.budget import cut
from windlass.plan.choosing import chosen, counted, listed, never_ran_after
from windlass.plan.finish import failed_finals, failures, told
from windlass.plan.foreach_again import busy
from windlass.plan.progress import ended_conditions, progress
from windlass.plan.reruns import sent_back
from windlass.plan.types import Program, RunView

_ENDS: Final = {
    Verb.SKIP: (TaskPhase.SKIPPED, "SkippedByAction", "skipped"),
    Verb.MARK_SUCCESS: (TaskPhase.SUCCEEDED, "MarkedSuccess", "marked as succeeded"),
    Verb.MARK_FAILED: (TaskPhase.FAILED, "MarkedFailed", "marked as failed"),
}
_JUDGED: Final = frozenset({"Completed", "TasksFailed"})
"""The reasons of runs whose tasks alone have decided about their end."""


def mark(run: RunView, program: Program, action: Action, now: datetime) -> Change:
    """Give the named tasks an end."""
    ended = run.status.phase is not None and run.status.phase.ended
    if ended and run.status.reason not in _JUDGED:
        raise ActionRefused(f"the run ended {run.status.reason}, and marking its tasks would not change that")
    phase, _, word = _ENDS[action.spec.verb]
    tasks = {task.name: task for task in run.status.tasks}
    names = chosen(program, action)
    changed = [name for name in names if tasks[name].phase is not phase]
    if not changed:
        return Change(run.status, f"{listed(names)} {'is' if len(names) == 1 else 'are'} {phase.value} already")
    order = TaskOrder(verb=action.spec.verb, message=cut(f"{word} {action.author}", 512))
    for name in changed:
        before = tasks[name]
        ending = busy(before)
        tasks[name] = before.model_copy(update={"order": order}) if ending else marked(before, order, format_time(now))
    message = f"{word}: {counted(changed)}"
    if ended:
        return _judged(run, program, tasks, f"{message}{_left_behind(program, changed, tasks)}", changed, now)
    again = [name for name in never_ran_after(program, changed, tasks) if name not in changed]
    for name in again:
        tasks[name] = sent_back(tasks[name], now)
    if again:
        message += f"; decided anew: {listed(again)}"
    entries = [tasks[task.name] for task in run.status.tasks]
    return Change(run.status.model_copy(update={"tasks": entries}), message, (*changed, *again))


def marked(status: TaskStatus, order: TaskOrder, moment: str) -> TaskStatus:
    """The task with the end that was ordered."""
    phase, reason, _ = _ENDS[Verb(order.verb)]
    update: dict[str, Any] = {
        "phase": phase,
        "reason": reason,
        "message": order.message,
        "retry_at": None,
        "finished_at": moment,
        "order": None,
    }
    if phase is not TaskPhase.SUCCEEDED:
        update["outputs"] = None
    return status.model_copy(update=update)


def carried_out(status: TaskStatus, order: TaskOrder, now: datetime) -> TaskStatus:
    """The task after its pod has ended, as it was ordered."""
    if order.verb == Verb.CLEAR:
        return sent_back(status, now)
    return marked(status, order, format_time(now))


def _left_behind(program: Program, changed: list[str], tasks: dict[str, TaskStatus]) -> str:
    left = [name for name in never_ran_after(program, changed, tasks) if name not in changed]
    return f"; not run because of it, and to be run by Retry or Clear: {listed(left)}" if left else ""


def _judged(
    run: RunView, program: Program, tasks: dict[str, TaskStatus], message: str, changed: list[str], now: datetime
) -> Change:
    """The status of an ended run after its tasks were marked: it has the end that they come to."""
    bad = failures(program, tasks) or failed_finals(program, tasks)
    phase = RunPhase.FAILED if bad else RunPhase.SUCCEEDED
    reason, said = told(tasks, phase, bad)
    entries = [tasks[task.name] for task in run.status.tasks]
    status: WorkflowRunStatus = run.status
    fields: dict[str, Any] = {
        "tasks": entries,
        "progress": progress(entries),
        "phase": phase,
        "reason": reason,
        "message": said,
        "conditions": ended_conditions(status.conditions, phase, reason, said, format_time(now), run.generation),
        "assets": produced_assets(program, tasks, status.assets),
    }
    if phase is not status.phase:
        message += f"; the run is {phase.value} now"
    return Change(status.model_copy(update=fields), message, tuple(changed))
