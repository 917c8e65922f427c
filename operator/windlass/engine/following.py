"""Who follows whom: wakes Workflows when what they follow has happened, and keeps its runs until they have seen it.

    run changed ─▶ did it end, or produce? ─▶ the keys of the Workflows that follow it
    history of a source ─▶ is its run wanted by one that follows? ─▶ it stays, until that one's status says it has dealt
                                                                      with it; then the source's history is looked at

Which events fire is decided in `plan.following`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from windlass.engine.history import RunIndex
from windlass.engine.ports import Api, Body
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.engine.workflows import WorkflowCache, WorkflowRecord
from windlass.errors import Conflict, NotFound
from windlass.models.run import Trigger, TriggerSource
from windlass.models.schedule import AfterSource
from windlass.names import following_number
from windlass.plan.cursors import Cursors
from windlass.plan.following import is_wanted, sources_of
from windlass.plan.history import RunSummary
from windlass.plan.sources import SourceEvent, events_of, source_key
from windlass.plan.workflow_types import RunRequest
from windlass.resources import RUNS

_NONE: Final[Mapping[str, RunSummary]] = MappingProxyType({})


class SourceName(NamedTuple):
    """What is followed, by its name in a namespace: a Workflow or an asset."""

    namespace: str
    name: str
    is_asset: bool


class Following:
    """The Workflows that follow others. `wake` has a Workflow looked at, after so many seconds."""

    def __init__(
        self, api: Api, index: RunIndex, workflows: WorkflowCache, wake: Callable[[WorkflowKey, float], None]
    ) -> None:
        self._api = api
        self._index = index
        self._workflows = workflows
        self._wake = wake
        self._follows: dict[WorkflowKey, frozenset[SourceName]] = {}
        self._followers: dict[SourceName, set[WorkflowKey]] = {}
        self._producers: dict[SourceName, dict[str, RunSummary]] = {}
        """By asset: the runs that have produced it, by name."""
        index.listen(self._run_changed)

    # Workflows

    def seen(self, body: Body) -> None:
        """Take what a Workflow follows; of a spec that can't be read as much as can be."""
        meta = body["metadata"]
        key = WorkflowKey(meta["namespace"], meta["name"])
        self._follow(key, frozenset(_sources_in(key.namespace, body.get("spec"))))

    def gone(self, key: WorkflowKey) -> None:
        """The Workflow is no more: it follows nothing."""
        self._follow(key, frozenset())

    def _follow(self, key: WorkflowKey, sources: frozenset[SourceName]) -> None:
        for source in self._follows.pop(key, frozenset()) - sources:
            self._followers[source].discard(key)
            if not self._followers[source]:
                del self._followers[source]
        for source in sources:
            self._followers.setdefault(source, set()).add(key)
        if sources:
            self._follows[key] = sources

    def events(self, record: WorkflowRecord) -> tuple[tuple[SourceEvent, ...], ...]:
        """The events of each source that a Workflow follows; none where it follows nothing."""
        schedule = record.terms.schedule if record.terms is not None else None
        if schedule is None or schedule.after is None:
            return ()
        return tuple(self._events(record.key.namespace, source) for source in sources_of(schedule.after))

    def _events(self, namespace: str, source: AfterSource) -> tuple[SourceEvent, ...]:
        if source.asset is not None:
            runs = self._producers.get(SourceName(namespace, source.asset, is_asset=True), _NONE)
        else:
            runs = self._index.of(WorkflowKey(namespace, source.workflow or ""))
        return tuple(events_of(source, runs.values()))

    def stored(self, record: WorkflowRecord) -> None:
        """The Workflow's status was stored: runs that it has dealt with may be history now."""
        if record.stored.cursors is None:
            return
        for source in self._follows.get(record.key, ()):
            if not source.is_asset:
                self._wake(WorkflowKey(source.namespace, source.name), 0.0)
                continue
            for workflow in {run.workflow for run in self._producers.get(source, _NONE).values() if run.workflow}:
                self._wake(WorkflowKey(source.namespace, workflow), 0.0)

    # Runs

    def needs(self, run: RunSummary) -> bool:
        """Whether a run that is history has to stay: one that follows has yet to deal with it, or it is the run whose
        name keeps a number from being used twice."""
        if self._guards(run):
            return True
        return any(self._wants(key, run) for key in self._followers_of(run))

    def _guards(self, run: RunSummary) -> bool:
        if run.trigger is not Trigger.WORKFLOW:
            return False
        record = self._workflows.get(WorkflowKey(run.namespace, run.workflow))
        if record is None or record.uid != run.owner:
            return False
        return following_number(run.name) > Cursors.read(record.stored.cursors).number

    def _wants(self, key: WorkflowKey, run: RunSummary) -> bool:
        record = self._workflows.get(key)
        if record is None or record.deleting:
            return False
        schedule = record.terms.schedule if record.terms is not None else None
        if record.body is not None or schedule is None or schedule.after is None:
            return record.body is not None
        cursors = Cursors.read(record.stored.cursors)
        for source in sources_of(schedule.after):
            if source.asset is None and source.workflow != run.workflow:
                continue
            for event in events_of(source, (run,)):
                cursor = cursors.sources.get(source_key(source))
                if cursor is not None and cursor.knows(event):
                    continue
                if is_wanted(schedule, event, self._events(key.namespace, source)):
                    return True
        return False

    def _followers_of(self, run: RunSummary) -> set[WorkflowKey]:
        found: set[WorkflowKey] = set()
        for source in _names_of(run):
            found |= self._followers.get(source, set())
        return found

    def _run_changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        if not _matters(old, new):
            return
        woken: set[WorkflowKey] = set()
        for one, present in ((old, False), (new, True)):
            if one is None:
                continue
            for source in _names_of(one):
                woken |= self._followers.get(source, set())
                if source.is_asset:
                    self._note(source, one, present=present)
        for key in woken:
            self._wake(key, 0.0)

    def _note(self, source: SourceName, run: RunSummary, *, present: bool) -> None:
        if present:
            self._producers.setdefault(source, {})[run.name] = run
            return
        runs = self._producers.get(source, {})
        runs.pop(run.name, None)
        if not runs:
            self._producers.pop(source, None)

    async def with_fields(self, namespace: str, request: RunRequest) -> RunRequest:
        """The request with what is said of the assets that it answers, read from their runs. Conflict when one of these
        is no more: then its event has not happened."""
        sources = [await self._with_fields(namespace, source) for source in request.slot.sources]
        return request.with_sources(sources)

    async def _with_fields(self, namespace: str, source: TriggerSource) -> TriggerSource:
        key = RunKey(namespace, source.run)
        known = self._index.get(key)
        if source.asset is None or known is None:
            return source
        if not any(made.asset == source.asset and made.has_fields for made in known.assets):
            return source
        try:
            body = await self._api.get(RUNS, namespace, source.run)
        except NotFound:
            self._index.drop(key, source.uid)
            raise Conflict(f"run {source.run} was deleted before a run could follow it") from None
        self._index.seen(body)
        return source.model_copy(update={"fields": _fields_in(body, source)})


