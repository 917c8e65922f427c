"""The engine: events come in as keys, reconciles go out through the API; nothing but caches is kept.

    event, pod_changed ──▶ queue of run keys ──▶ Reconciler
                  └──▶ keepers, of the other kinds
    sweep: a list of all runs, now and then, for what the watches missed

Everything runs in one event loop; callers of other threads use `loop.call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from windlass.build.pod import Installation
from windlass.engine.actions import ActionKeeper
from windlass.engine.backfills import Backfills
from windlass.engine.cache import RunCache, Taken
from windlass.engine.children import Kin
from windlass.engine.gathering import Shared
from windlass.engine.history import RunIndex
from windlass.engine.keepers import Keeper, ObjectKey, sweep
from windlass.engine.objects import Guests
from windlass.engine.past import Past
from windlass.engine.pool_keeper import PoolKeeper
from windlass.engine.pools import Pools
from windlass.engine.ports import Api, Body, Clock, Observer, Pods
from windlass.engine.quarantine import quarantine
from windlass.engine.questions import Lookouts, Questions
from windlass.engine.queue import KeyedQueue
from windlass.engine.reconcile import Reconciler
from windlass.engine.record import RunKey, RunRecord, created_at, version_of
from windlass.engine.scheduler import LONGEST_BURST, Scheduler
from windlass.engine.slots import Slots, WorkflowKey
from windlass.engine.trust import ActionSettings
from windlass.engine.turns import Turns
from windlass.errors import ApiError, Forbidden, Refused
from windlass.models.pool import PoolStatus
from windlass.models.run import RunPhase
from windlass.plan.types import PodView
from windlass.resources import ACTIONS, BACKFILLS, POOLS, RUNS, WORKFLOWS, Resource

logger = logging.getLogger(__name__)
_PLANNED_FROM: Final = attrgetter(*(part.name for part in fields(PodView) if part.name not in ("version", "held")))
WATCHED: Final = (RUNS, WORKFLOWS, POOLS, ACTIONS, BACKFILLS)
"""The kinds whose events the engine takes."""
SWEEP_EVERY: Final = 300.0
"""Seconds between two lists of all runs."""


class Engine:
    """Reconciles all runs of a cluster, or of the namespaces that are named."""

    def __init__(
        self,
        api: Api,
        pods: Pods,
        clock: Clock,
        observer: Observer,
        *,
        installation: Installation | None = None,
        namespaces: Sequence[str] = (),
        concurrency: int = 64,
        chance: Callable[[], float] = lambda: 0.5,
        actions: ActionSettings | None = None,
        lookouts: Lookouts | None = None,
        guests: Guests | None = None,
    ) -> None:
        self._api = api
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._pods = pods
        self._clock = clock
        self._observer = observer
        self.runs = RunCache()
        self.index = RunIndex()
        self.scheduler = Scheduler(api, clock, observer, self.index)
        self._shared = shared = self._share(lookouts)
        self._pool_keeper = PoolKeeper(api, clock, observer, shared.pools)
        self._action_keeper = ActionKeeper(api, clock, observer, actions or ActionSettings(), self._wake)
        self.backfills = Backfills(
            api, clock, observer, self.index, self.scheduler.workflows, self.run_seen, self.scheduler.queue.add, chance
        )
        self.scheduler.needed += [
            self.backfills.needs,
            Kin(self.index, self._parent_changed, self.scheduler.queue.add).needs,
        ]
        self.keepers: Mapping[Resource, Keeper] = MappingProxyType(
            {POOLS: self._pool_keeper, ACTIONS: self._action_keeper, BACKFILLS: self.backfills}
        )
        """Who takes the objects of each kind that is watched beside runs and Workflows."""
        self._reconciler = Reconciler(
            api,
            pods,
            clock,
            observer,
            self.runs,
            self.index,
            installation or Installation(),
            chance,
            shared,
            self._action_keeper,
            guests,
        )
        self.queue: KeyedQueue[RunKey] = KeyedQueue(
            self._work, clock, observer, concurrency=concurrency, chance=chance, fields=lambda key: {"run": str(key)}
        )
        self._unread: dict[RunKey, Body] = {}
        """Runs of slots that give way: they are read when it is their turn."""
        self._orphans: defaultdict[RunKey, set[str]] = defaultdict(set)
        self._doubted: set[RunKey] = set()
        self._waiting: dict[tuple[str, str], set[RunKey]] = {}
        self._revisions_in_use: set[tuple[str, str]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self.swept = False
        """All runs were listed once: what is known is whole."""

    async def start(self) -> None:
        """List all runs, then work. The pods must be synced before."""
        await self._sweep()
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def stop(self) -> None:
        """Take nothing new, and finish the reconciles under way."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        await self.queue.close()
        await self.scheduler.stop()
        for keeper in self.keepers.values():
            await keeper.stop()
        self._shared.questions.close()

    @property
    def pools(self) -> dict[ObjectKey, PoolStatus]:
        """The figures of all Pools as they are now."""
        return {key: status for key in self._shared.pools if (status := self._shared.pools.status(key)) is not None}

    @property
    def alive(self) -> bool:
        """Whether the sweep, which never ends, has not ended."""
        return self._sweeper is not None and not self._sweeper.done()

    def event(self, resource: Resource, kind: str, body: Body) -> None:
        """Take an event of a watch: `kind` is its type, empty for what was listed."""
        gone = kind == "DELETED"
        if resource is RUNS:
            (self.run_gone if gone else self.run_seen)(body)
        elif resource is WORKFLOWS:
            self.workflow_seen(body)
            (self.scheduler.gone if gone else self.scheduler.seen)(body)
            self.backfills.workflow_changed(WorkflowKey(body["metadata"]["namespace"], body["metadata"]["name"]))
        else:
            keeper = self.keepers[resource]
            (keeper.gone if gone else keeper.seen)(body)

    def run_seen(self, body: Body) -> None:
        """Take a run as a watch or a list gave it."""
        key = RunKey.of(body)
        self.index.seen(body)
        if key in self._unread and version_of(self._unread[key]) >= version_of(body):
            return
        if (wait := self._gives_way(key, body)) > 0:
            self._unread[key] = body
            self.queue.add(key, wait)
        elif self._read(key, body):
            self.queue.add(key)

    def _read(self, key: RunKey, body: Body) -> bool:
        """Take a run into the cache; whether there is something to do."""
        uid = body["metadata"]["uid"]
        taken, replaced = self.runs.absorb(body, in_use=bool(self._pods.by_index(uid)), now=self._clock.now())
        if replaced is not None:
            self._orphans[key].add(replaced)
        return taken is Taken.NEW

    def run_gone(self, body: Body) -> None:
        """Take a run's deletion."""
        key, uid = RunKey.of(body), body["metadata"]["uid"]
        self.index.gone(body)
        if key in self._unread and self._unread[key]["metadata"]["uid"] == uid:
            del self._unread[key]
        known = self.runs.drop(key, uid)
        if self._pods.by_index(uid):
            self._orphans[key].add(uid)
            known = True
        if known:
            self.queue.add(key)

    def workflow_seen(self, body: Body) -> None:
        """A Workflow was made, changed or deleted: runs may have waited for that."""
        meta = body["metadata"]
        for key in self._waiting.pop((meta["namespace"], meta["name"]), ()):
            self.queue.add(key)
        self._shared.turns.workflow_seen(WorkflowKey(meta["namespace"], meta["name"]), meta.get("generation", 1))

    def pod_changed(self, old: PodView | None, new: PodView | None) -> None:
        """Take a pod's change from the informer."""
        self._shared.slots.pod_changed(old, new)
        self._shared.pools.pod_changed(old, new)
        view = new or old
        if view is None or (old is not None and new is not None and _same(old, new)):
            return
        key = RunKey(view.namespace, view.run)
        record = self.runs.get(key)
        if record is not None and record.uid == view.run_uid:
            self.queue.add(key)
        elif new is not None:
            self._orphans[key].add(view.run_uid)
            self.queue.add(key)

    def _share(self, lookouts: Lookouts | None) -> Shared:
        """The parts that all runs share."""
        questions = Questions(lookouts, self._wake)
        self.index.listen(questions.run_changed)
        return Shared(
            slots=Slots(self._wake),
            pools=Pools(self._wake, lambda pool: self._pool_keeper.changed(pool)),
            turns=Turns(self.index, self._wake),
            questions=questions,
            past=Past(self._api, self.runs, self.index, self._wake),
        )

    def _parent_changed(self, key: RunKey, uid: str) -> None:
        """A run that a task of this one has started has changed: it goes on."""
        record = self.runs.get(key)
        if record is not None and record.uid == uid:
            self.queue.add(key)

    def _wake(self, key: RunKey) -> None:
        self.queue.add(key)

    def _gives_way(self, key: RunKey, body: Body) -> float:
        """Seconds that the run of a slot leaves all to the runs of other slots that are still to be made: only one that
        is new, and that nothing was done for."""
        if (
            self.scheduler.burst == 0
            or body.get("status")
            or not (body.get("spec") or {}).get("slot")
            or self.runs.get(key)
        ):
            return 0.0
        age = (self._clock.now() - created_at(body)).total_seconds()
        return self.scheduler.burst if age < LONGEST_BURST else 0.0

    async def _work(self, key: RunKey) -> float:
        unread = self._unread.pop(key, None)
        if unread is not None and (wait := self._gives_way(key, unread)) > 0:
            self._unread[key] = unread
            self.queue.add(key, wait)
            return 0.0
        if unread is not None:
            self._read(key, unread)
        for uid in tuple(self._orphans.get(key, ())):
            await self._settle_orphans(key, uid)
        if key in self._doubted:
            await self._reconciler.confirm_run(key)
            self._doubted.discard(key)
        unreadable = self.runs.unreadable.get(key)
        if unreadable is not None and not unreadable.told:
            await quarantine(self._api, self._observer, unreadable, self._clock.now())
            unreadable.told = True
        try:
            after = await self._reconciler.reconcile(key)
        except Exception as error:
            self._shared.slots.stumbled(key)
            self._shared.turns.stumbled(key, for_good=isinstance(error, Refused))
            raise
        record = self.runs.get(key)
        if record is None:
            self.queue.forget(key)
            self._shared.slots.leave(key)
            self._shared.turns.put_aside(key)
            self._shared.past.leave(key)
            self._shared.pools.leave(key)
            self._shared.questions.leave(key)
        self._wait_for_workflow(key, record)
        if after.after is not None:
            self.queue.add(key, after.after)
        return after.spent

    def _wait_for_workflow(self, key: RunKey, record: RunRecord | None) -> None:
        """Note a run that waits to be admitted, until it does so no more."""
        missing = record is not None and record.draft.phase is RunPhase.PENDING
        if missing and record is not None and record.spec.workflow is not None:
            self._waiting.setdefault((key.namespace, record.spec.workflow), set()).add(key)
            return
        for workflow in [workflow for workflow, runs in self._waiting.items() if key in runs]:
            self._waiting[workflow].discard(key)
            if not self._waiting[workflow]:
                del self._waiting[workflow]

    async def _settle_orphans(self, key: RunKey, uid: str) -> None:
        """Pods whose run is not the known one: a run not heard of yet, or one that is no more."""
        self._forget_orphans(key, uid)
        try:
            record = self.runs.get(key)
            if record is None or record.uid != uid:
                await self._reconciler.confirm_run(key)
                record = self.runs.get(key)
            unreadable = self.runs.unreadable.get(key)
            if unreadable is not None and unreadable.body["metadata"]["uid"] == uid:
                return  # it is there, and its pods hold results that it may yet learn of
            if record is None or record.uid != uid:
                await self._reconciler.let_go(uid)
        except ApiError:
            self._orphans[key].add(uid)
            raise

    def _forget_orphans(self, key: RunKey, uid: str) -> None:
        self._orphans[key].discard(uid)
        if not self._orphans[key]:
            del self._orphans[key]

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            try:
                await self._sweep()
            except ApiError as error:
                logger.warning("the list of all runs failed, again in %d s: %s", SWEEP_EVERY, error)

    async def _sweep(self) -> None:
        """List all runs: take what is newer, doubt what is known and not listed, collect unused revisions."""
        known = {record.key for record in self.runs} | set(self.runs.unreadable)
        revisions: set[tuple[str, str]] = set()
        await sweep(self._api, self.keepers, self._namespaces)
        await self.scheduler.sweep(self._namespaces)
        read = [place for place in self._namespaces if await self._sweep_one(place, known, revisions)]
        self.swept = True
        self.scheduler.start()
        self._shared.turns.opened()
        self.backfills.opened()
        for key in known:
            self._doubted.add(key)
            self.queue.add(key)
        self._revisions_in_use = revisions
        for place in read:
            try:
                collected = await self._reconciler.definitions.collect(self._names_revision, place)
            except ApiError as error:
                logger.warning("unused definitions stay: %s", error)
                continue
            if collected:
                logger.info("%d unused definitions were deleted", collected)

    async def _sweep_one(self, namespace: str | None, known: set[RunKey], revisions: set[tuple[str, str]]) -> bool:
        """List the runs of a namespace, or of all; False where that is forbidden and there are others to go on with."""
        before = [run for run in self.index if namespace in (None, run.namespace)]
        listed: set[str] = set()
        try:
            async for page in self._api.pages(RUNS, namespace):
                for body in page:
                    known.discard(RunKey.of(body))
                    listed.add(body["metadata"]["uid"])
                    self.run_seen(body)
                    status = body.get("status")
                    if isinstance(status, dict) and isinstance(status.get("revision"), str):
                        revisions.add((body["metadata"]["namespace"], status["revision"]))
        except Forbidden as error:
            if len(self._namespaces) == 1:
                raise
            logger.warning("the runs of namespace %s can't be listed: %s", namespace, error)
            known.difference_update([key for key in known if key.namespace == namespace])
            return False
        self.index.keep_only(before, listed.__contains__)
        return True

    def _names_revision(self, revision: tuple[str, str]) -> bool:
        return revision in self._revisions_in_use or any(
            (record.key.namespace, record.draft.revision) == revision for record in self.runs
        )


def _same(old: PodView, new: PodView) -> bool:
    """Whether a change of a pod is none that a plan could see."""
    return _PLANNED_FROM(old) == _PLANNED_FROM(new)
