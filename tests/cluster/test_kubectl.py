"""Our kinds by kubectl on a real API server: what it refuses and in which words, and what its own commands can do."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from support.clusters import Cluster, phases
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster
TASK = {"name": "a", "script": "true"}


def said(cluster: Cluster, *arguments: str, stdin: str = "") -> tuple[bool, str]:
    """Whether kubectl did it, and what it printed."""
    command = ["kubectl", *arguments, "-n", cluster.namespace]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def workflow(name: str = "refused", **spec: Any) -> dict[str, Any]:
    meta = {"name": name}
    return {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": meta, "spec": spec}


SERVER_SIDE = "apply --server-side"
TYPED = {
    "a misspelt field": '.spec.tasks[name="a"].scirpt: field not declared in schema',
    "a name that is there twice": '.spec.tasks: duplicate entries for key [name="a"]',
}
"""What server-side apply says itself, which merges before the rest of the server looks."""
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt field": (workflow(tasks=[{"name": "a", "scirpt": "true"}]), 'unknown field "spec.tasks[0].scirpt"'),
    "two kinds in one task": (workflow(tasks=[{**TASK, "command": ["true"]}]), "a task is one thing"),
    "a task that waits for itself": (workflow(tasks=[{**TASK, "dependsOn": ["a"]}]), "a task can't depend on itself"),
    "a name that is there twice": (workflow(tasks=[TASK, TASK]), "spec.tasks[1]: Duplicate value"),
    "a word that is none": (workflow(tasks=[{**TASK, "triggerRule": "AllGood"}]), 'supported values: "AllSuccess"'),
    "a name that is too long": (workflow("w" * 300, tasks=[TASK]), "metadata.name: "),
    "no tasks": (workflow(tasks=[]), "spec.tasks in body should have at least 1 items"),
}


@pytest.mark.parametrize("how", ["apply", SERVER_SIDE, "create"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(cluster: Cluster, case: str, how: str) -> None:
    manifest, words = REFUSED[case]
    words = TYPED.get(case, words) if how == SERVER_SIDE else words
    done, text = said(cluster, *how.split(), "-f", "-", stdin=json.dumps(manifest))
    assert (done, words in text) == (False, True), text


def test_a_run_may_be_stopped_and_suspended_but_not_changed(cluster: Cluster) -> None:
    cluster.start("patched", {"tasks": [{"name": "a", "script": "sleep 600", "terminationGracePeriod": "1s"}]})
    cluster.until("patched", lambda status: phases(status).get("a") == "Running")

    def patch(spec: dict[str, Any]) -> tuple[bool, str]:
        return said(cluster, "patch", "workflowrun", "patched", "--type=merge", "-p", json.dumps({"spec": spec}))

    done, text = patch({"params": {"a": 1}})
    assert (done, "the spec of a run can't be changed" in text) == (False, True), text
    assert patch({"suspend": True})[0]
    assert patch({"suspend": False})[0]
    assert patch({"stop": "Terminate"})[0]
    done, text = patch({"stop": "Cancel"})
    assert (done, "stop goes from nothing to Cancel to Terminate, never back" in text) == (False, True), text
    status = cluster.ended("patched")
    assert (status["phase"], status["reason"]) == ("Cancelled", "Terminated")


def test_kubectl_waits_describes_and_explains(cluster: Cluster) -> None:
    cluster.start("described", {"tasks": [{"name": "a", "script": "echo the table is missing; exit 3"}]})
    assert said(cluster, "wait", "--for=condition=Succeeded=False", "workflowrun/described", "--timeout=60s")[0]
    text = said(cluster, "describe", "workflowrun", "described")[1]
    assert re.search(r"Exit Code: +3\n", text), text
    assert {word for word in ("the table is missing", "TaskFailed", "RunFailed") if word not in text} == set()
    assert "1 of 1 tasks failed: a" in said(cluster, "get", "wlr", "described", "-o", "wide")[1]
    assert "TaskFailed" in said(cluster, "events", "--for=workflowrun/described")[1]
    assert "Cancel" in kubectl("explain", "workflowruns.spec.stop", "--api-version=windlass.dev/v1alpha1")
