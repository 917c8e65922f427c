"""What can't be simulated, and what is said then: outputs, questions, definitions and files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from support.simulated import CHAIN, START, reads_rows, workflow
from windlass.testing import (
    Endless,
    InvalidWorkflow,
    OutputsMissing,
    SimulationError,
    UnknownRun,
    UnknownTask,
    WrongCue,
    load,
    read,
    simulate,
)


def test_parameters_that_are_wrong_are_refused_as_in_a_cluster() -> None:
    definition = workflow([{"name": "a"}], params={"limit": {"type": "integer"}})
    run = simulate(definition, params={"limit": "many"}).runs[0]
    assert (run.phase, run.reason, run.tasks) == ("Refused", "ParamsInvalid", ())
    assert run.message == "spec.params.limit: 'many' is not of type 'integer'"


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
    "no instant": ({"start": "soon"}, SimulationError, "start: 'soon' is no instant: write 2025-04-01T00:00:00Z"),
    "a day": ({"end": "2025-04-01"}, SimulationError, "end: '2025-04-01' is no instant: write 2025-04-01T00:00:00Z"),
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
