"""The controller on a real API server: killed in the middle, pods and runs deleted, pods and creates refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from support.clusters import Cluster, phases, task
from support.controller import Controller
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster

SLOW = {
    "tasks": [
        {"name": "a", "script": 'sleep 6; echo \'{"n": 1}\' > "$WINDLASS_OUTPUTS"'},
        {"name": "b", "dependsOn": ["a"], "script": "true"},
    ]
}


ONE = {"name": "a", "script": "true"}
AT_ONCE: dict[str, dict[str, Any]] = {
    "no-image": {"name": "a", "image": "example.invalid/no/such:1", "command": ["true"], "startTimeout": "30s"},
    "privileged": {**ONE, "securityContext": {"privileged": True}},
    "misspelt": {**ONE, "podTemplate": {"spec": {"tolerationz": []}}},
    "shown": ONE,
}
"""The task of each run that nothing is done to."""


@pytest.fixture(scope="module", autouse=True)
def started(cluster: Cluster) -> None:
    """These runs have been started."""
    cluster.start_all({name: {"workflowSpec": {"tasks": [task]}} for name, task in AT_ONCE.items()})


def pods_of(cluster: Cluster, run: str) -> list[dict[str, Any]]:
    return objects("pods", cluster.namespace, "-l", f"windlass.dev/run={run}")


def gone(cluster: Cluster, run: str, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while pods_of(cluster, run):
        assert time.monotonic() < end, "the run's pods stay"
        time.sleep(0.3)


def test_a_controller_killed_while_tasks_run_loses_nothing(cluster: Cluster, controller: Controller) -> None:
    cluster.start("killed", SLOW)
    cluster.until("killed", lambda status: phases(status).get("a") == "Running")
    controller.kill()
    time.sleep(8)  # the task ends while nobody looks
    controller.start()
    status = cluster.ended("killed")
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    assert task(status, "a")["outputs"] == {"n": 1}
    assert [len(one["attempts"]) for one in status["tasks"]] == [1, 1]


def test_a_pod_deleted_by_hand_is_replaced(cluster: Cluster) -> None:
    cluster.start("by-hand", SLOW)
    status = cluster.until("by-hand", lambda status: phases(status).get("a") == "Running")
    kubectl("delete", "pod", task(status, "a")["attempts"][0]["pod"], "-n", cluster.namespace, "--wait=false")
    status = cluster.ended("by-hand")
    assert status["phase"] == "Succeeded"
    assert [attempt.get("class") for attempt in task(status, "a")["attempts"]] == ["Infra", None]


def test_a_run_deleted_while_its_pods_run_leaves_nothing(cluster: Cluster) -> None:
    cluster.start("deleted", SLOW)
    cluster.until("deleted", lambda status: phases(status).get("a") == "Running")
    kubectl("delete", "workflowrun", "deleted", "-n", cluster.namespace, "--wait=false")
    gone(cluster, "deleted")


def test_a_run_deleted_in_the_foreground_leaves_nothing(cluster: Cluster) -> None:
    cluster.start("foreground", SLOW)
    cluster.until("foreground", lambda status: phases(status).get("a") == "Running")
    kubectl("delete", "workflowrun", "foreground", "-n", cluster.namespace, "--cascade=foreground", "--timeout=60s")
    gone(cluster, "foreground")


def test_kubectl_shows_runs_as_designed(cluster: Cluster) -> None:
    cluster.ended("shown")
    lines = kubectl("get", "workflowruns", "shown", "-n", cluster.namespace).splitlines()
    assert lines[0].split() == ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "STARTED", "DURATION", "SLOT"]
    assert lines[1].split()[:4] == ["shown", "shown", "Succeeded", "1/1"]
    assert "shown" in kubectl("get", "windlass", "-n", cluster.namespace, "-o", "name")


def test_an_image_that_does_not_exist_is_told_with_what_to_do(cluster: Cluster) -> None:
    status = cluster.ended("no-image")
    attempt = task(status, "a")["attempts"][0]
    assert (status["phase"], attempt["class"]) == ("Failed", "Start")
    assert attempt["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "example.invalid/no/such:1" in attempt["hint"] + attempt["message"]


def test_what_pod_security_refuses_is_told_with_what_to_do(cluster: Cluster) -> None:
    status = cluster.ended("privileged")
    attempt_or_task = task(status, "a")
    assert (status["phase"], attempt_or_task["phase"]) == ("Failed", "Failed")
    assert "privileged" in str(attempt_or_task)


def test_a_misspelt_field_of_a_pod_is_an_error_that_names_it(cluster: Cluster) -> None:
    assert "tolerationz" in str(task(cluster.ended("misspelt"), "a"))


def test_a_quota_makes_tasks_wait_and_fails_none(cluster: Cluster) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "one-config", "namespace": cluster.namespace},
        "spec": {"hard": {"count/pods": "0"}},
    }

    kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    try:
        cluster.start("quota", {"tasks": [{"name": "a", "script": "true"}]})
        cluster.until("quota", lambda status: "quota" in str(status.get("tasks", "")).lower())
        assert cluster.status("quota")["phase"] == "Running"
    finally:
        kubectl("delete", "resourcequota", "one-config", "-n", cluster.namespace)
    assert cluster.ended("quota")["phase"] == "Succeeded"


def test_metrics_tell_what_happened(cluster: Cluster, controller: Controller) -> None:
    cluster.start("counted", {"tasks": [ONE]})
    cluster.ended("counted")
    text = controller.read_metrics()
    assert "windlass_runs_total{" in text
    assert "windlass_api_requests_total{" in text
    assert "windlass_leader 1.0" in text
