"""All examples: their manifests are good Workflows, agree with their code, and are what their READMEs draw."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from support.examples import EXAMPLES, NAMES, OTHERS, ROOT, documents, workflow
from windlass.models.parse import check, read_run, read_workflow
from windlass.plan.checks import check_spec
from windlass.plan.graph import compile_program

FIELDS = {"metadata", "apiVersion", "kind", "spec"}


@pytest.fixture(params=NAMES)
def example(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_directory_is_an_example() -> None:
    assert tuple(sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())) == tuple(sorted(NAMES + OTHERS))


def test_the_workflow_is_valid_and_bears_the_example_s_name(example: str) -> None:
    found = workflow(example)
    assert check(found) == []
    assert check_spec(read_workflow(found)) == []
    assert found.keys() == FIELDS
    assert (found["apiVersion"], found["metadata"]) == ("windlass.dev/v1alpha1", {"name": example})


def test_the_run_is_valid_and_gives_only_parameters_that_there_are(example: str) -> None:
    (run,) = documents(EXAMPLES / example / "run.yaml")
    spec = read_run(run)
    assert (run["kind"], run["metadata"], spec.workflow) == ("WorkflowRun", {"name": f"{example}-1"}, example)
    assert spec.params.keys() <= workflow(example)["spec"]["params"].keys()


def test_the_programs_stand_where_the_source_says(example: str) -> None:
    spec = workflow(example)["spec"]
    for task in spec["tasks"]:
        if "command" in task:
            program, script, *_ = task["command"]
            assert program == "python"
            assert (ROOT / spec["source"]["git"]["path"] / script).is_file()


def test_no_program_is_left_over(example: str) -> None:
    used = {task["command"][1] for task in workflow(example)["spec"]["tasks"] if "command" in task}
    programs = {
        path.name
        for path in (EXAMPLES / example).glob("tasks/*.py")
        if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert programs == used


def edges(spec: dict[str, Any]) -> set[tuple[str, str]]:
    return {(upstream, task["name"]) for task in spec["tasks"] for upstream in task.get("dependsOn", ())}


def drawn(readme: str) -> set[tuple[str, str]]:
    """The arrows of the one mermaid drawing of a README; a chain `a --> b --> c` has two."""
    (drawing,) = re.findall(r"```mermaid\n(.*?)```", readme, re.DOTALL)
    found: set[tuple[str, str]] = set()
    for line in drawing.splitlines()[1:]:
        names = [name.strip() for name in line.split("-->")]
        found |= set(itertools.pairwise(names))
    return found


def test_the_readme_draws_the_dag(example: str) -> None:
    readme = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    assert drawn(readme) == edges(workflow(example)["spec"])


def test_the_readme_names_files_that_there_are(example: str) -> None:
    readme = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)
    named = re.findall(r"\bexamples/[\w./-]+\.(?:py|yaml)\b", readme)
    missing = [path for path in linked if not (EXAMPLES / example / path).exists()]
    assert linked
    assert missing + [path for path in named if not Path(ROOT, path).exists()] == []


def test_the_secret_s_keys_are_those_of_the_readme() -> None:
    keys = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for task in workflow("sales-report")["spec"]["tasks"]
        for entry in task.get("env", ())
        if "valueFrom" in entry
    }
    readme = (EXAMPLES / "sales-report" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-literal=([\w-]+)=", readme)) == keys


ORDERS = {
    "approval": ["build", "go-ahead", "release", "tell"],
    "hello": ["greet", "reply"],
    "fan-out": ["list", "count", "total"],
    "daily-sales-etl": ["extract", "transform", "load"],
    "weather-umbrella": ["fetch-weather", "fetch-sales", "clean-weather", "clean-sales", "join", "train", "deploy"],
    "sales-report": ["read-shopping", "read-factors", "fill-missing", "join", "report", "mail"],
}


def test_the_planner_s_order_of_the_tasks(example: str) -> None:
    program = compile_program(read_workflow(workflow(example)))
    assert list(program.nodes) == ORDERS[example]
    assert (program.source_step is None) == ("source" not in workflow(example)["spec"])


def test_retries_of_the_etl_are_those_that_were_asked_for() -> None:
    retry = workflow("daily-sales-etl")["spec"]["taskDefaults"]["retry"]
    assert retry == {"limit": 3, "delay": "5m"}
