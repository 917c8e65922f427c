"""One reconcile of one run: gather, plan, apply, and say when to look again.

    gather ─▶ admit ─▶ plan ─▶ confirm what is missing ─┐
                        ▲                               │  (plan again with what was learnt)
                        ├───────────────────────────────┘
                        └── launch: refused? plan again
                                  │
                     write the status ─▶ release results ─▶ end pods ─▶ tell events

Pods are made before the status that names them is written when an answer of the API has just proved that the run
exists; else, and for a run's first pods and for retries, the status is written first, and is the proof. Whatever is
lost by a crash in between is found again: names are derived, and pods hold their results.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from windlass.build.pod import Installation
from windlass.engine.actions import ActionKeeper
from windlass.engine.admitting import Admitting
from windlass.engine.cache import RunCache
from windlass.engine.children import Children
from windlass.engine.definitions import DefinitionLost, Definitions
from windlass.engine.gathering import Gathering, Learnt, Shared
from windlass.engine.history import RunIndex
from windlass.engine.launch import Launcher
from windlass.engine.making import Making, raise_first
from windlass.engine.objects import Guests, Objects
from windlass.engine.ports import Api, Clock, Observer, Pods
from windlass.engine.record import RunKey, RunRecord
from windlass.engine.removal import Remover
from windlass.engine.statuses import StatusWriter
from windlass.engine.workspaces import Workspaces
from windlass.errors import Conflict, NotFound, Retryable
from windlass.models.run import RunPhase
from windlass.plan.actions import apply_action
from windlass.plan.finish import fail_run
from windlass.plan.graph import compile_program
from windlass.plan.task_types import ChildView
from windlass.plan.types import Plan, PodEnding, PodView, Program, Refusal
from windlass.resources import PODS, RUNS

logger = logging.getLogger(__name__)

MOST_PLANS: Final = 8
"""How often a reconcile plans again with what it has learnt, before it lets others have their turn."""
BREATH: Final = 1.0
"""Seconds that it pauses then: what it learns may never come to an end."""
MOST_CONFLICTS: Final = 3
"""How many writes of a status in a row may meet a newer version before the next one waits."""
PROOF_AGE: Final = 2.0
"""Seconds: before a pod is made, an answer of the API has proved no longer ago than this that its run exists."""
COALESCE: Final = 0.25
"""Seconds: changes of a run's status within this time go into one write."""
_NOT_ADMITTED: Final = frozenset({None, RunPhase.PENDING, RunPhase.QUEUED})


@dataclass(frozen=True, slots=True)
class Next:
    """When to look at a run again, and what the look cost."""

    after: float | None
    """Seconds; None: when something happens."""
    spent: float
    """Seconds of the loop that planning took."""


