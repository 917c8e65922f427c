"""Makers of what the planner of backfills reads: views, runs, and Workflows with a schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from windlass.models.backfill import BackfillSpec, BackfillStatus
from windlass.models.parse import read_workflow
from windlass.models.run import RunPhase, Trigger
from windlass.plan.backfill import plan_backfill
from windlass.plan.backfill_start import slots_of, without_bounds
from windlass.plan.backfill_types import BackfillPlan, BackfillSeen, BackfillView, WorkflowFound
from windlass.plan.history import RunSummary
from windlass.plan.schedule import compile_schedule
from windlass.plan.workflow_types import Problem

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
MADE = NOW - timedelta(minutes=1)
UID = "b-uid"
OWNER = "w-uid"
MISSING = Problem("CalendarMissing", "the ConfigMap holidays is not there: create it")
"""Why a schedule can't be read yet."""


def workflow(**spec: Any) -> WorkflowFound:
    """The Workflow etl, run daily at two o'clock UTC unless it says another."""
    given = {"schedule": {"cron": "0 2 * * *"}, "tasks": [{"name": "a", "script": "true"}], **spec}
    manifest = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "etl"},
        "spec": {key: value for key, value in given.items() if value is not None},
    }
    return WorkflowFound(OWNER, read_workflow(manifest))


def backfill(status: BackfillStatus | None = None, **spec: Any) -> BackfillView:
    """The Backfill b of etl, over the first three days of May unless it says another."""
    given = {"workflow": "etl", "from": "2025-05-01", "to": "2025-05-03", **spec}
    return BackfillView("data", "b", UID, 1, MADE, BackfillSpec.model_validate(given), status or BackfillStatus())


def seen(view: BackfillView, found: WorkflowFound | None, *runs: RunSummary, **more: Any) -> BackfillSeen:
    """What a plan is made from, with the schedule read as the engine does."""
    schedule = slots = None
    if view.status.schedule is not None:
        from windlass.models.schedule import Schedule

        schedule = Schedule.model_validate(view.status.schedule)
    elif found is not None and found.spec is not None and found.spec.schedule is not None:
        schedule = without_bounds(found.spec.schedule)
    if schedule is not None and schedule.cron is not None:
        slots = compile_schedule(schedule, identity="data/etl")
    by_name = {run.name: run for run in runs}
    assert len(by_name) == len(runs), "two runs have one name"
    return BackfillSeen(view, found, schedule, slots, runs=by_name, **more)


def plan(view: BackfillView, found: WorkflowFound | None, *runs: RunSummary, now: datetime = NOW) -> BackfillPlan:
    """The plan, with the slots counted where it asks for that."""
    first = seen(view, found, *runs)
    planned = plan_backfill(first, now)
    if planned.count is None:
        return planned
    assert first.slots is not None
    return plan_backfill(replace(first, total=sum(1 for _ in slots_of(planned.count, first.slots))), now)


def started(found: WorkflowFound | None = None, **spec: Any) -> BackfillView:
    """A backfill whose start is written; what stops it came after that."""
    before = backfill(**{field: value for field, value in spec.items() if field != "stop"})
    return replace(backfill(**spec), status=plan(before, found or workflow()).status)


def day(number: int, hour: int = 2) -> datetime:
    """A slot of May 2025."""
    return datetime(2025, 5, number, hour, tzinfo=UTC)


def run(slot: datetime | None, phase: RunPhase | None = None, **fields: Any) -> RunSummary:
    """A run of a slot that the schedule has made; with `backfill` one of that."""
    known: dict[str, Any] = {
        "namespace": "data",
        "name": f"etl-{slot:%Y%m%dt%H%M}" if slot is not None else "etl-x",
        "uid": "u" if slot is None else f"u{slot:%d}",
        "version": 1,
        "workflow": "etl",
        "owner": OWNER,
        "phase": phase,
        "trigger": Trigger.BACKFILL if "backfill" in fields else Trigger.SCHEDULE,
        "slot": slot,
        "logical_date": slot or NOW,
        "priority": None,
        "created_at": NOW if "backfill" in fields else NOW - timedelta(days=10),
    }
    return RunSummary(**{**known, **fields})


def own(number: int, phase: RunPhase | None = RunPhase.RUNNING, **fields: Any) -> RunSummary:
    """A run that the backfill has made."""
    return run(day(number), phase, backfill="b", **fields)
