"""Whether a run is taken on: from a run that was just made to one that is running, waiting, or refused.

(new) ─┬─ its Workflow is missing ──▶ Pending/WorkflowNotFound ── 5 minutes ──▶ Refused
       ├─ stopped before it started ─▶ Cancelled
       ├─ not its turn ──────────────▶ Queued, and asked again; or Cancelled, as the policy is
       ├─ anything wrong with it ────▶ Refused, with every finding
       └─ good ──────────────────────▶ Running, all tasks Waiting
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.models.condition import Condition
from windlass.models.findings import Finding, errors, summary
from windlass.models.run import DataInterval, RunPhase, SourceStatus, Stop, TaskPhase, TaskStatus, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.checks import check_spec
from windlass.plan.context import run_context, trigger_of
from windlass.plan.deadline import DEADLINE_MISSED, judge
from windlass.plan.graph import compile_program
from windlass.plan.groups import groups_of
from windlass.plan.orders import stop_of
from windlass.plan.params import check_params
from windlass.plan.partial import partial
from windlass.plan.progress import progress
from windlass.plan.times import Admitted, interval_of, zone_of
from windlass.plan.turns import Turn, TurnKind
from windlass.plan.types import Program, RunEvent, RunView

__all__ = ["Admission", "admit", "check_params", "check_spec", "hold", "refuse"]

WORKFLOW_PATIENCE: Final = timedelta(minutes=5)
"""How long a run waits for its Workflow: `kubectl apply -f dir/` has no order."""
MESSAGE_LIMIT: Final = 1024
NOTHING_TOLD: Final = Admitted()


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of a run that was not yet admitted."""

    status: WorkflowRunStatus
    program: Program | None = None
    """Given when the run was admitted."""
    wake_at: datetime | None = None
    """When to ask again."""
    events: tuple[RunEvent, ...] = ()


def admit(
    run: RunView,
    spec: WorkflowSpec | None,
    now: datetime,
    checked: Program | None = None,
    told: Admitted = NOTHING_TOLD,
) -> Admission:
    """Admit a run of this definition, None when its Workflow does not exist, or say why not. The engine adds the
    revision that the run is pinned to. `checked` is the program of a definition that was found good before, `told` what
    the run is to know of its Workflow."""
    if stop_of(run) is not None:
        return _stopped(run, spec, now)
    if spec is None:
        return _missing(run, now)
    path = ("spec", "workflowSpec") if run.spec.workflow_spec is not None else ("spec",)
    wrong = errors(check_spec(spec, path)) if checked is None else ()
    if wrong:
        return refuse(run, "SpecInvalid", wrong, now)
    run = replace(run, status=_told(run, told))
    context = {name: value for name, value in run_context(run, zone_of(spec)).items() if name != "params"}
    params, found = check_params(spec, run.spec.params, context)
    if wrong := errors(found):
        return refuse(run, "ParamsInvalid", wrong, now)
    program = checked or compile_program(spec)
    accepted = _accepted(run, program, params, now)
    if run.spec.tasks:
        tasks, missing = partial(program, run.spec.tasks, told.earlier, format_time(now))
        if missing:
            return refuse(run, "TasksInvalid", tuple(missing), now)
        accepted = accepted.model_copy(update={"tasks": tasks, "progress": progress(tasks)})
    return Admission(accepted, program)


def hold(run: RunView, spec: WorkflowSpec, turn: Turn, now: datetime) -> Admission:
    """A run that may not go, by the answer that it was given: it is Queued, or it ends."""
    if turn.kind is TurnKind.END:
        event = RunEvent("Normal", turn.reason, turn.message)
        return Admission(_never_run(run, turn.reason, turn.message, now), events=(event,))
    judged = judge(run, spec, _queued(run, turn, now), now)
    return Admission(judged.status, wake_at=judged.wake_at, events=judged.events)


def _queued(run: RunView, turn: Turn, now: datetime) -> WorkflowRunStatus:
    """The status of a run that waits; what it was told when it came stays, though those before it go."""
    status = run.status
    if not turn.reason:
        return status
    same = status.phase is RunPhase.QUEUED and status.reason == turn.reason
    if same and (turn.reason == "MaxActiveRuns" or status.message == turn.message):
        return status
    return _base(run, now).model_copy(
        update={
            "phase": RunPhase.QUEUED,
            "reason": turn.reason,
            "message": turn.message,
            "conditions": [_condition(run, "Accepted", "Unknown", turn.reason, turn.message, now), *_lateness(run)],
        }
    )


