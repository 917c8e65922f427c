"""Makes the runs of schedules, keeps the status of Workflows, and deletes history.

    Workflow seen, run ended, slot due ─▶ queue of keys ─▶ gather ─▶ plan_workflow ─▶ make runs ─▶ write the status
                                                                                          │         a moment later
                                                                                          └─▶ delete history

Each Workflow waits for its next slot in one heap, and nothing else happens for it until then. The last slot moves on in
memory as soon as its runs exist, and in the status a moment later: whoever comes in between meets the runs by their
names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from windlass.build.run import build_run
from windlass.engine.calendars import KEEP, RETRY, Calendars
from windlass.engine.following import Following
from windlass.engine.history import RunIndex
from windlass.engine.ports import Api, Body, Clock, Observer
from windlass.engine.queue import BesideRuns, KeyedQueue
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.engine.workflow_statuses import WorkflowStatuses
from windlass.engine.workflows import WorkflowCache, WorkflowRecord
from windlass.errors import AlreadyExists, Conflict, Forbidden, NotFound, Refused, Retryable
from windlass.models.common import delta
from windlass.models.workflow import History
from windlass.plan.history import RunSummary, summarize
from windlass.plan.schedule import ScheduleError, compile_schedule
from windlass.plan.schedule.calendar import config_maps
from windlass.plan.scheduling import Notice, Problem, RunRequest, WorkflowPlan, WorkflowSeen, plan_workflow
from windlass.resources import RUNS, WORKFLOWS

logger = logging.getLogger(__name__)

SETTLE: Final = 2.0
"""Seconds from a change of a run to the look at its Workflow, where nobody waits for that."""
BURST: Final = 32
"""Workflows in work at a time from which on their runs are made first, and all else waits."""
BURST_RATE: Final = 200.0
"""Runs a second that a burst is taken to make."""
STILL_MAKING: Final = 0.5
"""Seconds after a run was made in which more are taken to come."""
LONGEST_BURST: Final = 5.0
"""Seconds that all else waits at most."""
MOST_LEFT_BEHIND: Final = 200
"""Runs without a Workflow that are deleted after a list of all Workflows."""
LOOK_AT_CLOCK: Final = 10.0
"""Seconds between two looks whether the host's clock was set."""
CLOCK_SET: Final = 2.0
"""Seconds by which a clock has to go astray for that."""
MESSAGE_LIMIT: Final = 1024


