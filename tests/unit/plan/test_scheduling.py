"""What a Workflow's schedule makes, tells and waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from windlass import names
from windlass.models.common import format_time
from windlass.models.run import RunPhase, Trigger
from windlass.models.schedule import Schedule
from windlass.models.workflow import Concurrency, RunPolicy, WorkflowSpec, WorkflowStatus
from windlass.plan.history import RunSummary
from windlass.plan.schedule import compile_schedule
from windlass.plan.scheduling import Problem, WorkflowPlan, WorkflowSeen, plan_workflow
from windlass.plan.terms import terms_of

P = RunPhase
UID = "u1"


def at(text: str) -> datetime:
    """A moment of the day, "12:05", or another day's."""
    return datetime.fromisoformat(f"{text}Z" if "T" in text else f"2025-04-01T{text}Z")


def stamp(text: str | None) -> str | None:
    return None if text is None else format_time(at(text))


CREATED = at("12:00")


def run(due: str, phase: RunPhase | None = None, ended: str | None = None, **fields: Any) -> RunSummary:
    """The run of a slot."""
    moment = at(due)
    summary = RunSummary(
        namespace="data",
        name=names.slot_run_name("etl", moment),
        uid=f"run-{due}",
        version=1,
        workflow="etl",
        owner=UID,
        phase=phase,
        trigger=Trigger.SCHEDULE,
        slot=moment,
        logical_date=moment,
        priority=None,
        created_at=moment,
        started_at=moment if phase is not None else None,
        finished_at=at(ended) if ended else None,
    )
    return replace(summary, **fields)


def by_hand(name: str, phase: RunPhase | None = None) -> RunSummary:
    return run("12:00", phase, name=name, owner=None, trigger=None, slot=None)


def see(
    schedule: Mapping[str, Any] | None = None,
    runs: tuple[RunSummary, ...] = (),
    status: Mapping[str, Any] = {},
    concurrency: Concurrency | None = None,
    **fields: Any,
) -> WorkflowSeen:
    timing = {"cron": "*/5 * * * *"} if schedule is None else schedule
    wanted = Schedule.model_validate({"cron": "*/5 * * * *", **timing}) if timing is not NONE else None
    spec = WorkflowSpec.model_validate({"tasks": [{"name": "a"}]}).model_copy(
        update={"schedule": wanted, "concurrency": concurrency}
    )
    created = fields.get("created_at", CREATED)
    timetable = None
    if wanted is not None and "problem" not in fields:
        timetable = compile_schedule(wanted, identity="data/etl", created=created)
    known = WorkflowStatus.model_validate(status)
    return WorkflowSeen(
        **{
            "namespace": "data",
            "name": "etl",
            "uid": UID,
            "generation": 1,
            "created_at": CREATED,
            "status": known,
            "terms": terms_of(spec),
            "timetable": timetable,
            "runs": {one.name: one for one in runs},
            **fields,
        }
    )


NONE: Mapping[str, Any] = {"none": True}


def outcome(plan: WorkflowPlan) -> dict[str, Any]:
    """A plan in short: only what is there."""
    status = plan.status
    found = {
        "creates": [f"{request.scheduled_at:%H:%M:%S}" for request in plan.creates],
        "reason": status.reason,
        "last": status.last_slot and status.last_slot[11:-1],
        "next": status.next_slot and status.next_slot[11:-1],
        "missed": status.missed,
        "skipped": status.skipped,
        "wake": plan.wake_at and f"{plan.wake_at:%H:%M:%S}",
        "events": [event.reason for event in plan.events],
        "hungry": plan.hungry,
    }
    return {key: value for key, value in found.items() if value}


def settled(last: str | None = None, cron: str = "*/5 * * * *", **status: Any) -> dict[str, Any]:
    """A status after a first plan of a schedule."""
    digest = plan_workflow(see({"cron": cron}), CREATED).status.digest
    return {"reason": "Scheduled", "since": stamp("12:00"), "digest": digest, "lastSlot": stamp(last), **status}


class Case(NamedTuple):
    seen: WorkflowSeen
    now: str
    want: dict[str, Any]


