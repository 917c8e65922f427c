"""One attempt of a task: from the pod that was made for it to its end, and what comes after a failure.

launched ──▶ Starting ──▶ Running ──▶ the pod ended ──▶ Succeeded | Failed | Retrying
   │            │            │
   │            │            └─ timeout: told to end         → class Timeout
   │            └─ startTimeout: deleted                     → class Start
   ├─ refused for good                                       → class Launch
   ├─ refused for now                                        → Queued
   └─ vanished: read live, then class Infra; or made again, where nobody has ever seen it
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import delta, format_time, parse_time
from windlass.models.run import Attempt, FailureClass, TaskPhase, TaskStatus
from windlass.names import SOURCE_STEP
from windlass.plan.budget import MAX_ATTEMPTS, MAX_RUN_OUTPUTS, cut, cut_log, json_size, outputs_size
from windlass.plan.draft import Draft, Stopping, changed
from windlass.plan.given_up import (
    AS_USUAL,
    NEVER_STARTS,
    NODE_LOST_TIMEOUT,
    NODE_UNREACHABLE,
    result_of,
    stopping_of,
)
from windlass.plan.hints import hint, hint_of
from windlass.plan.outputs import OutputsError, read_outputs
from windlass.plan.retries import Failure, count_failure, decide
from windlass.plan.types import EndHow, Node, PodPhase, PodResult, PodView

NOT_YET: Final = 75
"""The exit code by which a pod that is asked says: not yet. EX_TEMPFAIL of sysexits.h."""
ASK_EVERY: Final = timedelta(minutes=1)


def under_way(status: TaskStatus) -> bool:
    """Whether the task's latest attempt has a pod, as far as the status knows, and has not ended."""
    attempts = status.attempts
    return bool(attempts) and attempts[-1].finished_at is None and not status.phase.ended


def next_number(status: TaskStatus) -> int:
    """The number of the attempt after the latest one."""
    return status.attempts[-1].number + 1 if status.attempts else (status.dropped or 0) + 1


def with_attempt(status: TaskStatus, attempt: Attempt) -> dict[str, Any]:
    """The fields of the status with one more attempt; the oldest are counted only."""
    attempts = [*status.attempts, attempt]
    excess = len(attempts) - MAX_ATTEMPTS
    if excess <= 0:
        return {"attempts": attempts}
    return {"attempts": attempts[excess:], "dropped": (status.dropped or 0) + excess}


def adopt(status: TaskStatus, pod: PodView, memory: str | None, moment: str) -> TaskStatus:
    """Take a pod that was made for the next attempt, though the status does not say so yet."""
    attempt = Attempt(number=pod.attempt, pod=pod.name, memory=memory)
    update = with_attempt(status, attempt)
    ready_at = status.ready_at or moment
    return status.model_copy(
        update={
            **update,
            "phase": TaskPhase.STARTING,
            "reason": None,
            "message": None,
            "retry_at": None,
            "ready_at": ready_at,
        }
    )


def follow(draft: Draft, node: Node, status: TaskStatus, pod: PodView) -> TaskStatus:
    """Bring an attempt that is under way up to date with its pod."""
    status = _noted(draft, status, pod)
    result = result_of(draft, node, status, pod)
    if result is not None:
        return conclude(draft, node, status, result, pod)
    if (stopping := stopping_of(draft, node, status)) is not None:
        _stop(draft, pod, stopping)
        return changed(status, reason="Stopping", message=None)
    if pod.phase is PodPhase.RUNNING:
        return _running(draft, node, status, pod)
    return _starting(draft, node, status, pod)


def vanished(draft: Draft, node: Node, status: TaskStatus) -> TaskStatus:
    """The attempt's pod is gone, and its result with it."""
    message = "the pod was removed, and its result with it"
    return conclude(draft, node, status, PodResult(FailureClass.INFRA, "Gone", message=message), None)


def conclude(draft: Draft, node: Node, status: TaskStatus, result: PodResult, pod: PodView | None) -> TaskStatus:
    """End the latest attempt with `result`, and decide what becomes of the task."""
    outputs: dict[str, Any] | None = None
    final = False
    if result.failure is None:
        try:
            outputs = _outputs(draft, status, result)
        except OutputsError as error:
            final = isinstance(error, _OverBudgetError)
            result = replace(result, failure=FailureClass.APP, reason=error.reason, message=error.message)
    if result.failure is FailureClass.TIMEOUT:
        result = replace(result, detail={"timeout": node.task.timeout, **result.detail})
    ended_at = _believed(draft, pod, pod.finished_at or pod.deleting_since or draft.now) if pod else draft.now
    if node.asks and result.failure is FailureClass.APP and result.exit_code == NOT_YET:
        return _not_yet(draft, node, status, result, ended_at)
    status = _ended_attempt(status, result, ended_at)
    if status.order is not None:
        return _uncounted(status) if result.failure is not None else status
    if result.failure is None:
        return status.model_copy(
            update={
                "phase": TaskPhase.SUCCEEDED,
                "reason": "Completed",
                "message": None,
                "retry_at": None,
                "finished_at": format_time(ended_at),
                "outputs": outputs,
            }
        )
    return _failed(draft, node, status, result, ended_at, final=final, told=_told_to_end(pod))


