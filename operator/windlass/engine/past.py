"""What the tasks of a run wait for that depend on their past: the phases of the tasks of the slot before.

Read from the runs in work, and from the API where that run has ended; who waits is woken when that run's status is
stored, and when it is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from windlass.engine.cache import RunCache
from windlass.engine.history import RunIndex
from windlass.engine.ports import Api
from windlass.engine.record import RunKey, RunRecord
from windlass.engine.slots import WorkflowKey
from windlass.errors import NotFound
from windlass.models.parse import InvalidObject, read_status
from windlass.models.run import TaskPhase, WorkflowRunStatus
from windlass.plan.history import RunSummary
from windlass.plan.past import DEPENDS_ON_PAST
from windlass.plan.turns import runs_before
from windlass.plan.types import PastView, Program
from windlass.resources import RUNS

Phases = Mapping[str, TaskPhase]
_UNREADABLE: Final[Phases] = {}


class Past:
    """Phases of tasks of earlier runs, for who waits for them."""

    def __init__(self, api: Api, runs: RunCache, index: RunIndex, wake: Callable[[RunKey], None]) -> None:
        self._api = api
        self._runs = runs
        self._index = index
        self._wake = wake
        self._awaited: dict[RunKey, set[RunKey]] = {}
        """By the run that is waited for: those that wait."""
        self._awaits: dict[RunKey, tuple[RunKey, ...]] = {}
        self._read: dict[RunKey, tuple[str, int, Phases]] = {}
        """What was read of runs that are waited for: UID, version, phases."""
        index.listen(self._changed)

    async def view(self, record: RunRecord, program: Program) -> PastView | None:
        """The runs of the slot before, when a task of this one may wait for them."""
        run = self._index.get(record.key)
        if run is None or run.slot is None or not _asks(record, program):
            self.leave(record.key)
            return None
        before = runs_before(run, self._index.of(WorkflowKey(run.namespace, run.workflow)).values())
        if not before:
            return None
        self._wait(record.key, tuple(RunKey(other.namespace, other.name) for other in before))
        return PastView(before[-1].name, tuple([await self._phases(other) for other in before]))

    def stored(self, record: RunRecord) -> None:
        """A run's status was stored: those that wait for its tasks look again."""
        for key in sorted(self._awaited.get(record.key, ())):
            self._wake(key)

    def leave(self, key: RunKey) -> None:
        """The run is over, or waits for nothing any more."""
        for awaited in self._awaits.pop(key, ()):
            waiting = self._awaited[awaited]
            waiting.discard(key)
            if not waiting:
                del self._awaited[awaited]
                self._read.pop(awaited, None)

    def _wait(self, key: RunKey, awaited: tuple[RunKey, ...]) -> None:
        if self._awaits.get(key) == awaited:
            return
        self.leave(key)
        self._awaits[key] = awaited
        for one in awaited:
            self._awaited.setdefault(one, set()).add(key)

    async def _phases(self, run: RunSummary) -> Phases:
        key = RunKey(run.namespace, run.name)
        record = self._runs.get(key)
        if record is not None and record.uid == run.uid:
            return _phases(record.stored)
        known = self._read.get(key)
        if known is not None and known[:2] == (run.uid, run.version):
            return known[2]
        try:
            body = await self._api.get(RUNS, *key)
            phases = _phases(read_status(body.get("status")))
        except NotFound:
            self._index.drop(key, run.uid)
            return _UNREADABLE
        except InvalidObject:
            phases = _UNREADABLE
        if key in self._awaited:
            self._read[key] = (run.uid, run.version, phases)
        return phases

    def _changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        run = new or old
        if run is not None and (new is None or new.ended):
            for key in sorted(self._awaited.get(RunKey(run.namespace, run.name), ())):
                self._wake(key)


def _asks(record: RunRecord, program: Program) -> bool:
    """Whether a task of the run is yet to be told of its past."""
    return any(
        (task.phase is TaskPhase.WAITING or task.reason == DEPENDS_ON_PAST)
        and task.name in program.nodes
        and program.nodes[task.name].task.depends_on_past
        for task in record.draft.tasks
    )


def _phases(status: WorkflowRunStatus) -> Phases:
    return {task.name: task.phase for task in status.tasks}
