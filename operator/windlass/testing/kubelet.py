"""What makes and ends the pods of a simulation: the API server, the scheduler and the kubelet in one."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from windlass.build.pod import Installation, PodRequest, build_pod
from windlass.names import workspace_claim_name
from windlass.plan.times import logical_date, zone_of
from windlass.plan.types import EndHow, Launch, PodEnding, PodPhase, PodView, Refusal, RefusalKind
from windlass.testing import pods
from windlass.testing.agenda import Agenda
from windlass.testing.cues import Cues, Fault, Kind, Try
from windlass.testing.errors import Endless, WrongCue
from windlass.testing.work import RunInWork

MOST_ATTEMPTS: Final = 1000
"""Of one task of a run: what is tried more often is tried for ever."""


class Kubelet:
    """Takes launches and endings, and notes what becomes of pods."""

    def __init__(self, agenda: Agenda, cues: Cues) -> None:
        self._agenda = agenda
        self._cues = cues
        self._installation = Installation()
        self.freed = False
        """A pod has ended: others may have waited for its slot."""

    def launch(self, run: RunInWork, launch: Launch) -> bool:
        """Make the pod; False when the API server would not take it."""
        if launch.attempt > MOST_ATTEMPTS:
            raise Endless(
                f"{launch.task} of {run.name} was tried {MOST_ATTEMPTS} times: let it succeed at some attempt"
            )
        one = try_of(run, launch.task, launch.attempt, launch.index)
        fault = self._cues.fault(one)
        request = self._request(run, launch)
        refusal = pods.refusal(fault) or _unbuildable(request)
        if refusal is not None:
            run.refusals[launch.pod] = refusal
            return False
        run.records.launched(launch, request, self._agenda.now)
        pod = pods.created(run.view, launch, self._agenda.now, fault)
        run.pods[pod.name] = pod
        self._let_live(run, pod, one, fault)
        return True

    def end(self, run: RunInWork, ending: PodEnding) -> None:
        """End the pod at once."""
        pod = run.pods.get(ending.pod)
        if pod is None or pod.uid != ending.uid or pod.phase is PodPhase.ENDED:
            return
        ended = pods.told_to_end if ending.how is EndHow.DEADLINE else pods.deleted
        run.pods[pod.name] = ended(pod, self._agenda.now)
        self.freed = True
        self._agenda.note(self._agenda.now, run)

    def _let_live(self, run: RunInWork, pod: PodView, one: Try, fault: Fault | None) -> None:
        """Let happen what becomes of the pod. Of its start a plan has only to know where a timeout hangs on it, and of
        instances, whose task starts with the first of them."""
        program = run.definition.program
        node = program.nodes.get(pod.task) or program.source_step
        assert node is not None, "a launch is of a task, or of the source step"
        lasts_for_ever = fault is not None and fault.kind is Kind.TIMEOUT
        if lasts_for_ever and node.timeout is None and program.spec.timeout is None:
            raise WrongCue(f"{pod.task} can't time out: it has no timeout, nor has its Workflow; it would run for ever")
        if pod.waiting_reason or node.start_timeout <= self._cues.startup:
            self._agenda.note(self._agenda.now, run)
        in_time = node.timeout is None or (not lasts_for_ever and self._cues.lasts(pod.task) <= node.timeout)
        for at, changed in pods.life(pod, one, self._cues, fault):
            quiet = in_time and changed.phase is PodPhase.RUNNING and pod.index is None
            self._agenda.note(at, run, partial(self._changed, run, changed), quiet=quiet)

    def _changed(self, run: RunInWork, pod: PodView) -> bool:
        """Take a pod's change; False when the pod was ended from outside meanwhile."""
        known = run.pods.get(pod.name)
        if known is None or known.phase is PodPhase.ENDED:
            return False
        run.pods[pod.name] = pod
        self.freed = self.freed or pod.phase is PodPhase.ENDED
        return True

    def _request(self, run: RunInWork, launch: Launch) -> PodRequest:
        spec, view = run.definition.spec, run.view
        return PodRequest(
            namespace=view.namespace,
            run=view.name,
            run_uid=view.uid,
            workflow=view.workflow,
            task=launch.task,
            attempt=launch.attempt,
            index=launch.index,
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


def try_of(run: RunInWork, task: str, attempt: int, index: int | None = None) -> Try:
    """What cues are asked about."""
    about = logical_date(run.view)
    return Try(
        workflow=run.view.workflow,
        run=run.name,
        logical_date=about,
        day=about.astimezone(zone_of(run.definition.spec)).date().isoformat(),
        task=task,
        attempt=attempt,
        index=index,
        item=_item(run, task, index),
        params=run.view.status.params or {},
    )


def _item(run: RunInWork, task: str, index: int | None) -> Any:
    """What an instance of a forEach is for."""
    if index is None:
        return None
    status = next(one for one in run.view.status.tasks if one.name == task)
    items = status.instances.items if status.instances is not None else None
    return items[index] if items is not None else None
