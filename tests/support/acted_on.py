"""Runs that people act on, and what they ask, for tests of the pure part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from windlass.models.action import RunActionSpec, Verb
from windlass.models.run import Attempt, RunPhase, Stop, TaskPhase, TaskStatus, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.action_types import Action
from windlass.plan.graph import compile_program
from windlass.plan.types import RunView

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)
STARTED = "2025-04-01T11:00:00Z"
SPEC: dict[str, Any] = {
    "tasks": [
        {"name": "a", "command": ["true"]},
        {"name": "b", "command": ["true"], "dependsOn": ["a"]},
        {"name": "c", "command": ["true"], "dependsOn": ["b"]},
        {"name": "ask", "approval": {"message": "?", "timeout": "1h"}},
    ],
    "finally": [{"name": "z", "command": ["true"]}],
}
PROGRAM = compile_program(WorkflowSpec.model_validate(SPEC))
FAILED = {"a": "Succeeded", "b": "Failed", "c": "UpstreamFailed", "ask": "Succeeded", "z": "Succeeded"}
GOOD = dict.fromkeys(FAILED, "Succeeded")
GOING = {"a": "Succeeded", "b": "Running", "c": "Waiting", "ask": "Waiting", "z": "Waiting"}
ASKING = {**GOING, "ask": "Running"}


def attempt(number: int, *, ended: bool = True, **fields: Any) -> Attempt:
    return Attempt(number=number, pod=f"p{number}", uid=f"u{number}", finished_at=STARTED if ended else None, **fields)


def task(name: str, phase: str, **fields: Any) -> TaskStatus:
    """A task with the attempts that its phase takes."""
    found = TaskPhase(phase)
    ran = found in (TaskPhase.SUCCEEDED, TaskPhase.FAILED, TaskPhase.RUNNING) and name != "ask"
    if ran:
        fields.setdefault("attempts", [attempt(1, ended=found.ended)])
    if name == "ask" and found is TaskPhase.RUNNING:
        fields |= {"reason": "AwaitingApproval", "started_at": STARTED}
    if found.ended:
        fields.setdefault("finished_at", STARTED)
    return TaskStatus(name=name, phase=found, **fields)


def view(phase: str | None, tasks: Mapping[str, str | TaskStatus], *, spec: Any = None, **status: Any) -> RunView:
    entries = [one if isinstance(one, TaskStatus) else task(name, one) for name, one in tasks.items()]
    fields = {"phase": RunPhase(phase) if phase else None, "started_at": STARTED, "tasks": entries, **status}
    if fields["phase"] is not None and fields["phase"].ended:
        fields |= {"finished_at": STARTED, "duration": "1h"}
        fields.setdefault("reason", {"Succeeded": "Completed", "Failed": "TasksFailed"}.get(str(phase), str(phase)))
    return RunView(
        namespace="data",
        name="r",
        uid="run-uid",
        generation=1,
        created_at=NOW - timedelta(hours=2),
        spec=spec or WorkflowRunSpec(workflow="w"),
        status=WorkflowRunStatus(**fields),
        workflow="w",
    )


def action(verb: str, *tasks: str, uid: str = "u", **fields: Any) -> Action:
    spec = RunActionSpec(verb=Verb(verb), run="r", tasks=[*tasks], requested_by=fields.pop("by", "alice"), **fields)
    return Action(uid, f"action-{uid}", spec, NOW)


STOPPED = WorkflowRunSpec(workflow="w", stop=Stop.CANCEL)
