"""Pods with containers beside the task, on a real API server.

On hollow nodes the test plays the kubelet's part for the end of the task; on a real node it is the kubelet's own.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from support.clusters import Cluster, phases, task
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster
Body = dict[str, Any]
HOLLOW = {
    "image": "busybox",
    "command": ["true"],
    "annotations": {"hollow/run-seconds": "-1"},
    "nodeSelector": {"windlass.dev/hollow": "true"},
    "tolerations": [{"key": "windlass.dev/hollow", "operator": "Exists"}],
}


def beside(**container: Any) -> Body:
    return {"spec": {"containers": [{"name": "proxy", **container}]}}


def the_pod(cluster: Cluster, run: str) -> Body:
    (pod,) = objects("pods", cluster.namespace, "-l", f"windlass.dev/run={run}")
    return pod


def say(cluster: Cluster, pod: Body, status: Body) -> None:
    """What the kubelet would say of the pod."""
    where = (pod["metadata"]["name"], "-n", cluster.namespace)
    kubectl("patch", "pod", *where, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def main_ended(pod: Body, message: str) -> Body:
    """The task has ended, and the container beside it has not."""
    moments = {"startedAt": pod["status"]["startTime"], "finishedAt": pod["status"]["startTime"]}
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "message": message, **moments}}
    statuses = pod["status"]["containerStatuses"]
    return {
        "containerStatuses": [
            {**one, "ready": False, "state": ended} if one["name"] == "main" else one for one in statuses
        ]
    }


def test_what_goes_on_beside_a_task_is_ended_after_its_result_is_stored(cluster: Cluster) -> None:
    run = f"meshed-{uuid.uuid4().hex[:4]}"
    cluster.start(run, {"tasks": [{"name": "a", **HOLLOW, "podTemplate": beside(image="mesh:1")}]})
    cluster.until(run, lambda status: phases(status).get("a") == "Running")
    pod = the_pod(cluster, run)
    assert "activeDeadlineSeconds" not in pod["spec"]
    say(cluster, pod, main_ended(pod, '{"n": 1}'))
    end = time.monotonic() + 20
    while (pod := the_pod(cluster, run))["spec"].get("activeDeadlineSeconds") != 1:
        assert time.monotonic() < end, pod["status"]
        time.sleep(0.1)
    assert task(cluster.status(run), "a")["outputs"] == {"n": 1}, "the result was stored before"
    assert "windlass.dev/result" not in (pod["metadata"].get("finalizers") or [])
    say(cluster, pod, {"phase": "Failed", "reason": "DeadlineExceeded"})
    time.sleep(1)
    status = cluster.ended(run)
    assert (status["phase"], [one.get("class") for one in task(status, "a")["attempts"]]) == ("Succeeded", [None])


def test_it_is_so_on_a_kubelet(cluster: Cluster) -> None:
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    if all("windlass.dev/hollow" in node["metadata"]["labels"] for node in nodes):
        pytest.skip("all nodes of this cluster are hollow")
    run = f"meshed-{uuid.uuid4().hex[:4]}"
    proxy = beside(image="busybox:latest", imagePullPolicy="IfNotPresent", command=["sleep", "600"])
    script = 'echo \'{"n": 1}\' > "$WINDLASS_OUTPUTS"'
    native = {
        "name": "native",
        "image": "busybox:latest",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "600"],
    }
    tasks = [
        {"name": "a", "script": script, "podTemplate": proxy, "terminationGracePeriod": "1s"},
        {"name": "b", "script": "true", "sidecars": [native], "dependsOn": ["a"], "terminationGracePeriod": "1s"},
    ]
    cluster.start(run, {"tasks": tasks})
    status = cluster.ended(run)
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    assert task(status, "a")["outputs"] == {"n": 1}
    assert [len(one["attempts"]) for one in status["tasks"]] == [1, 1]
    end = time.monotonic() + 40
    while True:
        pods = objects("pods", cluster.namespace, "-l", f"windlass.dev/run={run}")
        ends = {pod["metadata"]["labels"]["windlass.dev/task"]: pod["status"]["phase"] for pod in pods}
        if ends == {"a": "Failed", "b": "Succeeded"}:
            return
        assert time.monotonic() < end, ends
        time.sleep(0.3)
