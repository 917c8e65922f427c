"""What a simulation says of single runs: whole results, in tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.simulated import CHAIN, START, reads_rows, workflow
from windlass.testing import (
    Run,
    load,
    simulate,
)

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def told(run: Run) -> dict[str, tuple[str, int, int | None, int | None]]:
    """By task: its phase, its attempts, and when it started and ended, in seconds from the run's start."""
    assert run.started_at is not None

    def since(moment: datetime | None) -> int | None:
        return None if moment is None else round((moment - run.started_at) / timedelta(seconds=1))  # type: ignore[operator]

    return {
        task.name: (str(task.phase), task.attempts, since(task.started_at), since(task.finished_at))
        for task in run.tasks
    }


@dataclass(frozen=True)
class Case:
    """What is simulated, and how it ends."""

    phase: str
    tasks: Mapping[str, tuple[str, int, int | None, int | None]]
    given: Mapping[str, Any] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=lambda: workflow(CHAIN))


CASES = {
    "all is well": Case(
        "Succeeded",
        {"extract": ("Succeeded", 1, 1, 61), "load": ("Succeeded", 1, 62, 122), "report": ("Succeeded", 1, 123, 183)},
    ),
    "durations": Case(
        "Succeeded",
        {
            "extract": ("Succeeded", 1, 10, 310),
            "load": ("Succeeded", 1, 320, 322),
            "report": ("Succeeded", 1, 332, 362),
        },
        {"durations": {"extract": "5m", "load": timedelta(seconds=2)}, "duration": 30, "startup": "10s"},
    ),
    "a failure, and its retry": Case(
        "Succeeded",
        {"extract": ("Succeeded", 1, 1, 61), "load": ("Succeeded", 2, 62, 483), "report": ("Succeeded", 1, 484, 544)},
        {"fail": {"load": [1]}},
    ),
    "failures without end": Case(
        "Failed",
        {"extract": ("Succeeded", 1, 1, 61), "load": ("Failed", 3, 62, 844), "report": ("Succeeded", 1, 845, 905)},
        {"fail": "load"},
    ),
    "a failure of the infrastructure costs no retry": Case(
        "Succeeded",
        {"extract": ("Succeeded", 2, 1, 122), "load": ("Succeeded", 1, 123, 183), "report": ("Succeeded", 1, 184, 244)},
        {"fail": ["extract:1=Infra"]},
    ),
    "a pod that the API server does not take": Case(
        "Failed",
        {
            "extract": ("Failed", 1, None, 0),
            "load": ("UpstreamFailed", 0, None, 0),
            "report": ("Succeeded", 1, 1, 61),
        },
        {"fail": "extract=Launch"},
    ),
    "an image that can't be pulled": Case(
        "Failed",
        {"only": ("Failed", 1, None, 120)},
        {"fail": "only=Start"},
        workflow([{"name": "only", "startTimeout": "2m"}]),
    ),
    "a timeout": Case(
        "Failed",
        {"only": ("Failed", 2, 1, 72)},
        {"fail": "only=Timeout"},
        workflow([{"name": "only", "timeout": "30s", "retry": {"limit": 1}}]),
    ),
    "an attempt that takes longer than its timeout": Case(
        "Failed",
        {"only": ("Failed", 1, 1, 31)},
        {"durations": {"only": "1h"}},
        workflow([{"name": "only", "timeout": "30s"}]),
    ),
    "the timeout of the run": Case(
        "Failed",
        {"slow": ("Cancelled", 1, 1, 90), "after": ("Cancelled", 0, None, 90), "tidy": ("Succeeded", 1, 91, 151)},
        {"durations": {"slow": "1h"}},
        workflow(
            [{"name": "slow"}, {"name": "after", "dependsOn": ["slow"]}],
            timeout="90s",
            **{"finally": [{"name": "tidy", "script": "true"}]},
        ),
    ),
    "a limit of tasks at once": Case(
        "Succeeded",
        {"a": ("Succeeded", 1, 1, 61), "b": ("Succeeded", 1, 1, 61), "c": ("Succeeded", 1, 62, 122)},
        {},
        workflow([{"name": "a"}, {"name": "b"}, {"name": "c"}], concurrency={"maxActiveTasks": 2}),
    ),
    "a condition that is false": Case(
        "Succeeded",
        {"extract": ("Succeeded", 1, 1, 61), "load": ("Skipped", 0, None, 61), "join": ("Succeeded", 0, None, 61)},
        {"outputs": {"extract": {"rows": 0}}},
        workflow(
            [
                {"name": "extract"},
                {"name": "load", "dependsOn": ["extract"], "when": "{{ tasks.extract.outputs.rows > 0 }}"},
                {"name": "join", "join": True, "dependsOn": ["load"], "triggerRule": "NoneFailed"},
            ]
        ),
    ),
    "code from git": Case(
        "Succeeded",
        {"only": ("Succeeded", 1, 3, 63)},
        {},
        workflow([{"name": "only"}], source={"git": {"repo": "https://git.example.com/acme/etl.git"}}),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_run(case: Case) -> None:
    run = simulate(case.definition, start=START, **case.given).runs[0]
    assert (run.phase, told(run)) == (case.phase, case.tasks)


def test_what_a_result_tells() -> None:
    result = simulate(workflow(CHAIN), start=START, fail={"load": {1: "OOM"}}, outputs={"extract": {"rows": 3}})
    run = result.runs[0]
    load_task = run.task("load")
    assert result.succeeded
    assert (len(result), result[0], list(result)) == (1, run, [run])
    assert (run.name, run.trigger, run.slot, run.logical_date) == (
        "sales-1",
        "Manual",
        None,
        datetime(2025, 4, 1, tzinfo=UTC),
    )
    assert run.duration == timedelta(seconds=544)
    assert run.order == ("extract", "load", "report")
    assert run.phases == {"extract": "Succeeded", "load": "Succeeded", "report": "Succeeded"}
    assert run.task("extract").outputs == {"rows": 3}
    assert [(one.number, one.failure, one.reason) for one in load_task.tries] == [
        (1, "OOM", "OOMKilled"),
        (2, None, None),
    ]
    assert load_task.duration == timedelta(seconds=421)
    assert result.run("sales-1") is result.run(datetime(2025, 4, 1, tzinfo=UTC)) is result.run(START) is run


def test_how_results_are_shown() -> None:
    result = simulate(workflow(CHAIN), start=START, fail="load", duration="10s")
    assert repr(result) == "<Simulation of sales from 2025-04-01T00:00:00Z to 2025-04-01T00:10:55Z: 1 Failed>"
    assert repr(result.runs[0]) == "<Run sales-1 Failed in 10m55s: 2 Succeeded, 1 Failed>"
    assert list(map(repr, result.runs[0].tasks)) == [
        "<Task extract, Succeeded, 10s>",
        "<Task load, Failed, 3 attempts, 10m32s, exit code 1: it failed (simulated), after 2 retries>",
        "<Task report, Succeeded, 10s>",
    ]


def test_more_attempts_than_a_status_keeps() -> None:
    result = simulate(workflow([{"name": "only", "retry": {"limit": 6, "delay": "0s"}}]), fail="only=7")
    assert [(one.number, one.exit_code) for one in result[0].task("only").tries] == [(n, 7) for n in range(1, 8)]


def test_what_the_container_of_an_attempt_is_given() -> None:
    definition = workflow(
        [
            {
                "name": "load",
                "script": None,
                "image": "sales:7",
                "command": ["python", "load.py", "--day", "{{ ds }}", "$(LIMIT)"],
                "args": ["{{ params.price }}"],
                "env": [
                    {"name": "LIMIT", "value": "{{ params.limit }}"},
                    {"name": "TOKEN", "value": "{{ params.token }}"},
                ],
            },
            {"name": "say", "script": "echo '{{ params.price }}' $HOME", "dependsOn": ["load"], "interpreter": "bash"},
        ],
        params={"limit": {"default": 5}, "price": {"default": "3 $(USD) $$"}, "token": {"sensitive": True}},
    )
    del definition["spec"]["tasks"][0]["script"]
    token = {"secretKeyRef": {"name": "db", "key": "token"}}
    run = simulate(definition, start=START, params={"limit": 7, "token": token}).runs[0]
    (launch,) = run.launches("load")
    assert (launch.image, launch.script) == ("sales:7", None)
    assert launch.command == ("python", "load.py", "--day", "2025-04-01", "7")
    assert launch.args == ("3 $(USD) $$",)
    assert launch.environment_from == {"TOKEN": token}
    assert (
        launch.environment
        | {
            "LIMIT": "7",
            "WINDLASS_TASK": "load",
            "WINDLASS_ATTEMPT": "1",
            "WINDLASS_LOGICAL_DATE": START,
            "WINDLASS_OUTPUTS": "/dev/termination-log",
        }
        == launch.environment
    )
    assert launch.manifest["metadata"]["labels"]["windlass.dev/task"] == "load"
    (script,) = run.launches("say")
    assert script.script == "echo '3 $(USD) $$' $HOME"
    assert script.command == ("bash", "-eo", "pipefail", "-c", "echo '3 $(USD) $$' $HOME")
    assert script.image == "python:3.12-slim"


def test_outputs_may_depend_on_the_attempt() -> None:
    seen = []

    def rows(one: Any) -> dict[str, int]:
        seen.append((one.workflow, one.run, one.task, one.attempt, one.day, dict(one.params)))
        return {"rows": one.attempt}

    definition = workflow([{"name": "a", "retry": {"limit": 1}}], params={"x": {"default": 1}})
    run = simulate(definition, start=START, fail={"a": 1}, outputs={"a": rows}).runs[0]
    assert run.task("a").outputs == {"rows": 2}
    assert seen == [("sales", "sales-1", "a", 2, "2025-04-01", {"x": 1})]


def test_outputs_of_a_task_that_failed_are_not_asked_for() -> None:
    run = simulate(reads_rows(triggerRule="AllDone"), fail="extract").runs[0]
    assert (run.task("load").phase, run.task("load").reason) == ("Failed", "TemplateError")


OUTPUTS: dict[str, dict[str, Any]] = {
    "hello": {"greet": {"greeting": "Hi", "letters": 2}},
    "daily-sales-etl": {"extract": {"file": "a"}, "transform": {"file": "b"}},
}


@pytest.mark.parametrize("example", OUTPUTS)
def test_examples(example: str) -> None:
    result = simulate(load(EXAMPLES / example / "workflow.yaml"), outputs=OUTPUTS[example])
    assert result.succeeded
