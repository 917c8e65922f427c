from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cli import FakeCluster, invoke, run, workflow
from windlass.cli.apply import LAST_APPLIED

PARAMS = {
    "limit": {"type": "integer"},
    "day": {"type": "string", "format": "date"},
    "ratio": {"type": "number"},
    "tags": {"type": "array"},
    "either": {"type": ["string", "null"]},
    "token": {"type": "string", "sensitive": True},
    "free": {},
}


def created(cluster: FakeCluster) -> list[dict[str, Any]]:
    return [body for verb, _, body in cluster.changes if verb == "create" and body["kind"] == "WorkflowRun"]


VALUES: dict[str, tuple[str, Any]] = {
    "limit=50": ("limit", 50),
    "day=2025-04-01": ("day", "2025-04-01"),
    "free=7": ("free", 7),
    "ratio=1.5": ("ratio", 1.5),
    'tags=["a", "b"]': ("tags", ["a", "b"]),
    "either=null": ("either", None),
    "token=db/password": ("token", {"secretKeyRef": {"name": "db", "key": "password"}}),
    "free=a=b": ("free", "a=b"),
    "free=": ("free", ""),
    "free=true": ("free", True),
}


@pytest.mark.parametrize("given", VALUES)
def test_parameters(given: str) -> None:
    key, value = VALUES[given]
    cluster = FakeCluster().add(workflow("sales", params=PARAMS))
    assert invoke(cluster, "run", "sales", "-p", given).exit_code == 0
    assert created(cluster)[0]["spec"]["params"] == {key: value}


def test_a_run_of_a_workflow() -> None:
    cluster = FakeCluster().add(workflow("sales"))
    result = invoke(cluster, "run", "sales", "--logical-date", "2025-04-01T17:00:00Z")
    assert (result.exit_code, result.stdout) == (0, "workflowrun.windlass.dev/sales-x2v9p created\n")
    assert created(cluster) == [
        {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "WorkflowRun",
            "metadata": {"generateName": "sales-", "namespace": "data"},
            "spec": {"workflow": "sales", "logicalDate": "2025-04-01T17:00:00Z"},
        }
    ]


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "no such Workflow": (
        ["salse"],
        1,
        'windlass: there is no Workflow "salse" in the namespace data; did you mean "sales"?',
    ),
    "no such parameter": (
        ["sales", "-p", "limt=5"],
        2,
        'windlass run: -p limt: the Workflow has no parameter "limt"; did you mean "limit"? (see windlass run --help)',
    ),
    "a parameter without a value": (
        ["sales", "-p", "limit"],
        2,
        "windlass run: -p limit: write -p name=value (see windlass run --help)",
    ),
    "a parameter twice": (
        ["sales", "-p", "limit=1", "-p", "limit=2"],
        2,
        "windlass run: -p limit is given twice (see windlass run --help)",
    ),
    "a parameter of a wrong type": (
        ["sales", "-p", "limit=many"],
        2,
        "windlass run: -p limit: 'many' is not of type 'integer' (see windlass run --help)",
    ),
    "a parameter that is no date": (
        ["sales", "-p", "day=7"],
        2,
        "windlass run: -p day: '7' is not a 'date' (see windlass run --help)",
    ),
    "a secret on the command line": (
        ["sales", "-p", "token=hunter2"],
        2,
        "windlass run: -p token is sensitive: say where its value is, -p token=SECRET/KEY, instead of the value "
        "(see windlass run --help)",
    ),
    "a name that is taken": (
        ["sales", "--name", "taken"],
        1,
        "windlass: there is a run taken already: give another --name, or delete it "
        "(kubectl delete workflowruns.windlass.dev taken)",
    ),
    "a file that is not there": (["-f", "/nowhere.yaml"], 2, "windlass: /nowhere.yaml: no such file or directory"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case: tuple[list[str], int, str]) -> None:
    args, code, message = case
    cluster = FakeCluster().add(workflow("sales", params=PARAMS), run("taken", "Running"))
    result = invoke(cluster, "run", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{message}\n")


SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "x"}}


