"""Pods that are no attempt under way: results are released, strays removed, and kept pods when their time is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from windlass.models.common import parse_time
from windlass.models.run import Attempt, RunPhase, SourceStatus, TaskStatus, WorkflowRunStatus
from windlass.models.task import KeepPods
from windlass.models.workflow import Keep
from windlass.plan.draft import Draft
from windlass.plan.foreach_pods import YOUNGEST, settle_instances
from windlass.plan.types import EndHow, Node, PodPhase, PodView, Program

KEEP_WORKSPACE: Final = timedelta(hours=24)
DELETE_WORKSPACE_WITHIN: Final = timedelta(hours=24)
"""How long after it is due the workspace's deletion is asked for, so that ended runs cost nothing for ever."""


def settle_pods(draft: Draft, source: SourceStatus | None) -> tuple[str, ...]:
    """Decide about each pod of the run; those whose finalizer comes off once the status is stored."""
    releases: list[str] = []
    program = draft.seen.program
    step = source.step if source is not None else None
    releases += settle_instances(draft)
    for pod in draft.seen.pods.values():
        if pod.index is not None:
            continue
        node = program.nodes.get(pod.task)
        status = draft.tasks.get(pod.task)
        if node is None and step is not None and step.name == pod.task:
            node, status = program.source_step, step
        attempt = _record(status, pod) if status is not None else None
        if attempt is not None and attempt.finished_at is None and status is not None and not status.phase.ended:
            continue
        if pod.held:
            releases.append(pod.name)
        if node is None or status is None or attempt is None:
            _remove(draft, pod, "Stray")
        else:
            _keep(draft, node, attempt, pod)
    return tuple(releases)


def _record(status: TaskStatus, pod: PodView) -> Attempt | None:
    """The attempt that this pod was made for, if the status knows it; None for a stray."""
    for attempt in reversed(status.attempts):
        if attempt.number == pod.attempt:
            return attempt if attempt.pod == pod.name and attempt.uid in (None, pod.uid) else None
    dropped = status.dropped or 0
    if pod.attempt <= dropped and pod.phase is PodPhase.ENDED:
        return Attempt.model_construct(number=pod.attempt, pod=pod.name, class_=None, reason="Superseded")
    return None


def _remove(draft: Draft, pod: PodView, why: str) -> None:
    if pod.deleting_since is None:
        draft.end(pod, EndHow.DELETE, why)
    elif pod.node_lost and not pod.terminal:
        draft.end(pod, EndHow.FORCE, why)


def _keep(draft: Draft, node: Node, attempt: Attempt, pod: PodView) -> None:
    """Leave the pod of an ended attempt as long as its logs are wanted."""
    if pod.phase is not PodPhase.ENDED or pod.deleting_since is not None:
        _remove(draft, pod, attempt.reason or "Stray")
        return
    policy = node.task.keep_pods or KeepPods.ON_FAILURE
    good = attempt.reason is None
    kept = policy is KeepPods.ALWAYS or (policy is KeepPods.ON_FAILURE and not good)
    due = pod.created_at + YOUNGEST
    if kept:
        due = max(due, (pod.finished_at or pod.created_at) + node.keep_pods_for)
    if due <= draft.now:
        draft.end(pod, EndHow.DELETE, "Retention")
        return
    draft.wake(due)
    if pod.lingers and not pod.ending:
        # What was injected beside the task would keep the pod, and its node's resources, for ever.
        draft.end(pod, EndHow.DEADLINE, "MainEnded")


def workspace_due(program: Program, status: WorkflowRunStatus) -> datetime | None:
    """When the workspace of an ended run is to be deleted; None: never, or there is none."""
    workspace = program.spec.workspace
    if workspace is None or status.workspace is None or status.finished_at is None or workspace.keep is Keep.ALWAYS:
        return None
    finished = parse_time(status.finished_at)
    kept = workspace.keep is Keep.ON_FAILURE and status.phase is not RunPhase.SUCCEEDED
    return finished + KEEP_WORKSPACE if kept else finished
