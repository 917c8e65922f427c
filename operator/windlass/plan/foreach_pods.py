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
    for index in instances.live:
        state = instances.states[index]
        assert state is not None, "it is live"
        attempt = state.attempts[-1]
        if attempt.pod in pods:
            continue
        name = attempt.pod or names.pod_name(seen.run.name, seen.run.uid, status.name, attempt.number, index)
        if name not in pods and name not in gone and name not in refusals:
            yield name


def settle_instances(draft: Draft) -> list[str]:
    """Decide about each pod of an instance; those whose finalizer comes off once the status is stored."""
    releases: list[str] = []
    for task, pods in draft.instance_pods.items():
        node, status = draft.seen.program.nodes.get(task), draft.tasks.get(task)
        if node is None or status is None:
            for pod in pods:
                _stray(draft, pod, releases)
        else:
            _settle(draft, node, status, pods, releases)
    return releases


def _settle(draft: Draft, node: Node, status: TaskStatus, pods: list[PodView], releases: list[str]) -> None:
    # Without instances it was sent back, and is not ready yet: what it had made before is kept like any other.
    states = status.instances.states if status.instances is not None else ()
    total, over = len(states), status.phase.ended
    unbegun = TaskStatus(name="", dropped=status.cleared)
    kept = _Kept(draft, node)
    for pod in pods:
        index = pod.index or 0
        state = (states[index] or unbegun) if index < total else unbegun
        attempts = state.attempts
        if not attempts:
            number = state.dropped or 0
        else:
            last = attempts[-1]
            number = last.number
            if pod.attempt == number and last.finished_at is None and not over:
                if last.pod != pod.name or last.uid not in (None, pod.uid):
                    _stray(draft, pod, releases)
                continue
        if pod.attempt > number:
            _stray(draft, pod, releases)
            continue
        if pod.held and not draft.in_haste:
            releases.append(pod.name)
        if pod.phase is not PodPhase.ENDED or pod.deleting_since is not None:
            _remove(draft, pod, state.reason or "Stray")
        else:
            kept.take(pod, good=state.phase is TaskPhase.SUCCEEDED and pod.attempt == number)
    if kept.first is not None:
        draft.wake(kept.first)


class _Kept:
    """Pods of ended attempts, which stay as long as their logs are wanted."""

    def __init__(self, draft: Draft, node: Node) -> None:
        policy = node.task.keep_pods or KeepPods.ON_FAILURE
        self._draft = draft
        self._longer = {True: policy is KeepPods.ALWAYS, False: policy is not KeepPods.NEVER}
        self._longer_for = node.keep_pods_for
        self._due: dict[datetime, datetime] = {}
        self.first: datetime | None = None
        """When the first of them is to go."""

    def take(self, pod: PodView, *, good: bool) -> None:
        """Have a pod deleted whose logs nobody wants any more; else note when it is to be."""
        if self._longer[good]:
            due = _rounded(max(pod.created_at + YOUNGEST, (pod.finished_at or pod.created_at) + self._longer_for))
        elif pod.created_at in self._due:
            due = self._due[pod.created_at]
        else:
            due = self._due[pod.created_at] = _rounded(pod.created_at + YOUNGEST)
        if due <= self._draft.now:
            self._draft.end(pod, EndHow.DELETE, "Retention")
            return
        if self.first is None or due < self.first:
            self.first = due
        if pod.lingers and not pod.ending:
            # What was injected beside the task would keep the pod, and its node's resources, for ever.
            self._draft.end(pod, EndHow.DEADLINE, "MainEnded")


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
