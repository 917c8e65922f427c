"""Bad input, and the clear error that it gets in the right place: when it is linted, admitted, or run.

What needs a cluster to go wrong (a Workflow or a run that is deleted while it is used) is in the scenarios.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from support.objects import Manifest, task, workflow
from support.pod_bodies import ended, main, pod
from support.simulate import START, Behaviour, World
from support.simulate import workflow as definition
from windlass.cli.lint import check_object
from windlass.models.run import RunPhase, TaskPhase, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.workflow import WorkflowSpec
from windlass.plan.admission import admit
from windlass.plan.observe import observe
from windlass.plan.types import PodResult, RunView

LINTED: dict[str, tuple[Manifest, str, str]] = {
    "a cycle": (
        workflow(tasks=[task("a", dependsOn=["b"]), task("b", dependsOn=["a"])]),
        "spec.tasks", "these tasks wait for each other: a → b → a",
    ),
    "an unknown dependency": (
        workflow(tasks=[task("extract"), task("b", dependsOn=["extrac"])]),
        "spec.tasks[1].dependsOn[0]", 'there is no task extrac; did you mean "extract"?',
    ),
    "two kinds in one task": (
        workflow(tasks=[task("a", script="x", command=["y"])]),
        "spec.tasks[0]", "a task is one thing: give it either script, or command and args",
    ),
    "a bad template": (
        workflow(tasks=[task("a", script="echo {{ params.x | nope }}")], params={"x": {"type": "integer"}}),
        "spec.tasks[0].script", "{{ params.x | nope }}: there is no filter nope",
    ),
    "a template that reads what is not upstream": (
        workflow(tasks=[task("a"), task("b", args=["{{ tasks.a.outputs.x }}"])]),
        "spec.tasks[1].args[0]", "b doesn't depend on a: add it to dependsOn",
    ),
    "a wrong type of a parameter's default": (
        workflow(params={"n": {"type": "integer", "default": "x"}}),
        "spec.params.n.default", "'x' is not of type 'integer'",
    ),
    "a duplicate name": (workflow(tasks=[task("a"), task("a")]), "spec.tasks[1].name", "a"),
    "a name of 300 characters": (workflow("n" * 300), "metadata.name", "at most 49 characters"),
    "a task's name of 300 characters": (workflow(tasks=[task("n" * 300)]), "spec.tasks[0].name", "63"),
    "a spec of 2 MB": (workflow(tasks=[task(f"t{n}", script="x" * 100_000) for n in range(21)]), "spec", "KiB as JSON"),
    "a misspelt field": (workflow(tasks=[task("a", dependson=["b"])]), "spec.tasks[0].dependson", 'did you mean '
        '"dependsOn"?'),
    "an unknown trigger "
    "rule": (workflow(tasks=[task("a", triggerRule="AllDne")]), "spec.tasks[0].triggerRule", "AllDone"),
}  # fmt: skip


@pytest.mark.parametrize(("manifest", "where", "told"), LINTED.values(), ids=LINTED.keys())
def test_linted(manifest: Manifest, where: str, told: str) -> None:
    found = {one.where: str(one) for one in check_object(manifest)}
    assert told in found[where]


SECRET = {"secretKeyRef": {"name": "s", "key": "k"}}
SPEC = WorkflowSpec.model_validate(
    {
        "params": {"n": {"type": "integer"}, "t": {"sensitive": True, "default": SECRET}},
        "tasks": [{"name": "a", "image": "x"}],
    }
)
CYCLE = WorkflowSpec.model_validate({"tasks": [{"name": "a", "dependsOn": ["b"]}, {"name": "b", "dependsOn": ["a"]}]})
ADMITTED: dict[str, tuple[WorkflowSpec | None, dict[str, Any], str, str]] = {
    "a cycle": (CYCLE, {}, "SpecInvalid", "a → b → a"),
    "a wrong type of a parameter": (SPEC, {"n": "x"}, "ParamsInvalid", "spec.params.n: 'x' is not of type 'integer'"),
    "no value for a parameter": (SPEC, {}, "ParamsInvalid", "the parameter n has no value"),
    "an unknown parameter": (SPEC, {"n": 1, "m": 1}, "ParamsInvalid", "the workflow has no parameter m"),
    "the value of a secret": (SPEC, {"n": 1, "t": "hunter2"}, "ParamsInvalid", "its value stands in a Secret"),
    "an unknown Workflow": (None, {}, "WorkflowNotFound", "there is no Workflow sales in namespace data"),
}


@pytest.mark.parametrize(("spec", "params", "reason", "told"), ADMITTED.values(), ids=ADMITTED.keys())
def test_admitted(spec: WorkflowSpec | None, params: dict[str, Any], reason: str, told: str) -> None:
    wanted = WorkflowRunSpec(workflow="sales", params=params)
    view = RunView("data", "sales-1", "u", 1, START, wanted, WorkflowRunStatus(), "sales")
    status = admit(view, spec, START + timedelta(minutes=6)).status
    assert (status.phase, status.reason) == (RunPhase.REFUSED, reason)
    assert told in str(status.message)
    assert "hunter2" not in status.model_dump_json()


def said(message: str, code: int = 0) -> PodResult:
    """The result of a pod whose container ended so."""
    view = observe(pod(main("Failed" if code else "Succeeded", ended(code, message=message))))
    assert view.result is not None
    return view.result


GIGABYTE = "a line of the log\n" * 200
RUN: dict[str, tuple[Callable[[str, int], Behaviour], str, str]] = {
    "an output that is no JSON": (lambda *_: Behaviour(said("rows=3")), "OutputsInvalid", "the outputs are no JSON"),
    "an output that is a list": (lambda *_: Behaviour(said("[1]")), "OutputsInvalid", "no JSON object"),
    "an output larger than 4096 bytes": (
        lambda *_: Behaviour(said('{"x": "' + "y" * 4089)), "OutputsTooLarge", "the outputs have 4096 bytes or more",
    ),
    "an output that is nested without end": (
        lambda *_: Behaviour(said('{"x": ' + "[" * 1500 + "]" * 1500 + "}")), "OutputsInvalid", "nested more than "
        "32 levels",
    ),
    "a pod deleted by hand, again and again": (
        lambda *_: Behaviour(lost=True), "Gone", "the pod was removed, and its result with it",
    ),
    "a container that writes a gigabyte of logs": (lambda *_: Behaviour(said(GIGABYTE, 1)), "Error", "a line of the "
        "log"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "reason", "told"), RUN.values(), ids=RUN.keys())
def test_run(script: Callable[[str, int], Behaviour], reason: str, told: str) -> None:
    tasks = [{"name": "bad"}, {"name": "other"}, {"name": "after", "dependsOn": ["bad"]}]
    world = World(definition(tasks), script=lambda name, number: script(name, number) if name == "bad" else Behaviour())
    status = world.play()
    bad, other, after = status.tasks
    assert (bad.phase, bad.reason) == (TaskPhase.FAILED, reason)
    assert told in str(bad.message)
    assert bad.attempts[-1].hint
    assert len(str(bad.attempts[-1].message)) <= 1024
    assert (other.phase, after.phase) == (TaskPhase.SUCCEEDED, TaskPhase.UPSTREAM_FAILED)
    assert (status.phase, status.message) == (RunPhase.FAILED, "2 of 3 tasks failed: bad, after")


def test_a_template_that_names_a_missing_output() -> None:
    tasks = [
        {"name": "a"},
        {"name": "bad", "dependsOn": ["a"], "script": "echo {{ tasks.a.outputs.sum }}"},
        {"name": "other", "dependsOn": ["a"]},
    ]
    world = World(definition(tasks), script=lambda *_: Behaviour(said('{"rows": 3}')))
    status = world.play()
    _, bad, other = status.tasks
    assert (bad.phase, bad.reason, bad.attempts) == (TaskPhase.FAILED, "TemplateError", [])
    assert bad.message == 'script: {{ tasks.a.outputs.sum }}: tasks.a.outputs has no "sum"; there are: rows'
    assert other.phase is TaskPhase.SUCCEEDED