class Reconciler:
    """Brings one run at a time to where its plan says."""

    def __init__(
        self,
        api: Api,
        pods: Pods,
        clock: Clock,
        observer: Observer,
        runs: RunCache,
        index: RunIndex,
        installation: Installation,
        chance: Callable[[], float],
        shared: Shared,
        actions: ActionKeeper,
        guests: Guests | None,
    ) -> None:
        self._api = api
        self._pods = pods
        self._clock = clock
        self._runs = runs
        self._index = index
        self._shared = shared
        self._actions = actions
        self.definitions = Definitions(api, clock)
        self._admitting = Admitting(api, self.definitions, index, shared.turns, clock)
        launcher = Launcher(api, pods, clock, chance)
        self._children = Children(api, index, launcher)
        self._objects = Objects(guests, clock, launcher)
        self._workspaces = Workspaces(api)
        self._remover = Remover(api, pods, observer)
        image = installation.default_image
        self._gathering = Gathering(pods, clock, index, shared, self._children, self._objects, image)
        self._making = Making(
            launcher, self._children, self._objects, self._workspaces, shared.slots, shared.pools, installation
        )
        self._writer = StatusWriter(api, clock, observer, index.seen)

    async def reconcile(self, key: RunKey) -> Next:
        """Do what is next for the run, if there is one."""
        record = self._runs.get(key) or await self._brought_back(key)
        if record is None:
            return Next(self._actions.without_run(key), 0.0)
        if record.deleting:
            self._actions.refuse_all(key, "the run is being deleted")
            await self.let_go(record.uid)
            return Next(None, 0.0)
        wake_at = None
        if record.draft.phase in _NOT_ADMITTED:
            await self._act(record)
            wake_at = await self._admitting.admit(record)
        else:
            if record.program is None and record.draft.phase is not RunPhase.REFUSED:
                record.program = await self._program(record)
            await self._act(record)
        if record.program is None:
            return await self._rest(record, wake_at)
        return await self._advance(record, record.program)

    async def _brought_back(self, key: RunKey) -> RunRecord | None:
        """A run that nothing was to be done for any more, when there is an action on it."""
        if not self._actions.has(key):
            return None
        if key in self._runs.unreadable:
            self._actions.refuse_all(key, "the run can't be read, as its status or an event of it says")
            return None
        await self.confirm_run(key)
        return self._runs.get(key)

    async def _act(self, record: RunRecord) -> None:
        """Bring the actions that wait for the run into its draft; they are answered once it is stored."""
        if not self._actions.has(record.key):
            return
        for action in await self._actions.waiting(record.key):
            if action.uid not in record.answers:
                outcome = apply_action(record.view(), record.program, action, self._clock.now())
                record.draft = outcome.status
                record.answers[action.uid] = outcome

    async def let_go(self, run_uid: str) -> None:
        """Remove the pods of a run that is no more: their results have nowhere to go."""
        pods = tuple(self._pods.by_index(run_uid).values())
        raise_first(await asyncio.gather(*map(self._remover.remove, pods), return_exceptions=True))

    async def confirm_run(self, key: RunKey) -> RunRecord | None:
        """Read the run live; the record when it is the run that was known, else None, and it is forgotten."""
        known = self._runs.get(key)
        try:
            body = await self._api.get(RUNS, *key)
        except NotFound:
            self._runs.drop(key)
            self._index.drop(key)
            if known is not None:
                await self.let_go(known.uid)
            return None
        self._index.seen(body)
        _, replaced = self._runs.absorb(body, in_use=True)
        if replaced is not None:
            await self.let_go(replaced)
        record = self._runs.get(key)
        if record is not None:
            record.confirmed_at = self._clock.monotonic()
        return record if record is known else None

    async def _program(self, record: RunRecord) -> Program | None:
        """The program that the run is pinned to; None when there is none, and the draft says so."""
        try:
            if record.spec.workflow_spec is not None:
                return compile_program(record.spec.workflow_spec)
            if record.draft.revision is None:
                raise DefinitionLost("the run's status names no ControllerRevision")
            return await self.definitions.pinned(record.key.namespace, record.draft.revision)
        except (DefinitionLost, ValueError) as error:
            if not record.ended:
                record.draft = fail_run(record.view(), "DefinitionLost", str(error), self._clock.now())
            return None

    async def _rest(self, record: RunRecord, wake_at: datetime | None) -> Next:
        """End the reconcile of a run that has no program: it waits to be admitted, or it has ended."""
        if record.dirty and not await self._store(record):
            return Next(0.0, 0.0)
        await self._tell(record)
        if record.ended:
            await self.let_go(record.uid)
            self._runs.drop(record.key, record.uid)
            return Next(None, 0.0)
        return self._next(0.0, wake_at)

    async def _advance(self, record: RunRecord, program: Program) -> Next:
        learnt, spent = Learnt(), 0.0
        for _ in range(MOST_PLANS):
            plan, took = await self._gathering.plan(record, program, learnt)
            spent += took
            if plan.confirm:
                if not await self._confirm_pods(record, plan.confirm, learnt.gone):
                    return Next(0.0, spent)
            elif plan.confirm_children:
                if not await self._confirm_children(record, plan.confirm_children, learnt.children):
                    return Next(0.0, spent)
            elif not (plan.launches or plan.children or plan.objects):
                return await self._settle(record, plan, spent)
            elif not await self._proved(record, plan):
                return Next(0.0, spent)
            elif not await self._making.make(record, program, plan):
                return await self._settle(record, plan, spent)
        return Next(BREATH, spent)

    async def _confirm_pods(self, record: RunRecord, pods: tuple[str, ...], gone: set[str]) -> bool:
        """Read pods that should be there live, and their run when one is not; whether the run is as it was."""
        for name in pods:
            try:
                pod = await self._api.get(PODS, record.key.namespace, name)
            except NotFound:
                gone.add(name)
                continue
            self._pods.note(pod)
            if name not in self._pods.by_index(record.uid):
                gone.add(name)
                await self._remover.remove_hidden(pod, record.uid)
        return not gone.intersection(pods) or await self._still(record)

    async def _confirm_children(
        self, record: RunRecord, names: Iterable[str], children: dict[str, ChildView | None]
    ) -> bool:
        """Read runs that tasks have started live, and their parent when one is missing; whether that is as it was."""
        for name in names:
            children[name] = await self._children.read(record, name)
        return all(children[name] is not None for name in names) or await self._still(record)

    async def _proved(self, record: RunRecord, plan: Plan) -> bool:
        """Whether the API says that the run exists as it is known, now that pods are about to be made for it.

        The status that names the pods proves it best, since it has to be written anyway.
        """
        proof = record.confirmed_at
        fresh = proof is not None and self._clock.monotonic() - proof < PROOF_AGE
        firsts = all(launch.attempt == 1 and not launch.recreate for launch in plan.launches)
        firsts &= all(one.attempt == 1 for one in plan.objects)
        if fresh and firsts and not [one for one in plan.children if one.attempt > 1]:
            return True
        return await (self._store(record) if record.dirty else self._still(record))

    async def _still(self, record: RunRecord) -> bool:
        """Read the run live; whether it is the one that was planned for, unchanged."""
        version = record.version
        return await self.confirm_run(record.key) is record and record.version == version

    async def _settle(self, record: RunRecord, plan: Plan, spent: float) -> Next:
        """Store what was planned, now or in a moment; then do what had to wait for that."""
        now = self._clock.monotonic()
        if record.dirty:
            if record.write_due is None:
                record.write_due = max(now + COALESCE, record.next_write)
            if now < record.write_due and not (
                plan.urgent or plan.endings or plan.child_stops or plan.removals or record.answers
            ):
                return self._next(spent, plan.wake_at, record.write_due - now)
            if not await self._store(record):
                return Next(0.0, spent)
        if not await self._carry_out(record, plan):
            return Next(0.0, spent)
        if plan.forget:
            self._runs.drop(record.key, record.uid)
            return Next(None, spent)
        return self._next(spent, _earliest(plan.wake_at, record.refusals.values()))

    async def _carry_out(self, record: RunRecord, plan: Plan) -> bool:
        """Do what had to wait for the status; False when the run has changed meanwhile.

        Whatever can't be done now keeps nothing else from being done.
        """
        pods = self._pods.by_index(record.uid)
        releases = (self._remover.release(pods[name]) for name in plan.releases if name in pods)
        answers = await asyncio.gather(*releases, return_exceptions=True)
        endings = (self._end(pods, ending) for ending in plan.endings)
        answers += await asyncio.gather(*endings, return_exceptions=True)
        stops = (self._children.stop(record, stop) for stop in plan.child_stops)
        answers += await asyncio.gather(*stops, return_exceptions=True)
        removals = (self._objects.remove(record, removal) for removal in plan.removals)
        removed = await asyncio.gather(*removals, return_exceptions=True)
        await self._tell(record)
        raise_first([*answers, *removed])
        if False in removed:  # to be told in the status, which a plan makes
            return False
        if plan.delete_workspace:
            await self._workspaces.delete(record)
            if plan.forget:
                # So that nobody looks after it again.
                record.draft = record.draft.model_copy(update={"workspace": None})
                return await self._store(record)
        return True

    async def _end(self, pods: Mapping[str, PodView], ending: PodEnding) -> None:
        pod = pods.get(ending.pod)
        if pod is not None and pod.uid == ending.uid:
            await self._remover.end(pod, ending)

    async def _store(self, record: RunRecord) -> bool:
        """Write the draft; False when the run has changed or gone meanwhile: it is to be looked at again."""
        version = record.version
        try:
            await self._writer.store(record)
        except (Conflict, NotFound) as error:
            record.conflicts += 1
            known = await self.confirm_run(record.key)
            if known is record and (record.version == version or record.conflicts >= MOST_CONFLICTS):
                # Nobody has changed it, or somebody does so all the time: to try again at once may go on for ever.
                raise Retryable(f"the status was not taken: {error.message}", error.status, error.reason) from error
            return False
        record.conflicts = 0
        self._shared.past.stored(record)
        return True

    async def _tell(self, record: RunRecord) -> None:
        events, record.events = record.events, []
        answers, record.answers = record.answers, {}
        for uid, outcome in answers.items():
            self._actions.answer(record.key, uid, record.uid, outcome.applied, outcome.message, outcome.tasks)
        for event in events:
            await self._writer.tell(record, event)

    def _next(self, spent: float, wake_at: datetime | None, within: float | None = None) -> Next:
        waits = [] if within is None else [within]
        if wake_at is not None:
            waits.append(max(0.0, (wake_at - self._clock.now()).total_seconds()))
        return Next(min(waits, default=None), spent)


def _earliest(moment: datetime | None, refusals: Iterable[Refusal]) -> datetime | None:
    """A pod that was put off and is not wanted any more holds a slot no longer than until it were tried again."""
    moments = [refusal.retry_at for refusal in refusals if refusal.retry_at is not None]
    return min(moments if moment is None else [moment, *moments], default=None)
