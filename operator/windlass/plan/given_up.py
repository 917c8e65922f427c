"""How the pod of an attempt ended: as it says itself, or given up, because it did not start or its node is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from windlass.models.common import delta, parse_time
from windlass.models.run import FailureClass, TaskStatus
from windlass.plan.draft import Draft, Stopping
from windlass.plan.types import EndHow, Node, PodPhase, PodResult, PodView

NODE_LOST_TIMEOUT: Final = timedelta(minutes=10)
DEFAULT_GRACE: Final = timedelta(seconds=30)
BY_ACTION: Final = "Action"
"""Why a pod is ended, when a RunAction wants something else of its task."""
NEVER_STARTS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
"""Why a pod waits, when no time will mend it."""
AS_USUAL: Final = frozenset({"ContainerCreating", "PodInitializing"})
"""Why a pod waits, when nothing is wrong."""
NODE_UNREACHABLE: Final = "NodeUnreachable"


def stopping_of(draft: Draft, node: Node, status: TaskStatus) -> Stopping | None:
    """That the attempt is to be ended: the tasks are being stopped, or an action has ordered it."""
    ordered = Stopping(BY_ACTION, draft.now) if status.order is not None else None
    return draft.stops(node) or ordered


def result_of(draft: Draft, node: Node, status: TaskStatus, pod: PodView) -> PodResult | None:
    """How the attempt ended; None while it has not."""
    if pod.phase is PodPhase.ENDED:
        result = pod.result or PodResult(FailureClass.INFRA, "Unknown", message="the pod ended without saying how")
    elif pod.deleting_since is not None and pod.node is None:
        result = PodResult(FailureClass.INFRA, "Deleted", message="the pod was deleted before it was given a node")
    else:
        return _given_up(draft, node, status, pod)
    if result.failure is not None and _start_timed_out(node, status, pod):
        return _never_started(node, status, pod)
    return result


def _given_up(draft: Draft, node: Node, status: TaskStatus, pod: PodView) -> PodResult | None:
    """The end of an attempt whose node does not answer, when it has been waited for long enough."""
    if not pod.node_lost and pod.deleting_since is None:
        return None
    grace = delta(node.task.termination_grace_period) if node.task.termination_grace_period else DEFAULT_GRACE
    stopping = stopping_of(draft, node, status)
    if stopping is not None and pod.node_lost:
        due = draft.now
    elif pod.deleting_since is not None:
        due = pod.deleting_since + grace + NODE_LOST_TIMEOUT
    elif status.reason == NODE_UNREACHABLE and status.retry_at is not None:
        due = parse_time(status.retry_at)
    else:
        due = draft.now + NODE_LOST_TIMEOUT
    if draft.now < due:
        draft.wake(due)
        return None
    draft.end(pod, EndHow.FORCE, stopping.reason if stopping is not None else "NodeLost")
    message = f"node {pod.node} does not answer: the old process may still run there"
    return PodResult(FailureClass.INFRA, "NodeLost", message=message, detail={"node": pod.node})


def _start_timed_out(node: Node, status: TaskStatus, pod: PodView) -> bool:
    """Whether the pod was deleted because it did not start in time."""
    deadline = pod.created_at + node.start_timeout
    if pod.deleting_since is None or (pod.started_at is not None and pod.started_at < deadline):
        return False
    return pod.deleting_since >= deadline or status.reason in NEVER_STARTS or pod.waiting_reason in NEVER_STARTS


def _never_started(node: Node, status: TaskStatus, pod: PodView) -> PodResult:
    """The end of a pod that we deleted because it did not start; why it did not was seen while it waited."""
    told = pod.waiting_reason and pod.waiting_reason not in AS_USUAL
    reason, message = (pod.waiting_reason, pod.waiting_message) if told else (status.reason, status.message)
    reason = reason or pod.waiting_reason or "StartTimeout"
    message = message or f"the pod has not started within {node.task.start_timeout or '10m'}"
    return PodResult(FailureClass.START, reason, message=message, detail={"image": node.task.image})
