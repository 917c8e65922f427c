"""Tasks that make objects, in a simulation."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.testing import WrongCue, simulate

START = "2025-04-01T00:00:00Z"
JOB = {"apiVersion": "batch/v1", "kind": "Job", "spec": {}}
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "fast"}}


def makes(manifest: dict[str, Any], *others: dict[str, Any], task: dict[str, Any] | None = None, **fields: Any) -> Any:
    made = {"name": "make", "resource": {"manifest": manifest, **fields}, **(task or {})}
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"tasks": [made, *others]},
    }


AFTER = {"name": "after", "dependsOn": ["make"], "command": ["echo", "{{ tasks.make.outputs.id }}"]}
WAIT = {"name": "wait", "waitFor": {"object": {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings",
                                               "jsonPath": "{.data.ready}", "equals": "yes"}}}  # fmt: skip
ID = {"id": "{.status.info.id}"}
RETRY = {"retry": {"limit": 1, "delay": "10s"}}
CASES: dict[str, tuple[Any, dict[str, Any], dict[str, str], int]] = {
    "a known kind": (makes(JOB), {}, {"make": "Succeeded"}, 60),
    "its duration": (makes(JOB), {"durations": {"make": "5m"}}, {"make": "Succeeded"}, 300),
    "a kind that is there when it is made": (makes(SETTINGS), {}, {"make": "Succeeded"}, 0),
    "its outputs": (
        makes(JOB, AFTER, outputs=ID), {"outputs": {"make": {"id": "x-7"}}},
        {"make": "Succeeded", "after": "Succeeded"}, 121,
    ),
    "outputs of its own": (
        makes(SETTINGS, AFTER, outputs={"id": "{.data.mode}"}), {}, {"make": "Succeeded", "after": "Succeeded"}, 61,
    ),
    "a path that says so": (
        makes(SETTINGS, successWhen=[{"jsonPath": "{.status.state}", "equals": "done"}]), {}, {"make": "Succeeded"}, 60,
    ),
    "it fails": (makes(JOB), {"fail": "make"}, {"make": "Failed"}, 60),
    "it fails once": (makes(JOB, task=RETRY), {"fail": "make:1"}, {"make": "Succeeded"}, 130),
    "somebody deletes it": (makes(JOB), {"fail": "make:1=Infra"}, {"make": "Succeeded"}, 120),
    "it takes too long": (makes(JOB, task={"timeout": "90s"}), {"fail": "make=Timeout"}, {"make": "Failed"}, 90),
    "it is deleted in the end": (makes(JOB, remove="WhenDone"), {}, {"make": "Succeeded"}, 60),
    "what is to be deleted is not there": (makes(SETTINGS, make="Delete"), {}, {"make": "Succeeded"}, 0),
    "another task waits for it": (makes(SETTINGS, WAIT), {}, {"make": "Succeeded", "wait": "Succeeded"}, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_objects(case: tuple[Any, dict[str, Any], dict[str, str], int]) -> None:
    definition, cues, phases, seconds = case
    run = simulate(definition, start=START, **cues).runs[0]
    assert run.phase == ("Failed" if "Failed" in phases.values() else "Succeeded")
    assert {name: run.task(name).phase for name in phases} == phases
    assert run.finished_at is not None and run.started_at is not None
    assert (run.finished_at - run.started_at).total_seconds() == seconds


def test_what_is_put_out() -> None:
    definition = makes(JOB, AFTER, outputs={**ID, "more": "{.status.info.more}"})
    run = simulate(definition, start=START, outputs={"make": {"id": "x-7", "more": [1]}}).runs[0]
    assert run.launches("after")[0].command == ("echo", "x-7")


WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no failure that it could say": (
        makes(SETTINGS), {"fail": "make"},
        "make makes a ConfigMap: it fails with Error where it says failureWhen, Timeout or Infra where it says "
        "successWhen",
    ),
    "out of memory": (makes(JOB), {"fail": "make=OOM"}, "make makes a Job: it fails with Error"),
    "no timeout": (makes(JOB), {"fail": "make=Timeout"}, "make can't time out: it has no timeout"),
    "an output that there is not": (
        makes(JOB, outputs=ID), {"outputs": {"make": {"other": 1}}}, "make can't put out other: resource.outputs",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("definition", "cues", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_played(definition: Any, cues: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongCue) as caught:
        simulate(definition, start=START, **cues)
    assert str(caught.value).startswith(words)