def refuse(run: RunView, reason: str, findings: tuple[Finding, ...] | str, now: datetime) -> Admission:
    """The end of a run that never began, with everything that is wrong with it."""
    told = findings if isinstance(findings, str) else summary(findings, MESSAGE_LIMIT)
    message = told[:MESSAGE_LIMIT]
    status = _base(run, now).model_copy(
        update={
            "phase": RunPhase.REFUSED,
            "reason": reason,
            "message": message,
            "finished_at": format_time(now),
            "conditions": [_condition(run, "Accepted", "False", reason, message, now), *_lateness(run)],
        }
    )
    return Admission(status, events=(RunEvent("Warning", reason, message),))


def _missing(run: RunView, now: datetime) -> Admission:
    name = run.spec.workflow
    due = run.created_at + WORKFLOW_PATIENCE
    message = f"there is no Workflow {name} in namespace {run.namespace}"
    if now >= due:
        return refuse(run, "WorkflowNotFound", f"{message}: the run has waited for it for 5 minutes", now)
    told = f"{message}; the run waits for it until {format_time(due)}"
    if run.status.phase is RunPhase.PENDING and run.status.message == told:
        return Admission(run.status, wake_at=due)
    status = _base(run, now).model_copy(
        update={
            "phase": RunPhase.PENDING,
            "reason": "WorkflowNotFound",
            "message": told,
            "conditions": [_condition(run, "Accepted", "Unknown", "WorkflowNotFound", told, now)],
        }
    )
    return Admission(status, wake_at=due)


def _stopped(run: RunView, spec: WorkflowSpec | None, now: datetime) -> Admission:
    reason = "Terminated" if stop_of(run) is Stop.TERMINATE else "Cancelled"
    tasks = [
        TaskStatus(name=task.name, phase=TaskPhase.CANCELLED, reason=reason, finished_at=format_time(now))
        for task in ((*spec.tasks, *spec.finally_) if spec is not None else ())
    ]
    status = _never_run(run, reason, "the run was stopped before it started", now)
    progress = f"{len(tasks)}/{len(tasks)}" if tasks else None
    return Admission(status.model_copy(update={"stop_reason": reason, "tasks": tasks, "progress": progress}))


def _never_run(run: RunView, reason: str, message: str, now: datetime) -> WorkflowRunStatus:
    """The status of a run that ends before it started."""
    return _base(run, now).model_copy(
        update={
            "phase": RunPhase.CANCELLED,
            "reason": reason,
            "message": message,
            "finished_at": format_time(now),
            "conditions": [
                _condition(run, "Accepted", "False", reason, message, now),
                _condition(run, "Succeeded", "False", reason, message, now),
                *_lateness(run),
            ],
        }
    )


def _accepted(run: RunView, program: Program, params: dict[str, Any], now: datetime) -> WorkflowRunStatus:
    order = [task.name for task in (*program.spec.tasks, *program.spec.finally_)]
    source = program.spec.source
    return _base(run, now).model_copy(
        update={
            "phase": RunPhase.QUEUED,
            "reason": "Admitted",
            "message": None,
            "params": params or None,
            "progress": f"0/{len(order)}",
            "source": SourceStatus(repo=source.git.repo, ref=source.git.ref) if source is not None else None,
            "conditions": [_condition(run, "Accepted", "True", "Admitted", "", now), *_lateness(run)],
            "tasks": [TaskStatus(name=name) for name in order],
            "groups": groups_of(program.spec),
        }
    )


def _told(run: RunView, told: Admitted) -> WorkflowRunStatus:
    """The status of a run that knows what it is told."""
    interval = interval_of(run.spec.slot)
    if interval is None and told.interval is not None:
        start, end = told.interval
        interval = DataInterval(start=format_time(start), end=format_time(end))
    return run.status.model_copy(update={"interval": interval, "previous_success": told.previous})


def _base(run: RunView, now: datetime) -> WorkflowRunStatus:
    slot = run.spec.slot
    return run.status.model_copy(
        update={
            "trigger": trigger_of(run),
            "slot": format_time(parse_time(slot.scheduled_at)) if slot is not None else None,
            "workflow": run.workflow,
            "queued_at": run.status.queued_at or format_time(now),
            "observed_generation": run.generation,
        }
    )


def _lateness(run: RunView) -> list[Condition]:
    """What was said of its deadline while it waited."""
    return [condition for condition in run.status.conditions if condition.type == DEADLINE_MISSED]


def _condition(run: RunView, kind: str, status: str, reason: str, message: str, now: datetime) -> Condition:
    before = next((one for one in run.status.conditions if one.type == kind and one.status == status), None)
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=before.last_transition_time if before is not None else format_time(now),
        observed_generation=run.generation,
    )
