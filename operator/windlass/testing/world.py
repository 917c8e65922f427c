"""The simulated world: the planners of Workflows and runs, and the pods that they ask for, on a clock that jumps.

    slots ─▶ plan_workflow ─▶ a run is made ─▶ its turn? ─▶ admit ─▶ plan_run ─▶ pods ─▶ their events ─▶ plan_run ─▶ …

Nothing is written anywhere, and nothing of it is random: names and UIDs are derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from windlass.models.common import format_time
from windlass.models.pool import PoolSpec
from windlass.models.run import DataInterval, GoodRun, RunPhase, WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.admission import admit, hold
from windlass.plan.history import RunSummary
from windlass.plan.past import DEPENDS_ON_PAST
from windlass.plan.run import plan_run
from windlass.plan.scheduling import Notice, RunRequest
from windlass.plan.task_types import ChildView
from windlass.plan.times import Admitted
from windlass.plan.turns import TurnKind, last_success, runs_before, turn_among
from windlass.plan.types import PastView, Plan, PodPhase, Seen
from windlass.testing.agenda import Agenda
from windlass.testing.clockwork import Clockwork
from windlass.testing.cues import Cues
from windlass.testing.definition import Definition
from windlass.testing.descendants import Descendants
from windlass.testing.errors import Endless
from windlass.testing.foreign import Foreign
from windlass.testing.kubelet import Kubelet
from windlass.testing.missing import refuse_missing_outputs
from windlass.testing.people import People
from windlass.testing.record import result
from windlass.testing.results import Run
from windlass.testing.sensing import Sensing
from windlass.testing.sharing import Sharing
from windlass.testing.work import RunInWork, new_run

MOST_PLANS: Final = 100
"""Of one run at one instant."""
_NOT_ADMITTED: Final = (None, RunPhase.PENDING, RunPhase.QUEUED)

Outage = tuple[datetime, datetime]
"""From when until when the controller is away: pods go on, and nobody plans."""


class World:
    """Make runs in it, or give it a Clockwork that does; then let it `play`."""

    def __init__(
        self,
        definition: Definition,
        cues: Cues,
        start: datetime,
        clockwork: Clockwork | None = None,
        params: Mapping[str, Any] | None = None,
        outages: Sequence[Outage] = (),
        pools: Mapping[str, PoolSpec] | None = None,
    ) -> None:
        self.agenda = Agenda(start)
        self.runs: dict[str, RunInWork] = {}
        self.notices: list[tuple[datetime, Notice]] = []
        self._definition = definition
        self._clockwork = clockwork
        self._params = params or {}
        self._outages = outages
        self._cues = cues
        self._kubelet = Kubelet(self.agenda, cues)
        self._people = People(self.agenda, cues)
        self._sensing = Sensing(self.agenda, cues)
        self._descendants = Descendants(self.agenda, cues)
        self._foreign = Foreign(self.agenda, cues)
        self._sharing = Sharing(pools or {})
        self._present: dict[str, RunInWork] = {}
        """Runs that history has not deleted."""
        self._moved = False
        """A run has begun, or ended: others may have waited for that."""
        if clockwork is not None:
            self.agenda.note(start)
            for at in clockwork.moments():
                self.agenda.note(at)

    def create(self, name: str, spec: WorkflowRunSpec, at: datetime) -> None:
        """Make a run of the Workflow at this instant."""
        run = new_run(len(self.runs), name, spec, self._definition, at)
        self.runs[name] = self._present[name] = run
        self.agenda.note(at, run)

    def play(self) -> tuple[Run, ...]:
        """Let time pass until nothing is left to happen."""
        while events := self.agenda.take():
            touched: dict[str, RunInWork] = {}
            for event in events:
                changed = event.happen() if event.happen is not None else True
                if changed and event.run is not None and not event.quiet:
                    touched[event.run.name] = event.run
            timer = any(event.run is None for event in events)
            if self._kubelet.freed:
                self._kubelet.freed = False
                touched |= {run.name: run for run in self._present.values() if run.waits_for_slot}
                touched |= {run.name: run for run in self._sharing.grant(self._present.values())}
            self._act(sorted(touched.values(), key=lambda run: run.number), timer=timer)
        return tuple(result(run.view, run.records, run.body) for run in self.runs.values())

    def _act(self, touched: Sequence[RunInWork], *, timer: bool) -> None:
        """What the controller does now; after an outage, what it would have done."""
        back = next((end for begin, end in self._outages if begin <= self.agenda.now < end), None)
        if back is not None:
            for run in touched:
                self.agenda.note(back, run)
            if timer:
                self.agenda.note(back)
            return
        self._moved = timer
        for run in touched:
            self._reconcile(run)
        if self._moved:
            self._plan_workflow()

    # The Workflow

    def _plan_workflow(self) -> None:
        now = self.agenda.now
        for run in self._present.values():
            if run.view.status.phase is RunPhase.QUEUED:
                self.agenda.note(now, run)
        if self._clockwork is None:
            return
        plan = self._clockwork.plan({name: run.summary for name, run in self._present.items()}, now)
        self.notices += [(now, notice) for notice in plan.events]
        for request in plan.creates:
            self._make(request)
        for gone in plan.deletes:
            del self._present[gone.name]
        if plan.wake_at is not None:
            self.agenda.note(plan.wake_at)

    def _make(self, request: RunRequest) -> None:
        spec = WorkflowRunSpec(
            workflow=self._definition.name,
            params={**self._params, **request.params},
            logical_date=format_time(request.logical_date),
            priority=request.priority,
            slot=request.slot,
        )
        self.create(request.name, spec, self.agenda.now)

    def _summaries(self) -> list[RunSummary]:
        return [run.summary for run in self._present.values()]

    # A run

    def _reconcile(self, run: RunInWork) -> None:
        if run.ended or (run.view.status.phase in _NOT_ADMITTED and not self._admitted(run)):
            return
        for _ in range(MOST_PLANS):
            plan = self._plan(run)
            if not self._apply(run, plan):
                return
        raise Endless(f"the run {run.name} is planned again and again at {self.agenda.now}: {run.view.status.message}")

    def _take(self, run: RunInWork, status: WorkflowRunStatus) -> None:
        self._moved = run.take(status) or self._moved

    def _admitted(self, run: RunInWork) -> bool:
        """Whether it is the run's turn, and nothing is wrong with it."""
        now, spec, others = self.agenda.now, run.definition.spec, self._summaries()
        turn = turn_among(run.summary, others, spec)
        if turn.kind is TurnKind.GO:
            good = last_success(run.summary, others)
            told = Admitted(previous=_good_run(good) if good is not None else None)
            admission = admit(run.view, spec, now, run.definition.program, told)
        else:
            admission = hold(run.view, spec, turn, now)
            for name in turn.stop:
                self._replace(self.runs[name], run.name)
        if admission.wake_at is not None:
            self.agenda.note(admission.wake_at, run)
        self._take(run, admission.status)
        run.records.take(admission.status, admission.events, now)
        return admission.program is not None

    def _replace(self, run: RunInWork, by: str) -> None:
        """Stop a run under way, since another takes its place."""
        if run.replaced_by is None:
            run.replaced_by = by
            self.agenda.note(self.agenda.now, run)

    def _plan(self, run: RunInWork) -> Plan:
        """Plan the run, and take its status. What is to be read live is there at once."""
        gone: set[str] = set()
        read: dict[str, ChildView | None] = {}
        free, past = self._free(run), self._past(run)
        while True:
            seen = Seen(
                run=run.view,
                program=run.definition.program,
                pods=run.pods,
                refusals=run.refusals,
                gone=frozenset(gone),
                free_slots=free,
                pools=self._sharing.answers(run) if self._sharing.busy else {},
                sights=self._foreign.sights(run, self._sensing.sights(run) if run.come else {}),
                others=self._sensing.others(run) if run.come else {},
                children={name: replace(child, outputs=None) for name, child in run.children.items()},
                read_children=read,
                past=past,
                replaced_by=run.replaced_by,
            )
            plan = plan_run(seen, self.agenda.now)
            if plan.status is not run.view.status and run.definition.program.depends_on_past:
                self._wake_later(run)
            self._take(run, plan.status)
            if not plan.confirm and not plan.confirm_children:
                break
            gone.update(plan.confirm)
            read |= {name: run.children.get(name) for name in plan.confirm_children}
        run.refusals = {}
        run.records.take(plan.status, plan.events, self.agenda.now)
        run.waits_for_slot = plan.short
        refuse_missing_outputs(run.definition, plan.status, self._cues)
        return plan

    def _free(self, run: RunInWork) -> int | None:
        limit = run.definition.spec.concurrency.max_active_tasks if run.definition.spec.concurrency else None
        if limit is None:
            return None
        live = sum(pod.phase is not PodPhase.ENDED for other in self._present.values() for pod in other.pods.values())
        return max(0, limit - live)

    def _past(self, run: RunInWork) -> PastView | None:
        """The tasks of the slot before, where tasks wait for them."""
        if not run.definition.program.depends_on_past:
            return None
        before = runs_before(run.summary, self._summaries())
        if not before:
            return None
        phases = [{task.name: task.phase for task in self.runs[other.name].view.status.tasks} for other in before]
        return PastView(before[-1].name, tuple(phases))

    def _wake_later(self, run: RunInWork) -> None:
        """Have runs look again whose tasks wait for those of this one."""
        for other in self._present.values():
            if other.number > run.number and any(task.reason == DEPENDS_ON_PAST for task in other.view.status.tasks):
                self.agenda.note(self.agenda.now, other)

    def _apply(self, run: RunInWork, plan: Plan) -> bool:
        """Do what the plan says; whether it is to be planned again at once."""
        taken = [pod for pod in run.pods.values() if pod.phase is PodPhase.ENDED]
        launched = [self._kubelet.launch(run, launch) for launch in plan.launches]
        for ending in plan.endings:
            self._kubelet.end(run, ending)
        for child in plan.children:
            self._descendants.make(run, child)
        for stop in plan.child_stops:
            self._descendants.stop(run, stop)
        self._foreign.act(run, plan)
        self._people.answer(run)
        self._sensing.await_all(run)
        # An ended pod whose result was taken is of no more use here: what is kept for its logs is not simulated.
        for pod in taken:
            run.records.ended(pod)
            del run.pods[pod.name]
        if run.ended:
            run.pods = {}
        if plan.wake_at is not None and plan.wake_at != run.wake_at and not run.ended:
            self.agenda.note(plan.wake_at, run)
        run.wake_at = plan.wake_at
        return self._share(run, plan) or not all(launched)

    def _share(self, run: RunInWork, plan: Plan) -> bool:
        """Ask for what the run wants of pools; whether it is told something new."""
        if not plan.wants and not self._sharing.busy:
            return False
        before = self._sharing.answers(run)
        self._sharing.ask(run, () if run.ended else plan.wants)
        for other in self._sharing.grant(self._present.values()):
            if other is not run:
                self.agenda.note(self.agenda.now, other)
        return not run.ended and self._sharing.answers(run) != before


def _good_run(run: RunSummary) -> GoodRun:
    interval = None
    if run.interval is not None:
        interval = DataInterval(start=format_time(run.interval[0]), end=format_time(run.interval[1]))
    return GoodRun(run=run.name, logical_date=format_time(run.logical_date), interval=interval)
