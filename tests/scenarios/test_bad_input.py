"""What a user can get wrong, what comes of it, and that everything else goes on: one table, on the development cluster.

Each row is told where it must be: by `windlass lint` before there is a cluster, by the API server when it is applied,
by the controller in the run's status, or by the status of the task that it hits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cli import invoke
from support.clusters import Cluster, phases, task
from support.direct import create, delete, exists, pods_of
from windlass.resources import PODS, RUNS, WORKFLOWS

Body = dict[str, Any]
WITHIN = 60.0
TRUE: Body = {"name": "a", "script": "true"}


def workflow(name: str, *tasks: Body, **spec: Any) -> Body:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"tasks": list(tasks) or [TRUE], **spec},
    }


def run(name: str, *tasks: Body, schemas: Body | None = None, **spec: Any) -> Body:
    """A run with a definition of its own, unless `workflow` names one."""
    definition = workflow(name, *tasks, **({"params": schemas} if schemas else {}))["spec"]
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "WorkflowRun",
        "metadata": {"name": name},
        "spec": spec if "workflow" in spec else {"workflowSpec": definition, **spec},
    }


def script(name: str, text: str, **more: Any) -> Body:
    return {"name": name, "script": text, **more}


@dataclass(frozen=True)
class Refused:
    """An object that the API server doesn't take: what lint says of it, and what the server says."""

    manifest: Body
    lint: str
    server: str


BIG = [script(f"t{number}", "true # " + "x" * 90_000) for number in range(24)]
APPLIED: dict[str, Refused] = {
    "two kinds in one task": Refused(
        workflow("two-kinds", {**TRUE, "command": ["x"]}),
        "spec.tasks[0]: a task is one thing: give it either script, or command and args",
        "spec.tasks[0]: Invalid value: a task is one thing",
    ),
    "a duplicate name of a task": Refused(
        workflow("twice", TRUE, TRUE),
        'spec.tasks[1].name: "a" is the name of tasks[0] too',
        'spec.tasks[1]: Duplicate value: {"name":"a"}',
    ),
    "a Workflow's name of 300 characters": Refused(
        workflow("w" * 300),
        "metadata.name: a Workflow's name has at most 49 characters, for its runs' names to fit a label",
        "must be no more than 253 characters",
    ),
    "a Workflow's name of 60 characters": Refused(
        workflow("w" * 60),
        "metadata.name: a Workflow's name has at most 49 characters, for its runs' names to fit a label",
        "a Workflow's name has at most 49 characters",
    ),
    "a run's name of 300 characters": Refused(
        run("r" * 300),
        "metadata.name: a WorkflowRun's name has at most 63 characters, to fit a label",
        "must be no more than 253 characters",
    ),
    "a task's name of 300 characters": Refused(
        workflow("long-task", script("a" * 300, "true")),
        "spec.tasks[0].name: has 300 characters, and at most 63 are allowed",
        "spec.tasks[0].name: Too long: may not be more than 63 bytes",
    ),
    "a spec of 2 MB": Refused(
        workflow("big", *BIG),
        "spec: has 2,110 KiB as JSON, and at most 1,024 KiB can be stored; keep code in the source, and data outside",
        "request is too large",
    ),
    "a misspelt field": Refused(
        workflow("misspelt", {"name": "a", "scirpt": "true"}),
        'spec.tasks[0].scirpt: unknown field "scirpt"; did you mean "script"?',
        'unknown field "spec.tasks[0].scirpt"',
    ),
    "no list of tasks": Refused(
        workflow("no-list") | {"spec": {"tasks": "none"}},
        'spec.tasks: must be a list, not the string "none"',
        "spec.tasks in body must be of type array",
    ),
}


