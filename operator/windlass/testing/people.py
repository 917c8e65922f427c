"""People in a simulation: approvals are answered at once, with yes, unless it was said otherwise."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from windlass.models.action import RunActionSpec, Verb
from windlass.models.approval import Approval
from windlass.models.run import TaskPhase, TaskStatus
from windlass.names import short_hash
from windlass.plan.action_types import Action
from windlass.plan.actions import apply_action
from windlass.plan.approval import AWAITING
from windlass.testing.agenda import Agenda
from windlass.testing.cues import Cues, Kind
from windlass.testing.errors import WrongCue
from windlass.testing.kubelet import try_of
from windlass.testing.work import RunInWork

NOBODY = "simulation"
"""Who answers, where anybody may."""


class People:
    """Note answers for the approvals that wait for one."""

    def __init__(self, agenda: Agenda, cues: Cues) -> None:
        self._agenda = agenda
        self._cues = cues

    def answer(self, run: RunInWork) -> None:
        """Have each approval of the run that is new answered."""
        for task in run.view.status.tasks:
            if task.reason == AWAITING and task.phase is TaskPhase.RUNNING and task.name not in run.asked:
                run.asked.add(task.name)
                self._note(run, task)

    def _note(self, run: RunInWork, task: TaskStatus) -> None:
        approval = run.definition.program.nodes[task.name].task.approval
        assert approval is not None, "only approvals wait for people"
        one = try_of(run, task.name, 1)
        fault = self._cues.fault(one)
        if fault is not None and fault.kind is Kind.TIMEOUT:
            if approval.timeout is None:
                raise WrongCue(f"{task.name} can't time out: the approval has no timeout, it would wait for ever")
            return
        if fault is not None and fault.kind is not Kind.ERROR:
            raise WrongCue(f"{task.name} is an approval: it fails with Error, a rejection, or with Timeout")
        verb = Verb.APPROVE if fault is None else Verb.REJECT
        values = dict(self._cues.puts_out(one)) if fault is None else {}
        at = self._agenda.now + self._cues.durations.get(task.name, timedelta(0))
        self._agenda.note(at, run, partial(self._act, run, task.name, verb, values, approval))

    def _act(self, run: RunInWork, task: str, verb: Verb, values: dict[str, Any], approval: Approval) -> bool:
        """Answer, if the approval still waits."""
        known = next(one for one in run.view.status.tasks if one.name == task)
        if known.phase is not TaskPhase.RUNNING or known.reason != AWAITING:
            return False
        approvers = approval.approvers
        users, groups = (approvers.users, approvers.groups) if approvers is not None else ([], [])
        spec = RunActionSpec(
            run=run.name,
            verb=verb,
            tasks=[task],
            values=values,
            requested_by=users[0] if users else NOBODY,
            requested_groups=groups,
        )
        uid = short_hash("action", run.view.uid, task)
        action = Action(uid, f"{run.name}-{task}", spec, self._agenda.now)
        outcome = apply_action(run.view, run.definition.program, action, self._agenda.now)
        if not outcome.applied:
            raise WrongCue(f"{task} can't be answered so: {outcome.message} (outputs says what the form is given)")
        run.take(outcome.status)
        return True
