"""What actions make of a run, in a table, and what holds for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.acted_on import (
    ASKING,
    FAILED,
    GOING,
    GOOD,
    NOW,
    PROGRAM,
    SPEC,
    STARTED,
    STOPPED,
    action,
    attempt,
    task,
    view,
)
from windlass.models.action import TaskOrder, Verb
from windlass.models.run import Orders, RunPhase, Stop, TaskPhase, TaskStatus, WorkflowRunSpec
from windlass.models.workflow import WorkflowSpec
from windlass.plan.action_types import Action
from windlass.plan.actions import MAX_RECORDS, apply_action
from windlass.plan.graph import compile_program
from windlass.plan.types import RunView


@dataclass(frozen=True)
class Case:
    run: RunView
    action: Action
    message: str
    phases: dict[str, str]
    """Of the tasks; `order Skip` where it is to be carried out once the pod has ended."""
    phase: str = "Running"
    fields: dict[str, Any] = field(default_factory=dict)


AGAIN = {"attempt": 2, "retried_at": "2025-04-01T12:00:00Z", "finished_at": None, "duration": None, "stop_reason": None}
CHANGES: dict[str, Case] = {
    "retry of a failed run": Case(
        view("Failed", FAILED),
        action("Retry"),
        "runs again: 3 tasks: b, c, z",
        {"a": "Succeeded", "b": "Waiting", "c": "Waiting", "ask": "Succeeded", "z": "Waiting"},
        fields=AGAIN,
    ),
    "retry of a run that was retried": Case(
        view("Failed", FAILED, attempt=4),
        action("Retry", "b"),
        "runs again: 3 tasks: b, c, z",
        {"a": "Succeeded", "b": "Waiting", "c": "Waiting", "ask": "Succeeded", "z": "Waiting"},
        fields={**AGAIN, "attempt": 5},
    ),
    "retry of a cancelled run leaves its stop behind": Case(
        view("Cancelled", {**GOOD, "b": "Cancelled", "c": "Cancelled"}, spec=STOPPED, stop_reason="Cancelled"),
        action("Retry"),
        "runs again: 3 tasks: b, c, z",
        {"a": "Succeeded", "b": "Waiting", "c": "Waiting", "ask": "Succeeded", "z": "Waiting"},
        fields={**AGAIN, "orders": Orders(stop_over=Stop.CANCEL)},
    ),
    "retry while others run": Case(
        view("Running", {**FAILED, "ask": "Waiting", "z": "Waiting"}),
        action("Retry"),
        "runs again: 2 tasks: b, c",
        {"a": "Succeeded", "b": "Waiting", "c": "Waiting", "ask": "Waiting", "z": "Waiting"},
        fields={"attempt": None},
    ),
    "clear of one task": Case(
        view("Succeeded", GOOD),
        action("Clear", "b"),
        "runs again: 2 tasks: b, z",
        {"a": "Succeeded", "b": "Waiting", "c": "Succeeded", "ask": "Succeeded", "z": "Waiting"},
        fields=AGAIN,
    ),
    "clear with what comes after": Case(
        view("Succeeded", GOOD),
        action("Clear", "b", downstream=True),
        "runs again: 3 tasks: b, c, z",
        {"a": "Succeeded", "b": "Waiting", "c": "Waiting", "ask": "Succeeded", "z": "Waiting"},
        fields=AGAIN,
    ),
    "clear with what comes before": Case(
        view("Succeeded", GOOD),
        action("Clear", "b", upstream=True),
        "runs again: 3 tasks: a, b, z",
        {"a": "Waiting", "b": "Waiting", "c": "Succeeded", "ask": "Succeeded", "z": "Waiting"},
        fields=AGAIN,
    ),
    "clear of a finally alone": Case(
        view("Succeeded", GOOD),
        action("Clear", "z"),
        "runs again: 1 task: z",
        {**GOOD, "z": "Waiting"},
        fields=AGAIN,
    ),
    "clear of what runs": Case(
        view("Running", GOING),
        action("Clear", "b", downstream=True),
        "runs again: 1 task: b",
        {**GOING, "b": "order Clear"},
    ),
    "clear of what has not started": Case(
        view("Running", GOING), action("Clear", "c"), "nothing of it had started yet", GOING
    ),
    "skip of what waits": Case(
        view("Running", GOING), action("Skip", "c"), "skipped: 1 task: c", {**GOING, "c": "Skipped"}
    ),
    "skip of what runs": Case(
        view("Running", GOING), action("Skip", "b"), "skipped: 1 task: b", {**GOING, "b": "order Skip"}
    ),
    "skip with what comes after": Case(
        view("Running", GOING),
        action("Skip", "b", downstream=True),
        "skipped: 2 tasks: b, c",
        {**GOING, "b": "order Skip", "c": "Skipped"},
    ),
    "skip of what is skipped": Case(
        view("Running", {**GOING, "c": "Skipped"}),
        action("Skip", "c"),
        "c is Skipped already",
        {**GOING, "c": "Skipped"},
    ),
    "a success frees what waited for it": Case(
        view("Running", {**FAILED, "ask": "Running", "z": "Waiting"}),
        action("MarkSuccess", "b"),
        "marked as succeeded: 1 task: b; decided anew: c",
        {**FAILED, "b": "Succeeded", "c": "Waiting", "ask": "Running", "z": "Waiting"},
    ),
    "an ended run is judged anew": Case(
        view("Failed", {**FAILED, "c": "Succeeded"}),
        action("MarkSuccess", "b"),
        "marked as succeeded: 1 task: b; the run is Succeeded now",
        {**GOOD},
        "Succeeded",
        {"reason": "Completed", "message": "5 of 5 tasks done", "finished_at": STARTED, "duration": "1h"},
    ),
    "an ended run stays what it was for the rest": Case(
        view("Failed", FAILED),
        action("MarkSuccess", "b"),
        "marked as succeeded: 1 task: b; not run because of it, and to be run by Retry or Clear: c",
        {**FAILED, "b": "Succeeded"},
        "Failed",
        {"message": "1 of 5 tasks failed: c"},
    ),
    "a good run may be said to have failed": Case(
        view("Succeeded", GOOD),
        action("MarkFailed", "c", reason="wrong data"),
        "marked as failed: 1 task: c; the run is Failed now",
        {**GOOD, "c": "Failed"},
        "Failed",
        {"reason": "TasksFailed"},
    ),
    "a finally too": Case(
        view("Succeeded", GOOD),
        action("MarkFailed", "z", reason="left a mess"),
        "marked as failed: 1 task: z; the run is Failed now",
        {**GOOD, "z": "Failed"},
        "Failed",
    ),
    "suspend": Case(
        view("Running", GOING),
        action("Suspend"),
        "what runs goes on, nothing new starts",
        GOING,
        fields={"orders": Orders(suspend=True, suspend_over=False)},
    ),
    "suspend twice": Case(
        view("Running", GOING, orders=Orders(suspend=True, suspend_over=False)),
        action("Suspend"),
        "the run was suspended already",
        GOING,
    ),
    "resume against the spec": Case(
        view("Suspended", GOING, spec=WorkflowRunSpec(workflow="w", suspend=True)),
        action("Resume"),
        "the run goes on",
        GOING,
        "Suspended",
        {"orders": Orders(suspend=False, suspend_over=True)},
    ),
    "resume of what runs": Case(view("Running", GOING), action("Resume"), "the run was running on already", GOING),
    "cancel": Case(
        view("Running", GOING),
        action("Cancel"),
        "the run is cancelled",
        GOING,
        fields={"orders": Orders(stop=Stop.CANCEL)},
    ),
    "cancel before it started": Case(
        view("Queued", {}), action("Cancel"), "the run is cancelled", {}, "Queued", {"orders": Orders(stop=Stop.CANCEL)}
    ),
    "cancel twice": Case(
        view("Running", GOING, orders=Orders(stop=Stop.CANCEL)),
        action("Cancel"),
        "the run is being cancelled already",
        GOING,
    ),
    "terminate after cancel": Case(
        view("Running", GOING, spec=STOPPED, stop_reason="Cancelled"),
        action("Terminate"),
        "the run is terminated",
        GOING,
        fields={"orders": Orders(stop=Stop.TERMINATE)},
    ),
    "cancel after terminate": Case(
        view("Running", GOING, orders=Orders(stop=Stop.TERMINATE)),
        action("Cancel"),
        "the run is being terminated already",
        GOING,
    ),
    "reject": Case(
        view(
            "Running",
            {**ASKING, "ask": task("ask", "Running").model_copy(update={"started_at": "2025-04-01T11:30:00Z"})},
        ),
        action("Reject", reason="no"),
        "ask was rejected by alice: no",
        {**ASKING, "ask": "Failed"},
    ),
}


def told(status: TaskStatus) -> str:
    return status.phase.value if status.order is None else f"order {status.order.verb}"


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES.keys())
def test_what_is_changed(case: Case) -> None:
    outcome = apply_action(case.run, PROGRAM, case.action, NOW)
    assert (outcome.applied, outcome.message) == (True, case.message)
    status = outcome.status
    assert {one.name: told(one) for one in status.tasks} == case.phases
    assert status.phase == case.phase
    assert {name: getattr(status, name) for name in case.fields} == case.fields
    assert status.actions is not None
    record = status.actions[-1]
    assert (record.uid, record.verb, record.by, record.message) == ("u", case.action.spec.verb, "alice", case.message)


def test_a_group_stands_for_its_tasks() -> None:
    grouped = [{**one, "group": "load"} if one["name"] in ("b", "c") else one for one in SPEC["tasks"]]
    program = compile_program(WorkflowSpec.model_validate({**SPEC, "tasks": grouped}))
    outcome = apply_action(view("Succeeded", GOOD), program, action("Clear", "load"), NOW)
    assert outcome.message == "runs again: 3 tasks: b, c, z"
    wrong = apply_action(view("Succeeded", GOOD), program, action("Clear", "loads"), NOW)
    assert wrong.message == 'the run has no task loads: did you mean "load"?'


def test_a_retry_by_a_group_takes_what_has_failed_of_it() -> None:
    grouped = [{**one, "group": "load"} if one["name"] in ("a", "b") else one for one in SPEC["tasks"]]
    program = compile_program(WorkflowSpec.model_validate({**SPEC, "tasks": grouped}))
    outcome = apply_action(view("Failed", FAILED), program, action("Retry", "load"), NOW)
    assert (outcome.applied, outcome.message) == (True, "runs again: 3 tasks: b, c, z")
    named = apply_action(view("Failed", FAILED), program, action("Retry", "load", "a"), NOW)
    assert named.message == "a has not failed: Clear runs a task again whatever its end"
    elsewhere = apply_action(view("Failed", {**GOOD, "c": "Failed"}), program, action("Retry", "load"), NOW)
    assert elsewhere.message == "a, b have not failed: Clear runs a task again whatever its end"


def test_what_is_still_being_removed_is_waited_for() -> None:
    removing = {**GOOD, "b": task("b", "Succeeded", removing=True)}
    outcome = apply_action(view("Succeeded", removing), PROGRAM, action("Clear", "b"), NOW)
    words = "what b has made is still being deleted: ask again in a moment"
    assert (outcome.applied, outcome.message) == (False, words)


def test_what_goes_back_keeps_its_past_and_nothing_else() -> None:
    before = TaskStatus(
        name="b",
        phase=TaskPhase.FAILED,
        reason="Error",
        message="no",
        ready_at=STARTED,
        started_at=STARTED,
        finished_at=STARTED,
        attempts=[attempt(3), attempt(4), attempt(5, class_="App")],
        dropped=2,
        app_failures=4,
        infra_failures=1,
        outputs={"n": 1},
    )
    outcome = apply_action(view("Failed", {**FAILED, "b": before}), PROGRAM, action("Retry"), NOW)
    after = next(one for one in outcome.status.tasks if one.name == "b")
    assert after == TaskStatus(name="b", attempts=before.attempts, dropped=2, cleared=5)


def test_an_order_says_whose_it_is() -> None:
    outcome = apply_action(view("Running", GOING), PROGRAM, action("Skip", "b", reason="too slow"), NOW)
    b = next(one for one in outcome.status.tasks if one.name == "b")
    assert b.order == TaskOrder(verb="Skip", message="skipped by alice: too slow")


def test_an_action_is_applied_once() -> None:
    first = apply_action(view("Failed", FAILED), PROGRAM, action("Retry"), NOW)
    run = view("Failed", FAILED)
    again = RunView(**{name: getattr(run, name) for name in run.__slots__} | {"status": first.status})
    second = apply_action(again, PROGRAM, action("Retry"), NOW + timedelta(hours=1))
    assert second.status is first.status
    assert (second.applied, second.message, second.tasks) == (True, first.message, ("b", "c", "z"))


def test_only_the_latest_actions_are_remembered() -> None:
    run = view("Running", GOING)
    for number in range(MAX_RECORDS + 5):
        verb = "Suspend" if number % 2 else "Resume"
        status = apply_action(run, PROGRAM, action(verb, uid=str(number)), NOW).status
        run = RunView(**{name: getattr(run, name) for name in run.__slots__} | {"status": status})
    assert [record.uid for record in run.status.actions or ()] == [str(number) for number in range(5, MAX_RECORDS + 5)]


def test_what_nobody_has_checked_is_marked() -> None:
    asked = Action("u", "n", action("Suspend").spec, NOW, verified=False)
    (record,) = apply_action(view("Running", GOING), PROGRAM, asked, NOW).status.actions or ()
    assert record.unverified is True


_PHASES = st.sampled_from([phase.value for phase in TaskPhase])
_VERBS = st.sampled_from([verb.value for verb in Verb])


@given(
    run_phase=st.sampled_from([None, *(phase.value for phase in RunPhase)]),
    phases=st.fixed_dictionaries(dict.fromkeys(GOOD, _PHASES)),
    verb=_VERBS,
    tasks=st.lists(st.sampled_from([*GOOD, "nobody"]), max_size=3, unique=True),
    downstream=st.booleans(),
    reason=st.sampled_from(["Completed", "TasksFailed", "TimedOut", "SourceFailed", "TasksRunning"]),
)
def test_whatever_is_asked_the_status_stays_sound(
    run_phase: str | None, phases: dict[str, str], verb: str, tasks: list[str], downstream: bool, reason: str
) -> None:
    """Never an error; no past is lost, no number is used twice, and what is under way is never forgotten."""
    run = view(run_phase, phases, reason=reason)
    outcome = apply_action(run, PROGRAM, action(verb, *tasks, downstream=downstream, reason="so"), NOW)
    assert outcome.message
    if not outcome.applied:
        assert outcome.status is run.status
        return
    after = {one.name: one for one in outcome.status.tasks}
    assert [*after] == [one.name for one in run.status.tasks]
    for before in run.status.tasks:
        now = after[before.name]
        assert now.attempts == before.attempts
        under_way = bool(before.attempts) and before.attempts[-1].finished_at is None
        if under_way and now != before:
            assert (now.phase, now.order is not None) == (before.phase, True)
        if not now.phase.ended and before.phase.ended:
            assert (now.cleared or 0) == len(before.attempts)
    ended = outcome.status.phase is not None and outcome.status.phase.ended
    assert (
        not ended
        or all(one.order is None for one in after.values())
        or not all(one.phase.ended for one in run.status.tasks)
    )
