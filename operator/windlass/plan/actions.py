"""What RunActions make of a run: a pure function from the run and an action to the run's next status, or a refusal.

           ┌─ was it applied before? ──▶ the same answer, nothing changes
action ──▶ ├─ a row of _REFUSALS ──────▶ Refused, and why
           └─ the change of its verb ──▶ Applied: the action's UID goes into the very status that it changed

What it changes the planner then brings on: pods are ended, tasks start again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from windlass.models.action import ActionRecord, Verb
from windlass.models.common import format_time
from windlass.models.run import RunPhase, Stop
from windlass.plan.action_types import ABOUT_RUN, Action, ActionRefused, Change, Outcome
from windlass.plan.approval import approve, reject
from windlass.plan.budget import MAX_MESSAGE, cut
from windlass.plan.marking import mark
from windlass.plan.orders import stop_of, suspended, with_orders
from windlass.plan.reruns import clear, retry
from windlass.plan.types import Program, RunView

MAX_RECORDS: Final = 32
"""Actions that a run remembers."""
MAX_NAMED: Final = 20
"""Tasks that a record names."""
_PAST: Final = {Stop.CANCEL: "cancelled", Stop.TERMINATE: "terminated"}
_NOT_ADMITTED: Final = frozenset({None, RunPhase.PENDING, RunPhase.QUEUED})


def apply_action(run: RunView, program: Program | None, action: Action, now: datetime) -> Outcome:
    """What becomes of the action. `program` is None for a run that was not admitted, or whose definition is lost."""
    before = next((record for record in run.status.actions or () if record.uid == action.uid), None)
    if before is not None:
        return Outcome(run.status, True, before.message, tuple(before.tasks))
    try:
        _refuse_by_table(run, program, action)
        change = _CHANGES[action.spec.verb](run, program, action, now)
    except ActionRefused as refusal:
        return Outcome(run.status, False, cut(str(refusal), MAX_MESSAGE))
    message = cut(change.message, MAX_MESSAGE)
    record = ActionRecord(
        uid=action.uid,
        name=action.name,
        verb=action.spec.verb,
        by=action.spec.requested_by,
        at=format_time(now),
        unverified=None if action.verified else True,
        reason=action.spec.reason,
        message=message,
        tasks=list(change.tasks[:MAX_NAMED]),
    )
    records = [*(change.status.actions or ()), record][-MAX_RECORDS:]
    return Outcome(change.status.model_copy(update={"actions": records}), True, message, change.tasks)


def _refuse_by_table(run: RunView, program: Program | None, action: Action) -> None:
    for verbs, holds, why in _REFUSALS:
        if action.spec.verb in verbs and holds(run, program):
            raise ActionRefused(why(run))


def _is_stopping(run: RunView, _: Program | None) -> bool:
    return not _has_ended(run, None) and (run.status.stop_reason is not None or stop_of(run) is not None)


def _has_ended(run: RunView, _: Program | None) -> bool:
    return run.status.phase is not None and run.status.phase.ended


def _is_new(run: RunView, _: Program | None) -> bool:
    return run.status.phase in _NOT_ADMITTED


def _ended_as(*phases: RunPhase) -> Callable[[RunView, Program | None], bool]:
    return lambda run, _: run.status.phase in phases


def _is_finishing(run: RunView, program: Program | None) -> bool:
    """Only the tasks of `finally` are left."""
    if program is None or _has_ended(run, program):
        return False
    phases = {task.name: task.phase for task in run.status.tasks}
    return all(
        node.is_finally or (name in phases and phases[name].ended) for name, node in program.nodes.items()
    )  # fmt: skip


def _said(run: RunView) -> str:
    phase = run.status.phase
    return phase.value if phase is not None else "Pending"


_EVERY: Final = frozenset(Verb)
_AGAIN: Final = frozenset({Verb.RETRY, Verb.CLEAR})
_MARKS: Final = frozenset({Verb.SKIP, Verb.MARK_SUCCESS, Verb.MARK_FAILED})
_ANSWERS: Final = frozenset({Verb.APPROVE, Verb.REJECT})
_SWITCHES: Final = frozenset({Verb.SUSPEND, Verb.RESUME})
_STOPS: Final = frozenset({Verb.CANCEL, Verb.TERMINATE})
_Holds = Callable[[RunView, Program | None], bool]
_REFUSALS: Final[Sequence[tuple[frozenset[Verb], _Holds, Callable[[RunView], str]]]] = (
    (_EVERY, _ended_as(RunPhase.REFUSED),
     lambda run: "the run was refused, so there is nothing to act on: mend what its message says, and start another"),
    (_EVERY - ABOUT_RUN, _is_new,
     lambda run: f"the run is {_said(run)}: it has not started, so its tasks can't be acted on yet"),
    (_STOPS | _SWITCHES | _ANSWERS, _has_ended, lambda run: f"the run has ended already: {_said(run)}"),
    (frozenset({Verb.RETRY}), _ended_as(RunPhase.SUCCEEDED),
     lambda run: "the run has succeeded, so nothing is to be retried: Clear runs tasks again whatever their end"),
    (_MARKS, _ended_as(RunPhase.CANCELLED),
     lambda run: "the run was cancelled, and marking its tasks would not change that: Retry goes on where it stopped"),
    (_EVERY - _STOPS, _is_stopping,
     lambda run: "the run is being stopped: wait until it has ended, then act on it"),
    (_EVERY - ABOUT_RUN, lambda run, program: program is None,
     lambda run: "the definition that the run was started with is gone: start another run"),
    (_AGAIN, _is_finishing,
     lambda run: "only the tasks of finally are left, and they are running: wait until the run has ended"),
)  # fmt: skip
"""Which verbs a run refuses as it stands, in this order, and what is said."""


def _switch(value: bool) -> Callable[[RunView, Program | None, Action, datetime], Change]:
    def change(run: RunView, _: Program | None, action: Action, now: datetime) -> Change:
        word = "suspended" if value else "running on"
        if suspended(run) is value:
            return Change(run.status, f"the run was {word} already")
        orders = with_orders(run, suspend=value, suspend_over=run.spec.suspend)
        done = "what runs goes on, nothing new starts" if value else "the run goes on"
        return Change(run.status.model_copy(update={"orders": orders}), done)

    return change


def _stop(value: Stop) -> Callable[[RunView, Program | None, Action, datetime], Change]:
    def change(run: RunView, _: Program | None, action: Action, now: datetime) -> Change:
        known = stop_of(run)
        if known in (value, Stop.TERMINATE):
            return Change(run.status, f"the run is being {_PAST[known]} already")
        orders = with_orders(run, stop=value)
        return Change(run.status.model_copy(update={"orders": orders}), f"the run is {_PAST[value]}")

    return change


_CHANGES: Final[Mapping[Verb, Callable[[RunView, Any, Action, datetime], Change]]] = {
    Verb.RETRY: retry,
    Verb.CLEAR: clear,
    Verb.SKIP: mark,
    Verb.MARK_SUCCESS: mark,
    Verb.MARK_FAILED: mark,
    Verb.APPROVE: approve,
    Verb.REJECT: reject,
    Verb.SUSPEND: _switch(True),
    Verb.RESUME: _switch(False),
    Verb.CANCEL: _stop(Stop.CANCEL),
    Verb.TERMINATE: _stop(Stop.TERMINATE),
}
