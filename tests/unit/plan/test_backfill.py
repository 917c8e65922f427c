"""Backfills once they have begun, plan by plan: named tables over whole answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.backfills import MADE, MISSING, NOW, OWNER, backfill, day, own, plan, run, seen, started, workflow
from windlass.models.backfill import BackfillPhase, BackfillRun, BackfillSlot
from windlass.models.run import RunPhase, RunSlot, Trigger
from windlass.plan.backfill import needed_by, plan_backfill
from windlass.plan.backfill_types import BackfillPlan, BackfillSeen, BackfillView, WorkflowFound
from windlass.plan.history import RunSummary
from windlass.plan.workflow_types import RunRequest

R = RunPhase
GOOD, BAD, STOPPED = R.SUCCEEDED, R.FAILED, R.CANCELLED


def test_a_calendar_that_is_missing_later_is_waited_for_and_what_runs_is_counted() -> None:
    runs = {one.name: one for one in (own(1, GOOD), own(2))}
    view = at(2, started(maxActiveRuns=2), active=active(1, 2))
    planned = plan_backfill(BackfillSeen(view, workflow(), runs=runs, waits_for=MISSING), NOW)
    status = planned.status
    assert (status.phase, status.reason, status.succeeded, status.running, planned.creates) == (
        BackfillPhase.RUNNING, "CalendarMissing", 1, 1, (),
    )  # fmt: skip


def test_a_pinned_schedule_that_can_t_be_used_any_more_ends_it() -> None:
    planned = plan_backfill(BackfillSeen(at(1), workflow(), trouble="no such zone"), NOW)
    assert (planned.status.phase, planned.status.reason) == (BackfillPhase.FAILED, "ScheduleInvalid")
    assert "no such zone" in (planned.status.message or "")


def test_one_without_slots_can_be_stopped() -> None:
    view = at(1, started(stop="Cancel"), active=active(1))
    runs = {one.name: one for one in (own(1),)}
    assert plan_backfill(BackfillSeen(view, workflow(), runs=runs, waits_for=MISSING), NOW).cancels == (*active(1),)
    gone = plan_backfill(BackfillSeen(at(1, started(stop="Cancel")), workflow(), trouble="no such zone"), NOW)
    assert gone.status.phase is BackfillPhase.CANCELLED


def test_why_no_run_can_be_made_is_told() -> None:
    planned = plan_backfill(seen(started(), workflow(), hindrance="exceeded quota"), NOW)
    assert (planned.status.reason, planned.status.message) == (
        "RunRefused", "no run can be made now, it is tried again: exceeded quota",
    )  # fmt: skip


@dataclass(frozen=True)
class Step:
    """`creates` are names of runs; `figures` are done, running, succeeded, failed, cancelled, skipped."""

    view: BackfillView
    runs: tuple[RunSummary, ...] = ()
    creates: tuple[str, ...] = ()
    figures: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
    cursor: str | None = None
    phase: BackfillPhase = BackfillPhase.RUNNING
    reason: str = "RunsActive"
    workflow: WorkflowFound | None = None
    cancels: tuple[str, ...] = ()


def at(cursor: int | None, view: BackfillView | None = None, **status: Any) -> BackfillView:
    """A backfill that has come as far as a day of May."""
    view = view or started()
    said = {"cursor": f"2025-05-{cursor:02}T02:00:00Z"} if cursor else {}
    return replace(view, status=view.status.model_copy(update={**said, **status}))


def active(*numbers: int, outcome: str | None = None) -> list[BackfillRun]:
    return [
        BackfillRun(slot=f"2025-05-{n:02}T02:00:00Z", run=f"etl-202505{n:02}t0200", uid=f"u{n:02}", outcome=outcome)
        for n in numbers
    ]


FIRST, SECOND, THIRD = "etl-20250501t0200", "etl-20250502t0200", "etl-20250503t0200"
AGAIN_1, AGAIN_2 = "etl-20250501t0200-adb13299a0", "etl-20250502t0200-8a2c89f02f"

STEPS: dict[str, Step] = {
    "the oldest first": Step(started(), creates=(FIRST,)),
    "the newest first": Step(started(order="Newest"), creates=(THIRD,)),
    "as many as may be active": Step(started(maxActiveRuns=2), creates=(FIRST, SECOND)),
    "no more than there are": Step(started(maxActiveRuns=9), creates=(FIRST, SECOND, THIRD)),
    "one that was made is active": Step(started(), (own(1),), (), (0, 1, 0, 0, 0, 0), "2025-05-01T02:00:00Z"),
    "one that was made and not yet noted takes its place": Step(
        started(maxActiveRuns=2), (own(1),), (SECOND,), (0, 1, 0, 0, 0, 0), "2025-05-01T02:00:00Z"
    ),
    "two that were made and not yet noted": Step(
        started(maxActiveRuns=2), (own(1), own(2)), (), (0, 2, 0, 0, 0, 0), "2025-05-02T02:00:00Z"
    ),
    "newest first: one that was made": Step(
        started(order="Newest"), (own(3),), (), (0, 1, 0, 0, 0, 0), "2025-05-03T02:00:00Z"
    ),
    "newest first: the next": Step(
        at(3, started(order="Newest"), active=active(3)), (own(3, GOOD),), (SECOND,), (1, 0, 1, 0, 0, 0),
        "2025-05-03T02:00:00Z",
    ),
    "an end makes room for the next": Step(
        at(1, active=active(1)), (own(1, GOOD),), (SECOND,), (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z"
    ),
    "a failure, too": Step(
        at(1, active=active(1)), (own(1, BAD),), (SECOND,), (1, 0, 0, 1, 0, 0), "2025-05-01T02:00:00Z"
    ),
    "a run that was refused counts as failed": Step(
        at(1, active=active(1)), (own(1, R.REFUSED),), (SECOND,), (1, 0, 0, 1, 0, 0), "2025-05-01T02:00:00Z"
    ),
    "a run that somebody cancelled": Step(
        at(1, active=active(1)), (own(1, STOPPED),), (SECOND,), (1, 0, 0, 0, 1, 0), "2025-05-01T02:00:00Z"
    ),
    "what history has deleted behind the cursor is not made again": Step(
        at(2, succeeded=1, active=active(2)), (own(2),), (), (1, 1, 1, 0, 0, 0), "2025-05-02T02:00:00Z"
    ),
    "slots with a run of the schedule are skipped": Step(
        started(), (run(day(1), GOOD), run(day(2), BAD)), (THIRD,), (2, 0, 0, 0, 0, 2), "2025-05-02T02:00:00Z"
    ),
    "a slot beyond one that is about to be made is not skipped yet": Step(started(), (run(day(2), GOOD),), (FIRST,)),
    "reprocess Failed": Step(
        started(reprocess="Failed"), (run(day(1), GOOD), run(day(2), BAD)), (AGAIN_2,), (1, 0, 0, 0, 0, 1),
        "2025-05-01T02:00:00Z",
    ),
    "reprocess Failed: cancelled and refused ones too": Step(
        started(reprocess="Failed", maxActiveRuns=2), (run(day(1), STOPPED), run(day(2), R.REFUSED)),
        (AGAIN_1, AGAIN_2),
    ),
    "reprocess Failed: the last run of a slot decides": Step(
        started(reprocess="Failed"),
        (run(day(1), BAD), run(day(1), GOOD, name="retried", created_at=NOW - timedelta(days=1))),
        (SECOND,), (1, 0, 0, 0, 0, 1), "2025-05-01T02:00:00Z",
    ),
    "reprocess All": Step(started(reprocess="All"), (run(day(1), GOOD),), (AGAIN_1,)),
    "reprocess All: a run under way is left alone": Step(
        started(reprocess="All"), (run(day(1), R.RUNNING),), (SECOND,), (1, 0, 0, 0, 0, 1), "2025-05-01T02:00:00Z"
    ),
    "reprocess All: its own run of a slot is not run once more": Step(
        at(1, started(reprocess="All"), active=active(1)), (own(1, GOOD), run(day(2), GOOD)), (AGAIN_2,),
        (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z",
    ),
    "reprocess All: its own, not yet noted": Step(
        started(reprocess="All"), (run(day(1), GOOD), own(1, R.RUNNING, name=AGAIN_1)), (), (0, 1, 0, 0, 0, 0),
        "2025-05-01T02:00:00Z",
    ),
    "a run of an earlier backfill of the same name was there already": Step(
        started(), (own(1, GOOD, created_at=MADE - timedelta(hours=1)),), (SECOND,), (1, 0, 0, 0, 0, 1),
        "2025-05-01T02:00:00Z",
    ),
    "a run of a Workflow that had this name before is none": Step(
        started(), (run(day(1), GOOD, owner="old", name="x"),), (FIRST,)
    ),
    "somebody's run has the slot's name": Step(started(), (run(None, GOOD, name=FIRST),), (AGAIN_1,)),
    "suspended": Step(started(suspend=True), phase=BackfillPhase.SUSPENDED, reason="Suspended"),
    "suspended: what runs goes on": Step(
        at(1, started(suspend=True), active=active(1)), (own(1),), (), (0, 1, 0, 0, 0, 0), "2025-05-01T02:00:00Z",
        BackfillPhase.SUSPENDED, "Suspended",
    ),
    "suspended: what ends is counted": Step(
        at(1, started(suspend=True), active=active(1)), (own(1, GOOD),), (), (1, 0, 1, 0, 0, 0),
        "2025-05-01T02:00:00Z", BackfillPhase.SUSPENDED, "Suspended",
    ),
    "suspended when the last has ended is over": Step(
        at(3, started(suspend=True), succeeded=2, active=active(3)), (own(3, GOOD),), (), (3, 0, 3, 0, 0, 0),
        "2025-05-03T02:00:00Z", BackfillPhase.SUCCEEDED, "Completed",
    ),
    "stopped: what runs is cancelled": Step(
        at(1, started(stop="Cancel"), active=active(1)), (own(1),), (), (0, 1, 0, 0, 0, 0), "2025-05-01T02:00:00Z",
        reason="Cancelled", cancels=(FIRST,),
    ),
    "stopped: once is enough": Step(
        at(1, started(stop="Cancel"), active=active(1)), (own(1, stopping=True),), (), (0, 1, 0, 0, 0, 0),
        "2025-05-01T02:00:00Z", reason="Cancelled",
    ),
    "stopped: what was made and not noted is cancelled too": Step(
        started(stop="Cancel"), (own(1),), (), (0, 1, 0, 0, 0, 0), "2025-05-01T02:00:00Z",
        reason="Cancelled", cancels=(FIRST,),
    ),
    "stopped, and nothing runs any more": Step(
        at(1, started(stop="Cancel"), active=active(1)), (own(1, STOPPED),), (), (1, 0, 0, 0, 1, 0),
        "2025-05-01T02:00:00Z", BackfillPhase.CANCELLED, "Cancelled",
    ),
    "one failure fewer than it stops after": Step(
        at(1, started(stopAfterFailures=2), active=active(1)), (own(1, BAD),), (SECOND,), (1, 0, 0, 1, 0, 0),
        "2025-05-01T02:00:00Z",
    ),
    "as many failures as it stops after": Step(
        at(1, started(stopAfterFailures=1), active=active(1)), (own(1, BAD),), (), (1, 0, 0, 1, 0, 0),
        "2025-05-01T02:00:00Z", BackfillPhase.FAILED, "TooManyFailures",
    ),
    "too many failures: what runs goes on to its end": Step(
        at(2, started(stopAfterFailures=1, maxActiveRuns=2), active=active(1, 2)), (own(1, BAD), own(2)), (),
        (1, 1, 0, 1, 0, 0), "2025-05-02T02:00:00Z", reason="TooManyFailures",
    ),
    "a failure that was not noted counts": Step(
        started(stopAfterFailures=1), (own(1, BAD),), (), (1, 0, 0, 1, 0, 0), "2025-05-01T02:00:00Z",
        BackfillPhase.FAILED, "TooManyFailures",
    ),
    "a cancelled run is no failure": Step(
        at(1, started(stopAfterFailures=1), active=active(1)), (own(1, STOPPED),), (SECOND,), (1, 0, 0, 0, 1, 0),
        "2025-05-01T02:00:00Z",
    ),
    "all good": Step(
        at(3, succeeded=2, active=active(3)), (own(3, GOOD),), (), (3, 0, 3, 0, 0, 0), "2025-05-03T02:00:00Z",
        BackfillPhase.SUCCEEDED, "Completed",
    ),
    "all there already": Step(
        started(), tuple(run(day(n), GOOD) for n in (1, 2, 3)), (), (3, 0, 0, 0, 0, 3), "2025-05-03T02:00:00Z",
        BackfillPhase.SUCCEEDED, "Completed",
    ),
    "all done, and one failed": Step(
        at(3, succeeded=2, active=active(3)), (own(3, BAD),), (), (3, 0, 2, 1, 0, 0), "2025-05-03T02:00:00Z",
        BackfillPhase.FAILED, "RunsFailed",
    ),
    "all done, and one was cancelled": Step(
        at(3, succeeded=2, active=active(3)), (own(3, STOPPED),), (), (3, 0, 2, 0, 1, 0), "2025-05-03T02:00:00Z",
        BackfillPhase.FAILED, "RunsFailed",
    ),
    "a failed run that somebody retries is active again": Step(
        at(1, failed=1, failures=active(1, outcome="Failed")), (own(1, R.RUNNING),), (), (0, 1, 0, 0, 0, 0),
        "2025-05-01T02:00:00Z",
    ),
    "a failed run that succeeds after all": Step(
        at(3, succeeded=2, failed=1, failures=active(1, outcome="Failed")), (own(1, GOOD),), (), (3, 0, 3, 0, 0, 0),
        "2025-05-03T02:00:00Z", BackfillPhase.SUCCEEDED, "Completed",
    ),
    "a failed run that is gone stays failed": Step(
        at(1, failed=1, failures=active(1, outcome="Failed")), (), (SECOND,), (1, 0, 0, 1, 0, 0),
        "2025-05-01T02:00:00Z",
    ),
    "an edit of the schedule moves no slot": Step(
        at(1, active=active(1)), (own(1, GOOD),), (SECOND,), (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z",
        workflow=workflow(schedule={"cron": "30 7 * * *"}),
    ),
    "a schedule that was taken away moves no slot": Step(
        at(1, active=active(1)), (own(1, GOOD),), (SECOND,), (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z",
        workflow=workflow(schedule=None),
    ),
    "a Workflow that can't be read any more is waited for": Step(
        at(1, active=active(1)), (own(1, GOOD),), (), (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z",
        workflow=WorkflowFound(OWNER, None, "spec.tasks: is required"), reason="WorkflowInvalid",
    ),
    "a Workflow that was made again": Step(
        at(1, active=active(1)), (own(1, GOOD),), (), (1, 0, 1, 0, 0, 0), "2025-05-01T02:00:00Z",
        BackfillPhase.FAILED, "WorkflowGone", WorkflowFound("another", workflow().spec),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STEPS.values(), ids=STEPS.keys())
def test_steps(case: Step) -> None:
    planned = plan(case.view, case.workflow or workflow(), *case.runs)
    status = planned.status
    assert tuple(one.name for one in planned.creates) == case.creates
    figures = (status.done, status.running, status.succeeded, status.failed, status.cancelled, status.skipped)
    assert figures == case.figures
    assert (status.cursor, status.phase, status.reason) == (case.cursor, case.phase, case.reason)
    assert tuple(one.run for one in planned.cancels) == case.cancels
    assert status.running == len(status.active)
    assert status.progress == f"{status.done}/3"
    assert (status.finished_at is not None) == (case.phase.ended)
    # What is planned from what was just planned is the same.
    again = plan(replace(case.view, status=status), case.workflow or workflow(), *case.runs)
    assert again.status is status
    assert again.creates == planned.creates


def test_a_workflow_that_was_deleted_ends_it() -> None:
    planned = plan(at(1), None)
    assert (planned.status.phase, planned.status.reason, planned.status.message) == (
        BackfillPhase.FAILED, "WorkflowGone",
        "the Workflow etl was deleted, and its runs with it: 0 of 3 slots done",
    )  # fmt: skip
    assert [event.reason for event in planned.events] == ["WorkflowGone"]


def test_what_the_status_names_and_nobody_knows_is_read_live_and_then_counted_as_deleted() -> None:
    view = at(1, active=active(1))
    planned = plan_backfill(seen(view, workflow()), NOW)
    assert planned == BackfillPlan(view.status, confirm=(FIRST,))
    status = plan_backfill(seen(view, workflow(), gone=frozenset({FIRST})), NOW).status
    assert (status.cancelled, status.active, status.failures) == (1, [], active(1, outcome="Deleted"))


def test_a_run_made_again_under_the_name_of_an_active_one_is_another() -> None:
    view = at(1, active=active(1))
    other = own(1, GOOD, uid="other")
    assert plan_backfill(seen(view, workflow(), other), NOW).confirm == (FIRST,)
    status = plan_backfill(seen(view, workflow(), other, gone=frozenset({FIRST})), NOW).status
    assert (status.cancelled, status.succeeded) == (1, 0)


def test_the_run_of_a_slot() -> None:
    found = workflow(params={"limit": {"type": "integer"}})
    view = at(1, started(found, priority=3, params={"limit": 5}), active=active(1))
    assert plan(view, found, own(1, GOOD)).creates == (
        RunRequest(
            name=SECOND,
            logical_date=day(2),
            slot=RunSlot(
                trigger=Trigger.BACKFILL,
                scheduled_at="2025-05-02T02:00:00Z",
                interval_start="2025-05-01T02:00:00Z",
                interval_end="2025-05-02T02:00:00Z",
                previous="2025-05-01T02:00:00Z",
                backfill="b",
            ),
            late=True,
            params={"limit": 5},
            priority=3,
            labels={"windlass.dev/backfill": "b"},
        ),
    )


def test_with_data_intervals_the_logical_date_is_the_slot_before() -> None:
    found = workflow(schedule={"cron": "0 2 * * *", "interval": "DataInterval"})
    (first,) = plan(started(found), found).creates
    assert (first.name, first.logical_date, first.slot.scheduled_at) == (SECOND, day(1), "2025-05-02T02:00:00Z")


def test_a_dry_run_lists_what_would_become_of_each_slot() -> None:
    view = backfill(dryRun=True, reprocess="Failed")
    planned = plan(view, workflow(), run(day(2), BAD), run(day(3), GOOD))
    status = planned.status
    assert (status.phase, status.reason, status.message) == (
        BackfillPhase.SUCCEEDED, "DryRun",
        "3 slots from 2025-05-01T02:00:00Z to 2025-05-03T02:00:00Z: 1 would be run, 1 would be run once more, 1 with a "
        "run already",
    )  # fmt: skip
    assert status.slots == [
        BackfillSlot(slot="2025-05-01T02:00:00Z", action="Run", run=FIRST),
        BackfillSlot(slot="2025-05-02T02:00:00Z", action="Reprocess", run=AGAIN_2),
        BackfillSlot(slot="2025-05-03T02:00:00Z", action="Skip", run=THIRD),
    ]
    assert planned.creates == ()
    assert plan(replace(view, status=status), workflow()) == BackfillPlan(status)


def test_a_dry_run_of_many_slots_lists_the_first() -> None:
    hourly = workflow(schedule={"cron": "0 * * * *"})
    status = plan(backfill(dryRun=True, order="Newest", to="2025-05-31"), hourly).status
    assert (len(status.slots), status.total, status.slots[0].slot) == (500, 744, "2025-05-31T23:00:00Z")
    assert "of the first 500: 500 would be run" in (status.message or "")


def test_many_slots_that_are_there_are_passed_in_several_plans() -> None:
    hourly = workflow(schedule={"cron": "0 * * * *"})
    view = started(hourly, to="2025-05-31")
    runs = [run(day(1, 0) + timedelta(hours=n), GOOD, uid=str(n)) for n in range(744)]
    steps = []
    while not (view.status.phase and view.status.phase.ended):
        planned = plan(view, hourly, *runs)
        steps.append((planned.again, planned.status.done))
        view = replace(view, status=planned.status)
    assert steps == [(True, 200), (True, 400), (True, 600), (False, 744)]


def test_many_runs_are_made_in_several_plans() -> None:
    hourly = workflow(schedule={"cron": "0 * * * *"})
    planned = plan(started(hourly, maxActiveRuns=30), hourly)
    assert (len(planned.creates), planned.again) == (20, True)


NEEDED: dict[str, tuple[BackfillView, RunSummary, bool]] = {
    "beyond the cursor": (at(1), run(day(2), GOOD), True),
    "behind the cursor": (at(2), run(day(1), GOOD), False),
    "at the cursor": (at(1), run(day(1), GOOD), False),
    "active": (at(1, active=active(1)), own(1), True),
    "beyond the cursor, newest first": (at(2, started(order="Newest")), run(day(1), GOOD), True),
    "behind the cursor, newest first": (at(2, started(order="Newest")), run(day(3), GOOD), False),
    "nothing is dealt with yet": (started(), run(day(1), GOOD), True),
    "before the range": (started(), run(day(1) - timedelta(days=1), GOOD), False),
    "after the range": (started(), run(day(4), GOOD), False),
    "not started: the range is not known": (backfill(), run(day(30), GOOD), True),
    "made by hand": (started(), run(None, GOOD), False),
    "over": (at(1, phase=BackfillPhase.SUCCEEDED), run(day(2), GOOD), False),
}


@pytest.mark.parametrize(("view", "summary", "needed"), NEEDED.values(), ids=NEEDED.keys())
def test_needed(view: BackfillView, summary: RunSummary, needed: bool) -> None:
    assert needed_by(view)(summary) is needed


def test_the_clock_of_a_day_in_a_zone_far_east() -> None:
    found = workflow(schedule={"cron": "0 0 * * *", "timeZone": "Pacific/Kiritimati"})
    status = plan(backfill(to="2025-05-01"), found, now=datetime(2025, 6, 1, tzinfo=UTC)).status
    assert (status.first, status.total) == ("2025-04-30T10:00:00Z", 1)