def _not_yet(draft: Draft, node: Node, status: TaskStatus, result: PodResult, ended_at: datetime) -> TaskStatus:
    """What was asked is not yet so: it is asked again, and nothing has failed."""
    status = _ended_attempt(status, replace(result, failure=None), ended_at)
    if status.order is not None:
        return status
    if (stopping := draft.stops(node)) is not None:
        return cancel(status, stopping.reason, format_time(ended_at))
    interval = node.task.wait_for.interval if node.task.wait_for is not None else None
    retry_at = ended_at + (delta(interval) if interval is not None else ASK_EVERY)
    return status.model_copy(
        update={
            "phase": TaskPhase.RETRYING,
            "reason": "NotYet",
            "message": f"asked {status.attempts[-1].number} times",
            "retry_at": format_time(retry_at),
        }
    )


def refused(draft: Draft, status: TaskStatus, reason: str, message: str) -> TaskStatus:
    """The API takes no such pod: the task fails."""
    number = next_number(status)
    advice = hint(FailureClass.LAUNCH, reason, {"message": message}) or None
    attempt = Attempt(
        number=number,
        finished_at=draft.moment,
        class_=FailureClass.LAUNCH,
        reason=reason,
        message=cut(message),
        hint=advice,
    )
    status = status.model_copy(update=with_attempt(status, attempt))
    return fail(draft, status, reason, message)


def fail(draft: Draft, status: TaskStatus, reason: str, message: str, ended_at: datetime | None = None) -> TaskStatus:
    """End the task as failed, and tell it."""
    message = cut(message, 512)
    draft.warn("TaskFailed", f"{status.name}: {reason}: {message}" if message else f"{status.name}: {reason}", status)
    return status.model_copy(
        update={
            "phase": TaskPhase.FAILED,
            "reason": reason,
            "message": message or None,
            "retry_at": None,
            "finished_at": format_time(ended_at) if ended_at else draft.moment,
        }
    )


def cancel(status: TaskStatus, reason: str, moment: str) -> TaskStatus:
    """End the task as cancelled."""
    update: dict[str, Any] = {
        "phase": TaskPhase.CANCELLED, "reason": reason, "message": None, "retry_at": None, "finished_at": moment,
        "order": None,
    }  # fmt: skip
    if under_way(status):
        last = status.attempts[-1].model_copy(update={"finished_at": moment, "reason": reason})
        update["attempts"] = [*status.attempts[:-1], last]
    return status.model_copy(update=update)


class _OverBudgetError(OutputsError):
    """The outputs of the run are too large together: no retry makes room."""


def _believed(draft: Draft, pod: PodView, moment: datetime) -> datetime:
    """A moment that a node tells, by a clock of its own: nothing of a pod is before it was made, or still to come."""
    return min(max(moment, pod.created_at), draft.now)


def _noted(draft: Draft, status: TaskStatus, pod: PodView) -> TaskStatus:
    """What the pod says about where and when it runs."""
    attempt = status.attempts[-1]
    if (
        attempt.uid == pod.uid
        and attempt.node == pod.node
        and (attempt.started_at is not None) == (pod.started_at is not None)
    ):
        return status
    started_at = format_time(_believed(draft, pod, pod.started_at)) if pod.started_at else None
    update = {"uid": pod.uid, "node": pod.node, "created_at": format_time(pod.created_at), "started_at": started_at}
    attempts = [*status.attempts[:-1], attempt.model_copy(update=update)]
    return status.model_copy(update={"attempts": attempts, "started_at": status.started_at or started_at})


def _running(draft: Draft, node: Node, status: TaskStatus, pod: PodView) -> TaskStatus:
    started_at = status.attempts[-1].started_at
    if node.timeout is not None and started_at is not None and not pod.ending and pod.deleting_since is None:
        due = parse_time(started_at) + node.timeout
        if due <= draft.now:
            draft.end(pod, EndHow.DEADLINE, "Timeout")
        else:
            draft.wake(due)
    if pod.node_lost:
        return _unreachable(draft, status, pod)
    if status.phase is TaskPhase.RUNNING and status.reason is None and status.message is None:
        return status
    return changed(status, phase=TaskPhase.RUNNING, reason=None, message=None, retry_at=None)


def _unreachable(draft: Draft, status: TaskStatus, pod: PodView) -> TaskStatus:
    if status.reason == NODE_UNREACHABLE:
        return status
    message = f"node {pod.node} does not answer; the task is retried when it stays so for 10m"
    retry_at = format_time(draft.now + NODE_LOST_TIMEOUT)
    return changed(status, reason=NODE_UNREACHABLE, message=message, retry_at=retry_at)


