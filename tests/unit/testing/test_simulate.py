"""What a simulation says of single runs: whole results, in tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windlass.testing import (
    Endless,
    InvalidWorkflow,
    OutputsMissing,
    Run,
    SimulationError,
    UnknownRun,
    UnknownTask,
    WrongCue,
    load,
    read,
    simulate,
)

START = "2025-04-01T00:00:00Z"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def workflow(tasks: list[dict[str, Any]], name: str = "sales", **spec: Any) -> dict[str, Any]:
    """A Workflow; tasks without anything to run get a script, but for those with `join`."""
    made = [
        {key: value for key, value in {"script": "true", **task}.items() if key != "join"}
        if not task.get("join")
        else {key: value for key, value in task.items() if key != "join"}
        for task in tasks
    ]
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"tasks": made, **spec},
    }


CHAIN = [
    {"name": "extract"},
    {"name": "load", "dependsOn": ["extract"], "retry": {"limit": 2, "delay": "5m"}},
    {"name": "report", "dependsOn": ["load"], "triggerRule": "AllDone"},
]


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


def test_parameters_that_are_wrong_are_refused_as_in_a_cluster() -> None:
    definition = workflow([{"name": "a"}], params={"limit": {"type": "integer"}})
    run = simulate(definition, params={"limit": "many"}).runs[0]
    assert (run.phase, run.reason, run.tasks) == ("Refused", "ParamsInvalid", ())
    assert run.message == "spec.params.limit: 'many' is not of type 'integer'"


def reads_rows(**more: Any) -> dict[str, Any]:
    tasks = [
        {"name": "extract"},
        {"name": "load", "dependsOn": ["extract"], "script": "load {{ tasks.extract.outputs.rows }}"},
        {"name": "mail", "dependsOn": ["load"], "script": "mail {{ tasks.load.outputs.total }}"},
    ]
    tasks[1] |= more
    return workflow(tasks)


def test_outputs_that_nobody_has_given() -> None:
    with pytest.raises(OutputsMissing) as error:
        simulate(reads_rows())
    assert error.value.missing == {"extract": ("rows",), "load": ("total",)}
    assert str(error.value) == (
        "load reads tasks.extract.outputs.rows, and a simulation runs no program that would put it out: say what it "
        'is, outputs={"extract": {"rows": …}, "load": {"total": …}}'
    )


def test_outputs_that_are_given_are_all_that_a_task_puts_out() -> None:
    run = simulate(reads_rows(), outputs={"extract": {"lines": 3}}).runs[0]
    assert (run.task("load").phase, run.task("load").reason) == ("Failed", "TemplateError")


def test_outputs_that_are_not_needed_are_not_asked_for() -> None:
    script = "load {{ tasks.extract.outputs.rows | default(0) }}"
    run = simulate(reads_rows(script=script), outputs={"load": {"total": 1}}).runs[0]
    assert run.launches("load")[0].script == "load 0"
    assert simulate(reads_rows(when="false")).runs[0].phases["mail"] == "Skipped"


def test_outputs_of_a_task_that_failed_are_not_asked_for() -> None:
    run = simulate(reads_rows(triggerRule="AllDone"), fail="extract").runs[0]
    assert (run.task("load").phase, run.task("load").reason) == ("Failed", "TemplateError")


def test_outputs_that_are_too_large_fail_as_in_a_cluster() -> None:
    run = simulate(workflow([{"name": "a"}]), outputs={"a": {"text": "x" * 5000}}).runs[0]
    assert (run.task("a").phase, run.task("a").reason) == ("Failed", "OutputsTooLarge")


WRONG: dict[str, tuple[dict[str, Any], type[SimulationError], str]] = {
    "a failure of no task": (
        {"fail": {"laod": 1}},
        UnknownTask,
        'fail: the Workflow has no task laod; did you mean "load"?',
    ),
    "a duration of no task": (
        {"durations": {"x": "1m"}},
        UnknownTask,
        "durations: the Workflow has no task x; there are: extract, load, report",
    ),
    "outputs of no task": (
        {"outputs": {"x": {}}},
        UnknownTask,
        "outputs: the Workflow has no task x; there are: extract, load, report",
    ),
    "attempt 0": ({"fail": "load:0"}, WrongCue, "'load:0': '0' is no attempt: they are counted from 1"),
    "attempt 0 by number": ({"fail": {"load": [0]}}, WrongCue, "fail: load: 0 is no attempt: they are counted from 1"),
    "no task": ({"fail": ":1"}, WrongCue, "':1' says no task: write task, task:1 or task:1=OOM"),
    "an unknown kind": ({"fail": "load=OMM"}, WrongCue, "'load=OMM': 'OMM' is no way to fail; did you mean \"OOM\"?"),
    "an exit code of success": (
        {"fail": {"load": {1: 0}}},
        WrongCue,
        "'load': '0' is no way to fail; there are Error, OOM, Timeout, Infra, Start, Launch, and exit codes from 1 to "
        "255",
    ),
    "no attempts": (
        {"fail": {"load": 1.5}},
        WrongCue,
        "fail: load: 1.5 says no attempts: write [1, 2], {1: 'OOM'}, 'Infra' or True",
    ),
    "no day": (
        {"fail": "load@monday"},
        WrongCue,
        "'load@monday': 'monday' is no day: write 2025-04-01, or a run's logical date",
    ),
    "no duration": (
        {"durations": {"load": "soon"}},
        WrongCue,
        "the duration of load: 'soon' is no duration: write 500ms, 90s, 1h30m or 2d",
    ),
    "less than no time": ({"duration": -1}, WrongCue, "duration is -1: nothing takes less than no time"),
    "outputs that are no object": (
        {"outputs": {"load": 3}},
        WrongCue,
        "the outputs of load are an object, such as {'rows': 3}, not 3",
    ),
    "outputs that are no JSON": (
        {"outputs": {"load": {"x": {1, 2}}}},
        WrongCue,
        "the outputs of load can't be written as JSON: Object of type set is not JSON serializable",
    ),
    "a timeout that there is none of": (
        {"fail": "load=Timeout"},
        WrongCue,
        "load can't time out: it has no timeout, nor has its Workflow; it would run for ever",
    ),
    "no instant": ({"start": "soon"}, SimulationError, "start: Invalid isoformat string: 'soon'"),
    "no zone": (
        {"start": "2025-04-01T00:00:00"},
        SimulationError,
        "start: '2025-04-01T00:00:00' has no time zone: write 2025-04-01T00:00:00Z for UTC",
    ),
    "no zone, as a datetime": (
        {"start": datetime(2025, 4, 1)},
        SimulationError,
        "start: 2025-04-01 00:00:00 has no time zone: write tzinfo=UTC",
    ),
    "an end before the start": (
        {"start": START, "end": "2025-03-01T00:00:00Z"},
        SimulationError,
        "end 2025-03-01T00:00:00Z is before start 2025-04-01T00:00:00Z",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_played(case: tuple[dict[str, Any], type[SimulationError], str]) -> None:
    given, kind, message = case
    with pytest.raises(SimulationError) as error:
        simulate(workflow(CHAIN), **given)
    assert (type(error.value), str(error.value)) == (kind, message)


def test_what_is_tried_for_ever() -> None:
    task = {"name": "a", "retry": {"delay": "0s", "exitCodes": {"always": [75]}}}
    with pytest.raises(Endless, match="a of sales-1 was tried 1000 times: let it succeed at some attempt"):
        simulate(workflow([task]), fail="a=75")


def test_names_that_a_result_does_not_have() -> None:
    result = simulate(workflow(CHAIN))
    with pytest.raises(UnknownTask, match=r'^the run sales-1 has no task laod; did you mean "load"\?$'):
        result[0].task("laod")
    with pytest.raises(UnknownTask, match="has no task x; there are: extract, load, report"):
        result[0].launches("x")
    with pytest.raises(UnknownRun, match="there is no run 2025-04-09T00:00:00Z; there are: sales-1"):
        result.run("2025-04-09T00:00:00Z")


def test_a_definition_that_is_wrong() -> None:
    with pytest.raises(InvalidWorkflow) as error:
        read(workflow([{"name": "a", "dependsOn": ["b"]}, {"name": "c", "script": "{{ param.x }}"}]))
    assert [str(found) for found in error.value.findings] == [
        "spec.tasks[0].dependsOn[0]: there is no task b",
        'spec.tasks[1].script: {{ param.x }}: there is no "param"; did you mean "params"?',
    ]


def write(path: Path, *documents: str) -> Path:
    path.write_text("\n---\n".join(documents))
    return path


ONE = "{apiVersion: windlass.dev/v1alpha1, kind: Workflow, metadata: {name: one}, spec: {tasks: [{name: a}]}}"
TWO = ONE.replace("one", "two")
RUN = (
    "{apiVersion: windlass.dev/v1alpha1, kind: WorkflowRun, metadata: {generateName: once-}, spec: {params: {x: 5}, "
    "workflowSpec: {params: {x: {}}, tasks: [{name: a, script: 'echo {{ params.x }}'}]}}}"
)
SECRET = "{apiVersion: v1, kind: Secret, metadata: {name: db}}"


def test_which_definition_of_a_file_is_read(tmp_path: Path) -> None:
    assert load(write(tmp_path / "w.yaml", SECRET, ONE)).name == "one"
    assert load(write(tmp_path / "w.yaml", ONE, TWO), name="two").name == "two"
    once = load(write(tmp_path / "w.yaml", RUN))
    assert simulate(once).runs[0].launches("a")[0].script == "echo 5"


NOT_READ = {
    "none": ((SECRET,), None, "w.yaml holds no Workflow"),
    "several": ((ONE, TWO), None, "w.yaml holds 2 Workflows (one, two): say which"),
    "another": ((ONE, TWO), "three", "w.yaml holds no Workflow three; there are: one, two"),
    "no YAML": (("a: [",), None, "w.yaml:2: is no YAML: did not find expected node content"),
    "no object": (("a: 1",), None, "w.yaml:1: is no Kubernetes object: apiVersion and kind are missing"),
}


@pytest.mark.parametrize("case", NOT_READ.values(), ids=NOT_READ.keys())
def test_files_without_a_definition(
    case: tuple[tuple[str, ...], str | None, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, name, message = case
    write(tmp_path / "w.yaml", *documents)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"w\.yaml") as error:
        load("w.yaml", name=name)
    assert str(error.value) == message


OUTPUTS: dict[str, dict[str, Any]] = {
    "hello": {"greet": {"greeting": "Hi", "letters": 2}},
    "daily-sales-etl": {"extract": {"file": "a"}, "transform": {"file": "b"}},
}


@pytest.mark.parametrize("example", OUTPUTS)
def test_examples(example: str) -> None:
    result = simulate(load(EXAMPLES / example / "workflow.yaml"), outputs=OUTPUTS[example])
    assert result.succeeded
