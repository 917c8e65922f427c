"""Progress, durations and conditions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from windlass.models.condition import Condition
from windlass.models.run import RunPhase, TaskPhase, TaskStatus
from windlass.plan.progress import ended_conditions, human_duration, progress, running_message

T0, T1, T2 = ("2025-04-01T17:00:00Z", "2025-04-01T17:00:01Z", "2025-04-01T17:00:02Z")
DURATIONS = {
    0: "0s", 0.4: "0s", 7: "7s", 80: "1m20s", 60: "1m", 3600: "1h", 7500: "2h5m", 7501: "2h5m", 90000: "1d1h",
    273600: "3d4h", -5: "0s",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), DURATIONS.items())
def test_durations(seconds: float, text: str) -> None:
    assert human_duration(timedelta(seconds=seconds)) == text


def tasks(**phases: str) -> list[TaskStatus]:
    return [TaskStatus(name=name, phase=TaskPhase(phase)) for name, phase in phases.items()]


MESSAGES = {
    "0 of 1 tasks done": tasks(a="Waiting"),
    "3 of 7 tasks done, load is running": tasks(
        a="Succeeded", b="Skipped", c="Failed", load="Running", d="Starting", e="Waiting", f="Queued"
    ),
    "0 of 3 tasks done, a, b and 1 more are starting": tasks(a="Starting", b="Starting", c="Starting"),
    "1 of 3 tasks done, a and b are waiting for a retry": tasks(a="Retrying", b="Retrying", c="Cancelled"),
    "0 of 2 tasks done, a is queued": tasks(a="Queued", b="Waiting"),
}


@pytest.mark.parametrize(("message", "all_tasks"), MESSAGES.items(), ids=MESSAGES.keys())
def test_messages(message: str, all_tasks: list[TaskStatus]) -> None:
    assert running_message(all_tasks) == message


def test_progress_counts_every_end() -> None:
    assert (
        progress(tasks(a="Succeeded", b="Failed", c="UpstreamFailed", d="Skipped", e="Cancelled", f="Running")) == "5/6"
    )


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = [
        Condition(type="Accepted", status="True", reason="Admitted", last_transition_time=T0),
        Condition(type="Running", status="True", reason="TasksRunning", last_transition_time=T1),
        Condition(type="Other", status="True", reason="Kept", last_transition_time=T1),
    ]
    after = ended_conditions(before, RunPhase.FAILED, "TasksFailed", "1 of 1 tasks failed: a", T2, 1)
    assert [(one.type, one.status, one.reason, one.last_transition_time) for one in after] == [
        ("Accepted", "True", "Admitted", T0),
        ("Running", "False", "TasksFailed", T2),
        ("Succeeded", "False", "TasksFailed", T2),
        ("Other", "True", "Kept", T1),
    ]