@pytest.mark.parametrize("case", APPLIED.values(), ids=APPLIED.keys())
def test_what_the_api_server_does_not_take(dev_cluster: Cluster, tmp_path: Path, case: Refused) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(case.manifest), encoding="utf-8")
    linted = invoke(None, "lint", str(file))
    assert (linted.exit_code, linted.stdout.splitlines()) == (1, [f"{file}:1: {case.lint}"])
    applied = dev_cluster.windlass("run", "-f", str(file))
    assert applied.code == 1, applied.all
    warning, error = applied.err.splitlines()
    assert warning == f"warning: {file}:1: {case.lint}"
    assert case.server in error


@dataclass(frozen=True)
class Row:
    """A run that goes wrong: its objects, what is done to it meanwhile, and what its status must be at the end."""

    objects: tuple[Body, ...]
    """The last one is the run."""
    check: Callable[[Body], None]
    lint: str = ""
    """What lint says of the objects; nothing where it can't know."""
    meanwhile: Callable[[Cluster, str], None] | None = None
    phase: str = "Ended"
    """What is waited for."""

    @property
    def name(self) -> str:
        return str(self.objects[-1]["metadata"]["name"])


def refused(reason: str, message: str) -> Callable[[Body], None]:
    def check(status: Body) -> None:
        assert (status["phase"], status["reason"], status["message"]) == ("Refused", reason, message)
        assert not status.get("tasks")

    return check


def failed(reason: str, *words: str) -> Callable[[Body], None]:
    """The task `a` failed, and the one beside it didn't."""

    def check(status: Body) -> None:
        assert phases(status) == {"a": "Failed", "beside": "Succeeded"}
        assert (status["phase"], status["reason"]) == ("Failed", "TasksFailed")
        assert status["message"] == "1 of 2 tasks failed: a"
        found = task(status, "a")
        assert found["reason"] == reason, found
        assert [word for word in words if word not in found["message"]] == [], found["message"]

    return check


def _unknown(status: Body) -> None:
    assert (status["phase"], status["reason"]) == ("Pending", "WorkflowNotFound")
    assert status["message"].startswith(
        "there is no Workflow nowhere in namespace default; the run waits for it until "
    )


def _succeeded(status: Body) -> None:
    assert (status["phase"], set(phases(status).values())) == ("Succeeded", {"Succeeded"}), status


def _tried_again(status: Body) -> None:
    _succeeded(status)
    first, second = task(status, "a")["attempts"]
    assert (first["class"], first["reason"], "class" in second) == ("Infra", "Deleted", False), first
    assert "deleted" in first["message"]


def shared(cluster: Cluster) -> Path:
    """The directory that the test and all pods see."""
    return cluster.kubeconfig.parent / "shared"


def _running(cluster: Cluster, name: str) -> None:
    cluster.until(name, lambda status: phases(status).get("a") == "Running", WITHIN)


def _delete_workflow(cluster: Cluster, name: str) -> None:
    _running(cluster, name)
    delete(cluster.kubeconfig, WORKFLOWS, cluster.namespace, name)
    assert not exists(cluster.kubeconfig, WORKFLOWS, cluster.namespace, name)
    (shared(cluster) / "workflow-is-gone").touch()


def _delete_pod(cluster: Cluster, name: str) -> None:
    _running(cluster, name)
    (pod,) = pods_of(cluster.kubeconfig, cluster.namespace, name)
    delete(cluster.kubeconfig, PODS, cluster.namespace, pod["metadata"]["name"])