class Scheduler:
    """The Workflows of a cluster, or of the namespaces that are named."""

    def __init__(self, api: Api, clock: Clock, observer: Observer, index: RunIndex, *, concurrency: int = 32) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer
        self._index = index
        self.workflows = WorkflowCache()
        self._calendars = Calendars(api, clock)
        self._statuses = WorkflowStatuses(api, clock, observer)
        self._early: set[WorkflowKey] | None = set()
        """What came before all runs were known; None since."""
        self._watch: asyncio.Task[None] | None = None
        self._made_at = float("-inf")
        """When a run was last made, or begun to be made."""
        self.needed: list[Callable[[RunSummary], bool]] = []
        """Who else is asked before history is deleted."""
        self.following = Following(api, index, self.workflows, self._look_at)
        self.needed.append(self.following.needs)
        self.queue: KeyedQueue[WorkflowKey] = KeyedQueue(
            self._work,
            clock,
            BesideRuns(observer),
            concurrency=concurrency,
            fields=lambda key: {"workflow": f"{key.namespace}/{key.name}"},
        )
        index.listen(self._run_changed)

    def start(self) -> None:
        """All runs are known: work from now on."""
        early, self._early = self._early or set(), None
        for key in early:
            self.queue.add(key)
        self._watch = self._watch or asyncio.create_task(self._watch_clock())

    @property
    def burst(self) -> float:
        """Seconds that what can wait should wait, while the runs of many slots are made at once."""
        many = len(self.queue)
        making = self._clock.monotonic() - self._made_at < STILL_MAKING
        return min(LONGEST_BURST, many / BURST_RATE) if making and many > BURST else 0.0

    async def stop(self) -> None:
        """Take nothing new, and finish what is under way."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self.queue.close()

    def seen(self, body: Body) -> None:
        """Take a Workflow as a watch, a list or an answer gave it."""
        if self.workflows.seen(body):
            self.following.seen(body)
            self._add(WorkflowKey(body["metadata"]["namespace"], body["metadata"]["name"]))

    def gone(self, body: Body) -> None:
        """Take a Workflow's deletion."""
        meta = body["metadata"]
        self._forget(WorkflowKey(meta["namespace"], meta["name"]), meta["uid"])

    async def sweep(self, namespaces: Sequence[str | None]) -> None:
        """List all Workflows: take what is newer, forget what is not listed."""
        for namespace in namespaces:
            before = [one for one in self.workflows if namespace in (None, one.key.namespace)]
            listed: set[str] = set()
            try:
                async for page in self._api.pages(WORKFLOWS, namespace):
                    for body in page:
                        listed.add(body["metadata"]["uid"])
                        self.seen(body)
            except Forbidden as error:
                logger.warning("the Workflows of namespace %s can't be listed: %s", namespace, error)
                continue
            for key in self.workflows.keep_only(before, listed):
                self.following.gone(key)
                self.queue.forget(key)
        if self._early is None:
            await self._delete(self._left_behind())

    def _left_behind(self) -> Sequence[RunSummary]:
        """Runs of no Workflow that there is, which are history by their age alone."""
        before = self._clock.now() - delta(History().ttl)
        found = (
            run
            for run in self._index
            if run.ended
            and (run.finished_at or run.created_at) < before
            and self.workflows.get(WorkflowKey(run.namespace, run.workflow)) is None
            and not (run.deleting or self._is_needed(run))
        )
        return [*islice(found, MOST_LEFT_BEHIND)]

    def _forget(self, key: WorkflowKey, uid: str) -> None:
        if self.workflows.gone(key, uid):
            self.following.gone(key)
            self.queue.forget(key)

    def _look_at(self, key: WorkflowKey, delay: float) -> None:
        """Have a Workflow looked at because of another."""
        if self.workflows.get(key) is not None:
            self._add(key, delay)

    def _add(self, key: WorkflowKey, delay: float = 0.0) -> None:
        if self._early is not None:
            self._early.add(key)
        else:
            self.queue.add(key, delay)

    def _run_changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        run = new or old
        if run is None or not run.workflow:
            return
        key = WorkflowKey(run.namespace, run.workflow)
        record = self.workflows.get(key)
        if record is None:
            return
        ended = (new is None or new.ended) and not (old is not None and old.ended)
        if record.hungry and (ended or (old is None) != (new is None)):
            self._add(key)
        elif old is None or new is None or old.phase is not new.phase:
            self._add(key, SETTLE)

    async def _watch_clock(self) -> None:
        """Look again at all Workflows when the host's clock was set, or stood still with the host."""
        apart = self._clock.now().timestamp() - self._clock.monotonic()
        while True:
            await self._clock.sleep(LOOK_AT_CLOCK)
            now = self._clock.now().timestamp() - self._clock.monotonic()
            if abs(now - apart) > CLOCK_SET:
                logger.warning("the clock has moved by %.0f s: all schedules are looked at again", now - apart)
                for record in self.workflows:
                    self.queue.add(record.key)
            apart = now

    # One Workflow

    async def _work(self, key: WorkflowKey) -> float:
        record = self.workflows.get(key)
        if record is None or record.deleting:
            self.queue.forget(key)
            return 0.0
        began = self._clock.busy()
        record.read_spec()
        spent = self._clock.busy() - began
        problem = await self._compile(record)
        if self._is_stale(record):
            return spent
        began = self._clock.busy()
        plan = plan_workflow(self._gather(record, problem), self._clock.now())
        spent += self._clock.busy() - began
        record.hungry = plan.hungry
        await self._create_or_say(record, plan.creates)
        if self._is_stale(record):
            return spent
        record.events.extend(plan.events)
        self._statuses.take(record, plan.status, self.burst)
        if self._statuses.is_due(record):
            await self._store(record)
        await self._delete(plan.deletes)
        self._come_back(record, plan)
        return spent

    def _is_stale(self, record: WorkflowRecord) -> bool:
        """Whether the Workflow was changed or deleted while an answer was awaited: then it is planned again."""
        if self.workflows.get(record.key) is not record or record.deleting or record.body is not None:
            self.queue.add(record.key)
            return True
        return False

    async def _compile(self, record: WorkflowRecord) -> Problem | None:
        """Make the timetable; what is wrong with spec or schedule."""
        schedule = record.terms.schedule if record.terms is not None else None
        if record.problem is not None or schedule is None:
            return record.problem
        days = await self._calendars.of(record.key.namespace, schedule)
        if isinstance(days, Problem):
            return days
        holidays = tuple(days.items())
        if record.timetable is not None and record.holidays == holidays:
            return None
        try:
            record.timetable = compile_schedule(
                schedule, identity="/".join(record.key), holidays=days, created=record.created_at
            )
        except ScheduleError as error:
            return Problem("ScheduleInvalid", str(error)[:MESSAGE_LIMIT])
        record.holidays = holidays
        return None

    def _gather(self, record: WorkflowRecord, problem: Problem | None) -> WorkflowSeen:
        return WorkflowSeen(
            namespace=record.key.namespace,
            name=record.key.name,
            uid=record.uid,
            generation=record.generation,
            created_at=record.created_at,
            status=record.draft,
            terms=record.terms,
            timetable=record.timetable if problem is None else None,
            problem=problem,
            edited_at=record.edited_at,
            stored_slot=record.stored_slot,
            runs=self._index.of(record.key),
            followed=self.following.events(record),
            needed=self._is_needed,
        )

    def _is_needed(self, run: RunSummary) -> bool:
        """Whether a run that is history is asked for by somebody else."""
        return any(ask(run) for ask in self.needed)

    async def _create_or_say(self, record: WorkflowRecord, creates: Sequence[RunRequest]) -> None:
        try:
            await self._create(record, creates)
        except Refused as error:
            message = f"the run of the slot was refused: {error.message}"[:MESSAGE_LIMIT]
            if (record.draft.reason, record.draft.message) != ("RunRefused", message):
                record.draft = record.draft.model_copy(update={"reason": "RunRefused", "message": message})
                record.events.append(Notice("Warning", "RunRefused", message, creates[0].name))
                await self._store(record)
            raise Retryable(error.message, error.status, error.reason) from error

    async def _create(self, record: WorkflowRecord, creates: Sequence[RunRequest]) -> None:
        """Make the runs, one after the other. Raises at the first that can't be made: the last slot stays before it."""
        for planned in creates:
            request = await self.following.with_fields(record.key.namespace, planned)
            body = build_run(*record.key, record.uid, request)
            self._made_at = self._clock.monotonic()  # a watch may tell of it before the answer does
            try:
                answer = await self._api.create(RUNS, body)
            except AlreadyExists:
                self._index.seen(await self._adopt(record, request))
            else:
                self._index.seen(answer)
                self._made_at = self._clock.monotonic()
                delay = (self._clock.now() - request.scheduled_at).total_seconds()
                self._observer.slot_fired(*record.key, None if request.late else max(0.0, delay))

    async def _adopt(self, record: WorkflowRecord, request: RunRequest) -> Body:
        """The run that has the name already. Conflict when it is another's: the next plan knows of it."""
        try:
            answer = await self._api.get(RUNS, record.key.namespace, request.name)
        except NotFound:
            raise Conflict(f"run {request.name} was there, and is gone") from None
        known = summarize(answer)
        self._index.seen(answer)
        wanted = summarize(build_run(*record.key, record.uid, request))
        if known.owner != record.uid or (known.slot, known.consumed) != (wanted.slot, wanted.consumed):
            raise Conflict(f"the name {request.name} belongs to another run")
        return answer

    async def _store(self, record: WorkflowRecord) -> None:
        """Write the draft. A newer version of the Workflow is read, and all is planned again."""
        before = record.stored
        if not await self._statuses.store(record):
            await self._confirm(record)
        elif before.cursors != record.stored.cursors:
            self.following.stored(record)

    async def _confirm(self, record: WorkflowRecord) -> None:
        """Read the Workflow live, and plan again."""
        try:
            body = await self._api.get(WORKFLOWS, *record.key)
        except NotFound:
            self._forget(record.key, record.uid)
            return
        self.seen(body)
        self.queue.add(record.key)

    async def _delete(self, runs: Sequence[RunSummary]) -> None:
        for run in runs:
            try:
                await self._api.delete(RUNS, run.namespace, run.name, uid=run.uid)
            except (NotFound, Conflict):
                logger.debug("run %s/%s was gone already", run.namespace, run.name)
            self._index.drop(RunKey(run.namespace, run.name), run.uid)

    def _come_back(self, record: WorkflowRecord, plan: WorkflowPlan) -> None:
        """Have the Workflow looked at when something is due."""
        if record.write_due is not None:
            self.queue.add(record.key, max(0.0, record.write_due - self._clock.monotonic()))
        if plan.wake_at is not None:
            self.queue.add(record.key, self._until(plan.wake_at))
        if record.terms is not None and record.terms.schedule is not None and config_maps(record.terms.schedule):
            self.queue.add(record.key, KEEP if record.timetable is not None else RETRY)

    def _until(self, moment: datetime) -> float:
        return max(0.0, (moment - self._clock.now()).total_seconds())
