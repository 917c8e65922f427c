"""What a run knows of its slot: the moments of its templates and of its environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.simulate import START, World, workflow
from windlass.models.run import DataInterval, GoodRun, RunSlot, Trigger, TriggerSource, WorkflowRunSpec
from windlass.models.run import WorkflowRunStatus as Status
from windlass.models.workflow import WorkflowSpec
from windlass.plan.admission import admit
from windlass.plan.context import run_context
from windlass.plan.run import plan_run
from windlass.plan.times import Admitted, zone_of
from windlass.plan.types import RunView

SEOUL = ZoneInfo("Asia/Seoul")
SLOT = RunSlot(
    trigger=Trigger.SCHEDULE,
    scheduled_at="2025-04-01T17:00:00Z",
    interval_start="2025-03-31T17:00:00Z",
    interval_end="2025-04-01T17:00:00Z",
    previous="2025-03-31T17:00:00Z",
)
GOOD = GoodRun(
    run="sales-20250331t1700",
    logical_date="2025-03-31T17:00:00Z",
    interval=DataInterval(start="2025-03-30T17:00:00Z", end="2025-03-31T17:00:00Z"),
)


def at(day: int, hour: int = 17, month: int = 4) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A run, and what its templates read, in UTC."""

    run: WorkflowRunSpec
    status: Status
    logical_date: datetime
    scheduled_at: datetime
    interval: tuple[datetime, datetime]
    ds: str
    trigger: str = "Manual"
    previous: dict[str, Any] | None = None


CASES = {
    "a run made by hand is about its creation": Case(
        WorkflowRunSpec(workflow="sales"), Status(), START, START, (START, START), "2025-04-02"
    ),
    "a run made by hand for another moment": Case(
        WorkflowRunSpec(workflow="sales", logical_date="2025-02-01T09:00:00+09:00"),
        Status(),
        at(1, 0, 2),
        at(1, 0, 2),
        (at(1, 0, 2), at(1, 0, 2)),
        "2025-02-01",
    ),
    "a run made by hand has the interval that was found at its admission": Case(
        WorkflowRunSpec(workflow="sales", logical_date="2025-04-02T03:00:00Z"),
        Status(interval=DataInterval(start="2025-03-31T17:00:00Z", end="2025-04-01T17:00:00Z")),
        at(2, 3),
        at(2, 3),
        (at(31, month=3), at(1)),
        "2025-04-02",
    ),
    "a slot": Case(
        WorkflowRunSpec(workflow="sales", logical_date="2025-04-01T17:00:00Z", slot=SLOT),
        Status(),
        at(1),
        at(1),
        (at(31, month=3), at(1)),
        "2025-04-02",
        "Schedule",
    ),
    "a slot whose logical date begins its interval, as in Airflow 2": Case(
        WorkflowRunSpec(workflow="sales", logical_date="2025-03-31T17:00:00Z", slot=SLOT),
        Status(),
        at(31, month=3),
        at(1),
        (at(31, month=3), at(1)),
        "2025-04-01",
        "Schedule",
    ),
    "a run after others has no interval": Case(
        WorkflowRunSpec(
            workflow="sales",
            logical_date="2025-04-01T17:00:00Z",
            slot=RunSlot(trigger=Trigger.WORKFLOW, scheduled_at="2025-04-01T17:00:00Z"),
        ),
        Status(),
        at(1),
        at(1),
        (at(1), at(1)),
        "2025-04-02",
        "Workflow",
    ),
    "a run after a good one": Case(
        WorkflowRunSpec(workflow="sales", logical_date="2025-04-01T17:00:00Z", slot=SLOT),
        Status(previous_success=GOOD),
        at(1),
        at(1),
        (at(31, month=3), at(1)),
        "2025-04-02",
        "Schedule",
        {
            "run": "sales-20250331t1700",
            "logical_date": at(31, month=3),
            "data_interval_start": at(30, month=3),
            "data_interval_end": at(31, month=3),
        },
    ),
    "a good run without an interval is about a moment": Case(
        WorkflowRunSpec(workflow="sales"),
        Status(previous_success=GoodRun(run="by-hand", logical_date="2025-03-31T17:00:00Z")),
        START,
        START,
        (START, START),
        "2025-04-02",
        "Manual",
        {
            "run": "by-hand",
            "logical_date": at(31, month=3),
            "data_interval_start": at(31, month=3),
            "data_interval_end": at(31, month=3),
        },
    ),
}


def view(spec: WorkflowRunSpec, status: Status) -> RunView:
    return RunView("data", "r", "u", 1, START, spec, status, "sales")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_templates_read(case: Case) -> None:
    context = run_context(view(case.run, case.status), SEOUL)
    assert (
        context["logical_date"],
        context["scheduled_at"],
        (context["data_interval_start"], context["data_interval_end"]),
        context["ds"],
        context["run"]["trigger"],
        context["prev_success"],
    ) == (case.logical_date, case.scheduled_at, case.interval, case.ds, case.trigger, case.previous)
    moments = [value for value in context.values() if isinstance(value, datetime)]
    assert {moment.tzinfo for moment in moments} == {SEOUL}, "what a template takes apart is local"


