"""How a run ends: what its tasks came to, and what the status then says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.models.run import RunPhase, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.models.workflow import Outcome
from windlass.plan.attempts import cancel
from windlass.plan.draft import Draft
from windlass.plan.progress import ended_conditions, human_duration, progress
from windlass.plan.types import Node, Program, RunEvent, RunView

_STOPPED: Final = {
    "Cancelled": RunPhase.CANCELLED,
    "Terminated": RunPhase.CANCELLED,
    "Replaced": RunPhase.CANCELLED,
    "TimedOut": RunPhase.FAILED,
    "SourceFailed": RunPhase.FAILED,
}
_FAILED: Final = frozenset({TaskPhase.FAILED, TaskPhase.UPSTREAM_FAILED, TaskPhase.CANCELLED})


def failures(program: Program, tasks: Mapping[str, TaskStatus]) -> list[str]:
    """The tasks that make the run a failed one, `finally` apart, in the order of the DAG."""
    excused = excused_tasks(program, tasks)
    leaves_only = program.spec.outcome is Outcome.LEAVES
    return [
        name
        for name, node in program.nodes.items()
        if not node.is_finally
        and tasks[name].phase in _FAILED
        and name not in excused
        and not (leaves_only and any(map(_counts, map(program.nodes.__getitem__, node.downstream))))
    ]


def _counts(node: Node) -> bool:
    """Whether the tasks before it are no leaves."""
    return not node.is_finally and not (node.task.teardown_of and node.allows_failure)


def excused_tasks(program: Program, tasks: Mapping[str, TaskStatus]) -> frozenset[str]:
    """Tasks whose failure was allowed, and those that did not run because of nothing but such failures."""
    excused: set[str] = set()
    for name, node in program.nodes.items():
        phase = tasks[name].phase
        if node.allows_failure and (phase is TaskPhase.FAILED or (phase in _FAILED and node.task.teardown_of)):
            excused.add(name)
        elif phase is TaskPhase.UPSTREAM_FAILED:
            bad = [other for other in node.upstream if tasks[other].phase in _FAILED]
            if bad and excused.issuperset(bad):
                excused.add(name)
    return frozenset(excused)


def tasks_outcome(program: Program, tasks: Mapping[str, TaskStatus], stop_reason: str | None) -> RunPhase:
    """How the tasks ended, as `finally` sees it."""
    if stop_reason is not None:
        return _STOPPED.get(stop_reason, RunPhase.FAILED)
    return RunPhase.FAILED if failures(program, tasks) else RunPhase.SUCCEEDED


def finished(draft: Draft, status: WorkflowRunStatus) -> dict[str, Any]:
    """The fields of the status of a run whose tasks have all ended."""
    program, tasks = draft.seen.program, draft.tasks
    stop_reason = draft.stopping.reason if draft.stopping is not None else None
    outcome = draft.outcome or tasks_outcome(program, tasks, stop_reason)
    bad = failures(program, tasks)
    bad_finals = failed_finals(program, tasks)
    phase = RunPhase.FAILED if bad_finals and outcome is RunPhase.SUCCEEDED else outcome
    reason, message = _said(draft, phase, stop_reason, bad or bad_finals)
    if phase is RunPhase.FAILED:
        draft.events.append(RunEvent("Warning", "RunFailed", f"{reason}: {message}" if message else reason))
    return ending(draft.seen.run, status, phase, reason, message, draft.now) | {
        "progress": progress(tasks.values()),
        "stop_reason": stop_reason,
        "stopping_at": format_time(draft.stopping.since) if draft.stopping is not None else None,
    }


def ending(
    run: RunView, status: WorkflowRunStatus, phase: RunPhase, reason: str, message: str, now: datetime
) -> dict[str, Any]:
    """The fields of a status that ends now."""
    moment = format_time(now)
    started = parse_time(status.started_at) if status.started_at else now
    return {
        "phase": phase,
        "reason": reason,
        "message": message or None,
        "started_at": status.started_at or moment,
        "finished_at": moment,
        "duration": human_duration(now - started),
        "observed_generation": run.generation,
        "conditions": ended_conditions(status.conditions, phase, reason, message, moment, run.generation),
    }


def fail_run(run: RunView, reason: str, message: str, now: datetime) -> WorkflowRunStatus:
    """End a run that can't go on: its unfinished tasks are cancelled."""
    moment = format_time(now)
    tasks = [task if task.phase.ended else cancel(task, reason, moment) for task in run.status.tasks]
    fields = ending(run, run.status, RunPhase.FAILED, reason, message, now)
    return run.status.model_copy(update={**fields, "tasks": tasks, "progress": progress(tasks)})


def failed_finals(program: Program, tasks: Mapping[str, TaskStatus]) -> list[str]:
    """The tasks of `finally` that make a good run a failed one."""
    return [name for name, node in program.nodes.items() if _failed_final(node, tasks[name])]


def _failed_final(node: Node, status: TaskStatus) -> bool:
    return (
        node.is_finally and status.phase in _FAILED and not (status.phase is TaskPhase.FAILED and node.allows_failure)
    )


def _said(draft: Draft, phase: RunPhase, stop_reason: str | None, bad: list[str]) -> tuple[str, str]:
    if stop_reason == "SourceFailed":
        step = draft.source.step if draft.source else None
        return "SourceFailed", (step.message if step and step.message else "the source could not be had")
    if stop_reason == "TimedOut":
        return "TimedOut", f"the run took longer than its timeout of {draft.seen.program.spec.timeout}"
    if stop_reason is not None:
        message = f"stopped after {_count(draft.tasks)} of {len(draft.tasks)} tasks"
        other = draft.seen.replaced_by or "a newer run"
        return stop_reason, f"{message}: {other} took its place" if stop_reason == "Replaced" else message
    return told(draft.tasks, phase, bad)


def told(tasks: Mapping[str, TaskStatus], phase: RunPhase, bad: list[str]) -> tuple[str, str]:
    """Reason and message of a run whose end its tasks have decided; `bad` are those that failed it."""
    if phase is RunPhase.FAILED:
        named = ", ".join(bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        return "TasksFailed", f"{len(bad)} of {len(tasks)} tasks failed: {named}"
    return "Completed", f"{_count(tasks)} of {len(tasks)} tasks done"


def _count(tasks: Mapping[str, TaskStatus]) -> int:
    return sum(1 for task in tasks.values() if task.phase.ended and task.phase is not TaskPhase.CANCELLED)