def write(path: Path, *documents: Any) -> str:
    path.write_text("---\n".join(yaml.safe_dump(document) for document in documents), encoding="utf-8")
    return str(path)


def test_a_file_with_a_workflow(tmp_path: Path) -> None:
    cluster = FakeCluster()
    result = invoke(
        cluster, "run", "-f", write(tmp_path / "w.yaml", SECRET, workflow("sales", params=PARAMS)), "-p", "limit=1"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "secret/db created\nworkflow.windlass.dev/sales created\nworkflowrun.windlass.dev/sales-x2v9p created\n",
        "",
    )
    assert [(verb, name) for verb, name, _ in cluster.changes] == [
        ("create", "db"),
        ("create", "sales"),
        ("create", "sales-x2v9p"),
    ]


def test_a_file_again(tmp_path: Path) -> None:
    file = write(tmp_path / "w.yaml", SECRET, workflow("sales"))
    cluster = FakeCluster()
    invoke(cluster, "run", "-f", file, "--name", "first")
    assert invoke(cluster, "run", "-f", file, "--name", "second").stdout == (
        "secret/db unchanged\nworkflow.windlass.dev/sales unchanged\nworkflowrun.windlass.dev/second created\n"
    )
    write(tmp_path / "w.yaml", SECRET, workflow("sales", owner="me"))
    assert invoke(cluster, "run", "-f", file, "--name", "third").stdout == (
        "secret/db unchanged\nworkflow.windlass.dev/sales configured\nworkflowrun.windlass.dev/third created\n"
    )
    stored = cluster.objects["workflows", "data", "sales"]
    assert stored["spec"]["owner"] == "me"
    assert json.loads(stored["metadata"]["annotations"][LAST_APPLIED])["spec"]["owner"] == "me"


def test_what_others_put_on_an_object_stays(tmp_path: Path) -> None:
    there = workflow("sales", owner="you")
    there["metadata"] |= {"labels": {"team": "data"}, "uid": "u", "resourceVersion": "7"}
    cluster = FakeCluster().add(there)
    invoke(cluster, "run", "-f", write(tmp_path / "w.yaml", workflow("sales")))
    stored = cluster.objects["workflows", "data", "sales"]
    assert (stored["metadata"]["labels"], stored["metadata"]["uid"]) == ({"team": "data"}, "u")
    assert "owner" not in stored["spec"]


def test_a_file_with_runs(tmp_path: Path) -> None:
    named = {"apiVersion": "windlass.dev/v1alpha1", "kind": "WorkflowRun", "metadata": {"name": "hello-1"}}
    file = write(tmp_path / "r.yaml", {**named, "spec": {"workflow": "sales", "params": {"limit": 1, "day": "d"}}})
    cluster = FakeCluster().add(workflow("sales", params=PARAMS))
    assert invoke(cluster, "run", "-f", file, "-p", "limit=2").stdout == "workflowrun.windlass.dev/hello-1 created\n"
    assert created(cluster)[0]["spec"] == {"workflow": "sales", "params": {"limit": 2, "day": "d"}}


def test_a_list_from_stdin_as_json() -> None:
    cluster = FakeCluster()
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [SECRET, workflow("sales")]})
    result = invoke(cluster, "run", "-f", "-", "-o", "json", stdin=text)
    assert json.loads(result.stdout)["metadata"]["name"] == "sales-x2v9p"


