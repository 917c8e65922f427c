"""Which actions a run refuses as it stands, and what it says."""

from __future__ import annotations

import pytest

from support.acted_on import ASKING, FAILED, GOING, GOOD, NOW, PROGRAM, STOPPED, action, task, view
from windlass.plan.action_types import Action
from windlass.plan.actions import apply_action
from windlass.plan.types import RunView

NO_START = "it has not started, so its tasks can't be acted on yet"
STOPPING = "the run is being stopped: wait until it has ended, then act on it"
REFUSED = "the run was refused, so there is nothing to act on: mend what its message says, and start another"
LAST = "only the tasks of finally are left, and they are running: wait until the run has ended"
END = "the run ended TimedOut, and marking its tasks would not change that"
CANCELLED = "the run was cancelled, and marking its tasks would not change that: Retry goes on where it stopped"

REFUSALS: dict[str, tuple[RunView, Action, str]] = {
    "retry of a run that waits": (view("Queued", {}), action("Retry"), f"the run is Queued: {NO_START}"),
    "skip in a run that nobody has seen": (view(None, {}), action("Skip", "a"), f"the run is Pending: {NO_START}"),
    "retry of a good run": (
        view("Succeeded", GOOD),
        action("Retry"),
        "the run has succeeded, so nothing is to be retried: Clear runs tasks again whatever their end",
    ),
    "retry where nothing has failed": (view("Running", GOING), action("Retry"), "no task of the run has failed"),
    "retry of a task that has not failed": (
        view("Failed", FAILED),
        action("Retry", "a"),
        "a has not failed: Clear runs a task again whatever its end",
    ),
    "retry of tasks that have not failed": (
        view("Failed", FAILED),
        action("Retry", "a", "ask", "b"),
        "a, ask have not failed: Clear runs a task again whatever its end",
    ),
    "an unknown task": (view("Failed", FAILED), action("Clear", "bb"), 'the run has no task bb: did you mean "b"?'),
    "a task like no other": (view("Failed", FAILED), action("Clear", "what"), "the run has no task what"),
    "indices of what is no forEach": (
        view("Failed", FAILED),
        action("Clear", "b", indices=[1]),
        "b has no instances: leave the indices out",
    ),
    "retry while finally runs": (
        view("Running", {**FAILED, "z": "Running"}),
        action("Retry"),
        LAST,
    ),
    "clear while finally runs": (view("Running", {**FAILED, "z": "Running"}), action("Clear", "a"), LAST),
    "mark what was cancelled": (view("Cancelled", {**GOOD, "b": "Cancelled"}), action("MarkSuccess", "b"), CANCELLED),
    "mark what ran out of time": (view("Failed", FAILED, reason="TimedOut"), action("Skip", "b"), END),
    "approve twice": (
        view("Running", {**ASKING, "ask": task("ask", "Succeeded", message="approved by bob")}),
        action("Approve", "ask"),
        "ask waits for no answer any more, it is Succeeded: approved by bob",
    ),
    "approve too early": (
        view("Running", GOING),
        action("Approve", "ask"),
        "ask waits for no answer yet, it is Waiting",
    ),
    "approve what is no approval": (view("Running", ASKING), action("Approve", "b"), "b is no approval"),
    "approve when nothing waits": (view("Running", GOING), action("Approve"), "no task waits for approval"),
    "approve two tasks": (
        view("Running", ASKING),
        action("Approve", "ask", "b"),
        "an answer is for one approval: name one task",
    ),
    "approve after its time": (
        view(
            "Running",
            {**ASKING, "ask": task("ask", "Running").model_copy(update={"started_at": "2025-04-01T10:59:59Z"})},
        ),
        action("Approve"),
        "ask could be answered until 2025-04-01T11:59:59Z: its time is over",
    ),
    "approve at the very moment": (
        view("Running", ASKING),
        action("Approve"),
        "ask could be answered until 2025-04-01T12:00:00Z: its time is over",
    ),
    **{
        f"{verb} of a run that has ended": (
            view("Failed", FAILED),
            action(verb),
            "the run has ended already: Failed",
        )
        for verb in ("Suspend", "Resume", "Cancel", "Terminate", "Approve", "Reject")
    },
    **{
        f"{verb} of a run that was refused": (view("Refused", {}), action(verb, *tasks), REFUSED)
        for verb, tasks in (("Retry", ()), ("Clear", ("a",)), ("Skip", ("a",)), ("Cancel", ()), ("Approve", ()))
    },
    **{
        f"{verb} while it is being stopped": (
            view("Running", FAILED | {"z": "Running"}, stop_reason="Cancelled"),
            action(verb, *tasks),
            STOPPING,
        )
        for verb, tasks in (("Retry", ()), ("Clear", ("a",)), ("MarkSuccess", ("b",)), ("Suspend", ()), ("Resume", ()))
    },
    "retry when the spec has just said stop": (
        view("Running", FAILED | {"z": "Waiting"}, spec=STOPPED),
        action("Retry"),
        STOPPING,
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_refused(case: tuple[RunView, Action, str]) -> None:
    run, asked, why = case
    outcome = apply_action(run, PROGRAM, asked, NOW)
    assert (outcome.applied, outcome.message) == (False, why)
    assert outcome.status is run.status


@pytest.mark.parametrize("verb", ["Retry", "Clear", "Skip"])
def test_without_its_definition_nothing_can_run_again(verb: str) -> None:
    outcome = apply_action(view("Failed", FAILED), None, action(verb, "b"), NOW)
    words = "the definition that the run was started with is gone: start another run"
    assert (outcome.applied, outcome.message) == (False, words)
