"""Taking runs on: the Workflow is read live, the run asks for its turn, and is pinned to the definition as it then is.

A run by reference that has to wait keeps nothing of what was read: when its turn comes, all is read again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from windlass.engine.calendars import Calendars
from windlass.engine.definitions import Definitions, revision_of
from windlass.engine.history import RunIndex
from windlass.engine.ports import Api, Body, Clock
from windlass.engine.record import RunRecord
from windlass.engine.slots import WorkflowKey
from windlass.engine.turns import Turns
from windlass.errors import NotFound
from windlass.models.common import format_time, parse_time
from windlass.models.parse import InvalidObject, read_status, read_workflow
from windlass.models.run import DataInterval, GoodRun, RunPhase
from windlass.models.workflow import WorkflowSpec
from windlass.plan.admission import Admission, admit, hold, refuse
from windlass.plan.deadline import missed_at
from windlass.plan.history import RunSummary, summarize
from windlass.plan.orders import stop_of, suspended
from windlass.plan.partial import Earlier
from windlass.plan.schedule import ScheduleError, compile_schedule
from windlass.plan.times import Admitted, logical_date
from windlass.plan.turns import TurnKind, last_success
from windlass.plan.types import RunView
from windlass.plan.workflow_types import Problem
from windlass.resources import RUNS

_TICK = timedelta(microseconds=1)


class Admitting:
    """Brings runs that were not admitted as far as they may go."""

    def __init__(self, api: Api, definitions: Definitions, index: RunIndex, turns: Turns, clock: Clock) -> None:
        self._api = api
        self._definitions = definitions
        self._index = index
        self._turns = turns
        self._clock = clock
        self._calendars = Calendars(api, clock)

    async def admit(self, record: RunRecord) -> datetime | None:
        """Admit the run, refuse it, or have it wait: its draft says which. When to ask again, where time decides."""
        name, namespace = record.spec.workflow, record.key.namespace
        if name is None:
            told = Admitted(earlier=await self._earlier(record))
            admission = admit(record.view(), record.spec.workflow_spec, self._clock.now(), told=told)
            return self._taken(record, admission)
        if stop_of(record.view()) is None and not self._turns.admits(record.key):
            return None
        if self._turns.settled(record.key) and not self._is_over(record):
            return _deadline(record)
        workflow = await self._definitions.workflow(namespace, name)
        admission = await self._admission(record, workflow, await self._earlier(record))
        if admission.program is None or workflow is None:
            return self._taken(record, admission)
        revision = await self._definitions.pin(namespace, workflow)
        self._definitions.keep(namespace, revision, admission.program)
        status = admission.status.model_copy(update={"revision": revision})
        return self._taken(record, replace(admission, status=status))

    def _is_over(self, record: RunRecord) -> bool:
        """Whether what the run waits for has changed by itself: it was stopped, suspended, resumed, or is late."""
        run, due = record.view(), _deadline(record)
        told_suspended = run.status.reason == "Suspended"
        if run.status.phase is not RunPhase.QUEUED or stop_of(run) is not None or suspended(run) is not told_suspended:
            return True
        return due is not None and due <= self._clock.now()

    def _taken(self, record: RunRecord, admission: Admission) -> datetime | None:
        record.draft = admission.status
        record.program = admission.program
        record.events.extend(admission.events)
        return admission.wake_at

    async def _earlier(self, record: RunRecord) -> Earlier:
        """The run that outputs are taken from, read live; a nameless one where there is none."""
        if not record.spec.tasks:
            return Earlier()
        name = record.spec.outputs_from
        if name is None:
            others = self._index.of(WorkflowKey(record.key.namespace, record.view().workflow)).values()
            good = last_success(self._index.get(record.key) or summarize(record.body), others)
            name = good.name if good is not None else None
        if name is None:
            return Earlier()
        try:
            body = await self._api.get(RUNS, record.key.namespace, name)
            status = read_status(body.get("status"))
        except (NotFound, InvalidObject):
            return Earlier(name)
        return Earlier(name, {task.name: task for task in status.tasks})

    async def _admission(self, record: RunRecord, workflow: Body | None, earlier: Earlier) -> Admission:
        now, run = self._clock.now(), record.view()
        if workflow is None:
            self._turns.put_aside(record.key)
            return admit(run, None, now)
        known = self._definitions.known(record.key.namespace, revision_of(workflow))
        try:
            spec = known.spec if known is not None else read_workflow(workflow)
        except InvalidObject as error:
            return refuse(run, "SpecInvalid", tuple(error.findings), now)
        if stop_of(run) is None:
            turn = self._turns.ask(record.key, record.uid, spec, suspended=suspended(run))
            if turn.kind is not TurnKind.GO:
                return hold(run, spec, turn, now)
        return admit(run, spec, now, known, replace(await self._told(record, run, spec), earlier=earlier))

    async def _told(self, record: RunRecord, run: RunView, spec: WorkflowSpec) -> Admitted:
        """What the run is to know of its Workflow's other runs, and of its schedule."""
        others = self._index.of(WorkflowKey(run.namespace, run.workflow)).values()
        good = last_success(self._index.get(record.key) or summarize(record.body), others)
        return Admitted(await self._interval(run, spec), _good_run(good) if good is not None else None)

    async def _interval(self, run: RunView, spec: WorkflowSpec) -> tuple[datetime, datetime] | None:
        """The time that a run made by hand is about: the last whole interval of its Workflow's schedule, as in Airflow.
        None where there is no such schedule, or nobody can tell its slots."""
        if run.spec.slot is not None or spec.schedule is None or not spec.schedule.crons:
            return None
        days = await self._calendars.of(run.namespace, spec.schedule)
        if isinstance(days, Problem):
            return None
        try:
            timetable = compile_schedule(spec.schedule, identity=f"{run.namespace}/{run.workflow}", holidays=days)
        except ScheduleError:
            return None
        end = timetable.previous_before(logical_date(run) + _TICK)
        start = timetable.previous_before(end) if end is not None else None
        return (start, end) if start is not None and end is not None else None


def _deadline(record: RunRecord) -> datetime | None:
    """When the run that waits is late, where that was not said yet."""
    text = record.draft.deadline
    return parse_time(text) if text is not None and missed_at(record.draft) is None else None


def _good_run(run: RunSummary) -> GoodRun:
    interval = None
    if run.interval is not None:
        interval = DataInterval(start=format_time(run.interval[0]), end=format_time(run.interval[1]))
    return GoodRun(run=run.name, logical_date=format_time(run.logical_date), interval=interval)
