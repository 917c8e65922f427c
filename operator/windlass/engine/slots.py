"""How many more pods a Workflow may have: its `concurrency.maxActiveTasks`, over all of its runs.

    plan ──grant──▶ granted to a run ──the pod is seen──▶ live ──it ends──▶ free, who waits is woken
                          └──refused, or no more wanted──▶ free, who waits is woken

Counted from the live pods, and from the creates that are under way and so not seen yet; nothing is counted up and
down, so nothing can leak. Reading the free slots and reserving them happens without a pause between, in one loop:
that is the one serial place that grants them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from windlass.engine.record import RunKey
from windlass.plan.types import PodPhase, PodView


class WorkflowKey(NamedTuple):
    """A Workflow, by where it is."""

    namespace: str
    name: str


class Slots:
    """The live pods of each workflow, whose pods are still to be seen, and who waits for a slot."""

    def __init__(self, wake: Callable[[RunKey], None]) -> None:
        self._wake = wake
        self._live: dict[WorkflowKey, set[str]] = {}
        self._granted: dict[WorkflowKey, dict[str, RunKey]] = {}
        self._waiting: dict[WorkflowKey, dict[RunKey, None]] = {}

    def pod_changed(self, old: PodView | None, new: PodView | None) -> None:
        """Take a pod's change: it may free a slot, and so wake the runs that wait, first come first."""
        before, after = _live_key(old), _live_key(new)
        if after is not None and new is not None:
            self._live.setdefault(after, set()).add(new.name)
            self._take_back(after, (new.name,))
        elif new is not None:
            self.give_back(_key(new), (new.name,))
        if before is None or before == after or old is None:
            return
        live = self._live[before]
        live.discard(old.name)
        if not live:
            del self._live[before]
        self._freed(before)

    def free(self, key: WorkflowKey, limit: int | None) -> int | None:
        """How many more pods may be made; None: as many as you like."""
        if limit is None:
            return None
        return max(0, limit - len(self._live.get(key, set()).union(self._granted.get(key, ()))))

    def held(self, key: WorkflowKey, run: RunKey) -> frozenset[str]:
        """Pods that have a slot of this run's already: their creates were not made yet, or not heard of."""
        return frozenset(pod for pod, holder in self._granted.get(key, {}).items() if holder == run)

    def grant(self, key: WorkflowKey, run: RunKey, pods: Iterable[str]) -> None:
        """Reserve a slot for each pod that is about to be created."""
        new = dict.fromkeys(pods, run)
        if new:
            self._granted.setdefault(key, {}).update(new)

    def give_back(self, key: WorkflowKey, pods: Iterable[str]) -> None:
        """These pods were not created, or are seen."""
        if self._take_back(key, pods):
            self._freed(key)

    def wait(self, key: WorkflowKey, run: RunKey) -> None:
        """Wake `run` when a slot of the workflow becomes free."""
        self._waiting.setdefault(key, {})[run] = None

    def leave(self, run: RunKey) -> None:
        """The run is over: it waits for nothing, and what it was granted is free."""
        for key in [key for key, waiting in self._waiting.items() if run in waiting]:
            del self._waiting[key][run]
            if not self._waiting[key]:
                del self._waiting[key]
        for key in tuple(self._granted):
            self.give_back(key, self.held(key, run))

    def _take_back(self, key: WorkflowKey, pods: Iterable[str]) -> bool:
        granted = self._granted.get(key)
        if granted is None:
            return False
        found = [pod for pod in pods if granted.pop(pod, None) is not None]
        if not granted:
            del self._granted[key]
        return bool(found)

    def _freed(self, key: WorkflowKey) -> None:
        for run in self._waiting.pop(key, ()):
            self._wake(run)


def _key(pod: PodView) -> WorkflowKey:
    return WorkflowKey(pod.namespace, pod.workflow)


def _live_key(pod: PodView | None) -> WorkflowKey | None:
    return None if pod is None or pod.phase is PodPhase.ENDED else _key(pod)
