"""The pods of instances: which are to be read live, whose results are released, which are removed and when.

A run may have thousands of them, so each plan looks at each pod only once, and briefly.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from windlass import names
from windlass.models.run import TaskPhase, TaskStatus
from windlass.models.task import KeepPods
from windlass.plan.attempts import under_way
from windlass.plan.draft import Draft
from windlass.plan.types import EndHow, Node, PodPhase, PodView, Seen

YOUNGEST: Final = timedelta(minutes=2)
"""A pod object stays so long: a create that was sent twice meets its name."""
TOGETHER: Final = 10
"""Seconds: pods of instances that are due to go within this time go together, so that no plan is made for each."""


def unconfirmed_instances(seen: Seen, status: TaskStatus) -> Iterator[str]:
    """Pods of instances under way that the cache lacks, and nobody has looked for yet."""
    instances = status.instances
    if instances is None or status.phase.ended:
        return
    pods, gone, refusals = seen.pods, seen.gone, seen.refusals
    for index in instances.open:
        state = instances.states[index]
        if state is None or not state.attempts:
            continue
        attempt = state.attempts[-1]
        if attempt.finished_at is not None or attempt.pod in pods:
            continue
        name = attempt.pod or names.pod_name(seen.run.name, seen.run.uid, status.name, attempt.number, index)
        if name not in pods and name not in gone and name not in refusals:
            yield name


def settle_instances(draft: Draft) -> list[str]:
    """Decide about each pod of an instance; those whose finalizer comes off once the status is stored."""
    releases: list[str] = []
    for task, pods in draft.instance_pods.items():
        node, status = draft.seen.program.nodes.get(task), draft.tasks.get(task)
        if node is None or status is None or status.instances is None:
            for pod in pods:
                _stray(draft, pod, releases)
        else:
            _settle(draft, node, status, pods, releases)
    return releases


def _settle(draft: Draft, node: Node, status: TaskStatus, pods: list[PodView], releases: list[str]) -> None:
    assert status.instances is not None, "asked before"
    states, total, over = status.instances.states, status.instances.total, status.phase.ended
    first: datetime | None = None
    for pod in pods:
        index = pod.index or 0
        state = states[index] if index < total else None
        if state is None:
            _stray(draft, pod, releases)
            continue
        attempts = state.attempts
        number = attempts[-1].number if attempts else state.dropped or 0
        if attempts and pod.attempt == number and not over and under_way(state):
            if attempts[-1].pod != pod.name or attempts[-1].uid not in (None, pod.uid):
                _stray(draft, pod, releases)
            continue
        if pod.attempt > number:
            _stray(draft, pod, releases)
            continue
        if pod.held:
            releases.append(pod.name)
        if pod.phase is not PodPhase.ENDED or pod.deleting_since is not None:
            _remove(draft, pod, state.reason or "Stray")
            continue
        good = state.phase is TaskPhase.SUCCEEDED and pod.attempt == number
        due = _due(draft, node, pod, good=good)
        if due is not None and (first is None or due < first):
            first = due
    if first is not None:
        draft.wake(first)


def _due(draft: Draft, node: Node, pod: PodView, *, good: bool) -> datetime | None:
    """Have a pod deleted whose logs nobody wants any more; else when it is to be."""
    policy = node.task.keep_pods or KeepPods.ON_FAILURE
    due = pod.created_at + YOUNGEST
    if policy is KeepPods.ALWAYS or (policy is KeepPods.ON_FAILURE and not good):
        due = max(due, (pod.finished_at or pod.created_at) + node.keep_pods_for)
    due = _rounded(due)
    if due <= draft.now:
        draft.end(pod, EndHow.DELETE, "Retention")
        return None
    if pod.lingers and not pod.ending:
        draft.end(pod, EndHow.DEADLINE, "MainEnded")
    return due


def _rounded(due: datetime) -> datetime:
    """The next moment at which pods go together."""
    late = due.second % TOGETHER
    if not late and not due.microsecond:
        return due
    return due.replace(microsecond=0) + timedelta(seconds=TOGETHER - late)


def _stray(draft: Draft, pod: PodView, releases: list[str]) -> None:
    if pod.held:
        releases.append(pod.name)
    _remove(draft, pod, "Stray")


def _remove(draft: Draft, pod: PodView, why: str) -> None:
    if pod.deleting_since is None:
        draft.end(pod, EndHow.DELETE, why)
    elif pod.node_lost and not pod.terminal:
        draft.end(pod, EndHow.FORCE, why)