ALL = {"catchUp": "All"}
LATEST = {"catchUp": "Latest"}
SKIP = Concurrency(policy=RunPolicy.SKIP)
WIDE = Concurrency(max_active_runs=50)
QUIET = {"reason": "Scheduled", "next": "12:05:00", "wake": "12:05:00"}
FIVE = {"creates": ["12:05:00"], "reason": "Scheduled", "last": "12:05:00", "next": "12:10:00", "wake": "12:10:00"}
DONE_FIVE = {key: value for key, value in FIVE.items() if key != "creates"}
CASES = {
    "no schedule": Case(see(NONE), "12:00", {}),
    "a new one waits for the first slot after its creation": Case(see(), "12:00:01", QUIET),
    "made on the very slot, that one is over": Case(see(created_at=at("12:05")), "12:05:01", {
        "reason": "Scheduled", "next": "12:10:00", "wake": "12:10:00"}),
    "a slot fires": Case(see(status=settled()), "12:05", FIVE),
    "it has its run already, though the status does not say so": Case(
        see(status=settled(), runs=(run("12:05"),)), "12:05:01", DONE_FIVE),
    "or a backfill has made it": Case(
        see(status=settled(), runs=(run("12:05", trigger=Trigger.BACKFILL, backfill="b"),)), "12:05:01", DONE_FIVE),
    "the slot of the status is over": Case(see(status=settled("12:05")), "12:05:02", DONE_FIVE),
    # start, end, suspend
    "a start in the future": Case(see({"start": "2025-04-01T13:00:00Z"}), "12:30", {
        "reason": "Scheduled", "next": "13:00:00", "wake": "13:00:00"}),
    "a start in the past, None: nothing of the past": Case(see({"start": "2025-04-01T11:00:00Z"}), "12:00:01", QUIET),
    "a start in the past, Latest: the last slot": Case(see({**LATEST, "start": "2025-04-01T11:00:00Z"}), "12:00:01", {
        "creates": ["12:00:00"], "reason": "Scheduled", "last": "12:00:00", "next": "12:05:00", "wake": "12:05:00"}),
    "a start in the past, All: from the start on": Case(
        see({**ALL, "start": "2025-04-01T11:50:00Z"}, concurrency=WIDE), "12:00:01", {
        "creates": ["11:50:00", "11:55:00", "12:00:00"], "reason": "Scheduled", "last": "12:00:00",
        "next": "12:05:00", "wake": "12:05:00"}),
    "the end has come": Case(see({"end": "2025-04-01T12:05:00Z"}, status=settled("12:05")), "12:06", {
        "reason": "Ended", "last": "12:05:00"}),
    "the last slot before the end": Case(see({"end": "2025-04-01T12:05:00Z"}, status=settled()), "12:05", {
        "creates": ["12:05:00"], "reason": "Ended", "last": "12:05:00"}),
    "suspended": Case(see({"suspend": True}, status=settled("12:05")), "13:00", {
        "reason": "Suspended", "last": "12:05:00"}),
    "resumed, None: from now on": Case(see(status=settled("12:05", reason="Suspended")), "12:11", {
        "reason": "Scheduled", "last": "12:10:00", "next": "12:15:00", "wake": "12:15:00"}),
    "resumed, Latest: the last slot of that time": Case(
        see(LATEST, status=settled("12:05", reason="Suspended")), "12:21", {
        "creates": ["12:20:00"], "reason": "Scheduled", "last": "12:20:00", "next": "12:25:00", "wake": "12:25:00"}),
    # late
    "missed slots are counted, and told once": Case(see(status=settled("12:05", missed=2)), "12:31", {
        "creates": ["12:30:00"], "reason": "Scheduled", "last": "12:30:00", "next": "12:35:00", "wake": "12:35:00",
        "missed": 6, "events": ["SlotsMissed"]}),
    "All, one run at a time: a few stand ready": Case(see(ALL, status=settled("12:05")), "12:31", {
        "creates": ["12:10:00", "12:15:00", "12:20:00"], "reason": "CatchingUp", "last": "12:20:00",
        "next": "12:25:00", "hungry": True}),
    "All: no more while these wait": Case(
        see(ALL, status=settled("12:20"), runs=(run("12:10", P.RUNNING), run("12:15"), run("12:20"))), "12:31", {
        "reason": "CatchingUp", "last": "12:20:00", "next": "12:25:00", "hungry": True}),
    "All: one has ended, one more": Case(
        see(ALL, status=settled("12:20"),
            runs=(run("12:10", P.SUCCEEDED, "12:31"), run("12:15", P.RUNNING), run("12:20"))), "12:31", {
        "creates": ["12:25:00"], "reason": "CatchingUp", "last": "12:25:00", "next": "12:30:00",
        "hungry": True, "wake": "12:31:00"}),
    "All: twenty at a time": Case(
        see({**ALL, "cron": "* * * * *"}, concurrency=WIDE, status=settled("12:05", "* * * * *")), "12:31", {
        "creates": [f"12:{minute:02}:00" for minute in range(6, 26)], "reason": "CatchingUp", "last": "12:25:00",
        "next": "12:26:00", "wake": "12:31:01"}),
    # concurrency
    "Queue: a run is made, and waits": Case(see(status=settled(), runs=(by_hand("etl-x", P.RUNNING),)), "12:05", FIVE),
    "Skip: no run beside one under way": Case(
        see(status=settled(), concurrency=SKIP, runs=(by_hand("etl-x", P.RUNNING),)), "12:05",
        {**DONE_FIVE, "skipped": 1, "events": ["SlotSkipped"]}),
    "Skip: nor beside one that is about to start": Case(
        see(status=settled(), concurrency=SKIP, runs=(by_hand("etl-x"),)), "12:05",
        {**DONE_FIVE, "skipped": 1, "events": ["SlotSkipped"]}),
    "Skip: a run of a backfill takes no turn": Case(
        see(status=settled(), concurrency=SKIP, runs=(run("11:00", P.RUNNING, backfill="b"),)), "12:05", FIVE),
    "Skip: a run that has ended neither": Case(
        see(status=settled(), concurrency=SKIP, runs=(by_hand("etl-x", P.FAILED),)), "12:05", FIVE),
    "Queue: a hundred that wait are enough": Case(
        see(status=settled(), runs=tuple(by_hand(f"etl-{n}") for n in range(100))), "12:05",
        {**DONE_FIVE, "skipped": 1, "events": ["SlotSkipped"]}),
    # names
    "the name is held by a run of an earlier Workflow": Case(
        see(status=settled(), runs=(run("12:05", owner="u0"),)), "12:05", {
        "reason": "NameTaken", "next": "12:05:00", "wake": "12:05:05"}),
    "the name is held by a run made by hand": Case(
        see(status=settled(), runs=(run("12:05", slot=None, owner=None, trigger=None),)), "12:05",
        {**DONE_FIVE, "events": ["NameTaken"]}),
    "a run of that slot which an earlier Workflow has left": Case(
        see(status=settled(), runs=(run("12:05", P.SUCCEEDED, "12:06", owner=None),)), "12:05:01", DONE_FIVE),
    "a run that the status does not know of is not missed": Case(
        see(LATEST, status=settled("12:05"), runs=(run("12:15", P.SUCCEEDED, "12:16"),)), "12:31", {
        "creates": ["12:30:00"], "reason": "Scheduled", "last": "12:30:00", "next": "12:35:00", "missed": 3,
        "events": ["SlotsMissed"], "wake": "12:35:00"}),
    "a status without a word on where slots count from": Case(
        see({**ALL, "start": "2025-04-01T11:00:00Z"}, status={"lastSlot": "2025-04-01T11:00:00Z"}), "12:31", {
        "reason": "Scheduled", "last": "11:00:00", "next": "12:35:00", "wake": "12:35:00"}),
    # edits
    "another schedule has slots from its edit on": Case(
        see({"cron": "*/2 * * * *"}, status=settled("12:05"), edited_at=at("12:19:30")), "12:20:10", {
        "creates": ["12:20:00"], "reason": "Scheduled", "last": "12:20:00", "next": "12:22:00", "wake": "12:22:00"}),
    "nobody knows when it was edited: from now on": Case(
        see({"cron": "*/2 * * * *"}, status=settled("12:05")), "12:20:10", {
        "reason": "Scheduled", "last": "12:05:00", "next": "12:22:00", "wake": "12:22:00"}),
    "a schedule given to a Workflow that had none": Case(
        see(status={"digest": "none"}, edited_at=at("12:20:10")), "12:20:11", {
        "reason": "Scheduled", "next": "12:25:00", "wake": "12:25:00"}),
    "other tasks change no slot": Case(see(status=settled(), generation=2, edited_at=at("12:05:30")), "12:05:31", FIVE),
    "a start given later to one that catches up and never fired": Case(
        see({**LATEST, "start": "2025-04-01T11:00:00Z"}, status=settled(), edited_at=at("12:01")), "12:01:01", {
        "creates": ["12:00:00"], "reason": "Scheduled", "last": "12:00:00", "next": "12:05:00", "wake": "12:05:00"}),
    # the host's clock
    "a last slot in the future guards all before it": Case(see(status=settled("13:00")), "12:20", {
        "reason": "Scheduled", "last": "13:00:00", "next": "13:05:00", "wake": "13:05:00", "events": ["ClockBehind"]}),
    # what can't fire
    "a problem is told once": Case(see(problem=Problem("ScheduleInvalid", "no")), "12:05", {
        "reason": "ScheduleInvalid", "events": ["ScheduleInvalid"]}),
    "and not again": Case(
        see(problem=Problem("ScheduleInvalid", "no"), status=settled("12:05", reason="ScheduleInvalid")), "12:10", {
        "reason": "ScheduleInvalid", "last": "12:05:00"}),
    "its calendar was missing: its slots have waited": Case(
        see(status=settled("12:05", reason="CalendarMissing"), concurrency=WIDE), "12:31", {
        "creates": ["12:10:00", "12:15:00", "12:20:00", "12:25:00", "12:30:00"], "reason": "Scheduled",
        "last": "12:30:00", "next": "12:35:00", "wake": "12:35:00"}),
    # @once
    "@once fires at the creation": Case(see({"cron": "@once"}, created_at=at("12:00:07")), "12:00:08", {
        "creates": ["12:00:07"], "reason": "Ended", "last": "12:00:07"}),
    "@once never fires again": Case(see({"cron": "@once"}, status=settled("12:00:07", "@once"),
                                        created_at=at("12:00:07")), "13:00", {"reason": "Ended", "last": "12:00:07"}),
    "@once at its start": Case(see({"cron": "@once", "start": "2025-04-01T12:30:00Z"}), "12:30", {
        "creates": ["12:30:00"], "reason": "Ended", "last": "12:30:00"}),
    # @continuous
    "@continuous begins at once": Case(see({"cron": "@continuous"}), "12:00", {
        "creates": ["12:00:00"], "reason": "Scheduled", "last": "12:00:00", "hungry": True}),
    "@continuous waits for its run": Case(
        see({"cron": "@continuous"}, runs=(run("12:00", P.RUNNING),), status=settled("12:00")), "12:01", {
        "reason": "Scheduled", "last": "12:00:00", "hungry": True}),
    "@continuous goes on when it has ended": Case(
        see({"cron": "@continuous"}, runs=(run("12:00", P.SUCCEEDED, "12:01:02"),), status=settled("12:00")),
        "12:01:03", {"creates": ["12:01:02"], "reason": "Scheduled", "last": "12:01:02", "hungry": True}),
    "@continuous makes no storm": Case(
        see({"cron": "@continuous"}, runs=(run("12:00", P.SUCCEEDED, "12:00:01"),), status=settled("12:00")),
        "12:00:02",
        {"reason": "Scheduled", "last": "12:00:00", "next": "12:00:05", "wake": "12:00:05", "hungry": True}),
    "@continuous rests after a failure": Case(
        see({"cron": "@continuous"}, runs=(run("12:00", P.FAILED, "12:00:30"),), status=settled("12:00")),
        "12:00:40",
        {"reason": "Scheduled", "last": "12:00:00", "next": "12:01:30", "wake": "12:01:30", "hungry": True}),
    "@continuous: the status was not written": Case(
        see({"cron": "@continuous"}, runs=(run("12:00", P.RUNNING),)), "12:00:01", {
        "reason": "Scheduled", "last": "12:00:00", "hungry": True}),
    "@continuous: a backfill or a manual run is none of it": Case(
        see({"cron": "@continuous"}, runs=(by_hand("x", P.RUNNING),)), "12:00", {
        "creates": ["12:00:00"], "reason": "Scheduled", "last": "12:00:00", "hungry": True}),
    "@continuous has an end": Case(see({"cron": "@continuous", "end": "2025-04-01T12:10:00Z"},
            runs=(run("12:00", P.SUCCEEDED, "12:11"),), status=settled("12:00")), "12:12", {
        "reason": "Ended", "last": "12:00:00"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_plan_workflow(case: Case) -> None:
    plan = plan_workflow(case.seen, at(case.now))
    expired = [one for one in case.seen.runs.values() if one.finished_at is not None]
    want = dict(case.want)
    if expired and "wake" not in want:
        assert plan.wake_at is not None
        assert plan.wake_at - at(case.now) > timedelta(days=29)
        plan = replace(plan, wake_at=None)
    assert outcome(plan) == want


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_plan_carried_out_leaves_nothing_to_do(case: Case) -> None:
    now = at(case.now)
    plan = plan_workflow(case.seen, now)
    if plan.hungry or (plan.wake_at is not None and plan.wake_at <= now + timedelta(seconds=5)):
        return
    made = {request.name: run(format_time(request.scheduled_at)[:-1]) for request in plan.creates}
    again = replace(case.seen, status=plan.status, runs={**case.seen.runs, **made})
    second = plan_workflow(again, now)
    assert second.creates == ()
    assert [event.reason for event in second.events if event.reason != "ClockBehind"] == []
    known = plan.status.model_dump(exclude={"active_runs", "queued_runs", "message"})
    assert second.status.model_dump(exclude={"active_runs", "queued_runs", "message"}) == known
    assert plan_workflow(replace(again, status=second.status), now).status is second.status


def test_the_run_of_a_slot_knows_its_interval_and_the_slot_before() -> None:
    (request,) = plan_workflow(see(status=settled("12:05"), runs=(run("12:05", P.RUNNING),)), at("12:10")).creates
    assert (request.name, request.logical_date) == ("etl-20250401t1210", at("12:10"))
    assert request.slot.model_dump(exclude_none=True, exclude_defaults=True) == {
        "trigger": Trigger.SCHEDULE,
        "scheduled_at": "2025-04-01T12:10:00Z",
        "interval_start": "2025-04-01T12:05:00Z",
        "interval_end": "2025-04-01T12:10:00Z",
        "previous": "2025-04-01T12:05:00Z",
    }


def test_with_data_intervals_the_logical_date_is_the_slot_before() -> None:
    (request,) = plan_workflow(see({"interval": "DataInterval"}, status=settled()), at("12:05")).creates
    assert (request.name, request.logical_date) == ("etl-20250401t1205", at("12:00"))
    assert request.slot.previous is None


def test_the_figures_of_runs() -> None:
    runs = (
        by_hand("a", P.RUNNING),
        by_hand("b", P.SUSPENDED),
        by_hand("c", P.QUEUED),
        by_hand("d"),
        run("11:00", P.SUCCEEDED, "11:10"),
        run("11:05", P.SUCCEEDED, "11:06"),
        run("11:15", P.FAILED, "11:20"),
    )
    status = plan_workflow(see(runs=runs), at("12:00:01")).status
    assert (status.active_runs, status.queued_runs) == (2, 2)
    assert status.last_success is not None
    assert status.last_success.model_dump() == {
        "run": "etl-20250401t1100",
        "slot": "2025-04-01T11:00:00Z",
        "finished_at": "2025-04-01T11:10:00Z",
    }
    later = plan_workflow(see(status=status.model_dump(by_alias=True)), at("12:00:02")).status
    assert later.last_success == status.last_success, "its run was deleted"


def test_ready_says_what_is_wrong_since_when() -> None:
    problem = Problem("ScheduleInvalid", "spec.schedule.cron: no")
    status = plan_workflow(see(problem=problem), at("12:01")).status
    again = plan_workflow(see(problem=problem, status=status.model_dump(by_alias=True)), at("12:02")).status
    assert [one.model_dump() for one in again.conditions] == [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ScheduleInvalid",
            "message": "spec.schedule.cron: no",
            "last_transition_time": "2025-04-01T12:01:00Z",
            "observed_generation": 1,
        }
    ]
    mended = plan_workflow(see(status=again.model_dump(by_alias=True)), at("12:03")).status
    assert [(one.status, one.reason, one.last_transition_time) for one in mended.conditions] == [
        ("True", "Accepted", "2025-04-01T12:03:00Z")
    ]


def test_what_people_are_told() -> None:
    missed = plan_workflow(see(status=settled("12:05")), at("12:31")).events
    assert [(one.type, one.note) for one in missed] == [
        (
            "Warning",
            "4 slots were missed, 2025-04-01T12:10:00Z to 2025-04-01T12:25:00Z: they were noticed too late "
            "(catchUp is None)",
        )
    ]
    skipped = plan_workflow(
        see(status=settled(), concurrency=SKIP, runs=(by_hand("x", P.RUNNING),)), at("12:05")
    ).events
    assert [(one.type, one.note, one.about) for one in skipped] == [
        (
            "Normal",
            "2025-04-01T12:05:00Z: no run is made, 1 may be under way at once, and policy is Skip",
            "2025-04-01T12:05:00Z",
        )
    ]
    catching = plan_workflow(see(ALL, status=settled("12:05")), at("12:31")).status
    assert catching.message == "2 slots up to 2025-04-01T12:30:00Z wait for the runs before them"


def test_the_end_of_time_is_no_trouble() -> None:
    seen = see({"cron": "0 0 29 2 *"}, created_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert plan_workflow(seen, at("12:00")).wake_at == datetime(2028, 2, 29, tzinfo=UTC)
