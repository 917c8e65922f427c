"""How a backfill begins: its range, what it pins, what it waits for, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from support.backfills import MADE, MISSING, NOW, OWNER, backfill, plan, seen, started, workflow
from windlass.models.backfill import BackfillPhase
from windlass.plan.backfill import plan_backfill
from windlass.plan.backfill_types import BackfillPlan, BackfillSeen, BackfillView, WorkflowFound


@dataclass(frozen=True)
class Start:
    spec: dict[str, Any]
    first: str
    last: str
    total: int
    workflow: WorkflowFound | None = None


STARTS: dict[str, Start] = {
    "days, both included": Start({}, "2025-05-01T02:00:00Z", "2025-05-03T02:00:00Z", 3),
    "one day": Start({"to": "2025-05-01"}, "2025-05-01T02:00:00Z", "2025-05-01T02:00:00Z", 1),
    "instants, both included": Start(
        {"from": "2025-05-01T02:00:00Z", "to": "2025-05-02T02:00:00Z"},
        "2025-05-01T02:00:00Z", "2025-05-02T02:00:00Z", 2,
    ),
    "a moment after a slot": Start(
        {"from": "2025-05-01T02:00:00.000001Z", "to": "2025-05-03T01:59:59.999999Z"},
        "2025-05-02T02:00:00Z", "2025-05-02T02:00:00Z", 1,
    ),
    "instants with a zone": Start(
        {"from": "2025-05-01T11:00:00+09:00", "to": "2025-05-02T11:00:00+09:00"},
        "2025-05-01T02:00:00Z", "2025-05-02T02:00:00Z", 2,
    ),
    "days are those of the schedule's zone": Start(
        {"from": "2025-05-02", "to": "2025-05-02"}, "2025-05-01T15:00:00Z", "2025-05-02T14:00:00Z", 24,
        workflow(schedule={"cron": "0 * * * *", "timeZone": "Asia/Seoul"}),
    ),
    "a day of 23 hours": Start(
        {"from": "2025-03-30", "to": "2025-03-30"}, "2025-03-29T23:00:00Z", "2025-03-30T21:00:00Z", 23,
        workflow(schedule={"cron": "0 * * * *", "timeZone": "Europe/Berlin"}),
    ),
    "a day of 25 hours": Start(
        {"from": "2024-10-27", "to": "2024-10-27"}, "2024-10-26T22:00:00Z", "2024-10-27T22:00:00Z", 25,
        workflow(schedule={"cron": "0 * * * *", "timeZone": "Europe/Berlin"}),
    ),
    "what is not due yet is the schedule's": Start(
        {"from": "2025-05-30", "to": "2025-07-01"}, "2025-05-30T02:00:00Z", "2025-06-01T02:00:00Z", 3
    ),
    "before the schedule's start, and after its end": Start(
        {}, "2025-05-01T02:00:00Z", "2025-05-03T02:00:00Z", 3,
        workflow(schedule={"cron": "0 2 * * *", "start": "2025-05-02T12:00:00Z", "end": "2025-05-02T13:00:00Z"}),
    ),
    "a schedule that is suspended": Start(
        {}, "2025-05-01T02:00:00Z", "2025-05-03T02:00:00Z", 3, workflow(schedule={"cron": "0 2 * * *", "suspend": True})
    ),
    "data intervals, by their logical dates": Start(
        {}, "2025-05-02T02:00:00Z", "2025-05-04T02:00:00Z", 3,
        workflow(schedule={"cron": "0 2 * * *", "interval": "DataInterval"}),
    ),
    "a data interval that is not over yet": Start(
        {"from": "2025-05-31", "to": "2025-06-02"}, "2025-06-01T02:00:00Z", "2025-06-01T02:00:00Z", 1,
        workflow(schedule={"cron": "0 2 * * *", "interval": "DataInterval"}),
    ),
    "several expressions": Start(
        {"to": "2025-05-01"}, "2025-05-01T02:00:00Z", "2025-05-01T14:00:00Z", 2,
        workflow(schedule={"cron": ["0 2 * * *", "0 14 * * *"]}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STARTS.values(), ids=STARTS.keys())
def test_the_range(case: Start) -> None:
    planned = plan(backfill(**case.spec), case.workflow or workflow())
    status = planned.status
    assert (status.phase, status.first, status.last, status.total, status.progress) == (
        BackfillPhase.RUNNING, case.first, case.last, case.total, f"0/{case.total}",
    )  # fmt: skip
    assert (planned.again, planned.creates) == (True, ())


def test_a_start_pins_the_schedule_and_the_workflow() -> None:
    status = started(workflow(schedule={"cron": "0 2 * * *", "start": "2025-05-02T12:00:00Z"})).status
    assert status.schedule is not None
    assert (status.schedule["cron"], "start" in status.schedule, status.workflow_uid) == ("0 2 * * *", False, OWNER)
    assert [(one.type, one.status) for one in status.conditions] == [("Accepted", "True")]


PAST = {"dependsOnPast": True}

REFUSED: dict[str, tuple[BackfillView, WorkflowFound | None, str, str]] = {
    "no Workflow, for five minutes": (
        replace(backfill(), created_at=NOW - timedelta(minutes=5)), None,
        "WorkflowNotFound", "there is no Workflow etl in namespace data: the backfill has waited for it for 5 minutes",
    ),
    "a Workflow that can't be read": (
        backfill(), WorkflowFound(OWNER, None, "spec.tasks: is required"),
        "WorkflowInvalid", "the Workflow etl can't be read: spec.tasks: is required",
    ),
    "no schedule": (
        backfill(), workflow(schedule=None), "NoSchedule",
        "the Workflow etl has no schedule, so there are no slots: give it a schedule with cron, or start single runs: "
        "windlass run --logical-date",
    ),
    "a schedule that follows others": (
        backfill(), workflow(schedule={"after": {"all": [{"workflow": "a"}]}}), "NoSchedule",
        "the Workflow etl has no schedule by the clock",
    ),
    "once": (backfill(), workflow(schedule={"cron": "@once"}), "NoSchedule", "no schedule by the clock"),
    "from later than to": (
        backfill(to="2025-04-30"), workflow(), "RangeInvalid", "from (2025-05-01) is later than to (2025-04-30)"
    ),
    "no slot in the range": (
        backfill(**{"from": "2025-05-01T03:00:00Z", "to": "2025-05-01T04:00:00Z"}), workflow(), "NoSlots",
        "the schedule of the Workflow etl has no slot from 2025-05-01T03:00:00Z to 2025-05-01T04:00:00Z; the next one "
        "is 2025-05-02T02:00:00Z",
    ),
    "the future": (
        backfill(**{"from": "2025-07-01", "to": "2025-07-02"}), workflow(), "NoSlots",
        "the schedule of the Workflow etl has no slot from 2025-07-01 to 2025-07-02 that is due yet: a backfill is for "
        "the past",
    ),
    "a parameter that there isn't": (
        backfill(params={"dya": "x"}), workflow(params={"day": {"type": "string", "default": "x"}}), "ParamsInvalid",
        'params: dya: the workflow has no parameter dya; did you mean "day"?',
    ),
    "a parameter of another type": (
        backfill(params={"limit": "x"}), workflow(params={"limit": {"type": "integer", "default": 1}}), "ParamsInvalid",
        "params: limit: 'x' is not of type 'integer'",
    ),
    "newest first, and each waits for the one before": (
        backfill(order="Newest"), workflow(**PAST), "OrderConflict",
        "order is Newest, but dependsOnPast makes each slot wait for the one before it: leave order out",
    ),
    "newest first, and a task waits for its past": (
        backfill(order="Newest"), workflow(tasks=[{"name": "a", "script": "true", **PAST}]), "OrderConflict", "order",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("view", "found", "reason", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(view: BackfillView, found: WorkflowFound | None, reason: str, says: str) -> None:
    planned = plan(view, found)
    status = planned.status
    assert (status.phase, status.reason, status.finished_at) == (BackfillPhase.REFUSED, reason, "2025-06-01T12:00:00Z")
    assert says in (status.message or "")
    assert [(event.type, event.reason, event.note) for event in planned.events] == [("Warning", reason, status.message)]
    assert [(one.type, one.status, one.reason) for one in status.conditions] == [("Accepted", "False", reason)]
    assert plan(replace(view, status=status), workflow()) == BackfillPlan(status)


def test_too_many_slots_are_refused() -> None:
    view = backfill(**{"from": "2024-01-01", "to": "2024-12-31"})
    planned = plan_backfill(seen(view, workflow(schedule={"cron": "* * * * *"}), total=100_001), NOW)
    assert (planned.status.reason, planned.status.message) == (
        "TooManySlots", "there are more than 100,000 slots from 2024-01-01 to 2024-12-31: take less at once",
    )  # fmt: skip


def test_a_workflow_that_is_yet_to_come_is_waited_for() -> None:
    planned = plan(backfill(), None)
    assert (planned.status.phase, planned.status.reason, planned.wake_at) == (
        BackfillPhase.PENDING, "WorkflowNotFound", MADE + timedelta(minutes=5),
    )  # fmt: skip
    view = replace(backfill(), status=planned.status)
    assert plan(view, None, now=NOW + timedelta(minutes=1)).status is view.status
    assert plan(view, workflow()).status.phase is BackfillPhase.RUNNING


def test_a_calendar_that_is_missing_is_waited_for_before_the_start() -> None:
    planned = plan_backfill(BackfillSeen(backfill(), workflow(), waits_for=MISSING), NOW)
    assert (planned.status.phase, planned.status.reason, planned.status.message, planned.wake_at) == (
        BackfillPhase.PENDING, "CalendarMissing", MISSING.message, NOW + timedelta(seconds=30),
    )  # fmt: skip


def test_one_that_is_stopped_before_it_starts_makes_nothing() -> None:
    planned = plan(backfill(stop="Cancel"), workflow())
    assert (planned.status.phase, planned.status.reason, planned.creates) == (BackfillPhase.CANCELLED, "Cancelled", ())
