"""When a run is late, and that it is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from support.simulate import START, World, workflow
from windlass.models.common import format_time
from windlass.models.condition import Condition
from windlass.models.run import RunPhase, RunSlot, Trigger, WorkflowRunSpec, WorkflowRunStatus
from windlass.plan.admission import hold
from windlass.plan.deadline import deadline_of, judge, missed_at
from windlass.plan.run import plan_run
from windlass.plan.turns import Turn, TurnKind
from windlass.plan.types import RunEvent, RunView

HOUR = timedelta(hours=1)
DUE = START - 3 * HOUR
"""The slot; the run was made at START."""


def view(trigger: Trigger | None = None, status: WorkflowRunStatus | None = None) -> RunView:
    slot = RunSlot(trigger=trigger, scheduled_at=format_time(DUE)) if trigger is not None else None
    spec = WorkflowRunSpec(workflow="sales", slot=slot)
    return RunView("data", "r", "u", 1, START, spec, status or WorkflowRunStatus(), "sales")


def spec(deadline: dict[str, Any] | None) -> Any:
    return workflow([{"name": "a"}], **({"deadline": deadline} if deadline else {}))


@dataclass(frozen=True)
class Case:
    """A run, its deadline, and when it is late, in hours after it was made."""

    trigger: Trigger | None
    deadline: dict[str, Any] | None
    late: float | None
    started: bool = True


SCHEDULED, STARTED = {"after": "5h"}, {"after": "5h", "from": "Started"}
CASES = {
    "no deadline": Case(Trigger.SCHEDULE, None, None),
    "from its slot, though it was made late": Case(Trigger.SCHEDULE, SCHEDULED, 2),
    "from the event that it follows": Case(Trigger.WORKFLOW, SCHEDULED, 2),
    "of a backfill from its creation": Case(Trigger.BACKFILL, SCHEDULED, 5),
    "made by hand from its creation": Case(None, SCHEDULED, 5),
    "before it has started": Case(Trigger.SCHEDULE, SCHEDULED, 2, started=False),
    "from its start": Case(Trigger.SCHEDULE, STARTED, 6),
    "from a start that has not been": Case(Trigger.SCHEDULE, STARTED, None, started=False),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_deadline(case: Case) -> None:
    started = format_time(START + HOUR) if case.started else None
    found = deadline_of(view(case.trigger), spec(case.deadline), started)
    assert found == (START + case.late * HOUR if case.late is not None else None)


MESSAGE = "the run has not ended 5h after it was due, which was its deadline: 2025-04-01T19:00:00Z"


def test_a_run_is_told_to_be_late_once() -> None:
    run, definition, now = view(Trigger.SCHEDULE), spec(SCHEDULED), START + 2 * HOUR
    first = judge(run, definition, run.status, now)
    assert first.events == (RunEvent("Warning", "DeadlineMissed", MESSAGE),)
    assert first.status.conditions == [
        Condition(
            type="DeadlineMissed",
            status="True",
            reason="DeadlineMissed",
            message=MESSAGE,
            last_transition_time=format_time(now),
            observed_generation=1,
        )
    ]
    assert (first.status.deadline, missed_at(first.status), first.wake_at) == ("2025-04-01T19:00:00Z", now, None)
    again = judge(run, definition, first.status, now + HOUR)
    assert (again.status is first.status, again.events, again.wake_at) == (True, (), None)


def test_before_that_it_wakes() -> None:
    run = view(Trigger.SCHEDULE)
    judged = judge(run, spec(SCHEDULED), run.status, START)
    assert (judged.status.deadline, judged.events, judged.wake_at) == ("2025-04-01T19:00:00Z", (), START + 2 * HOUR)
    ended = WorkflowRunStatus(phase=RunPhase.SUCCEEDED)
    assert judge(run, spec(SCHEDULED), ended, START).wake_at is None


def test_a_run_that_waits_is_late_too_and_stays_so() -> None:
    run, definition, now = view(Trigger.SCHEDULE), spec(SCHEDULED), START + 2 * HOUR
    turn = Turn(TurnKind.WAIT, "MaxActiveRuns", "maxActiveRuns is 1")
    waiting = hold(run, definition, turn, now - HOUR)
    assert (waiting.wake_at, waiting.events) == (now, ())
    late = hold(view(Trigger.SCHEDULE, waiting.status), definition, turn, now)
    assert (late.wake_at, [event.reason for event in late.events]) == (None, ["DeadlineMissed"])
    gone_on = hold(view(Trigger.SCHEDULE, late.status), definition, Turn(TurnKind.ASIDE, "Suspended", "x"), now + HOUR)
    assert missed_at(gone_on.status) == now
    ended = hold(view(Trigger.SCHEDULE, late.status), definition, Turn(TurnKind.END, "Replaced", "x"), now + HOUR)
    assert (ended.status.phase, missed_at(ended.status)) == (RunPhase.CANCELLED, now)


def test_a_run_whose_end_is_seen_late_is_late() -> None:
    world = World(workflow([{"name": "a", "join": True}], deadline={"after": "1m"}))
    plan = plan_run(world.seen(), START + HOUR)
    assert (plan.status.phase, missed_at(plan.status)) == (RunPhase.SUCCEEDED, START + HOUR)
    assert [event.reason for event in plan.events] == ["DeadlineMissed"]
    assert {condition.type: condition.status for condition in plan.status.conditions} == {
        "Accepted": "True",
        "Running": "False",
        "Succeeded": "True",
        "DeadlineMissed": "True",
    }


def test_a_run_that_ends_in_time_is_not() -> None:
    world = World(workflow([{"name": "a"}], deadline={"after": "1m"}))
    status = world.play()
    assert (status.phase, status.deadline, missed_at(status)) == (RunPhase.SUCCEEDED, "2025-04-01T17:01:00Z", None)


def test_a_run_under_way_is_woken_at_its_deadline() -> None:
    world = World(workflow([{"name": "a"}], deadline={"after": "3s", "from": "Started"}))
    status = world.play()
    assert (status.phase, missed_at(status)) == (RunPhase.SUCCEEDED, START + timedelta(seconds=3))
