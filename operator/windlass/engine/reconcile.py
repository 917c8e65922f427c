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
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from windlass.build.pod import Installation, build_pod
from windlass.engine.actions import ActionKeeper
from windlass.engine.admitting import Admitting
from windlass.engine.cache import RunCache
from windlass.engine.children import Children
from windlass.engine.definitions import DefinitionLost, Definitions
from windlass.engine.history import RunIndex
from windlass.engine.launch import Launcher, pod_request
from windlass.engine.objects import Guests, Objects
from windlass.engine.past import Past
from windlass.engine.pools import Pools
from windlass.engine.ports import Api, Clock, Observer, Pods
from windlass.engine.questions import Lookouts, Questions
from windlass.engine.record import RunKey, RunRecord
from windlass.engine.removal import Remover
from windlass.engine.slots import Slots, WorkflowKey
from windlass.engine.statuses import StatusWriter
from windlass.engine.turns import Turns
from windlass.engine.workspaces import Workspaces
from windlass.errors import ApiError, Conflict, NotFound, Retryable, Unreachable
from windlass.models.run import RunPhase
from windlass.plan.actions import apply_action
from windlass.plan.finish import fail_run
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run
from windlass.plan.types import (
    ChildView,
    Launch,
    PastView,
    Plan,
    PodEnding,
    PodView,
    Program,
    Refusal,
    RefusalKind,
    Seen,
)
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
        wake: Callable[[RunKey], None],
        pools: Pools,
        actions: ActionKeeper,
        lookouts: Lookouts | None,
        guests: Guests | None,
    ) -> None:
        self._api = api
        self._pods = pods
        self._clock = clock
        self._runs = runs
        self._index = index
        self._installation = installation
        self.slots = Slots(wake)
        self.pools = pools
        self.questions = Questions(lookouts, wake)
        index.listen(self.questions.run_changed)
        self._actions = actions
        self.turns = Turns(index, wake)
        self.definitions = Definitions(api, clock)
        self.past = Past(api, runs, index, wake)
        self._admitting = Admitting(api, self.definitions, index, self.turns, clock)
        self._launcher = Launcher(api, pods, clock, chance)
        self._children = Children(api, index, self._launcher)
        self._objects = Objects(guests, clock, self._launcher)
        self._remover = Remover(api, pods, observer)
        self._workspaces = Workspaces(api)
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
        gone: set[str] = set()
        children: dict[str, ChildView | None] = {}
        spent = 0.0
        for _ in range(MOST_PLANS):
            past = await self.past.view(record, program) if program.depends_on_past else None
            began = self._clock.busy()
            plan = self._plan(record, program, frozenset(gone), children, past)
            spent += self._clock.busy() - began
            if plan.confirm:
                if not await self._confirm_pods(record, plan.confirm, gone):
                    return Next(0.0, spent)
            elif plan.confirm_children:
                if not await self._confirm_children(record, plan.confirm_children, children):
                    return Next(0.0, spent)
            elif not (plan.launches or plan.children or plan.objects):
                return await self._settle(record, plan, spent)
            elif not await self._proved(record, plan):
                return Next(0.0, spent)
            elif not await self._launch(record, program, plan):
                return await self._settle(record, plan, spent)
        return Next(BREATH, spent)

    def _plan(
        self,
        record: RunRecord,
        program: Program,
        gone: frozenset[str],
        children: Mapping[str, ChildView | None],
        past: PastView | None,
    ) -> Plan:
        now = self._clock.now()
        for pod, refusal in tuple(record.refusals.items()):
            if refusal.retry_at is not None and refusal.retry_at <= now:
                del record.refusals[pod]
        view = record.view()
        limit = _task_limit(program)
        workflow = WorkflowKey(record.key.namespace, view.workflow)
        free, held = self.slots.free(workflow, limit), self.slots.held(workflow, record.key)
        seen = Seen(
            run=view,
            program=program,
            pods=self._pods.by_index(record.uid),
            refusals=dict(record.refusals),
            gone=gone,
            free_slots=free,
            granted=held,
            past=past,
            replaced_by=self.turns.stopped_for(record.key, view.workflow),
            pools=self.pools.answers(record.key),
            sights=self.questions.answers(record.key),
            others={name: self._index.of(WorkflowKey(record.key.namespace, name)).values() for name in program.awaited},
            made=self._objects.made(record),
            children=self._children.of(record),
            read_children=dict(children),
            default_image=self._installation.default_image,
        )
        plan = self._plan_asking(record, seen, now)
        for pod in [pod for pod, refusal in record.refusals.items() if refusal.kind is RefusalKind.LAUNCH]:
            del record.refusals[pod]
            record.refused.pop(pod, None)
        if not plan.confirm and not plan.confirm_children:
            self._take_slots(record, program, plan, held)
        return plan

    def _plan_asking(self, record: RunRecord, seen: Seen, now: datetime) -> Plan:
        """Plan, ask the Pools for what the plan wants, and plan again when they say otherwise than before."""
        unheard = [pod for pod, refusal in record.refusals.items() if refusal.reason == Unreachable.__name__]
        while True:
            plan = plan_run(seen, now)
            record.draft = plan.status
            record.events.extend(plan.events)
            if plan.confirm or plan.confirm_children:
                return plan
            answers = self.pools.ask(record.key, plan.wants, keep=unheard)
            self.questions.ask(record.key, plan.questions, plan.awaited)
            sights = self.questions.answers(record.key) if plan.questions else {}
            if answers == seen.pools and sights == seen.sights:
                return plan
            seen = replace(seen, run=record.view(), pools=answers, sights=sights)

    def _take_slots(self, record: RunRecord, program: Program, plan: Plan, held: frozenset[str]) -> None:
        """Reserve slots for what is launched; let go of those whose pods are not wanted any more."""
        limit, own = _task_limit(program), record.spec.priority
        workflow = WorkflowKey(record.key.namespace, record.view().workflow)
        wanted = {launch.pod for launch in plan.launches}
        if limit is not None:
            self.slots.grant(workflow, record.key, wanted)
        self.slots.give_back(workflow, held.difference(wanted, record.refusals))
        if limit is not None:
            priority = own if own is not None else program.spec.priority
            got = bool(wanted - held)
            self.slots.planned(workflow, record.key, limit, wants=plan.short, got=got, priority=priority)

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

    async def _launch(self, record: RunRecord, program: Program, plan: Plan) -> bool:
        """Make the plan's pods; whether one was refused, so that the run is to be planned again."""
        no_claim: ApiError | None = None
        if plan.create_workspace and program.spec.workspace is not None:
            try:
                await self._workspaces.create(record, program.spec.workspace)
            except ApiError as error:
                no_claim = error
        workflow = WorkflowKey(record.key.namespace, record.view().workflow)
        works = (self._launch_one(record, program, launch, no_claim) for launch in plan.launches)
        answers = await asyncio.gather(*works, return_exceptions=True)
        for launch, answer in zip(plan.launches, answers, strict=True):
            if isinstance(answer, Refusal):
                record.refusals[launch.pod] = answer
                record.refused[launch.pod] = record.refused.get(launch.pod, 0) + 1
            else:
                record.refused.pop(launch.pod, None)
            if not isinstance(answer, Refusal) or answer.reason != Unreachable.__name__:
                self.slots.give_back(workflow, (launch.pod,))
                self.pools.made(record.key, launch.pod)
        others = [self._kept(record, child.name, self._children.create(record, child)) for child in plan.children]
        others += [self._kept(record, one.key, self._objects.create(record, one)) for one in plan.objects]
        answers += await asyncio.gather(*others, return_exceptions=True)
        raise_first(answers)
        return any(answer is not None for answer in answers)

    async def _kept(self, record: RunRecord, name: str, create: Awaitable[Refusal | None]) -> Refusal | None:
        """Make something that is no pod, and remember why not."""
        answer = await create
        if answer is None:
            record.refused.pop(name, None)
        else:
            record.refusals[name] = answer
            record.refused[name] = record.refused.get(name, 0) + 1
        return answer

    async def _launch_one(
        self, record: RunRecord, program: Program, launch: Launch, no_claim: ApiError | None
    ) -> Refusal | None:
        refused_before = record.refused.get(launch.pod, 0)
        if no_claim is not None:
            refusal = self._launcher.refusal(no_claim, refused_before)
            return replace(refusal, message=f"the workspace's claim: {refusal.message}")
        try:
            manifest = build_pod(pod_request(record, program, launch, self._installation))
        except ValueError as error:
            return Refusal(RefusalKind.LAUNCH, "Invalid", str(error))
        return await self._launcher.launch(launch, manifest, refused_before)

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
        answers += await asyncio.gather(*removals, return_exceptions=True)
        await self._tell(record)
        raise_first(answers)
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
        self.past.stored(record)
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


def _task_limit(program: Program) -> int | None:
    return program.spec.concurrency.max_active_tasks if program.spec.concurrency else None


def raise_first(answers: Iterable[object]) -> None:
    """Raise the first error among the answers of requests made together, after all were heard."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


def _earliest(moment: datetime | None, refusals: Iterable[Refusal]) -> datetime | None:
    """A pod that was put off and is not wanted any more holds a slot no longer than until it were tried again."""
    moments = [refusal.retry_at for refusal in refusals if refusal.retry_at is not None]
    return min(moments if moment is None else [moment, *moments], default=None)
