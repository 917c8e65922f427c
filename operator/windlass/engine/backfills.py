"""The Backfills of the cluster: those that have not ended are planned for, run by run, until they have.

    gather ─▶ plan ─▶ count the slots, read live what is missing, make runs ─┐
               ▲                                                            │  (plan again with what was learnt)
               └────────────────────────────────────────────────────────────┤
                            write the status ─▶ cancel runs, tell events ◀──┘

Runs are made before the status moves past their slots, one after the other, under names that are derived: what is lost
by a crash in between is found again among the runs that exist.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from windlass.build.run import build_run
from windlass.engine.backfill_records import BackfillRecord, Records, Unreadable, status_json
from windlass.engine.calendars import Calendars
from windlass.engine.history import RunIndex
from windlass.engine.keepers import ObjectKey
from windlass.engine.ports import Api, Body, Clock, Observer
from windlass.engine.queue import BesideRuns, KeyedQueue
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.engine.workflows import WorkflowCache
from windlass.errors import AlreadyExists, ApiError, Conflict, NotFound, NotLeading, Refused, Retryable
from windlass.models.backfill import BackfillRun, BackfillStatus
from windlass.models.common import format_time
from windlass.models.findings import summary
from windlass.models.parse import InvalidObject, read_workflow
from windlass.models.schedule import Schedule
from windlass.names import API_VERSION
from windlass.plan.backfill import plan_backfill
from windlass.plan.backfill_start import MOST_SLOTS, has_clock, slots_of, without_bounds
from windlass.plan.backfill_types import BackfillPlan, BackfillSeen, Basis, Slots, WorkflowFound
from windlass.plan.history import RunSummary
from windlass.plan.schedule import ScheduleError, compile_schedule
from windlass.plan.types import RunEvent
from windlass.plan.workflow_types import Problem, RunRequest
from windlass.resources import BACKFILLS, EVENTS, RUNS, WORKFLOWS

logger = logging.getLogger(__name__)
MERGE: Final = "application/merge-patch+json"
MOST_PLANS: Final = 8
"""How often one piece of work plans again with what it has learnt."""
BREATH: Final = 0.05
"""Seconds until a backfill that has more to look at goes on: others have their turn."""
CONFLICT_PAUSE: Final = 1.0
"""Seconds until a status is planned again whose write met a newer version."""
COUNTED_AT_ONCE: Final = 200
"""Slots that are counted before others have their turn."""


class Backfills:
    """Takes Backfills as they are seen, and makes their runs.

    `run_seen` takes a run as the API has given it; `over` is called with the Workflow of a backfill that has ended: its
    runs may be history then.
    """

    def __init__(
        self,
        api: Api,
        clock: Clock,
        observer: Observer,
        index: RunIndex,
        workflows: WorkflowCache,
        run_seen: Callable[[Body], None],
        over: Callable[[WorkflowKey], None],
        chance: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer
        self._index = index
        self._calendars = Calendars(api, clock)
        self._run_seen = run_seen
        self._over = over
        self._workflows = workflows
        self._records = Records()
        self._open = False
        self._queue: KeyedQueue[ObjectKey] = KeyedQueue(
            self._work,
            clock,
            BesideRuns(observer),
            concurrency=8,
            chance=chance,
            fields=lambda key: {"backfill": str(key)},
        )
        index.listen(self._run_changed)

    @property
    def live(self) -> tuple[BackfillRecord, ...]:
        """Those that have not ended."""
        return tuple(self._records)

    # The keeper of a kind

    def seen(self, body: Body) -> None:
        """Take a backfill as a watch or a list gave it."""
        if self._records.seen(body):
            self._wake(ObjectKey.of(body))

    def gone(self, body: Body) -> None:
        """Take a backfill's deletion: no more of its runs are made, those that there are go on."""
        self._forget(ObjectKey.of(body), body["metadata"]["uid"])

    def listed(self, bodies: Mapping[ObjectKey, Body], namespace: str | None) -> None:
        """Take all backfills, of a namespace or of the cluster: what is not among them is gone."""
        for key in self._records.keys() - bodies.keys():
            if namespace in (None, key.namespace):
                self._forget(key)
        for body in bodies.values():
            self.seen(body)

    async def stop(self) -> None:
        """Finish the work under way."""
        await self._queue.close()

    # What others tell, and ask

    def opened(self) -> None:
        """All runs are known: what is not there does not exist, and work can begin."""
        self._open = True
        for key in [*(record.key for record in self._records), *self._records.unreadable]:
            self._queue.add(key)

    def workflow_changed(self, key: WorkflowKey) -> None:
        """A Workflow was made, changed or deleted."""
        for record in self._records.of(key):
            self._wake(record.key)

    def needs(self, run: RunSummary) -> bool:
        """Whether a backfill still needs a run: history must not delete it."""
        records = self._records.of(WorkflowKey(run.namespace, run.workflow))
        return any(record.needed(run) for record in records)

    def _run_changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        run = new or old
        if run is None or not run.workflow:
            return
        if old is not None and new is not None and not (old.ended or new.ended):
            return  # how it is under way is of no interest
        for record in self._records.of(WorkflowKey(run.namespace, run.workflow)):
            if run.backfill == record.key.name or run.name in record.names:
                self._wake(record.key)

    def _wake(self, key: ObjectKey) -> None:
        if self._open:
            self._queue.add(key)

    def _forget(self, key: ObjectKey, uid: str | None = None) -> None:
        self._records.gone(key, uid)
        if self._records.get(key) is None:
            self._queue.forget(key)

    # The work on one

    async def _work(self, key: ObjectKey) -> float:
        unreadable = self._records.unreadable.get(key)
        if unreadable is not None:
            await self._set_aside(unreadable)
            self._records.unreadable.pop(key, None)
        record = self._records.get(key)
        if record is None:
            return 0.0
        began = self._clock.busy()
        await self._tell(record)
        plan, error = await self._plan(record)
        if self._records.get(key) is not record:
            # It has changed meanwhile, and so waits in the queue already.
            return self._clock.busy() - began
        if not await self._store(record, plan):
            return self._clock.busy() - began
        await self._cancel(record, plan)
        await self._tell(record)
        if error is not None:
            raise error
        self._wake_later(record, plan)
        return self._clock.busy() - began

    def _wake_later(self, record: BackfillRecord, plan: BackfillPlan) -> None:
        if plan.again or plan.creates or plan.count is not None or plan.confirm:
            self._queue.add(record.key, BREATH)
        elif plan.wake_at is not None:
            self._queue.add(record.key, max(0.0, (plan.wake_at - self._clock.now()).total_seconds()))

    async def _plan(self, record: BackfillRecord) -> tuple[BackfillPlan, ApiError | None]:
        """The plan after what it needed was learnt and its runs were made; and why one could not be made."""
        gone: set[str] = set()
        total: int | None = None
        made = False
        hindrance: ApiError | None = None
        seen = await self._gather(record)
        for _ in range(MOST_PLANS):
            known = replace(
                seen,
                runs=self._index.of(record.workflow),
                gone=frozenset(gone),
                hindrance=hindrance.message if hindrance is not None else "",
                total=total,
            )
            plan = plan_backfill(known, self._clock.now())
            if plan.count is not None and known.slots is not None:
                total = await self._count(plan.count, known.slots)
            elif plan.confirm:
                gone.update([name for name in plan.confirm if not await self._exists(record, name)])
            elif plan.creates and not made and hindrance is None:
                hindrance = await self._create(record, plan.creates)
                made = True
            else:
                break
        return plan, hindrance

    async def _gather(self, record: BackfillRecord) -> BackfillSeen:
        """The Workflow, and the slots of the schedule: of the pinned one once it is pinned."""
        workflow = await self._workflow(record)
        started = record.status.started_at is not None
        seen = BackfillSeen(record.view(), workflow, slots=record.slots)
        try:
            schedule = _pinned(record.status) if started else _schedule_of(workflow)
        except ValueError as error:
            return replace(seen, trouble=f"it can't be read: {error}"[:800])
        if schedule is not None and record.slots is None and has_clock(schedule):
            seen = await self._compile(record, schedule, seen)
            if started:
                record.slots = seen.slots
        return replace(seen, schedule=schedule)

    async def _workflow(self, record: BackfillRecord) -> WorkflowFound | None:
        """The Workflow: for the start, and before it is taken for gone, as the API says."""
        known = self._workflows.get(record.workflow) if record.status.started_at is not None else None
        if known is not None and known.uid == record.status.workflow_uid and not known.deleting:
            return WorkflowFound(known.uid, None, known.problem.message if known.problem is not None else "")
        try:
            body = await self._api.get(WORKFLOWS, *record.workflow)
        except NotFound:
            return None
        if "deletionTimestamp" in body["metadata"]:
            return None
        try:
            return WorkflowFound(body["metadata"]["uid"], read_workflow(body))
        except InvalidObject as error:
            return WorkflowFound(body["metadata"]["uid"], None, summary(error.findings, 800))

    async def _compile(self, record: BackfillRecord, schedule: Schedule, seen: BackfillSeen) -> BackfillSeen:
        """What is seen, with the slots of a schedule, or why there are none."""
        holidays = await self._calendars.of(record.key.namespace, schedule)
        if isinstance(holidays, Problem):
            return replace(seen, waits_for=holidays)
        try:
            identity = f"{record.key.namespace}/{record.spec.workflow}"
            return replace(seen, slots=compile_schedule(schedule, identity=identity, holidays=holidays))
        except ScheduleError as error:
            return replace(seen, trouble=summary(error.findings, 800))

    async def _count(self, basis: Basis, slots: Slots) -> int:
        """How many slots the range has; one more than are allowed, when there are more."""
        total = 0
        for _ in slots_of(basis, slots):
            total += 1
            if total > MOST_SLOTS:
                break
            if total % COUNTED_AT_ONCE == 0:
                await self._clock.sleep(0)
        return total

    async def _exists(self, record: BackfillRecord, name: str) -> bool:
        """Read a run live; whether it is the one that the status names."""
        key = RunKey(record.key.namespace, name)
        try:
            body = await self._api.get(RUNS, *key)
        except NotFound:
            self._index.drop(key)
            return False
        self._run_seen(body)
        uids = {one.uid for one in record.status.active if one.run == name}
        return not uids or body["metadata"]["uid"] in uids

    async def _create(self, record: BackfillRecord, requests: tuple[RunRequest, ...]) -> ApiError | None:
        """Make runs, one after the other; why one could not be made, which ends it."""
        owner = record.status.workflow_uid or ""
        for request in requests:
            body = build_run(record.key.namespace, record.spec.workflow, owner, request)
            try:
                answer = await self._api.create(RUNS, body)
            except AlreadyExists:
                # Made by us before, or by somebody else: it is planned for as it is.
                await self._exists(record, request.name)
                return None
            except NotLeading:
                raise
            except (Retryable, Refused, NotFound) as error:
                return error
            self._run_seen(answer)
        return None

    async def _store(self, record: BackfillRecord, plan: BackfillPlan) -> bool:
        """Write the status, where it has changed; False when the backfill has changed or gone meanwhile."""
        if plan.status is record.status:
            return True
        named = {**record.key._asdict(), "uid": record.uid, "resourceVersion": str(record.version)}
        body = {"apiVersion": API_VERSION, "kind": BACKFILLS.kind, "metadata": named}
        try:
            answer = await self._api.replace_status(BACKFILLS, {**body, "status": status_json(plan.status)})
        except NotFound:
            self._forget(record.key, record.uid)
            return False
        except Conflict as error:
            # Its event is on the way, and wakes us sooner.
            logger.debug("backfill %s has changed meanwhile: %s", record.key, error)
            self._queue.add(record.key, CONFLICT_PAUSE)
            return False
        before = record.status
        record.events.extend(plan.events)
        self._observer.backfill_stored(record.view(), before, plan.status)
        self._take_answer(record, answer, plan.status)
        return True

    def _take_answer(self, record: BackfillRecord, answer: Body, status: BackfillStatus) -> None:
        ended = status.phase is not None and status.phase.ended
        record.body, record.status = answer, status
        if self._records.get(record.key) is record or ended:
            self._records.seen(answer)
        if ended:
            self._over(record.workflow)

    async def _cancel(self, record: BackfillRecord, plan: BackfillPlan) -> None:
        """Tell runs to stop. One that has ended meanwhile, or is gone, needs no telling."""
        for one in plan.cancels:
            await self._cancel_one(record, one)

    async def _cancel_one(self, record: BackfillRecord, one: BackfillRun) -> None:
        patch = {"metadata": {"uid": one.uid}, "spec": {"stop": "Cancel"}}
        try:
            answer = await self._api.patch(RUNS, record.key.namespace, one.run, patch, content_type=MERGE)
        except (NotFound, Conflict) as error:
            logger.debug("run %s needs no cancelling: %s", one.run, error)
        else:
            self._run_seen(answer)

    async def _tell(self, record: BackfillRecord) -> None:
        events, record.events = record.events, []
        for event in events:
            await self._make_event(record.body, event)

    async def _make_event(self, body: Body, event: RunEvent) -> None:
        try:
            await self._api.create(EVENTS, self._observer.event(body, event, BACKFILLS))
        except AlreadyExists:
            logger.debug("event %s was told before", event.reason)
        except ApiError as error:
            logger.warning("event %s was not told: %s", event.reason, error)

    async def _set_aside(self, unreadable: Unreadable) -> None:
        """Say of a backfill that can't be read why not: a bad spec ends it; a bad status is left as it is."""
        meta = unreadable.body["metadata"]
        reason = "SpecInvalid" if unreadable.part == "spec" else "StatusUnreadable"
        message = f"the {unreadable.part} can't be read: {unreadable.error}"[:1024]
        logger.warning("backfill %s/%s is set aside: %s", meta["namespace"], meta["name"], reason)
        if unreadable.part == "spec" and (unreadable.body.get("status") or {}).get("message") != message:
            ended = {"phase": "Refused", "reason": reason, "message": message}
            status = {**ended, "finishedAt": format_time(self._clock.now())}
            named = {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")}
            body = {"apiVersion": API_VERSION, "kind": BACKFILLS.kind, "metadata": named, "status": status}
            try:
                await self._api.replace_status(BACKFILLS, body)
            except (Conflict, NotFound):
                logger.debug("the backfill has changed meanwhile")
                return
        await self._make_event(unreadable.body, RunEvent("Warning", reason, message))


def _pinned(status: BackfillStatus) -> Schedule | None:
    """The schedule as it was when the backfill started. ValueError when it can't be read."""
    return Schedule.model_validate(status.schedule, extra="ignore") if status.schedule is not None else None


def _schedule_of(workflow: WorkflowFound | None) -> Schedule | None:
    """The schedule of a Workflow as a backfill reads it."""
    spec = workflow.spec if workflow is not None else None
    return without_bounds(spec.schedule) if spec is not None and spec.schedule is not None else None
