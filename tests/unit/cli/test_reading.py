"""The commands that look at runs, and the one that stops them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from rich.console import Console

from support.cli import FakeCluster, invoke, run, workflow
from windlass.cli import times, tree
from windlass.errors import Gone, Unreachable

Body = dict[str, Any]

TASKS = [
    {
        "name": "extract",
        "phase": "Succeeded",
        "reason": "Completed",
        "startedAt": "2025-04-01T12:00:01Z",
        "finishedAt": "2025-04-01T12:01:06Z",
        "attempts": [
            {
                "number": 1,
                "class": "App",
                "reason": "Error",
                "exitCode": 1,
                "message": "no route",
                "pod": "p-extract-1",
            },
            {"number": 2, "pod": "p-extract-2", "finishedAt": "2025-04-01T12:01:06Z"},
        ],
    },
    {
        "name": "load",
        "phase": "Failed",
        "message": "the task has failed 1 time",
        "startedAt": "2025-04-01T12:01:07Z",
        "finishedAt": "2025-04-01T12:01:07.400Z",
        "dropped": 2,
        "attempts": [
            {
                "number": 3,
                "class": "OOM",
                "reason": "OOMKilled",
                "exitCode": 137,
                "message": "loading\nKilled\n",
                "hint": "give it more memory:\nresources.limits.memory",
                "pod": "p-load-3",
                "finishedAt": "2025-04-01T12:01:07.400Z",
            }
        ],
    },
    {"name": "report", "phase": "UpstreamFailed", "reason": "UpstreamFailed"},
    {"name": "tidy", "phase": "Waiting"},
]
FAILED = run(
    "sales-1",
    "Failed",
    TASKS,
    workflow="sales",
    progress="3/4",
    message="load failed",
    startedAt="2025-04-01T12:00:00Z",
    finishedAt="2025-04-01T12:01:08Z",
    duration="1m8s",
    source={
        "repo": "https://git.example.com/a.git",
        "ref": "main",
        "commit": "3f2a9d0c5b8e417f6a1d2c3b4a5968778695a4b3",
        "step": {"name": "windlass-source", "phase": "Succeeded"},
    },
)
TREE = """\
Workflow:  sales
Progress:  3/4
Message:   load failed
Started:   2025-04-01T12:00:00Z  (took 1m8s)
Source:    https://git.example.com/a.git at main = 3f2a9d0c5b8e
sales-1  ✖ Failed
├── ✔ source  Succeeded
├── ✔ extract  Succeeded  1m5s  2 attempts
├── ✖ load  Failed  0.4s  3 attempts  the task has failed 1 time
│   └── attempt 3: OOM OOMKilled, exit code 137
│       ├── loading
│       ├── Killed
│       └── → give it more memory: resources.limits.memory
├── ⊘ report  UpstreamFailed
└── ○ tidy  Waiting
"""


def test_status() -> None:
    result = invoke(FakeCluster().add(FAILED), "status", "sales-1")
    assert (result.exit_code, result.stdout) == (0, TREE)


FITS = {
    "all": (
        20,
        [
            "├── ✔ t0  Succeeded",
            "├── ○ t1  Waiting",
            "├── ↻ t2  Retrying",
            "│   └── attempt 1: App Error, exit code 3",
            "│       ├── a",
            "│       └── b",
            "└── ○ t3  Waiting",
        ],
    ),
    "the tasks": (
        8,
        ["├── ✔ t0  Succeeded", "├── ○ t1  Waiting", "├── ↻ t2  Retrying", "└── ○ t3  Waiting"],
    ),
    "what has something to say": (6, ["├── ↻ t2  Retrying", "└── … 1 Succeeded, 2 Waiting"]),
}


@pytest.mark.parametrize("case", FITS.values(), ids=FITS.keys())
def test_a_screen_shows_as_much_of_a_run_as_it_takes(case: tuple[int, list[str]]) -> None:
    height, lines = case
    screen = Console(width=60, height=height, highlight=False, color_system=None)
    at = times.parse("2025-04-01T12:10:00Z")
    assert at is not None
    attempt = {"number": 1, "class": "App", "reason": "Error", "exitCode": 3, "message": "a\nb"}
    tasks = [
        {"name": f"t{n}", "phase": phase} for n, phase in enumerate(("Succeeded", "Waiting", "Retrying", "Waiting"))
    ]
    tasks[2]["attempts"] = [attempt]  # type: ignore[assignment]
    with screen.capture() as captured:
        screen.print(tree.fitting(screen, run("r", "Running", tasks), at))
    assert captured.get().splitlines() == ["Workflow:  hello", "r  ● Running", *lines]


WAITING = {
    "for an image": (
        {"phase": "Starting", "reason": "ImagePullBackOff", "message": "Back-off pulling image x: not found"},
        "was not found: check name and tag",
    ),
    "for a node": (
        {"phase": "Starting", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."},
        "node",
    ),
    "for a quota": ({"phase": "Queued", "reason": "QuotaExceeded"}, "ask for a larger quota"),
    "for a Secret": (
        {"phase": "Starting", "reason": "CreateContainerConfigError", "message": 'secret "db" not found'},
        "Secret",
    ),
    "after all": ({"phase": "Failed", "reason": "TemplateError", "message": "params.x is undefined"}, "default"),
}


@pytest.mark.parametrize("case", WAITING.values(), ids=WAITING.keys())
def test_a_task_that_waits_or_never_started_comes_with_advice(case: tuple[Body, str]) -> None:
    task, words = case
    cluster = FakeCluster().add(run("r", "Running", [{"name": "a", **task}]))
    shown = invoke(cluster, "status", "r").stdout.splitlines()
    assert len(shown) == 4
    assert shown[3].startswith("    └── → ")
    assert words in shown[3]


QUIET: dict[str, Body] = {
    "it starts": {"phase": "Starting", "reason": "ContainerCreating"},
    "it has just been made": {"phase": "Starting"},
    "it waits for its turn": {"phase": "Waiting"},
    "a phase of another version": {"phase": "Queued", "reason": "QuotaExceeded", "outputs": 7},
}


@pytest.mark.parametrize("task", QUIET.values(), ids=QUIET.keys())
def test_where_all_is_as_usual_nothing_is_advised(task: Body) -> None:
    cluster = FakeCluster().add(run("r", "Running", [{"name": "a", **task}]))
    assert "→" not in invoke(cluster, "status", "r").stdout


def test_what_a_task_says_can_not_give_orders_to_the_terminal() -> None:
    said = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b[2J\rend"
    attempts = [{"number": 1, "class": "App", "message": f"first\n{said}", "hint": said}]
    cluster = FakeCluster().add(
        run("r", "Failed", [{"name": "a", "phase": "Failed", "message": said, "attempts": attempts}])
    )
    assert invoke(cluster, "status", "r").stdout.splitlines()[2:] == [
        "└── ✖ a  Failed  red end",
        "    └── attempt 1: App",
        "        ├── first",
        "        ├── red end",
        "        └── → red end",
    ]


def test_what_a_task_says_is_told_once() -> None:
    attempts = [{"number": 1, "class": "App", "reason": "Error", "exitCode": 1, "message": "boom"}]
    task = {"name": "a", "phase": "Failed", "message": "exit code 1: boom", "attempts": attempts}
    shown = invoke(FakeCluster().add(run("r", "Failed", [task])), "status", "r").stdout
    assert shown.count("boom") == 1


def test_a_hint_is_given_once() -> None:
    attempts = [
        {"number": number, "class": "App", "reason": "Error", "exitCode": 3, "hint": hint}
        for number, hint in ((1, "look"), (2, "look"), (3, "wait"))
    ]
    cluster = FakeCluster().add(run("r", "Running", [{"name": "a", "phase": "Retrying", "attempts": attempts}]))
    assert invoke(cluster, "status", "r").stdout.splitlines()[2:] == [
        "└── ↻ a  Retrying  3 attempts",
        "    ├── attempt 1: App Error, exit code 3",
        "    ├── attempt 2: App Error, exit code 3",
        "    │   └── → look",
        "    └── attempt 3: App Error, exit code 3",
        "        └── → wait",
    ]


def test_status_of_a_run_that_nobody_has_seen() -> None:
    assert invoke(FakeCluster().add(run("sales-1", None)), "status", "sales-1").stdout == (
        "Workflow:  hello\nMessage:   no controller has seen this run yet: is one running?\nsales-1  ○ Pending\n"
    )


def test_status_as_it_is() -> None:
    cluster = FakeCluster().add(FAILED)
    assert json.loads(invoke(cluster, "status", "sales-1", "-o", "json").stdout) == FAILED
    assert yaml.safe_load(invoke(cluster, "status", "sales-1", "-o", "yaml").stdout) == FAILED
    assert invoke(cluster, "status", "sales-1", "-o", "name").stdout == "workflowrun.windlass.dev/sales-1\n"


def test_status_of_the_latest() -> None:
    old = run("old", "Running")
    old["metadata"]["creationTimestamp"] = "2025-03-01T00:00:00Z"
    result = invoke(FakeCluster().add(run("new", "Succeeded"), old), "status", "@latest", "-o", "name")
    assert result.stdout == "workflowrun.windlass.dev/new\n"


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
    from windlass.cli import times

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