def test_a_run_knows_what_it_follows() -> None:
    source = TriggerSource(
        workflow="load", run="load-1", uid="u1", slot="2025-04-01T17:00:00Z", asset="sales/daily", fields={"rows": 3}
    )
    slot = RunSlot(trigger=Trigger.WORKFLOW, scheduled_at="2025-04-01T18:00:00Z", sources=[source])
    context = run_context(view(WorkflowRunSpec(workflow="sales", slot=slot), Status()))
    assert context["triggers"] == [
        {
            "workflow": "load",
            "run": "load-1",
            "uid": "u1",
            "slot": at(1),
            "asset": "sales/daily",
            "finished_at": None,
            "fields": {"rows": 3},
        }
    ]


SCHEDULED = {"cron": "0 2 * * *", "timeZone": "Asia/Seoul"}
ZONES = {"Asia/Seoul": SEOUL, "UTC": UTC, "Nowhere/Land": UTC, "": UTC}


@pytest.mark.parametrize("name", [zone for zone in ZONES if zone])
def test_the_zone_is_the_schedules(name: str) -> None:
    spec = workflow([{"name": "a"}], schedule={**SCHEDULED, "timeZone": name})
    assert zone_of(spec) == ZONES[name]


def test_without_a_schedule_the_zone_is_utc() -> None:
    assert zone_of(workflow([{"name": "a"}])) is UTC


def admitted(spec: WorkflowSpec, run: WorkflowRunSpec, told: Admitted) -> Status:
    return admit(view(run, Status()), spec, START, told=told).status


def test_admission_fixes_what_the_run_is_told_and_defaults_read_it() -> None:
    params = {
        "day": {"type": "string", "default": "{{ ds }}"},
        "since": {"type": "string", "default": "{{ prev_success.data_interval_end | default(data_interval_start) }}"},
    }
    spec = workflow([{"name": "a"}], schedule=SCHEDULED, params=params)
    run = WorkflowRunSpec(workflow="sales", logical_date="2025-04-01T17:00:00Z", slot=SLOT)
    first, later = admitted(spec, run, Admitted()), admitted(spec, run, Admitted(previous=GOOD))
    assert first.params == {"day": "2025-04-02", "since": "2025-03-31T17:00:00Z"}
    assert (first.trigger, first.slot) == ("Schedule", "2025-04-01T17:00:00Z")
    assert first.interval == DataInterval(start="2025-03-31T17:00:00Z", end="2025-04-01T17:00:00Z")
    assert (first.previous_success, later.previous_success) == (None, GOOD)


def test_admission_fixes_the_interval_of_a_run_made_by_hand() -> None:
    spec = workflow([{"name": "a"}], schedule=SCHEDULED)
    status = admitted(spec, WorkflowRunSpec(workflow="sales"), Admitted(interval=(at(31, month=3), at(1))))
    assert status.interval == DataInterval(start="2025-03-31T17:00:00Z", end="2025-04-01T17:00:00Z")
    assert (status.trigger, status.slot) == ("Manual", None)


def test_the_environment_says_the_same() -> None:
    world = World(workflow([{"name": "a", "script": "true"}], schedule=SCHEDULED))
    seen = world.seen()
    run = replace(
        seen.run,
        spec=WorkflowRunSpec(workflow="sales", logical_date="2025-04-01T17:00:00Z", slot=SLOT),
        status=seen.run.status.model_copy(update={"previous_success": GOOD}),
    )
    environment = plan_run(replace(seen, run=run), START).launches[0].environment
    assert {name.removeprefix("WINDLASS_"): value for name, value in environment.items()} == {
        "NAMESPACE": "data",
        "WORKFLOW": "sales",
        "RUN": "sales-1",
        "RUN_UID": seen.run.uid,
        "TASK": "a",
        "ATTEMPT": "1",
        "TRIGGER": "Schedule",
        "LOGICAL_DATE": "2025-04-01T17:00:00Z",
        "SCHEDULED_AT": "2025-04-01T17:00:00Z",
        "DATA_INTERVAL_START": "2025-03-31T17:00:00Z",
        "DATA_INTERVAL_END": "2025-04-01T17:00:00Z",
        "DS": "2025-04-02",
        "DS_NODASH": "20250402",
        "TS": "2025-04-02T02:00:00+09:00",
        "TS_NODASH": "20250402T020000",
        "PREV_SUCCESS": '{"run":"sales-20250331t1700","logical_date":"2025-03-31T17:00:00Z",'
        '"data_interval_start":"2025-03-30T17:00:00Z","data_interval_end":"2025-03-31T17:00:00Z"}',
    }
