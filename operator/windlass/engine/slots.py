"""How many more pods a Workflow may have: its `concurrency.maxActiveTasks`, over all of its runs.

Counted from the live pods, and from the creates that are under way and so not seen yet; nothing is counted up and
down, so nothing can leak. Reading the free slots and reserving them happens without a pause between, in one loop:
that is the one serial place that grants them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from windlass.engine.record import RunKey
from windlass.plan.types import PodPhase, PodView


class WorkflowKey(NamedTuple):
    """A Workflow, by where it is."""

    namespace: str
    name: str


class Slots:
    """The live pods of each workflow, and who waits for one of them to end."""

    def __init__(self) -> None:
        self._live: defaultdict[WorkflowKey, set[str]] = defaultdict(set)
        self._granted: defaultdict[WorkflowKey, set[str]] = defaultdict(set)
        self._waiting: defaultdict[WorkflowKey, dict[RunKey, None]] = defaultdict(dict)

    def pod_changed(self, old: PodView | None, new: PodView | None) -> tuple[RunKey, ...]:
        """Take a pod's change; the runs to wake because a slot became free, first come first."""
        view = new or old
        if view is None:
            return ()
        key = WorkflowKey(view.namespace, view.workflow)
        if new is not None and new.phase is not PodPhase.ENDED:
            self._live[key].add(view.name)
            self._granted[key].discard(view.name)
            return ()
        if view.name not in self._live[key]:
            return ()
        self._live[key].discard(view.name)
        return tuple(self._waiting.pop(key, ()))

    def free(self, key: WorkflowKey, limit: int | None, own: Iterable[str] = ()) -> int | None:
        """How many more pods may be made; None: as many as you like.

        `own` are pods of the run that asks whose create was not heard of: their slots are theirs already.
        """
        if limit is None:
            return None
        return max(0, limit - len((self._live[key] | self._granted[key]).difference(own)))

    def grant(self, key: WorkflowKey, pods: Iterable[str]) -> None:
        """Reserve a slot for each pod that is about to be created."""
        self._granted[key].update(pods)

    def give_back(self, key: WorkflowKey, pod: str) -> None:
        """The pod was not created, or is seen."""
        self._granted[key].discard(pod)

    def wait(self, key: WorkflowKey, run: RunKey) -> None:
        """Wake `run` when a pod of the workflow ends."""
        self._waiting[key][run] = None