def _starting(draft: Draft, node: Node, status: TaskStatus, pod: PodView) -> TaskStatus:
    if pod.deleting_since is None:
        due = pod.created_at if pod.waiting_reason in NEVER_STARTS else pod.created_at + node.start_timeout
        if due <= draft.now:
            draft.end(pod, EndHow.DELETE, "StartTimeout")
        else:
            draft.wake(due)
    if pod.node_lost:
        return _unreachable(draft, status, pod)
    if pod.deleting_since is not None and status.reason is not None and pod.waiting_reason in AS_USUAL:
        # With the pod's sandbox gone, the kubelet no longer says why the container did not start.
        return status
    message = cut(pod.waiting_message, 512) or None
    reason = pod.waiting_reason if message or pod.waiting_reason not in AS_USUAL else None
    return changed(status, phase=TaskPhase.STARTING, reason=reason or None, message=message, retry_at=None)


def _stop(draft: Draft, pod: PodView, stopping: Stopping) -> None:
    if pod.deleting_since is not None or pod.ending:
        return
    draft.end(pod, EndHow.DELETE if pod.node is None else EndHow.DEADLINE, stopping.reason)


def _told_to_end(pod: PodView | None) -> bool:
    return pod is None or pod.ending or pod.deleting_since is not None


def _ended_attempt(status: TaskStatus, result: PodResult, ended_at: datetime) -> TaskStatus:
    update: dict[str, Any] = {"finished_at": format_time(ended_at), "exit_code": result.exit_code}
    if result.failure is not None:
        update |= {
            "class_": result.failure,
            "reason": result.reason,
            "message": cut_log(result.message) or None,
            "hint": cut(hint_of(result)) or None,
        }
    last = status.attempts[-1]
    if result.failure is FailureClass.OOM and last.memory is None:
        # What it grows from, where the limit is not the task's own but the installation's.
        update["memory"] = result.detail.get("memoryLimit")
    return status.model_copy(update={"attempts": [*status.attempts[:-1], last.model_copy(update=update)]})


def _failed(
    draft: Draft, node: Node, status: TaskStatus, result: PodResult, ended_at: datetime, *, final: bool, told: bool
) -> TaskStatus:
    class_ = result.failure or FailureClass.APP
    failure = count_failure(status, node.task.retry, class_, result.exit_code)
    decision = decide(replace(failure, final=final), node.task.retry, _seed(draft, status))
    stopping = draft.stops(node)
    if stopping is not None and (told or decision.retry or ended_at >= stopping.since):
        return cancel(_uncounted(status), stopping.reason, format_time(ended_at))
    status = status.model_copy(update=_spent(failure))
    what = _summary(result)
    if not decision.retry:
        return fail(draft, status, result.reason, f"{what}, {decision.why}" if decision.why else what, ended_at)
    retry_at = ended_at + decision.delay
    draft.warn("TaskRetrying", f"{status.name}: {result.reason}: {what}; {decision.why}", status)
    return status.model_copy(
        update={
            "phase": TaskPhase.RETRYING,
            "reason": "BackingOff",
            "message": cut(f"{result.reason}: {decision.why}", 512),
            "retry_at": format_time(retry_at) if decision.delay else None,
        }
    )


def _uncounted(status: TaskStatus) -> TaskStatus:
    """The latest attempt was ended by us: that is no failure of the task."""
    last = status.attempts[-1].model_copy(update={"class_": None, "hint": None, "reason": "Cancelled"})
    return status.model_copy(update={"attempts": [*status.attempts[:-1], last]})


def _spent(failure: Failure) -> dict[str, Any]:
    return {"app_failures": failure.app_failures or None, "infra_failures": failure.infra_failures or None}


def _summary(result: PodResult) -> str:
    if result.failure is FailureClass.APP and result.exit_code:
        last = result.message.strip().rsplit("\n", 1)[-1]
        return f"exit code {result.exit_code}: {last[:200]}" if last else f"exit code {result.exit_code}"
    if result.failure is FailureClass.TIMEOUT:
        return "it ran longer than its timeout"
    return result.message.strip()[:400] or result.reason


def _seed(draft: Draft, status: TaskStatus) -> str:
    return f"{draft.seen.run.uid}/{status.name}/{status.attempts[-1].number}"


def _outputs(draft: Draft, status: TaskStatus, result: PodResult) -> dict[str, Any] | None:
    """What the task put out. OutputsError when it can't be taken."""
    outputs = read_outputs(result.message, result.truncated, result.limit_bytes)
    if status.name == SOURCE_STEP:
        commit = (outputs or {}).get("commit")
        if not isinstance(commit, str) or len(commit) < 40:
            raise OutputsError("OutputsInvalid", "the source step has not said which commit it found")
        return {"commit": commit}
    if not outputs:
        return outputs
    if draft.output_bytes is None:
        draft.output_bytes = outputs_size(draft.tasks.values())
    size = json_size(outputs)
    if draft.output_bytes + size > MAX_RUN_OUTPUTS:
        raise _OverBudgetError(
            "OutputsTooLarge",
            f"the outputs of a run have a budget of {MAX_RUN_OUTPUTS // 1024} KiB: {draft.output_bytes} bytes are "
            f"used, and the {size} of this task don't fit; write what is large to the workspace or to object storage, "
            "and put its address out",
        )
    draft.output_bytes += size
    return outputs