def rows(place: Path) -> dict[str, Row]:
    """The table; `place` is the directory that all pods see."""
    beside = script("beside", "true")
    outputs = 'printf %s "$WHAT" > "$WINDLASS_OUTPUTS"'
    cycle = "these tasks wait for each other: a → b → a; take one of the dependencies out"
    template = "{{ params. }}: expected name or number; write {{ '{{' }} for two braces as text"
    upstream = "{{ tasks.a.outputs.x }}: b doesn't depend on a: add it to dependsOn"
    forever = "trap 'exit 143' TERM; sleep 600 & wait"
    return {
        "a cycle": Row(
            (run("cycle", script("a", "true", dependsOn=["b"]), script("b", "true", dependsOn=["a"])),),
            refused("SpecInvalid", f"spec.workflowSpec.tasks: {cycle}"),
            f"spec.workflowSpec.tasks: {cycle}",
        ),
        "an unknown dependency": Row(
            (run("ghost", script("a", "true", dependsOn=["ghost"])),),
            refused("SpecInvalid", "spec.workflowSpec.tasks[0].dependsOn[0]: there is no task ghost"),
            "spec.workflowSpec.tasks[0].dependsOn[0]: there is no task ghost",
        ),
        "a bad template": Row(
            (run("template", script("a", "{{ params. }}")),),
            refused("SpecInvalid", f"spec.workflowSpec.tasks[0].script: {template}"),
            f"spec.workflowSpec.tasks[0].script: {template}",
        ),
        "a template that reads a task which is not upstream": Row(
            (run("upstream", TRUE, script("b", "true", env=[{"name": "A", "value": "{{ tasks.a.outputs.x }}"}])),),
            refused("SpecInvalid", f"spec.workflowSpec.tasks[1].env[0].value: {upstream}"),
            f"spec.workflowSpec.tasks[1].env[0].value: {upstream}",
        ),
        "a wrong type of a parameter": Row(
            (run("type", TRUE, params={"n": "ten"}, schemas={"n": {"type": "integer"}}),),
            refused("ParamsInvalid", "spec.params.n: 'ten' is not of type 'integer'"),
            "spec.params.n: 'ten' is not of type 'integer'",
        ),
        "an unknown parameter": Row(
            (run("param", TRUE, params={"dya": "x"}, schemas={"day": {"default": "x"}}),),
            refused("ParamsInvalid", 'spec.params.dya: the workflow has no parameter dya; did you mean "day"?'),
            'spec.params.dya: the workflow has no parameter dya; did you mean "day"?',
        ),
        "an unknown Workflow": Row((run("unknown", workflow="nowhere"),), _unknown, phase="Pending"),
        "a Workflow that is deleted while its run is going": Row(
            (
                workflow(
                    "doomed",
                    script("a", f"until [ -e {place}/workflow-is-gone ]; do sleep 0.1; done"),
                    script("b", "true", dependsOn=["a"]),
                ),
                run("doomed", workflow="doomed"),
            ),
            _succeeded,
            meanwhile=_delete_workflow,
        ),
        "a pod that is deleted by hand": Row(
            (run("by-hand", script("a", f'[ "$WINDLASS_ATTEMPT" = 2 ] || {{ {forever}; }}')),),
            _tried_again,
            meanwhile=_delete_pod,
        ),
        "outputs that are no JSON": Row(
            (run("no-json", script("a", outputs, env=[{"name": "WHAT", "value": "rows=3"}]), beside),),
            failed("OutputsInvalid", "the outputs are no JSON", "rows=3"),
        ),
        "outputs that are no object": Row(
            (run("no-object", script("a", outputs, env=[{"name": "WHAT", "value": "[1]"}]), beside),),
            failed("OutputsInvalid", "the outputs are no JSON object, but begin with", "[1]"),
        ),
        "outputs larger than 4096 bytes": Row(
            (run("too-large", script("a", """printf '{"x": "%05000d"}' 1 > "$WINDLASS_OUTPUTS\""""), beside),),
            failed("OutputsTooLarge", "4096"),
        ),
        "a template that names a missing output": Row(
            (
                run(
                    "missing",
                    beside,
                    script(
                        "a", "true", dependsOn=["beside"], env=[{"name": "N", "value": "{{ tasks.beside.outputs.n }}"}]
                    ),
                ),
            ),
            failed("TemplateError", "env[0].value", "tasks.beside.outputs"),
        ),
        "a gigabyte of logs": Row(
            (run("gigabyte", script("a", "yes 'a log that nobody reads' | head -c 1073741824; echo; echo the end")),),
            _succeeded,
        ),
    }


NAMES = tuple(rows(Path("/")))


