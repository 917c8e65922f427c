"""Retry and Clear: tasks go back to where they wait, and a run that had ended goes on.

What was is kept: attempts stay listed and their numbers go on, so that no new pod meets the name of an old one. What
counts against a task begins anew: its retries, its timeout, and the run's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from windlass.models.action import TaskOrder, Verb
from windlass.models.common import format_time
from windlass.models.run import RunPhase, SourceStatus, TaskPhase, TaskStatus
from windlass.models.workflow import Keep
from windlass.plan.action_types import Action, ActionRefused, Change
from windlass.plan.choosing import chosen, counted, listed, never_ran_after
from windlass.plan.foreach_again import attempts_made, busy, refuse_good, said, with_instances_again
from windlass.plan.graph import transitive_upstream
from windlass.plan.orders import with_orders
from windlass.plan.progress import progress, running_conditions, running_message
from windlass.plan.retention import workspace_due
from windlass.plan.types import Program, RunView

_WENT_WRONG: Final = frozenset({TaskPhase.FAILED, TaskPhase.UPSTREAM_FAILED, TaskPhase.CANCELLED})


def retry(run: RunView, program: Program, action: Action, now: datetime) -> Change:
    """Go on from where it failed: what went wrong, or the named tasks of it, and what waited for them."""
    tasks = {task.name: task for task in run.status.tasks}
    wrong = [name for name, task in tasks.items() if task.phase in _WENT_WRONG and name in program.nodes]
    named = _without_good_members(program, action, chosen(program, action), wrong)
    good = [name for name in named if name not in wrong]
    if action.spec.indices:
        for name in tasks.keys() & set(named):
            refuse_good(tasks[name], action.spec.indices)
    elif good:
        verb = "has" if len(good) == 1 else "have"
        raise ActionRefused(f"{listed(good)} {verb} not failed: Clear runs a task again whatever its end")
    roots = named or tuple(name for name in program.nodes if name in wrong)
    if not roots and not _source_failed(run):
        raise ActionRefused("no task of the run has failed")
    return _again(run, program, action, now, roots)


def _without_good_members(
    program: Program, action: Action, named: tuple[str, ...], wrong: Sequence[str]
) -> tuple[str, ...]:
    """Of groups that the action names, only the tasks that went wrong, where there are any."""
    asked = action.spec.tasks
    found = tuple(
        name for name in named if name in wrong or name in asked or program.nodes[name].task.group not in asked
    )
    return found or named


def clear(run: RunView, program: Program, action: Action, now: datetime) -> Change:
    """Run the named tasks again, whatever their end."""
    return _again(run, program, action, now, chosen(program, action))


def sent_back(status: TaskStatus, now: datetime) -> TaskStatus:
    """The task as if it had never started, but for its past attempts."""
    attempts = [*status.attempts]
    if attempts and attempts[-1].finished_at is None:
        attempts[-1] = attempts[-1].model_copy(update={"finished_at": format_time(now), "reason": "Cleared"})
    made = attempts_made(status) or None
    return TaskStatus(name=status.name, attempts=attempts, dropped=status.dropped, cleared=made)


def _again(run: RunView, program: Program, action: Action, now: datetime, roots: tuple[str, ...]) -> Change:
    tasks = {task.name: task for task in run.status.tasks}
    ended = run.status.phase is not None and run.status.phase.ended
    back = {*roots, *never_ran_after(program, roots, tasks)}
    if ended and (not roots or any(not program.nodes[name].is_finally for name in roots)):
        back |= {name for name, node in program.nodes.items() if node.is_finally}
    partly = _partly(program, action, tasks, roots, back)
    changed: list[str] = []
    for name in program.nodes:
        before = tasks.get(name) or TaskStatus(name=name)
        if name in back and before.removing:
            raise ActionRefused(f"what {name} has made is still being deleted: ask again in a moment")
        if name in back and before != TaskStatus(name=name):
            some = name in partly
            tasks[name] = with_instances_again(before, action.spec.indices) if some else _back(before, action, now)
            changed.append(name)
    entries = [tasks[task.name] for task in run.status.tasks]
    told = [said(tasks[name], action.spec.indices if name in roots else ()) for name in changed]
    message = f"runs again: {counted(told)}" if changed else "nothing of it had started yet"
    if not ended:
        return Change(run.status.model_copy(update={"tasks": entries}), message, tuple(changed))
    fields, remark = _restarted(run, program, entries, now)
    return Change(run.status.model_copy(update={"tasks": entries, **fields}), message + remark, tuple(changed))


def _partly(
    program: Program, action: Action, tasks: Mapping[str, TaskStatus], roots: tuple[str, ...], back: set[str]
) -> set[str]:
    """The tasks of which only some instances run again: those that are named, or by a retry those that went wrong.

    Where a task before it runs again too, the items may be others, and all of it runs again.
    """
    if action.spec.indices:
        return set(roots)
    if action.spec.verb is not Verb.RETRY:
        return set()
    return {
        name
        for name in roots
        if (status := tasks.get(name)) is not None
        and status.instances is not None
        and back.isdisjoint(transitive_upstream(program, name))
    }


def _back(status: TaskStatus, action: Action, now: datetime) -> TaskStatus:
    if busy(status):
        return status.model_copy(update={"order": TaskOrder(verb=Verb.CLEAR, message=f"cleared {action.author}")})
    return sent_back(status, now)


def _restarted(run: RunView, program: Program, entries: list[TaskStatus], now: datetime) -> tuple[dict[str, Any], str]:
    """The fields of a run that goes on after its end, and what is to be said of it."""
    status, moment = run.status, format_time(now)
    fields: dict[str, Any] = {
        "phase": RunPhase.RUNNING,
        "reason": "TasksRunning",
        "message": running_message(entries),
        "progress": progress(entries),
        "finished_at": None,
        "duration": None,
        "stop_reason": None,
        "stopping_at": None,
        "attempt": (status.attempt or 1) + 1,
        "retried_at": moment,
        "groups": [one.model_copy(update={"retries": 0, "retry_at": None}) for one in status.groups or ()] or None,
        "orders": with_orders(run, stop=None, stop_over=run.spec.stop),
        "conditions": running_conditions(status.conditions, run, RunPhase.RUNNING, moment),
        "source": _source_again(status.source, now),
    }
    if not _workspace_is_gone(run, program, now):
        return fields, ""
    fields["workspace"] = None
    return fields, "; its workspace was deleted, so it gets a new and empty one"


def _source_failed(run: RunView) -> bool:
    source = run.status.source
    return source is not None and source.step is not None and source.step.phase in _WENT_WRONG


def _source_again(source: SourceStatus | None, now: datetime) -> SourceStatus | None:
    """The source, to be resolved again where it was not."""
    if source is None or source.step is None or source.commit is not None:
        return source
    return source.model_copy(update={"step": sent_back(source.step, now)})


def _workspace_is_gone(run: RunView, program: Program, now: datetime) -> bool:
    """Whether the workspace was deleted after the run's end, or is about to be."""
    workspace = program.spec.workspace
    if workspace is None or workspace.keep is Keep.ALWAYS or not any(task.attempts for task in run.status.tasks):
        return False
    due = workspace_due(program, run.status)
    return run.status.workspace is None or (due is not None and due <= now)
