from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cli import invoke, workflow

TASKS = [
    {"name": "extract", "script": "extract"},
    {
        "name": "load",
        "script": "load {{ tasks.extract.outputs.rows }}",
        "dependsOn": ["extract"],
        "retry": {"limit": 1, "delay": "1m"},
    },
    {"name": "tell", "script": "tell", "dependsOn": ["load"], "triggerRule": "AllFailed"},
]
DAILY = {"schedule": {"cron": "0 2 * * *", "timeZone": "Asia/Seoul"}}
ROWS = ("--outputs", 'extract={"rows": 3}')
FROM = ("--from", "2025-04-01T00:00:00Z")
TO = ("--to", "2025-04-04T00:00:00Z")


@pytest.fixture
def sales(tmp_path: Path) -> str:
    return write(tmp_path / "sales.yaml", workflow("sales", TASKS, params={"limit": {"type": "integer", "default": 1}}))


@pytest.fixture
def daily(tmp_path: Path) -> str:
    return write(tmp_path / "daily.yaml", workflow("daily", [{"name": "a", "script": "true"}], **DAILY))


def write(path: Path, *documents: Any) -> str:
    path.write_text("---\n".join(yaml.safe_dump(document) for document in documents), encoding="utf-8")
    return str(path)


def test_a_run_is_drawn(sales: str) -> None:
    result = invoke(None, "simulate", sales, *ROWS, *FROM, "--fail", "load:1", "--duration", "extract=3m")
    assert (result.exit_code, result.stderr) == (0, "")
    head, _, *tasks = result.stdout.splitlines()
    assert head == "sales-1  Succeeded in 6m3s"
    assert [(line.split()[:2], line.rpartition("   ")[2]) for line in tasks] == [
        (["✔", "extract"], "3m"),
        (["✔", "load"], "3m1s  2 attempts"),
        (["–", "tell"], "–  load succeeded"),
    ]


def test_runs_are_drawn_and_those_that_went_wrong_task_by_task(daily: str) -> None:
    result = invoke(None, "simulate", daily, *FROM, *TO, "--fail", "a@2025-04-03=75", "--duration", "10s")
    assert (result.exit_code, result.stderr) == (1, "")
    runs, _, tasks, _ = result.stdout.split("\n\n")
    assert [line.split()[:4] for line in runs.splitlines()[1:]] == [
        ["✔", "daily-20250401t1700", "Succeeded", "11s"],
        ["✖", "daily-20250402t1700", "Failed", "11s"],
        ["✔", "daily-20250403t1700", "Succeeded", "11s"],
    ]
    head, _, task = tasks.splitlines()
    assert head == "daily-20250402t1700  Failed in 11s  1 of 1 tasks failed: a"
    assert task.endswith("━✖  10s  exit code 75: it failed (simulated)")


def test_one_run_of_many_is_asked_for(daily: str) -> None:
    for which in ("daily-20250402t1700", "2025-04-02T17:00:00Z"):
        result = invoke(None, "simulate", daily, *FROM, *TO, "--run", which, "--fail", "a@2025-04-02")
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "daily-20250402t1700  Succeeded in 1m1s")


def test_slots_that_are_missed_are_told(daily: str) -> None:
    away = "2025-04-01T12:00:00Z/2025-04-03T12:00:00Z"
    result = invoke(None, "simulate", daily, *FROM, *TO, "--outage", away)
    assert result.stdout.splitlines()[-1] == (
        "2025-04-03T12:00:00Z  SlotsMissed: 2 slots were missed, 2025-04-01T17:00:00Z to 2025-04-02T17:00:00Z: they "
        "were noticed too late (catchUp is None)"
    )


def test_no_slot_at_all(daily: str) -> None:
    result = invoke(None, "simulate", daily, *FROM, "--to", "2025-04-01T01:00:00Z")
    assert (result.exit_code, result.stdout) == (
        0,
        "no run of daily from 2025-04-01T00:00:00Z to 2025-04-01T01:00:00Z\n",
    )