def _matters(old: RunSummary | None, new: RunSummary | None) -> bool:
    """Whether an event of a run may have come or gone."""
    return _happened(old) != _happened(new)


def _happened(run: RunSummary | None) -> tuple[Any, ...]:
    if run is None:
        return (None, None, (), False)
    ended = run.ended
    return (run.phase if ended else None, run.finished_at if ended else None, run.assets, run.deleting)


def _names_of(run: RunSummary) -> Iterator[SourceName]:
    """What is followed by whoever follows the run."""
    if run.workflow:
        yield SourceName(run.namespace, run.workflow, is_asset=False)
    for asset in {made.asset for made in run.assets}:
        yield SourceName(run.namespace, asset, is_asset=True)


def _sources_in(namespace: str, spec: Any) -> Iterator[SourceName]:
    schedule = spec.get("schedule") if isinstance(spec, dict) else None
    after = schedule.get("after") if isinstance(schedule, dict) else None
    if not isinstance(after, dict):
        return
    for source in _objects(after.get("all")) + _objects(after.get("any")):
        workflow, asset = source.get("workflow"), source.get("asset")
        if isinstance(asset, str):
            yield SourceName(namespace, asset, is_asset=True)
        elif isinstance(workflow, str):
            yield SourceName(namespace, workflow, is_asset=False)


def _objects(value: Any) -> list[dict[str, Any]]:
    items: Iterable[Any] = value if isinstance(value, list) else ()
    return [one for one in items if isinstance(one, dict)]


def _fields_in(body: Body, source: TriggerSource) -> dict[str, Any]:
    status = body.get("status")
    assets = _objects(status.get("assets")) if isinstance(status, dict) else []
    for one in assets:
        if one.get("name") == source.asset and one.get("finishedAt") == source.finished_at:
            fields = one.get("fields")
            return fields if isinstance(fields, dict) else {}
    return {}
