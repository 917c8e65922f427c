"""The pods of a simulation: what the API server, the scheduler and the kubelet would make of a launch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.run import FailureClass
from windlass.names import SOURCE_STEP, short_hash
from windlass.plan.types import Launch, PodPhase, PodResult, PodView, Refusal, RefusalKind, RunView
from windlass.testing.cues import Cues, Fault, Kind, Try
from windlass.testing.errors import WrongCue

NODE: Final = "simulated"
SOURCE_TAKES: Final = timedelta(seconds=1)
"""How long the step takes that resolves the source's ref."""


def refusal(fault: Fault | None) -> Refusal | None:
    """The API server's answer to a create that it does not take."""
    if fault is None or fault.kind is not Kind.LAUNCH:
        return None
    return Refusal(RefusalKind.LAUNCH, "Forbidden", "the API server does not take the pod (simulated)")


def created(run: RunView, launch: Launch, now: datetime, fault: Fault | None) -> PodView:
    """The pod just after its create."""
    stuck = fault is not None and fault.kind is Kind.START
    return PodView(
        namespace=run.namespace,
        name=launch.pod,
        uid=short_hash(run.uid, launch.pod),
        version=1,
        workflow=run.workflow,
        run=run.name,
        run_uid=run.uid,
        task=launch.task,
        attempt=launch.attempt,
        index=launch.index,
        phase=PodPhase.STARTING,
        created_at=now,
        pool=launch.body.pool or "",
        slots=(launch.body.slots or 1) if launch.body.pool else 0,
        node=NODE,
        waiting_reason="ImagePullBackOff" if stuck else "",
        waiting_message="the image can't be pulled (simulated)" if stuck else "",
    )


def life(pod: PodView, one: Try, cues: Cues, fault: Fault | None) -> Iterator[tuple[datetime, PodView]]:
    """What becomes of the pod, and when, unless it is ended from outside."""
    if fault is not None and fault.kind is Kind.START:
        return
    begins = pod.created_at + cues.startup
    running = replace(pod, phase=PodPhase.RUNNING, started_at=begins)
    yield begins, running
    if fault is not None and fault.kind is Kind.TIMEOUT:
        return
    ends = begins + (SOURCE_TAKES if pod.task == SOURCE_STEP else cues.lasts(pod.task))
    # Deleted as soon as it has ended: what is kept of pods for their logs is not simulated.
    yield ends, _ended(running, ends, _result(pod, one, cues, fault), deleting_since=ends)


def told_to_end(pod: PodView, now: datetime) -> PodView:
    """The pod after `activeDeadlineSeconds: 1`: its processes end, its object stays."""
    result = PodResult(FailureClass.TIMEOUT, "DeadlineExceeded", 137)
    return _ended(pod, now, result, ending=True)


def deleted(pod: PodView, now: datetime) -> PodView:
    """The pod after its deletion was asked for, while its result is held."""
    message = "the pod was deleted"
    result = PodResult(FailureClass.INFRA, "Deleted", 137, message)
    told = {"waiting_reason": pod.waiting_reason, "waiting_message": pod.waiting_message}
    return _ended(pod, now, result, deleting_since=now, **told)


def _ended(pod: PodView, now: datetime, result: PodResult, **more: Any) -> PodView:
    told = {"waiting_reason": "", "waiting_message": "", **more}
    return replace(pod, phase=PodPhase.ENDED, finished_at=now, result=result, terminal=True, **told)


def _result(pod: PodView, one: Try, cues: Cues, fault: Fault | None) -> PodResult:
    if fault is None:
        return PodResult(None, "Completed", 0, _message(pod, one, cues))
    if fault.kind is Kind.OOM:
        return PodResult(FailureClass.OOM, "OOMKilled", 137, "it was killed for want of memory (simulated)")
    if fault.kind is Kind.INFRA:
        return PodResult(FailureClass.INFRA, "Evicted", None, "its node evicted it (simulated)")
    return PodResult(FailureClass.APP, "Error", fault.exit_code, "it failed (simulated)")


def _message(pod: PodView, one: Try, cues: Cues) -> str:
    """The termination message of a good attempt: its outputs."""
    if pod.task == SOURCE_STEP:
        return json.dumps({"commit": short_hash("commit", pod.run_uid).ljust(40, "0")})
    outputs = cues.puts_out(one)
    try:
        return json.dumps(dict(outputs)) if outputs else ""
    except (TypeError, ValueError) as error:
        raise WrongCue(f"the outputs of {pod.task} can't be written as JSON: {error}") from None