def test_json(sales: str) -> None:
    result = invoke(None, "simulate", sales, *ROWS, *FROM, "-p", "limit=5", "--fail", "extract=Infra", "-o", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    tasks = found["runs"][0].pop("tasks")
    events = found["runs"][0].pop("events")
    assert found == {
        "workflow": "sales",
        "from": "2025-04-01T00:00:00Z",
        "to": "2025-04-01T00:07:07Z",
        "missed": 0,
        "skipped": 0,
        "events": [],
        "runs": [
            {
                "name": "sales-1",
                "trigger": "Manual",
                "slot": None,
                "logicalDate": "2025-04-01T00:00:00Z",
                "phase": "Failed",
                "reason": "TasksFailed",
                "message": "2 of 3 tasks failed: extract, load",
                "createdAt": "2025-04-01T00:00:00Z",
                "startedAt": "2025-04-01T00:00:00Z",
                "finishedAt": "2025-04-01T00:07:07Z",
                "late": False,
                "params": {"limit": 5},
            }
        ],
    }
    assert [event["reason"] for event in events] == [*["TaskRetrying"] * 5, "TaskFailed", "RunFailed"]
    assert [(task["name"], task["phase"], len(task["attempts"])) for task in tasks] == [
        ("extract", "Failed", 6),
        ("load", "UpstreamFailed", 0),
        ("tell", "Succeeded", 1),
    ]
    assert tasks[0]["attempts"][0] == {
        "number": 1,
        "index": None,
        "createdAt": "2025-04-01T00:00:00Z",
        "startedAt": "2025-04-01T00:00:01Z",
        "finishedAt": "2025-04-01T00:01:01Z",
        "class": "Infra",
        "reason": "Evicted",
        "exitCode": None,
    }


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "outputs that nobody has given": (
        [],
        1,
        "windlass: load reads tasks.extract.outputs.rows, and a simulation runs no program that would put it out: say "
        "what it is, --outputs extract='{\"rows\": …}'",
    ),
    "no such task": (["--fail", "laod"], 1, 'windlass: fail: the Workflow has no task laod; did you mean "load"?'),
    "no such parameter": (
        ["-p", "limt=1"],
        2,
        'windlass simulate: -p limt: the Workflow has no parameter "limt"; did you mean "limit"? '
        "(see windlass simulate --help)",
    ),
    "outputs without a task": (
        ["--outputs", "{}"],
        2,
        "windlass simulate: --outputs {}: write --outputs task='{\"key\": 1}' (see windlass simulate --help)",
    ),
    "outputs that are no JSON": (
        ["--outputs", "extract=rows"],
        2,
        "windlass simulate: --outputs extract: 'rows' is no JSON: Expecting value: line 1 column 1 (char 0) "
        "(see windlass simulate --help)",
    ),
    "outputs that are no object": (
        ["--outputs", "extract=3"],
        2,
        "windlass simulate: --outputs extract: 3 is no JSON object: write '{\"key\": 1}' "
        "(see windlass simulate --help)",
    ),
    "an outage without an end": (
        ["--outage", "2025-04-02T00:00:00Z"],
        2,
        "windlass simulate: --outage 2025-04-02T00:00:00Z: write FROM/TO, such as "
        "2025-04-02T00:00:00Z/2025-04-03T12:00:00Z (see windlass simulate --help)",
    ),
    "a duration that is none": (
        ["--duration", "load=soon"],
        1,
        "windlass: the duration of load: 'soon' is no duration: write 500ms, 90s, 1h30m or 2d",
    ),
    "no such run": ([*ROWS, "--run", "sales-2"], 1, 'windlass: there is no run sales-2; did you mean "sales-1"?'),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case: tuple[list[str], int, str], sales: str) -> None:
    args, code, message = case
    result = invoke(None, "simulate", sales, *args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{message}\n")


def test_a_file_with_mistakes_is_told_as_lint_tells_it(tmp_path: Path) -> None:
    file = write(tmp_path / "w.yaml", workflow("w", [{"name": "a", "dependsOn": ["b"]}, {"name": "c", "scrpt": "x"}]))
    result = invoke(None, "simulate", file)
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        f"windlass: {file}:8: spec.tasks[0].dependsOn[0]: there is no task b\n"
        f'{file}:11: spec.tasks[1].scrpt: unknown field "scrpt"; did you mean "script"?\n',
    )


def test_a_file_with_several_workflows(tmp_path: Path) -> None:
    file = write(tmp_path / "w.yaml", workflow("one"), workflow("two"))
    assert invoke(None, "simulate", file).stderr == f"windlass: {file} holds 2 Workflows (one, two): say which\n"
    assert invoke(None, "simulate", file, "--workflow", "two").stdout.startswith("two-1  Succeeded in 1m1s\n")


AFTER = {"schedule": {"after": {"all": [{"asset": "sales/daily"}, {"workflow": "stock"}]}}}


@pytest.fixture
def following(tmp_path: Path) -> str:
    report = workflow("report", [{"name": "tell", "script": "tell {{ triggers[0].fields.rows }}"}], **AFTER)
    sales = workflow("sales", [{"name": "load", "script": "load", "produces": ["sales/daily"]}], **DAILY)
    return write(tmp_path / "w.yaml", report, sales, workflow("stock", [{"name": "count", "script": "count"}]))


def test_a_workflow_that_follows_others_is_played_after_them(following: str) -> None:
    outputs = ("--outputs", 'load={"rows": 3}', "--duration", "count=5m")
    result = invoke(None, "simulate", following, "--workflow", "report", *FROM, *TO, *outputs, "-o", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [run["createdAt"] for run in told["runs"]] == ["2025-04-01T17:01:01Z"]
    assert {one["workflow"]: len(one["runs"]) for one in told["sources"]} == {"sales": 3, "stock": 1}


def test_what_is_said_of_a_task_holds_where_it_is(following: str) -> None:
    asked = ("simulate", following, "--workflow", "report", *FROM, *TO)
    result = invoke(None, *asked, "--fail", "count=75")
    assert "no run of report" in result.stdout
    assert "it waits for stock (Succeeded); has asset sales/daily of run sales-" in result.stdout
    result = invoke(None, *asked, "--fail", "nowhere")
    assert (result.exit_code, result.stderr) == (
        1,
        "windlass: fail: the Workflow has no task nowhere; there are: tell\n",
    )


def test_what_is_followed_and_not_among_the_files_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "w.yaml", workflow("report", [{"name": "tell", "script": "tell"}], **AFTER))
    result = invoke(None, "simulate", file)
    assert (result.exit_code, result.stderr) == (
        0,
        "report follows the asset sales/daily, which is not among the files: nothing of it happens\n"
        "report follows the Workflow stock, which is not among the files: nothing of it happens\n"
        "report is played as one run by hand\n",
    )
