"""`windlass status`: what a run looks like, and what is advised."""

from __future__ import annotations

import json

import pytest
import yaml
from rich.console import Console

from support.cli import FakeCluster, invoke, run
from support.runs_to_read import FAILED, Body
from windlass.cli import times, tree

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
