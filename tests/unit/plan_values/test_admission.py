"""What becomes of a run that was just made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from windlass.models.run import (
    Condition,
    RunPhase,
    SourceStatus,
    TaskPhase,
    TaskStatus,
    WorkflowRunSpec,
    WorkflowRunStatus,
)
from windlass.models.workflow import WorkflowSpec
from windlass.plan.admission import Admission, admit, refuse
from windlass.plan.graph import compile_program
from windlass.plan.types import RunEvent, RunView

CREATED = datetime(2025, 4, 1, 17, 0, tzinfo=UTC)
NOW = CREATED + timedelta(seconds=1)
THEN = "2025-04-01T17:00:01Z"
SPEC = WorkflowSpec.model_validate(
    {
        "params": {"day": {"type": "string", "default": "{{ ds }}"}, "limit": {"type": "integer", "default": 5}},
        "source": {"git": {"repo": "https://git.example.com/a.git", "ref": "main"}},
        "tasks": [{"name": "b", "image": "x", "dependsOn": ["a"]}, {"name": "a", "image": "x"}],
        "finally": [{"name": "z", "image": "x"}],
    }
)


def run(status: WorkflowRunStatus | None = None, **spec: Any) -> RunView:
    return RunView(
        namespace="data",
        name="sales-1",
        uid="u",
        generation=2,
        created_at=CREATED,
        spec=WorkflowRunSpec.model_validate({"workflow": "sales", **spec}),
        status=status or WorkflowRunStatus(),
        workflow="sales",
    )


def accepted(status: str, reason: str, message: str = "", at: str = THEN, kind: str = "Accepted") -> Condition:
    return Condition.model_validate(
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": at,
            "observedGeneration": 2,
        }
    )


def base(**fields: Any) -> WorkflowRunStatus:
    return WorkflowRunStatus(trigger="Manual", workflow="sales", queued_at=THEN, observed_generation=2).model_copy(
        update=fields
    )


def refused(reason: str, message: str) -> Admission:
    status = base(
        phase=RunPhase.REFUSED,
        reason=reason,
        message=message,
        finished_at=THEN,
        conditions=[accepted("False", reason, message)],
    )
    return Admission(status, events=(RunEvent("Warning", reason, message),))


def test_a_good_run_is_queued_with_all_its_tasks_waiting() -> None:
    assert admit(run(params={"limit": 9}), SPEC, NOW) == Admission(
        base(
            phase=RunPhase.QUEUED,
            reason="Admitted",
            params={"day": "2025-04-01", "limit": 9},
            progress="0/3",
            source=SourceStatus(repo="https://git.example.com/a.git", ref="main"),
            conditions=[accepted("True", "Admitted")],
            tasks=[TaskStatus(name="b"), TaskStatus(name="a"), TaskStatus(name="z")],
        ),
        compile_program(SPEC),
    )


def test_the_defaults_are_those_of_the_logical_date() -> None:
    params = admit(run(logicalDate="2024-12-31T00:00:00Z"), SPEC, NOW).status.params
    assert params == {"day": "2024-12-31", "limit": 5}


def test_bad_parameters_are_refused() -> None:
    told = "spec.params.limit: 'x' is not of type 'integer'"
    assert admit(run(params={"limit": "x"}), SPEC, NOW) == refused("ParamsInvalid", told)


def test_a_bad_definition_is_refused_with_every_finding() -> None:
    bad = WorkflowSpec.model_validate({"tasks": [{"name": "a", "image": "{{ x }}", "dependsOn": ["c"]}]})
    admission = admit(run(), bad, NOW)
    told = str(admission.status.message)
    assert admission == refused("SpecInvalid", told)
    assert "spec.tasks[0].dependsOn[0]: there is no task c" in told
    assert 'spec.tasks[0].image: {{ x }}: there is no "x"' in told


def test_the_message_of_a_refusal_is_bounded() -> None:
    tasks = [{"name": f"t{n}", "image": "x", "dependsOn": ["nope"]} for n in range(500)]
    message = admit(run(), WorkflowSpec.model_validate({"tasks": tasks}), NOW).status.message
    assert message is not None
    assert len(message) <= 1024
    assert message.endswith("more")


def test_warnings_refuse_nothing() -> None:
    doubtful = WorkflowSpec.model_validate(
        {"params": {"p": {"type": "string", "default": "x"}}, "tasks": [{"name": "a", "script": "echo {{ params.p }}"}]}
    )
    assert admit(run(), doubtful, NOW).program is not None


def test_an_own_definition_is_told_by_its_own_path() -> None:
    own = {"tasks": [{"name": "a", "image": "x", "dependsOn": ["c"]}]}
    view = run()
    view = replace(view, spec=WorkflowRunSpec.model_validate({"workflowSpec": own}))
    message = admit(view, view.spec.workflow_spec, NOW).status.message
    assert message == "spec.workflowSpec.tasks[0].dependsOn[0]: there is no task c"


DUE = CREATED + timedelta(minutes=5)
MISSING = "there is no Workflow sales in namespace data; the run waits for it until 2025-04-01T17:05:00Z"
PENDING = base(
    phase=RunPhase.PENDING,
    reason="WorkflowNotFound",
    message=MISSING,
    conditions=[accepted("Unknown", "WorkflowNotFound", MISSING)],
)


def test_a_run_waits_for_its_workflow() -> None:
    assert admit(run(), None, NOW) == Admission(PENDING, wake_at=DUE)


def test_waiting_on_changes_nothing() -> None:
    view = run(PENDING)
    admission = admit(view, None, NOW + timedelta(minutes=1))
    assert admission == Admission(PENDING, wake_at=DUE)
    assert admission.status is view.status


def test_a_workflow_that_comes_in_time_is_taken() -> None:
    later = NOW + timedelta(minutes=4)
    status = admit(run(PENDING), SPEC, later).status
    assert (status.phase, status.reason, status.message) == (RunPhase.QUEUED, "Admitted", None)
    assert (status.queued_at, status.conditions) == (THEN, [accepted("True", "Admitted", at="2025-04-01T17:04:01Z")])


def test_after_five_minutes_it_is_refused() -> None:
    status = admit(run(PENDING), None, DUE).status
    assert (status.phase, status.reason) == (RunPhase.REFUSED, "WorkflowNotFound")
    assert status.message == "there is no Workflow sales in namespace data: the run has waited for it for 5 minutes"


def test_stopped_before_it_started() -> None:
    tasks = [
        TaskStatus(name=name, phase=TaskPhase.CANCELLED, reason="Terminated", finished_at=THEN)
        for name in ("b", "a", "z")
    ]
    message = "the run was stopped before it started"
    assert admit(run(stop="Terminate"), SPEC, NOW) == Admission(
        base(
            phase=RunPhase.CANCELLED,
            reason="Terminated",
            message=message,
            stop_reason="Terminated",
            finished_at=THEN,
            tasks=tasks,
            progress="3/3",
            conditions=[
                accepted("False", "Terminated", message),
                accepted("False", "Terminated", message, kind="Succeeded"),
            ],
        )
    )


def test_stopped_while_its_workflow_is_missing() -> None:
    status = admit(run(PENDING, stop="Cancel"), None, NOW).status
    assert (status.phase, status.reason, status.tasks) == (RunPhase.CANCELLED, "Cancelled", [])


def test_refuse_takes_a_text() -> None:
    assert refuse(run(), "SpecInvalid", "spec: wrong", NOW) == refused("SpecInvalid", "spec: wrong")
