"""Every run that exists, as a summary: what schedules, turns and backfills decide from.

Fed by watches, lists and the answers to our own requests, and never older than the newest of them. A run that was
deleted does not come back by a list that was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from windlass.engine.ports import Body
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.plan.history import RunSummary, summarize

Listener = Callable[[RunSummary | None, RunSummary | None], None]
"""Called with what a run was, None when it is new, and what it is, None when it is gone."""
MOST_BURIED: Final = 4096
"""How many deleted runs are remembered, so that an old list does not bring them back."""
_NONE: Final[Mapping[str, RunSummary]] = MappingProxyType({})


class RunIndex:
    """Summaries of all runs, by their Workflow."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, RunSummary]] = {}
        """By namespace and name."""
        self._by_workflow: dict[WorkflowKey, dict[str, RunSummary]] = {}
        self._buried: dict[str, None] = {}
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def __iter__(self) -> Iterator[RunSummary]:
        return iter([run for runs in self._runs.values() for run in runs.values()])

    def listen(self, listener: Listener) -> None:
        """Have every change told to `listener`, which must not wait."""
        self._listeners.append(listener)

    def get(self, key: RunKey) -> RunSummary | None:
        return self._runs.get(key.namespace, _NONE).get(key.name)

    def of(self, key: WorkflowKey) -> Mapping[str, RunSummary]:
        """The runs of a Workflow by their name, in no order; a definition of its own has none. Not a copy."""
        return self._by_workflow.get(key, _NONE)

    def seen(self, body: Body) -> None:
        """Take a run as the API gave it, unless something newer of it is known."""
        meta = body["metadata"]
        uid, version = meta["uid"], int(meta["resourceVersion"])
        old = self._runs.get(meta["namespace"], _NONE).get(meta["name"])
        if uid in self._buried or (old is not None and old.version >= version):
            return
        new = summarize(body)
        if old is not None and old.uid != uid:
            self._drop(old)
            old = None
        self._runs.setdefault(new.namespace, {})[new.name] = new
        if new.workflow:
            self._by_workflow.setdefault(WorkflowKey(new.namespace, new.workflow), {})[new.name] = new
        if old != new:
            self._tell(old, new)

    def gone(self, body: Body) -> None:
        """The run was deleted."""
        meta = body["metadata"]
        self.drop(RunKey(meta["namespace"], meta["name"]), meta["uid"])

    def drop(self, key: RunKey, uid: str | None = None) -> None:
        """There is no run of this name; with a UID: that one is no more."""
        known = self.get(key)
        if uid is not None:
            self._bury(uid)
        if known is not None and uid in (None, known.uid):
            self._drop(known)

    def keep_only(self, before: Iterable[RunSummary], listed: Callable[[str], bool]) -> None:
        """Drop those that were known before a list began and that it did not hold (`listed` says of a UID)."""
        for run in before:
            if not listed(run.uid):
                self.drop(RunKey(run.namespace, run.name), run.uid)

    def _drop(self, run: RunSummary) -> None:
        self._bury(run.uid)
        runs = self._runs[run.namespace]
        del runs[run.name]
        if not runs:
            del self._runs[run.namespace]
        if run.workflow:
            key = WorkflowKey(run.namespace, run.workflow)
            del self._by_workflow[key][run.name]
            if not self._by_workflow[key]:
                del self._by_workflow[key]
        self._tell(run, None)

    def _bury(self, uid: str) -> None:
        self._buried[uid] = None
        if len(self._buried) > MOST_BURIED:
            del self._buried[next(iter(self._buried))]

    def _tell(self, old: RunSummary | None, new: RunSummary | None) -> None:
        for listener in self._listeners:
            listener(old, new)
