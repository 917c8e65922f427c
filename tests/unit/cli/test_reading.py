"""The commands that look at runs beside `status`, and the one that stops them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.cli import FakeCluster, invoke, run, workflow
from support.runs_to_read import FAILED
from windlass.cli import times
from windlass.errors import Gone, Unreachable


@pytest.mark.parametrize("command", ["status", "wait", "logs", "cancel"])
def test_no_such_run(command: str) -> None:
    cluster = FakeCluster().add(run("sales-1", "Running"), workflow("sales"))
    cases = {
        "salse-1": 'there is no run "salse-1" in the namespace data; did you mean "sales-1"?',
        "sales": 'there is no run "sales" in the namespace data; there is a Workflow of that name: see windlass list '
        "--workflow sales",
    }
    for name, message in cases.items():
        result = invoke(cluster, command, name)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"windlass: {message}\n")
    assert invoke(FakeCluster(), command, "@latest").stderr == "windlass: there are no runs in the namespace data\n"


WAITS: dict[str, tuple[list[Any], list[str], int, str, str]] = {
    "it succeeds": ([run("r", "Succeeded")], [], 0, "workflowrun.windlass.dev/r succeeded\n", ""),
    "it fails": ([run("r", "Failed")], [], 1, "workflowrun.windlass.dev/r failed\n", ""),
    "a phase on the way": (
        [run("r", "Running"), run("r", "Failed")],
        ["--for", "running"],
        0,
        "workflowrun.windlass.dev/r running\n",
        "",
    ),
    "a failure that is waited for": (
        [run("r", "Failed")],
        ["--for", "Failed"],
        0,
        "workflowrun.windlass.dev/r failed\n",
        "",
    ),
    "a phase that can't come": (
        [run("r", "Cancelled", message="someone\ndid it")],
        ["--for", "Succeeded"],
        1,
        "",
        "windlass: the run r ended Cancelled: someone did it\n",
    ),
    "too long": (
        [run("r", "Running")],
        ["--timeout", "20ms"],
        124,
        "",
        "windlass: the run r is still Queued: the time is over\n",
    ),
    "over a lost connection": (
        [Gone("too old", 410), Unreachable("cut"), run("r", "Succeeded")],
        [],
        0,
        "workflowrun.windlass.dev/r succeeded\n",
        "",
    ),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS.keys())
def test_wait(case: tuple[list[Any], list[str], int, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    steps, args, code, out, err = case
    monkeypatch.setattr("windlass.cli.following.RETRY_AFTER", 0.0)
    cluster = FakeCluster(steps=list(steps)).add(run("r", "Queued"))
    result = invoke(cluster, "wait", "r", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, out, err)


CANCELS: dict[str, tuple[Any, list[str], list[Any], str, str]] = {
    "a run": (run("r", "Running"), [], [{"spec": {"stop": "Cancel"}}], "workflowrun.windlass.dev/r cancelled\n", ""),
    "at once": (
        run("r", "Running"),
        ["--terminate"],
        [{"spec": {"stop": "Terminate"}}],
        "workflowrun.windlass.dev/r terminated\n",
        "",
    ),
    "harder": (
        {**run("r", "Running"), "spec": {"stop": "Cancel"}},
        ["--terminate"],
        [{"spec": {"stop": "Terminate"}}],
        "workflowrun.windlass.dev/r terminated\n",
        "",
    ),
    "twice": (
        {**run("r", "Running"), "spec": {"stop": "Cancel"}},
        [],
        [],
        "workflowrun.windlass.dev/r is being cancelled already\n",
        "",
    ),
    "never back": (
        {**run("r", "Running"), "spec": {"stop": "Terminate"}},
        [],
        [],
        "workflowrun.windlass.dev/r is being terminated already\n",
        "",
    ),
    "what has ended": (run("r", "Failed"), [], [], "", "windlass: the run r has ended already: Failed\n"),
}


@pytest.mark.parametrize("case", CANCELS.values(), ids=CANCELS.keys())
def test_cancel(case: tuple[Any, list[str], list[Any], str, str]) -> None:
    found, args, patches, out, err = case
    cluster = FakeCluster().add(found)
    result = invoke(cluster, "cancel", "r", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (0, out, err)
    assert [body for _, _, body in cluster.changes] == patches


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:

    at = times.parse("2025-04-01T12:10:00Z")
    monkeypatch.setattr("windlass.cli.times.now", lambda: at)
    old = run("hello-old", "Running", progress="0/2", startedAt="2025-04-01T12:08:30Z")
    old["metadata"]["creationTimestamp"] = "2025-03-29T00:00:00Z"
    away = run("away", None)
    away["metadata"]["namespace"] = "other"
    crons = {"cron": ["0 2 * * *", "0 4 * * *"], "timeZone": "Asia/Seoul", "suspend": True}
    sales = workflow("sales", owner="me", description="Sells\nthings.", schedule=crons)
    sales["status"] = {
        "lastSlot": "2025-03-31T17:00:00Z", "nextSlot": "2025-04-01T17:00:00Z",
        "activeRuns": 1, "queuedRuns": 2, "missed": 3, "message": "it is\nsuspended",
    }  # fmt: skip
    after = workflow("after", schedule={"after": {"any": [{"asset": "sales/daily"}, {"workflow": "sales"}]}})
    after["metadata"]["namespace"] = "other"
    return FakeCluster().add(old, FAILED, away, sales, after, workflow("hand"))


HEADER = "NAME        WORKFLOW   PHASE     PROGRESS   AGE   DURATION"

LISTS: dict[str, tuple[list[str], list[str]]] = {
    "runs, the newest first": (
        [],
        [
            HEADER,
            "sales-1     sales      Failed    3/4        10m   1m8s",
            "hello-old   hello      Running   0/2        3d    1m30s",
        ],
    ),
    "of a Workflow": (
        ["--workflow", "sales"],
        [
            "NAME      WORKFLOW   PHASE    PROGRESS   AGE   DURATION",
            "sales-1   sales      Failed   3/4        10m   1m8s",
        ],
    ),
    "in a phase": (
        ["--phase", "running", "-o", "wide"],
        [
            "NAME        WORKFLOW   PHASE     PROGRESS   AGE   DURATION   MESSAGE",
            "hello-old   hello      Running   0/2        3d    1m30s",
        ],
    ),
    "of all namespaces": (
        ["-A", "--phase", "Pending"],
        [
            "NAMESPACE   NAME   WORKFLOW   PHASE     PROGRESS   AGE   DURATION",
            "other       away   hello      Pending   -          10m   -",
        ],
    ),
    "names": (["-o", "name"], ["workflowrun.windlass.dev/sales-1", "workflowrun.windlass.dev/hello-old"]),
    "Workflows": (
        ["workflows"],
        [
            "NAME    SCHEDULE               ZONE         SUSPENDED   LAST SLOT              NEXT SLOT              "
            "ACTIVE   OWNER   AGE",
            "hand    -                      -            -           -                      -                      "
            "-        -       10m",
            "sales   0 2 * * *, 0 4 * * *   Asia/Seoul   yes         2025-03-31T17:00:00Z   2025-04-01T17:00:00Z   "
            "1        me      10m",
        ],
    ),
}


@pytest.mark.parametrize("case", LISTS.values(), ids=LISTS.keys())
def test_list(case: tuple[list[str], list[str]], several: FakeCluster) -> None:
    args, lines = case
    assert invoke(several, "list", *args).stdout.splitlines() == lines


def test_list_of_the_workflows_of_all_namespaces_in_full(several: FakeCluster) -> None:
    lines = invoke(several, "list", "workflows", "-A", "-o", "wide").stdout.splitlines()
    header, *rows = [re.split(" {3,}", line) for line in lines]
    assert [dict(zip(header, row, strict=False)) for row in rows] == [
        {"NAMESPACE": "data", "NAME": "hand", "SCHEDULE": "-", "ZONE": "-", "SUSPENDED": "-", "LAST SLOT": "-",
         "NEXT SLOT": "-", "ACTIVE": "-", "OWNER": "-", "AGE": "10m", "QUEUED": "-", "MISSED": "-", "TASKS": "1",
         "MESSAGE": "-"},
        {"NAMESPACE": "data", "NAME": "sales", "SCHEDULE": "0 2 * * *, 0 4 * * *", "ZONE": "Asia/Seoul",
         "SUSPENDED": "yes", "LAST SLOT": "2025-03-31T17:00:00Z", "NEXT SLOT": "2025-04-01T17:00:00Z", "ACTIVE": "1",
         "OWNER": "me", "AGE": "10m", "QUEUED": "2", "MISSED": "3", "TASKS": "1", "MESSAGE": "it is suspended",
         "DESCRIPTION": "Sells things."},
        {"NAMESPACE": "other", "NAME": "after", "SCHEDULE": "after sales/daily or sales", "ZONE": "-",
         "SUSPENDED": "no", "LAST SLOT": "-", "NEXT SLOT": "-", "ACTIVE": "-", "OWNER": "-", "AGE": "10m",
         "QUEUED": "-", "MISSED": "-", "TASKS": "1", "MESSAGE": "-"},
    ]  # fmt: skip


def test_list_of_nothing() -> None:
    result = invoke(FakeCluster(), "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "there are no runs in the namespace data\n")
    assert json.loads(invoke(FakeCluster(), "list", "-o", "json").stdout)["items"] == []


def pod(name: str, main: str = "terminated", init_exit: int | None = None, phase: str = "Succeeded") -> Any:
    status: dict[str, Any] = {"phase": phase, "containerStatuses": [{"name": "main", "state": {main: {}}}]}
    if init_exit is not None:
        status["initContainerStatuses"] = [{"name": "git-sync", "state": {"terminated": {"exitCode": init_exit}}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}


LOG = {
    ("p-extract-1", "main"): b"first\n",
    ("p-extract-2", "main"): b"second\nhalf a l\xff",
    ("p-load-3", "git-sync"): b"no such ref\n",
}

LOGS: dict[str, tuple[list[str], int, str, str]] = {
    "of a task: the latest attempt": (["extract"], 0, "second\nhalf a l\ufffd\n", ""),
    "of an attempt": (["extract", "--attempt", "1"], 0, "first\n", ""),
    "of an attempt that is not there": (
        ["extract", "--attempt", "7"],
        1,
        "",
        "windlass: the task extract has no attempt 7 on record: it has 1, 2\n",
    ),
    "of the container that failed": (["load"], 0, "no such ref\n", ""),
    "of a container by name": (["load", "-c", "main"], 1, "", "windlass: no log of load: no log of p-load-3/main\n"),
    "of a task that has not started": (["tidy"], 1, "", "windlass: the task tidy has not started: Waiting\n"),
    "of an unknown task": (
        ["lod"],
        1,
        "",
        'windlass: the run sales-1 has no task "lod"; did you mean "load"?\n',
    ),
    "of all tasks": ([], 0, "[extract] second\n[extract] half a l\ufffd\n[load] no such ref\n", ""),
    "followed": (["extract", "-f"], 0, "second\nhalf a l\ufffd\n", ""),
}


@pytest.mark.parametrize("case", LOGS.values(), ids=LOGS.keys())
def test_logs(case: tuple[list[str], int, str, str]) -> None:
    args, code, out, err = case
    pods = [pod("p-extract-1"), pod("p-extract-2"), pod("p-load-3", "waiting", init_exit=1, phase="Failed")]
    result = invoke(FakeCluster(log=LOG).add(FAILED, *pods), "logs", "sales-1", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, out, err)


def test_logs_of_a_pod_that_is_gone() -> None:
    result = invoke(FakeCluster().add(FAILED), "logs", "sales-1", "load")
    assert (result.exit_code, result.stdout) == (1, "loading\nKilled\n\n")
    assert result.stderr == (
        "windlass: the pod of load, attempt 3, is gone, and its log with it (see the task's keepPods); the last lines "
        "that the run's status kept:\n"
    )


def test_logs_are_followed_from_the_pods_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass.cli.logs.LOOK_AGAIN", 0.0)
    started = {"name": "a", "phase": "Running", "attempts": [{"number": 1, "pod": "p-1"}]}
    retried = {"name": "a", "phase": "Retrying", "attempts": [{"number": 1, "pod": "p-1", "class": "App"}]}
    again = {"name": "a", "phase": "Succeeded", "attempts": [{"number": 2, "pod": "p-2"}]}
    cluster = FakeCluster(
        steps=[run("r", "Running", [started]), run("r", "Running", [retried]), run("r", "Succeeded", [again])],
        log={("p-1", "main"): b"one\n", ("p-2", "main"): b"two\n"},
    ).add(run("r", "Queued", [{"name": "a"}]), pod("p-2"))
    cluster.steps.insert(1, lambda: cluster.add(pod("p-1")))
    result = invoke(cluster, "logs", "r", "-f")
    assert (result.exit_code, result.stdout.splitlines()) == (0, ["[a] one", "[a] two"])
