"""How many more pods a Workflow may have: its `concurrency.maxActiveTasks`, over all of its runs.

    plan ──grant──▶ granted to a run ──the pod is seen──▶ live ──it ends──▶ free, who is next is woken
                          └──refused, or no more wanted──▶ free, who is next is woken

Counted from the live pods, and from the creates that are under way and so not seen yet; nothing is counted up and
down, so nothing can leak. Reading the free slots and reserving them happens without a pause between, in one loop:
that is the one serial place that grants them.

A free slot wakes one run, the next by priority, then by how long it has waited; what that one doesn't take is passed on
when it has planned. Who got a slot and wants more goes to the end of those of its priority.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from windlass.engine.record import RunKey
from windlass.plan.types import PodPhase, PodView


class WorkflowKey(NamedTuple):
    """A Workflow, by where it is."""

    namespace: str
    name: str


class _Entry(NamedTuple):
    """A run that waits; the smallest is next."""

    urgency: int
    """Its priority, turned round."""
    number: int
    """When it began to wait: these grow."""
    run: RunKey


@dataclass(slots=True)
class _Queue:
    """The runs of a Workflow that want more slots."""

    waiting: list[_Entry] = field(default_factory=list)
    """In order."""
    called: dict[RunKey, _Entry] = field(default_factory=dict)
    """Those that were woken, and have not planned since."""

    def drop(self, entry: _Entry) -> None:
        if self.called.pop(entry.run, None) is None:
            del self.waiting[bisect_left(self.waiting, entry)]


class Slots:
    """The live pods of each workflow, whose pods are still to be seen, and who waits for a slot."""

    def __init__(self, wake: Callable[[RunKey], None]) -> None:
        self._wake = wake
        self._live: dict[WorkflowKey, set[str]] = {}
        self._granted: dict[WorkflowKey, dict[str, RunKey]] = {}
        self._queues: dict[WorkflowKey, _Queue] = {}
        self._waits: dict[RunKey, tuple[WorkflowKey, _Entry]] = {}
        self._number = 0

    def pod_changed(self, old: PodView | None, new: PodView | None) -> None:
        """Take a pod's change: it may free a slot, and so wake the run that is next."""
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
        self._call(before, 1)

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
        self._call(key, self._take_back(key, pods))

    def planned(self, key: WorkflowKey, run: RunKey, limit: int, *, wants: bool, got: bool, priority: int = 0) -> None:
        """The run has planned: whether it wants more slots than there were, and whether it got one. What it has left
        is for those who are next."""
        before = self._waits.pop(run, None)
        if before is not None:
            self._queues[before[0]].drop(before[1])
        queue = self._queues.setdefault(key, _Queue())
        if wants:
            self._number += 1
            keeps = before is not None and not got and before[1].urgency == -priority
            entry = before[1] if before is not None and keeps else _Entry(-priority, self._number, run)
            insort(queue.waiting, entry)
            self._waits[run] = (key, entry)
        free = self.free(key, limit) or 0
        self._call(key, free - len(queue.called))
        self._tidy(key, queue)

    def stumbled(self, run: RunKey) -> None:
        """The run was woken and could not plan: another goes first, it comes back by itself."""
        key, entry = self._waits.get(run, (None, None))
        queue = self._queues.get(key) if key is not None else None
        if key is None or entry is None or queue is None or queue.called.pop(run, None) is None:
            return
        self._call(key, 1)
        insort(queue.waiting, entry)

    def leave(self, run: RunKey) -> None:
        """The run is over: it waits for nothing, and what it was granted is free."""
        key, entry = self._waits.pop(run, (None, None))
        queue = self._queues.get(key) if key is not None else None
        if key is not None and entry is not None and queue is not None:
            called = run in queue.called
            queue.drop(entry)
            self._call(key, int(called))
            self._tidy(key, queue)
        for granted in tuple(self._granted):
            self.give_back(granted, self.held(granted, run))

    def _take_back(self, key: WorkflowKey, pods: Iterable[str]) -> int:
        granted = self._granted.get(key)
        if granted is None:
            return 0
        found = [pod for pod in pods if granted.pop(pod, None) is not None]
        if not granted:
            del self._granted[key]
        return len(found)

    def _call(self, key: WorkflowKey, slots: int) -> None:
        """Wake a run for each of so many slots."""
        queue = self._queues.get(key)
        if queue is None or slots <= 0:
            return
        called, queue.waiting[:slots] = queue.waiting[:slots], []
        for entry in called:
            queue.called[entry.run] = entry
            self._wake(entry.run)

    def _tidy(self, key: WorkflowKey, queue: _Queue) -> None:
        if not queue.waiting and not queue.called:
            del self._queues[key]


def _key(pod: PodView) -> WorkflowKey:
    return WorkflowKey(pod.namespace, pod.workflow)


def _live_key(pod: PodView | None) -> WorkflowKey | None:
    return None if pod is None or pod.phase is PodPhase.ENDED else _key(pod)