FILES: dict[str, tuple[list[Any], list[str], int, str]] = {
    "two Workflows": (
        [workflow("a"), workflow("b")],
        [],
        2,
        "windlass: the files hold 2 Workflows (a, b): say which to run, windlass run WORKFLOW -f FILE",
    ),
    "nothing to run": (
        [SECRET],
        [],
        2,
        "windlass: the files hold no Workflow and no run: say which to run, windlass run WORKFLOW -f FILE",
    ),
    "no object": ([{"a": 1}], [], 2, "windlass: {file}:1: is no Kubernetes object: apiVersion and kind are missing"),
    "two namespaces": (
        [{**workflow("a"), "metadata": {"name": "a", "namespace": "x"}}],
        ["-n", "y"],
        2,
        "windlass: the Workflow a says namespace x, and -n says y: leave one of them out",
    ),
    "a kind that the cluster doesn't know": (
        [{"apiVersion": "acme.io/v1", "kind": "Thing", "metadata": {"name": "a"}}, workflow("a")],
        [],
        1,
        "windlass: the cluster knows no Thing of acme.io/v1",
    ),
}


@pytest.mark.parametrize("case", FILES.values(), ids=FILES.keys())
def test_files_that_are_refused(case: tuple[list[Any], list[str], int, str], tmp_path: Path) -> None:
    documents, args, code, message = case
    file = write(tmp_path / "f.yaml", *documents)
    cluster = FakeCluster()
    result = invoke(cluster, "run", "-f", file, *args)
    assert (result.exit_code, result.stderr) == (code, message.format(file=file) + "\n")
    assert not created(cluster)


def test_one_of_the_workflows_of_a_file(tmp_path: Path) -> None:
    cluster = FakeCluster()
    file = write(tmp_path / "f.yaml", workflow("a"), workflow("b"))
    assert invoke(cluster, "run", "b", "-f", file).exit_code == 0
    assert [body["spec"] for body in created(cluster)] == [{"workflow": "b"}]


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1), ("Cancelled", 1), ("Refused", 1)])
def test_watch(phase: str, code: int) -> None:
    cluster = FakeCluster(
        steps=[
            run("sales-x2v9p", "Running", [{"name": "a", "phase": "Running"}]),
            run("sales-x2v9p", phase, [{"name": "a", "phase": "Failed", "message": "it\nbroke"}]),
        ]
    ).add(workflow("sales"))
    result = invoke(cluster, "run", "sales", "--watch")
    assert result.exit_code == code
    lines = [line.partition("  ")[2] or line for line in result.stdout.splitlines()]
    assert lines[:6] == [
        "workflowrun.windlass.dev/sales-x2v9p created",
        "sales-x2v9p  Pending",
        "sales-x2v9p  Running",
        "a  Running",
        f"sales-x2v9p  {phase}",
        "a  Failed: it broke",
    ]


def test_a_run_that_can_not_be_made_does_not_keep_back_the_others() -> None:
    cluster = FakeCluster().add(run("taken", "Running"), workflow("hello"))
    documents = [
        {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "WorkflowRun",
            "metadata": {"name": name},
            "spec": {"workflow": of},
        }
        for name, of in (("first", "hello"), ("taken", "hello"), ("lost", "helo"), ("last", "hello"))
    ]
    result = invoke(cluster, "run", "-f", "-", stdin=yaml.safe_dump_all(documents))
    assert result.exit_code == 1
    assert result.stdout == "workflowrun.windlass.dev/first created\nworkflowrun.windlass.dev/last created\n"
    assert result.stderr.splitlines() == [
        "windlass: there is a run taken already: give another --name, or delete it "
        "(kubectl delete workflowruns.windlass.dev taken)",
        'windlass: there is no Workflow "helo" in the namespace data; did you mean "hello"?',
    ]


def test_what_lint_finds_is_told_before_the_cluster_is_asked() -> None:
    tasks = [{"name": "a", "script": "true", "dependsOn": ["b"]}, {"name": "b", "script": "true", "dependsOn": ["a"]}]
    result = invoke(FakeCluster(), "run", "-f", "-", stdin=yaml.safe_dump(workflow("w", tasks)))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "workflowrun.windlass.dev/w-x2v9p created")
    assert result.stderr == (
        "warning: <stdin>:6: spec.tasks: these tasks wait for each other: a → b → a; take one of the dependencies out\n"
    )
