"""Everything that one plan of a run is made from: the run, its pods, and what it shares with other runs.

gather ─▶ plan ─▶ ask for what the plan wants of Pools and of objects ─▶ answered otherwise than before? plan again
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from windlass.engine.children import Children
from windlass.engine.history import RunIndex
from windlass.engine.objects import Objects
from windlass.engine.past import Past
from windlass.engine.pools import Pools
from windlass.engine.ports import Clock, Pods
from windlass.engine.questions import Questions
from windlass.engine.record import RunRecord
from windlass.engine.slots import Slots, WorkflowKey
from windlass.engine.turns import Turns
from windlass.errors import Unreachable
from windlass.plan.run import plan_run
from windlass.plan.task_types import ChildView
from windlass.plan.types import PastView, Plan, Program, RefusalKind, Seen


@dataclass(frozen=True, slots=True)
class Shared:
    """What runs share: each part is the one serial place that grants it."""

    slots: Slots
    """A Workflow's `maxActiveTasks`."""
    pools: Pools
    turns: Turns
    """A Workflow's `maxActiveRuns`."""
    questions: Questions
    past: Past
    """The runs of the slots before."""


@dataclass(slots=True)
class Learnt:
    """What was read live for the plans of one reconcile."""

    gone: set[str] = field(default_factory=set)
    """Pods that there are not."""
    children: dict[str, ChildView | None] = field(default_factory=dict)
    """Runs that tasks have started; None: there is none."""


class Gathering:
    """Plans a run from all that is known."""

    def __init__(
        self,
        pods: Pods,
        clock: Clock,
        index: RunIndex,
        shared: Shared,
        children: Children,
        objects: Objects,
        default_image: str,
    ) -> None:
        self._pods = pods
        self._clock = clock
        self._index = index
        self._shared = shared
        self._children = children
        self._objects = objects
        self._default_image = default_image

    async def plan(self, record: RunRecord, program: Program, learnt: Learnt) -> tuple[Plan, float]:
        """The plan, whose status is the record's draft now, and the seconds of the loop that it took."""
        past = await self._shared.past.view(record, program) if program.depends_on_past else None
        began = self._clock.busy()
        plan = self._plan(record, program, learnt, past)
        return plan, self._clock.busy() - began

    def _plan(self, record: RunRecord, program: Program, learnt: Learnt, past: PastView | None) -> Plan:
        now = self._clock.now()
        for pod, refusal in tuple(record.refusals.items()):
            if refusal.retry_at is not None and refusal.retry_at <= now:
                del record.refusals[pod]
        view = record.view()
        limit = _task_limit(program)
        workflow = WorkflowKey(record.key.namespace, view.workflow)
        free, held = self._shared.slots.free(workflow, limit), self._shared.slots.held(workflow, record.key)
        seen = Seen(
            run=view,
            program=program,
            pods=self._pods.by_index(record.uid),
            refusals=dict(record.refusals),
            gone=frozenset(learnt.gone),
            free_slots=free,
            granted=held,
            past=past,
            replaced_by=self._shared.turns.stopped_for(record.key, view.workflow),
            pools=self._shared.pools.answers(record.key),
            sights=self._shared.questions.answers(record.key),
            others={name: self._index.of(WorkflowKey(record.key.namespace, name)).values() for name in program.awaited},
            made=self._objects.made(record),
            children=self._children.of(record),
            read_children=dict(learnt.children),
            default_image=self._default_image,
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
            answers = self._shared.pools.ask(record.key, plan.wants, keep=unheard)
            self._shared.questions.ask(record.key, plan.questions, plan.awaited)
            sights = self._shared.questions.answers(record.key) if plan.questions else {}
            if answers == seen.pools and sights == seen.sights:
                return plan
            seen = replace(seen, run=record.view(), pools=answers, sights=sights)

    def _take_slots(self, record: RunRecord, program: Program, plan: Plan, held: frozenset[str]) -> None:
        """Reserve slots for what is launched; let go of those whose pods are not wanted any more."""
        limit, own = _task_limit(program), record.spec.priority
        workflow = WorkflowKey(record.key.namespace, record.view().workflow)
        wanted = {launch.pod for launch in plan.launches}
        if limit is not None:
            self._shared.slots.grant(workflow, record.key, wanted)
        self._shared.slots.give_back(workflow, held.difference(wanted, record.refusals))
        if limit is not None:
            priority = own if own is not None else program.spec.priority
            got = bool(wanted - held)
            self._shared.slots.planned(workflow, record.key, limit, wants=plan.short, got=got, priority=priority)


def _task_limit(program: Program) -> int | None:
    return program.spec.concurrency.max_active_tasks if program.spec.concurrency else None
