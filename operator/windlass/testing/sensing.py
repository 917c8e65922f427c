"""What tasks wait for in a simulation: objects and runs of others come at once, or after the task's duration.

A time, a length of time and a timeout are the planner's own; a pod that is asked is a pod as others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from windlass.models.run import RunPhase, TaskPhase, TaskStatus
from windlass.models.wait import ObjectTest, WaitFor, WaitObject
from windlass.names import short_hash
from windlass.plan.context import run_context, task_context
from windlass.plan.history import RunSummary
from windlass.plan.sights import ObjectQuestion, Sight, SightKind, holds
from windlass.plan.templates import TemplateError
from windlass.plan.times import logical_date, zone_of
from windlass.plan.waiting import object_question
from windlass.testing.agenda import Agenda
from windlass.testing.cues import Cues, Kind
from windlass.testing.errors import WrongCue
from windlass.testing.kubelet import try_of
from windlass.testing.work import RunInWork

_STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")


class Sensing:
    """Lets come what tasks wait for."""

    def __init__(self, agenda: Agenda, cues: Cues) -> None:
        self._agenda = agenda
        self._cues = cues

    def await_all(self, run: RunInWork) -> None:
        """Note when that comes which tasks of the run have begun to wait for."""
        for task in run.view.status.tasks:
            wait = run.definition.program.nodes[task.name].task.wait_for
            if wait is None or wait.pod is not None or task.phase is not TaskPhase.RUNNING or task.name in run.asked:
                continue
            run.asked.add(task.name)
            if wait.object is not None or wait.run is not None:
                self._note(run, task, wait)

    def sights(self, run: RunInWork) -> dict[ObjectQuestion, Sight]:
        """The objects that have come."""
        program, found = run.definition.program, {}
        statuses = {task.name: task for task in run.view.status.tasks}
        for name in run.come:
            node = program.nodes[name]
            wait = node.task.wait_for
            if wait is None or wait.object is None:
                continue
            shared = run_context(run.view, zone_of(run.definition.spec))
            try:
                question = object_question(node, wait, wait.object, task_context(shared, program, node, statuses, 1))
            except TemplateError:
                continue  # the planner says so
            obj = _object(name, wait.object, run.come[name])
            obj["metadata"] = {**obj.get("metadata", {}), "name": question.name or "simulated"}
            found[question] = Sight(SightKind.SEEN, (obj,))
        return found

    def others(self, run: RunInWork) -> Mapping[str, list[RunSummary]]:
        """The runs of other Workflows that have come."""
        found: defaultdict[str, list[RunSummary]] = defaultdict(list)
        for name, (good, at) in run.come.items():
            wait = run.definition.program.nodes[name].task.wait_for
            if wait is not None and wait.run is not None:
                found[wait.run.workflow].append(_run(run, wait.run.workflow, good=good, at=at))
        return found

    def _note(self, run: RunInWork, task: TaskStatus, wait: WaitFor) -> None:
        fault = self._cues.fault(try_of(run, task.name, 1))
        if fault is not None and fault.kind is Kind.TIMEOUT:
            if wait.timeout is None and run.definition.spec.timeout is None:
                raise WrongCue(f"{task.name} can't time out: waitFor has no timeout, it would wait for ever")
            return
        if fault is not None and (
            fault.kind is not Kind.ERROR or wait.object is None or wait.object.fails_when is None
        ):
            told = "Timeout, or Error where it says failsWhen" if wait.object is not None else "Timeout"
            raise WrongCue(f"{task.name} waits for something: it fails with {told}")
        at = self._agenda.now + self._cues.durations.get(task.name, timedelta(0))
        self._agenda.note(at, run, partial(_comes, run, task.name, at, good=fault is None))


def _comes(run: RunInWork, task: str, at: datetime, *, good: bool) -> bool:
    run.come[task] = (good, at)
    return True


def _run(run: RunInWork, workflow: str, *, good: bool, at: datetime) -> RunSummary:
    about = logical_date(run.view)
    return replace(
        run.summary,
        name=f"{workflow}-simulated",
        uid=short_hash("other", run.view.uid, workflow),
        workflow=workflow,
        logical_date=about,
        phase=RunPhase.SUCCEEDED if good else RunPhase.FAILED,
        started_at=at,
        finished_at=at,
    )


def _object(task: str, awaited: WaitObject, come: tuple[bool, datetime]) -> dict[str, Any]:
    """An object that says what is awaited, or that it will never come."""
    good, _ = come
    test: ObjectTest | None = awaited if good else awaited.fails_when
    assert test is not None, "only what can fail does"
    return said_by(task, test, {"apiVersion": awaited.api_version, "kind": awaited.kind})


def said_by(task: str, test: ObjectTest, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object as it is when it says so. WrongCue when that can't be made up."""
    said = dict(obj)
    if test.json_path is not None:
        said = with_value(said, test.json_path, test.equals if test.equals is not None else "simulated")
    if test.condition is not None:
        kind, _, status = test.condition.partition("=")
        conditions = [{"type": kind, "status": status or "True"}]
        said = {**said, "status": {**said.get("status", {}), "conditions": conditions}}
    if not holds(test, said):
        raise WrongCue(
            f"{task} waits for {test.json_path}: a simulation can't make up an object for that path; "
            "it takes names and numbers, such as {.status.phase} or .status.ports[0].name"
        )
    return said


def with_value(obj: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The object with a value at a path of names and numbers; as it is for any other path."""
    inner = path.strip().removeprefix("{").removesuffix("}").strip().removeprefix("$")
    inner = inner if inner.startswith((".", "[")) else f".{inner}"
    if not re.fullmatch(f"(?:{_STEP.pattern})+", inner):
        return dict(obj)
    steps: list[str | int] = []
    for name, number, single, double in _STEP.findall(inner):
        steps.append(int(number) if number else name or single or double)
    made: Any = value
    for step in reversed(steps):
        made = [*[{}] * step, made] if isinstance(step, int) else {step: made}
    return _merged(obj, made) if isinstance(made, dict) else dict(obj)


def _merged(obj: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(obj)
    for key, value in more.items():
        before = found.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        found[key] = _merged(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return found
