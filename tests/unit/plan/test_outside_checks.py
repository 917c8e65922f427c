"""What lint and admission say of tasks that wait for something outside of their run, or make an object."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.models.parse import InvalidObject, read_workflow
from windlass.models.workflow import WorkflowSpec
from windlass.plan.checks import check_spec

Task = dict[str, Any]
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "data"}
JOB: Task = {"apiVersion": "batch/v1", "kind": "Job", "spec": {}}
THING: Task = {"apiVersion": "example.com/v1", "kind": "Thing"}
PATH_FIX = "write {.status.phase}; a name with dots in it is {.metadata.annotations['example.com/state']}"
AT_ONCE = "the task has succeeded as soon as the Thing is made"


def waits(**fields: Any) -> Task:
    return {"name": "a", "waitFor": fields}


def asks(**fields: Any) -> Task:
    return waits(object={**CLAIM, **fields})


def makes(manifest: Any = None, task: Task | None = None, **fields: Any) -> Task:
    return {"name": "a", "resource": {"manifest": JOB if manifest is None else manifest, **fields}, **(task or {})}


def named(name: str, manifest: Task = JOB) -> Task:
    return {**manifest, "metadata": {"name": name}}


WAITS: dict[str, tuple[Task, list[str]]] = {
    "a claim that is bound": (asks(jsonPath="{.status.phase}", equals="Bound"), []),
    "a condition": (asks(condition="Ready=False", failsWhen={"condition": "Failed"}), []),
    "a time": (waits(time="2026-03-01T00:00:00Z"), []),
    "a template of a time": (waits(time="{{ data_interval_end }}", timeout="1h", onTimeout="Skip"), []),
    "no time": (
        waits(time="tomorrow"),
        ["waitFor.time: 'tomorrow' is no instant with a zone; write 2025-04-01T17:00:00Z, or a template"],
    ),
    "nothing": (
        waits(),
        ["waitFor: a task waits for one thing: nothing is given; "
         "give exactly one of object, run, time, duration, pod"],
    ),
    "two things": (
        waits(duration="1h", run={"workflow": "etl"}),
        ["waitFor: a task waits for one thing: run and duration are given; "
         "give exactly one of object, run, time, duration, pod"],
    ),
    "a Secret": (
        asks(kind="Secret"),
        ["waitFor.object.kind: Secrets are not read; wait for what is made with the Secret"],
    ),
    "a name and a selector": (
        asks(selector={"app": "x"}),
        ["waitFor.object: which object is meant?; give either its name or a selector of labels"],
    ),
    "a test without a path": (
        asks(equals="Bound"), ["waitFor.object.equals: there is no jsonPath to compare with; add jsonPath"],
    ),
    "no path": (
        asks(jsonPath="{.status["), [f"waitFor.object.jsonPath: this is no path: unexpected token '{{'; {PATH_FIX}"],
    ),
    "a path that could cost hours": (
        asks(jsonPath="$[*,*][*,*]"),
        [f"waitFor.object.jsonPath: this is no path: a path has no lists: write a path for each; {PATH_FIX}"],
    ),
    "a failure that says nothing": (
        asks(failsWhen={}), ["waitFor.object.failsWhen: it says nothing; give a condition or a jsonPath"],
    ),
    "an end without a timeout": (
        waits(object=CLAIM, onTimeout="Skip"),
        ["waitFor.onTimeout: it has no effect without a timeout; add timeout"],
    ),
    "an interval of a time": (
        waits(duration="1h", interval="1m"),
        ["waitFor.interval: it has no effect: times and runs are not asked again and again; leave it out"],
    ),
    "a pod with a field that pods have not": (
        waits(pod={"script": "exit 75", "dependsOn": ["b"]}), ["waitFor.pod"],
    ),
}  # fmt: skip

MAKES: dict[str, tuple[Task, list[str]]] = {
    "a Job": (makes(outputs={"done": "{.status.succeeded}"}), []),
    "of an unknown kind, with its ends": (
        makes(THING, successWhen=[{"condition": "Ready"}], failureWhen=[{"jsonPath": ".status.bad", "equals": "true"}]),
        [],
    ),
    "what was there already is an output": (makes(THING, outputs={"uid": "{.metadata.uid}"}), []),
    "a kind by template": (makes({"apiVersion": "v1", "kind": "{{ workflow.name }}"}), []),
    "no apiVersion": (makes({"kind": "Job"}), ["resource.manifest: it needs apiVersion and kind"]),
    "a kind that is no text": (
        makes({"apiVersion": "v1", "kind": ["Pod"]}), ["resource.manifest: it needs apiVersion and kind"],
    ),
    "a wrong apiVersion": (
        makes({"apiVersion": "/v1", "kind": "Secret"}),
        ["resource.manifest: apiVersion /v1 is no apiVersion: write v1, or batch/v1 with the group"],
    ),
    "a Secret": (makes({"apiVersion": "v1", "kind": "Secret"}), ["resource.manifest: Secrets are not made by tasks"]),
    "metadata of nothing": (
        makes({**JOB, "metadata": "nightly"}), ["resource.manifest: metadata is no object"],
    ),
    "a number as name": (
        makes({**JOB, "metadata": {"name": 5}}),
        ["resource.manifest: metadata.name is no text: write it in quotes"],
    ),
    "labels as a list": (
        makes({**JOB, "metadata": {"labels": ["a"]}}), ["resource.manifest: metadata.labels is no object"],
    ),
    "owners of nothing": (
        makes({**JOB, "metadata": {"ownerReferences": {"a": 1}}}),
        ["resource.manifest: metadata.ownerReferences is no list"],
    ),
    "a test that says nothing": (
        makes(successWhen=[{"condition": "Complete"}, {}]),
        ["resource.successWhen[1]: it says nothing; give a condition or a jsonPath"],
    ),
    "no path of a test": (
        makes(failureWhen=[{"jsonPath": "a b"}]),
        [f"resource.failureWhen[0].jsonPath: this is no path: unexpected token 'b'; {PATH_FIX}"],
    ),
    "no path of an output": (
        makes(outputs={"x": "a,b"}),
        [f"resource.outputs.x: this is no path: a path has no lists: write a path for each; {PATH_FIX}"],
    ),
    "a failure that nobody waits for": (
        makes(THING, failureWhen=[{"condition": "Failed"}]),
        [f"resource.failureWhen: {AT_ONCE}: it will hardly have failed by then; add successWhen"],
    ),
    "a status that nobody waits for": (
        makes(THING, outputs={"id": "{.status.id}"}),
        [f"resource.outputs.id: {AT_ONCE}: it will have no status by then; add successWhen"],
    ),
    "a name of its author's": (
        makes(named("nightly")),
        ["resource.manifest.metadata.name: the next run finds nightly there already as long as this run is kept; "
         "leave the name out, put {{ run.name }} into it, or say remove: WhenDone"],
    ),
    "a name that is free again when it is done": (makes(named("nightly"), remove="WhenDone"), []),
    "a name of each run": (makes(named("x-{{ run.name }}")), []),
    "a name that retries meet": (
        makes(named("x-{{ run.name }}"), {"retry": {"limit": 2}}, remove="Never"),
        ["resource.manifest.metadata.name: a retry can't make it again: the object of the attempt before is never "
         "deleted; leave the name out, or say make: Apply"],
    ),
    "what is applied goes with the run": (
        makes(named("settings"), make="Apply"),
        ["resource: what is applied is deleted with the run, also when it was there before; "
         "say remove: Never, or remove: WithRun"],
    ),
    "what is applied and stays": (makes(named("settings"), {"retry": {"limit": 2}}, make="Apply", remove="Never"), []),
    "what is deleted": (makes(named("nightly"), make="Delete"), []),
    "nothing to delete": (
        makes(make="Delete"), ["resource.manifest.metadata.name: which object is to be deleted?; give its name"],
    ),
    "outputs of what is deleted": (
        makes(named("nightly"), make="Delete", outputs={"a": ".status.a"}),
        ["resource.outputs: it has no effect: the task ends when the object is gone; leave it out"],
    ),
}  # fmt: skip
CASES = WAITS | MAKES


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_outside(case: tuple[Task, list[str]]) -> None:
    task, expected = case
    found = [str(finding) for finding in check_spec(WorkflowSpec.model_validate({"tasks": [task]}))]
    if expected == ["waitFor.pod"]:  # in the words of pydantic
        assert len(found) == 1
        assert found[0].startswith("spec.tasks[0].waitFor.pod: ")
    else:
        assert found == [f"spec.tasks[0].{one}" for one in expected]


VERSIONS = {
    "v1": True, "batch/v1": True, "sparkoperator.k8s.io/v1beta2": True, "/v1": False, "batch/v1/": False,
    "../api/v1": False, "a/b/v1": False, "v1?x": False, "Batch/v1": False, "batch": False,
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_of_an_api(version: str) -> None:
    body = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w", "namespace": "data"},
        "spec": {"tasks": [waits(object={**CLAIM, "apiVersion": version})]},
    }
    if VERSIONS[version]:
        read_workflow(body)
        return
    with pytest.raises(InvalidObject, match="is no apiVersion; write v1, or batch/v1 with the group"):
        read_workflow(body)