@pytest.fixture(scope="module")
def started(dev_cluster: Cluster) -> dict[str, Row]:
    """All runs of the table, under way at the same time, and one beside them that does nothing wrong."""
    place = shared(dev_cluster)
    table = rows(place)
    bystander = run(
        "bystander",
        script("a", f"until [ -e {place}/all-done ]; do sleep 0.1; done"),
        script("b", "true", dependsOn=["a"]),
    )
    objects = [bystander, *(obj for row in table.values() for obj in row.objects)]
    create(dev_cluster.kubeconfig, dev_cluster.namespace, objects)
    return table


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_wrong_in_a_run(dev_cluster: Cluster, started: dict[str, Row], tmp_path: Path, name: str) -> None:
    row = started[name]
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(row.objects)}), encoding="utf-8")
    linted = invoke(None, "lint", str(file))
    place = f"items[{len(row.objects) - 1}]"
    assert linted.stdout.splitlines() == ([f"{file}:1: {place}.{row.lint}"] if row.lint else [])
    if row.meanwhile is not None:
        row.meanwhile(dev_cluster, row.name)
    dev_cluster.windlass("wait", row.name, "--for", row.phase, "--timeout", f"{WITHIN:.0f}s")
    row.check(dev_cluster.status(row.name))


def test_a_gigabyte_of_logs_is_cut_and_its_end_is_kept(dev_cluster: Cluster, started: dict[str, Row]) -> None:
    dev_cluster.ended("gigabyte", WITHIN)
    logs = dev_cluster.windlass("logs", "gigabyte", "a", "--tail", "1")
    assert (logs.code, logs.out) == (0, "the end\n")
    (pod,) = pods_of(dev_cluster.kubeconfig, dev_cluster.namespace, "gigabyte")
    kept = (dev_cluster.kubeconfig.parent / "pods" / pod["metadata"]["uid"] / "logs").iterdir()
    assert sum(file.stat().st_size for file in kept) < 20 << 20


def test_a_name_that_is_taken(dev_cluster: Cluster, started: dict[str, Row]) -> None:
    said = dev_cluster.windlass("run", "-f", "-", stdin=json.dumps(run("bystander", TRUE)))
    assert (said.code, said.out, said.err) == (
        1,
        "",
        "windlass: there is a run bystander already: give another --name, or delete it "
        "(kubectl delete workflowruns.windlass.dev bystander)\n",
    )
    assert [one["name"] for one in dev_cluster.status("bystander")["tasks"]] == ["a", "b"]


def test_an_unknown_workflow_is_told_before_a_run_is_made(dev_cluster: Cluster, started: dict[str, Row]) -> None:
    said = dev_cluster.windlass("run", "dooomed")
    assert (said.code, said.err) == (1, 'windlass: there is no Workflow "dooomed" in the namespace default\n')


def test_a_run_that_is_deleted_takes_its_pods_along(dev_cluster: Cluster, started: dict[str, Row]) -> None:
    dev_cluster.start("deleted", {"tasks": [script("a", "trap 'exit 143' TERM; sleep 600 & wait")]})
    _running(dev_cluster, "deleted")
    delete(dev_cluster.kubeconfig, RUNS, dev_cluster.namespace, "deleted")
    end = time.monotonic() + WITHIN
    while pods_of(dev_cluster.kubeconfig, dev_cluster.namespace, "deleted"):
        assert time.monotonic() < end, "its pod is still there"
        time.sleep(0.1)
    said = dev_cluster.windlass("status", "deleted")
    assert (said.code, said.err) == (1, 'windlass: there is no run "deleted" in the namespace default\n')


def test_everything_else_goes_on(dev_cluster: Cluster, started: dict[str, Row]) -> None:
    assert phases(dev_cluster.status("bystander")) == {"a": "Running", "b": "Waiting"}
    (shared(dev_cluster) / "all-done").touch()
    _succeeded(dev_cluster.ended("bystander", WITHIN))
    dev_cluster.start("afterwards", {"tasks": [TRUE]})
    _succeeded(dev_cluster.ended("afterwards", WITHIN))
