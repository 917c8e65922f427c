"""The runs that tasks of runs start: made, read, stopped; how they do is known from the index of all runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from windlass.build.child import ChildRequest, build_child
from windlass.engine.history import RunIndex
from windlass.engine.launch import Launcher, owner_uid
from windlass.engine.ports import Api, Body
from windlass.engine.record import RunKey, RunRecord
from windlass.engine.slots import WorkflowKey
from windlass.errors import AlreadyExists, ApiError, Conflict, NotFound
from windlass.models.common import format_time
from windlass.models.run import RunPhase, Stop
from windlass.plan.history import RunSummary
from windlass.plan.task_types import ChildLaunch, ChildStop, ChildView
from windlass.plan.types import Refusal, RefusalKind
from windlass.resources import RUNS

logger = logging.getLogger(__name__)
_PHASES: Final = {phase.value: phase for phase in RunPhase}
_STOPS: Final = {stop.value: stop for stop in Stop}
MERGE: Final = "application/merge-patch+json"


class Children:
    """What a run's reconcile asks about its children, and does to them."""

    def __init__(self, api: Api, index: RunIndex, launcher: Launcher) -> None:
        self._api = api
        self._index = index
        self._launcher = launcher

    def of(self, record: RunRecord) -> dict[str, ChildView]:
        """The children that the run's status names, as far as they are known."""
        found = {}
        for task in record.draft.tasks:
            name = task.attempts[-1].run if task.attempts else None
            run = self._index.get(RunKey(record.key.namespace, name)) if name is not None else None
            if run is not None and run.parent == (record.key.name, record.uid):
                stop = Stop.CANCEL if run.stopping else None
                found[run.name] = ChildView(
                    run.name, run.uid, run.phase, created_at=format_time(run.created_at), stop=stop
                )
        return found

    async def read(self, record: RunRecord, name: str) -> ChildView | None:
        """The child as it is now, with the outputs of its tasks; None when there is none of this run's."""
        try:
            body = await self._api.get(RUNS, record.key.namespace, name)
        except NotFound:
            self._index.drop(RunKey(record.key.namespace, name))
            return None
        self._index.seen(body)
        return _view(body) if owner_uid(body) == record.uid else None

    async def create(self, record: RunRecord, child: ChildLaunch) -> Refusal | None:
        """Have the child in the cluster; None when it is, else why not."""
        try:
            body = await self._api.create(RUNS, build_child(_request(record, child)))
        except AlreadyExists:
            return await self._meet(record, child)
        except ApiError as error:
            return self._launcher.refusal(error, record.refused.get(child.name, 0))
        self._index.seen(body)
        return None

    async def stop(self, record: RunRecord, stop: ChildStop) -> None:
        """Tell the child to stop. One that is gone, or is stopped more firmly already, is left."""
        patch = {"metadata": {"uid": stop.uid}, "spec": {"stop": stop.stop.value}}
        try:
            body = await self._api.patch(RUNS, record.key.namespace, stop.name, patch, content_type=MERGE)
        except (NotFound, Conflict) as error:
            record.log(logger).debug("run %s is not stopped: %s", stop.name, error)
        else:
            self._index.seen(body)

    async def _meet(self, record: RunRecord, child: ChildLaunch) -> Refusal | None:
        try:
            found = await self.read(record, child.name)
        except ApiError as error:
            return self._launcher.refusal(error, record.refused.get(child.name, 0))
        if found is not None:
            return None
        message = f"a run named {child.name} exists already and is not of this run: delete it, then run again"
        return Refusal(RefusalKind.LAUNCH, "NameTaken", message)


class Kin:
    """Which runs have started which, as far as they have not ended: parents hear of their children, and history keeps
    both as long as one needs the other.

    `changed` is called with a parent's key and UID, `freed` with a Workflow whose runs are needed no more.
    """

    def __init__(
        self, index: RunIndex, changed: Callable[[RunKey, str], None], freed: Callable[[WorkflowKey], None]
    ) -> None:
        self._index = index
        self._changed = changed
        self._freed = freed
        self._open: dict[str, set[str]] = {}
        """By the parent's UID: the names of its children that have not ended."""
        self._workflows: dict[str, set[WorkflowKey]] = {}
        """By the parent's UID, while it has not ended: the Workflows of its children."""
        index.listen(self._run_changed)

    def needs(self, run: RunSummary) -> bool:
        """Whether the run is still to be kept: its parent has not ended, or a child of it has not."""
        if self._open.get(run.uid):
            return True
        if run.parent is None:
            return False
        name, uid = run.parent
        parent = self._index.get(RunKey(run.namespace, name))
        return parent is not None and parent.uid == uid and not parent.ended

    def _run_changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        run = new or old
        if run is None:
            return
        if new is None or new.ended:
            for workflow in self._workflows.pop(run.uid, ()):
                self._freed(workflow)
        if run.parent is None:
            return
        name, uid = run.parent
        parent = self._index.get(RunKey(run.namespace, name))
        if parent is not None and parent.uid == uid and not parent.ended:
            self._workflows.setdefault(uid, set()).add(WorkflowKey(run.namespace, run.workflow))
        children = self._open.setdefault(uid, set())
        if new is None or new.ended:
            children.discard(run.name)
        else:
            children.add(run.name)
        if not children:
            del self._open[uid]
            if parent is not None and parent.workflow:
                self._freed(WorkflowKey(parent.namespace, parent.workflow))
        self._changed(RunKey(run.namespace, name), uid)


def _request(record: RunRecord, child: ChildLaunch) -> ChildRequest:
    return ChildRequest(
        namespace=record.key.namespace,
        parent=record.key.name,
        parent_uid=record.uid,
        task=child.task,
        attempt=child.attempt,
        chain=child.chain,
        name=child.name,
        workflow=child.workflow,
        params=child.params,
        logical_date=child.logical_date,
        priority=record.spec.priority,
    )


def _view(body: Body) -> ChildView:
    status: Mapping[str, Any] = body.get("status") or {}
    phase, stop = str(status.get("phase")), str((body.get("spec") or {}).get("stop"))
    return ChildView(
        name=body["metadata"]["name"],
        uid=body["metadata"]["uid"],
        phase=_PHASES.get(phase),
        message=status.get("message"),
        created_at=body["metadata"]["creationTimestamp"],
        stop=_STOPS.get(stop),
        outputs=_outputs(status),
    )


def _outputs(status: Mapping[str, object]) -> dict[str, object]:
    tasks = status.get("tasks")
    entries = [entry for entry in tasks if isinstance(entry, Mapping)] if isinstance(tasks, list) else []
    return {str(entry.get("name")): entry["outputs"] for entry in entries if entry.get("outputs") is not None}
