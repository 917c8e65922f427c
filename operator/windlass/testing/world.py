"""The simulated world: the planner's runs and the pods that it asks for, on a clock that jumps from event to event.

    a run is made ─▶ admit ─▶ plan_run ─▶ launches ─▶ pods ─▶ their events ─▶ plan_run ─▶ … ─▶ the run has ended

Nothing is written anywhere, and nothing of it is random: names and UIDs are derived.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from windlass.build.pod import Installation, PodRequest, build_pod
from windlass.models.run import RunPhase, WorkflowRunSpec, WorkflowRunStatus
from windlass.names import short_hash, workspace_claim_name
from windlass.plan.admission import admit
from windlass.plan.context import run_context
from windlass.plan.run import plan_run
from windlass.plan.times import zone_of
from windlass.plan.types import EndHow, Launch, Plan, PodEnding, PodPhase, PodView, Refusal, RefusalKind, RunView, Seen
from windlass.testing import pods, record
from windlass.testing.cues import Cues, Fault, Kind, Try
from windlass.testing.definition import Definition
from windlass.testing.errors import Endless, WrongCue
from windlass.testing.missing import refuse_missing_outputs
from windlass.testing.results import Run

MOST_ATTEMPTS: Final = 1000
"""Of one task of a run: what is tried more often is tried for ever."""
MOST_PLANS: Final = 100
"""Of one run at one instant."""


@dataclass(slots=True, eq=False)
class RunInWork:
    """A run, and what the world knows of it."""

    number: int
    """From 0, in the order in which they were made."""
    view: RunView
    definition: Definition
    pods: dict[str, PodView] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    records: record.Records = field(default_factory=record.Records)
    wake_at: datetime | None = None
    waits: bool = False
    """For a slot of `maxActiveTasks`."""

    @property
    def ended(self) -> bool:
        return self.view.status.phase is not None and self.view.status.phase.ended


@dataclass(order=True, slots=True)
class _Event:
    at: datetime
    number: int
    run: RunInWork = field(compare=False)
    pod: PodView | None = field(compare=False, default=None)
    """As it is from then on; None: nothing has changed but the time."""
    quiet: bool = field(compare=False, default=False)
    """No plan depends on it: the run need not be looked at."""


class World:
    """Make runs in it, then let it `play`."""

    def __init__(self, definition: Definition, cues: Cues, start: datetime) -> None:
        self.now = start
        self.runs: dict[str, RunInWork] = {}
        self._definition = definition
        self._cues = cues
        self._installation = Installation()
        self._events: list[_Event] = []
        self._count = 0

    def create(self, name: str, spec: WorkflowRunSpec, at: datetime) -> None:
        """Make a run of the Workflow at this instant."""
        definition = self._definition
        view = RunView(
            namespace=definition.namespace,
            name=name,
            uid=_uid(definition.namespace, name),
            generation=1,
            created_at=at,
            spec=spec,
            status=WorkflowRunStatus(),
            workflow=definition.name,
        )
        run = RunInWork(len(self.runs), view, definition)
        self.runs[name] = run
        self._push(at, run)

    def play(self) -> tuple[Run, ...]:
        """Let time pass until nothing is left to happen."""
        while self._upcoming():
            for run in self._happened():
                self._reconcile(run)
        return tuple(record.result(run.view, run.records) for run in self.runs.values())

    def _push(self, at: datetime, run: RunInWork, pod: PodView | None = None, *, quiet: bool = False) -> None:
        self._count += 1
        heapq.heappush(self._events, _Event(at, self._count, run, pod, quiet))

    def _upcoming(self) -> bool:
        """Whether anything is left to happen; what would have happened to runs that have ended is dropped."""
        while self._events and self._events[0].run.ended:
            heapq.heappop(self._events)
        return bool(self._events)

    def _happened(self) -> list[RunInWork]:
        """Take all events of the next instant; the runs that are to be looked at, in their order."""
        self.now = self._events[0].at
        touched: dict[str, RunInWork] = {}
        freed = False
        while self._events and self._events[0].at == self.now:
            event = heapq.heappop(self._events)
            if event.pod is not None and not self._changed(event.run, event.pod):
                continue
            freed = freed or (event.pod is not None and event.pod.phase is PodPhase.ENDED)
            if not event.quiet:
                touched[event.run.view.name] = event.run
        if freed:
            touched |= {run.view.name: run for run in self.runs.values() if run.waits}
        return sorted(touched.values(), key=lambda run: run.number)

    def _changed(self, run: RunInWork, pod: PodView) -> bool:
        """Take a pod's change; False when the pod was ended from outside meanwhile."""
        known = run.pods.get(pod.name)
        if known is None or known.phase is PodPhase.ENDED:
            return False
        run.pods[pod.name] = pod
        return True

    def _reconcile(self, run: RunInWork) -> None:
        if run.ended:
            return
        if run.view.status.phase in (None, RunPhase.PENDING):
            admission = admit(run.view, run.definition.spec, self.now, run.definition.program)
            run.view = record.with_status(run.view, admission.status)
            if admission.program is None:
                return
        for _ in range(MOST_PLANS):
            plan = self._plan(run)
            if not self._apply(run, plan):
                return
        raise Endless(f"the run {run.view.name} is planned again and again at {self.now}: {run.view.status.message}")

    def _plan(self, run: RunInWork) -> Plan:
        free = self._free(run)
        gone: set[str] = set()
        while True:
            seen = Seen(run.view, run.definition.program, run.pods, run.refusals, frozenset(gone), free)
            plan = plan_run(seen, self.now)
            run.view = record.with_status(run.view, plan.status)
            if not plan.confirm:
                break
            gone.update(plan.confirm)
        run.refusals = {}
        run.records.take(plan.status, plan.events, self.now)
        run.waits = free is not None and any(task.reason == "MaxActiveTasks" for task in plan.status.tasks)
        refuse_missing_outputs(run.definition, plan.status, self._cues)
        return plan

    def _free(self, run: RunInWork) -> int | None:
        limit = run.definition.spec.concurrency.max_active_tasks if run.definition.spec.concurrency else None
        if limit is None:
            return None
        live = sum(pod.phase is not PodPhase.ENDED for other in self.runs.values() for pod in other.pods.values())
        return max(0, limit - live)

    def _apply(self, run: RunInWork, plan: Plan) -> bool:
        """Do what the plan says; whether it is to be planned again at once."""
        launched = [self._launch(run, launch) for launch in plan.launches]
        for ending in plan.endings:
            self._end(run, ending)
        if run.ended:
            run.pods = {}
            return False
        # An ended pod whose result was taken is of no more use here: what is kept for its logs is not simulated.
        run.pods = {name: pod for name, pod in run.pods.items() if not run.records.is_over(pod)}
        if plan.wake_at is not None and plan.wake_at != run.wake_at:
            self._push(max(plan.wake_at, self.now), run)
        run.wake_at = plan.wake_at
        return not all(launched)

    def _launch(self, run: RunInWork, launch: Launch) -> bool:
        """Make the pod; False when the API server would not take it."""
        if launch.attempt > MOST_ATTEMPTS:
            raise Endless(
                f"{launch.task} of {run.view.name} was tried {MOST_ATTEMPTS} times: let it succeed at some attempt"
            )
        one = self._try(run, launch)
        fault = self._cues.fault(one)
        request = self._request(run, launch)
        refusal = pods.refusal(fault) or _unbuildable(request)
        if refusal is not None:
            run.refusals[launch.pod] = refusal
            return False
        run.records.launched(launch, request, self.now)
        pod = pods.created(run.view, launch, self.now, fault)
        run.pods[pod.name] = pod
        self._let_live(run, pod, one, fault)
        return True

    def _let_live(self, run: RunInWork, pod: PodView, one: Try, fault: Fault | None) -> None:
        """Let happen what becomes of the pod. Of its start a plan has only to know where a timeout hangs on it."""
        program = run.definition.program
        node = program.nodes.get(pod.task) or program.source_step
        assert node is not None, "a launch is of a task, or of the source step"
        lasts_for_ever = fault is not None and fault.kind is Kind.TIMEOUT
        if lasts_for_ever and node.timeout is None and program.spec.timeout is None:
            raise WrongCue(f"{pod.task} can't time out: it has no timeout, nor has its Workflow; it would run for ever")
        if pod.waiting_reason or node.start_timeout <= self._cues.startup:
            self._push(self.now, run)
        in_time = node.timeout is None or (not lasts_for_ever and self._cues.lasts(pod.task) <= node.timeout)
        for at, changed in pods.life(pod, one, self._cues, fault):
            self._push(at, run, changed, quiet=in_time and changed.phase is PodPhase.RUNNING)

    def _end(self, run: RunInWork, ending: PodEnding) -> None:
        pod = run.pods.get(ending.pod)
        if pod is None or pod.uid != ending.uid or pod.phase is PodPhase.ENDED:
            return
        ended = pods.told_to_end if ending.how is EndHow.DEADLINE else pods.deleted
        run.pods[pod.name] = ended(pod, self.now)
        self._push(self.now, run)

    def _try(self, run: RunInWork, launch: Launch) -> Try:
        moments = run_context(run.view, zone_of(run.definition.spec))
        return Try(
            workflow=run.view.workflow,
            run=run.view.name,
            logical_date=moments["logical_date"],
            day=moments["ds"],
            task=launch.task,
            attempt=launch.attempt,
            params=run.view.status.params or {},
        )

    def _request(self, run: RunInWork, launch: Launch) -> PodRequest:
        spec, view = run.definition.spec, run.view
        return PodRequest(
            namespace=view.namespace,
            run=view.name,
            run_uid=view.uid,
            workflow=view.workflow,
            task=launch.task,
            attempt=launch.attempt,
            pod=launch.pod,
            body=launch.body,
            environment=launch.environment,
            memory=launch.memory,
            source=spec.source.git if spec.source else None,
            commit=view.status.source.commit if view.status.source else None,
            workspace=spec.workspace,
            claim=workspace_claim_name(view.name, view.uid) if spec.workspace else None,
            installation=self._installation,
        )


def _unbuildable(request: PodRequest) -> Refusal | None:
    try:
        build_pod(request)
    except ValueError as error:
        return Refusal(RefusalKind.LAUNCH, "Invalid", str(error))
    return None


def _uid(namespace: str, name: str) -> str:
    digest = short_hash("run", namespace, name) + short_hash("uid", namespace, name)
    return f"{digest[:8]}-{digest[8:12]}-4000-8000-{digest[12:]:0<12}"
