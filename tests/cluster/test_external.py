"""Tasks that make objects on a real API server, as their own service account, and Kubernetes' own controllers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, phases, task
from support.controller import Controller
from support.examples import EXAMPLES
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster
WITHIN = 90.0
Body = dict[str, Any]


@pytest.fixture
def account(cluster: Cluster) -> str:
    """A service account without any rights."""
    name = f"robot-{uuid.uuid4().hex[:6]}"
    kubectl("create", "serviceaccount", name, "-n", cluster.namespace)
    return name


def allow(cluster: Cluster, account: str, *verbs: str, resource: str = "jobs.batch") -> None:
    place, name = ["-n", cluster.namespace], f"{account}-{'-'.join(verbs)}"
    kubectl("create", "role", name, *place, f"--verb={','.join(verbs)}", f"--resource={resource}")
    kubectl("create", "rolebinding", name, *place, f"--role={name}",
            f"--serviceaccount={cluster.namespace}:{account}")  # fmt: skip


def job(hollow_seconds: str = "1") -> Body:
    """A Job that needs no pod to have run: no node is asked for, or a hollow one."""
    limits = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
              "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}  # fmt: skip
    command = ["sleep", hollow_seconds]
    main = {"name": "main", "image": "python:3.12-slim", "command": command, "securityContext": limits}
    pod = {
        "metadata": {"annotations": {"hollow/run-seconds": hollow_seconds}},
        "spec": {"restartPolicy": "Never", "containers": [main]},
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"backoffLimit": 0, "template": pod}}


def makes(account: str, manifest: Body | None = None, **fields: Any) -> Body:
    return {
        "tasks": [{"name": "a", "serviceAccountName": account, "resource": {"manifest": manifest or job(), **fields}}]
    }


def jobs(cluster: Cluster, run: str) -> list[Body]:
    found = objects("jobs", cluster.namespace)
    return [one for one in found if one["metadata"]["name"].startswith(f"{run}-a-")]


def test_a_job_that_completes(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "create", "get", "list", "watch", "delete")
    cluster.start(account, makes(account, outputs={"succeeded": "{.status.succeeded}"}))
    ended = cluster.ended(account, WITHIN)
    assert (ended["phase"], task(ended, "a")["outputs"]) == ("Succeeded", {"succeeded": 1})
    (made,) = jobs(cluster, account)
    assert [owner["kind"] for owner in made["metadata"]["ownerReferences"]] == ["WorkflowRun"]


def test_a_right_that_is_missing_is_said_in_the_words_of_the_cluster(cluster: Cluster, account: str) -> None:
    cluster.start(account, makes(account))
    status = cluster.until(account, lambda found: task(found, "a").get("reason") == "NotPermitted", WITHIN)
    message = task(status, "a")["message"]
    user = f"system:serviceaccount:{cluster.namespace}:{account}"
    assert f'User "{user}" cannot create resource "jobs" in API group "batch"' in message
    assert f'in the namespace "{cluster.namespace}"' in message
    allow(cluster, account, "create", "get")
    assert cluster.ended(account, WITHIN)["phase"] == "Succeeded"
    assert len(jobs(cluster, account)) == 1


def test_stopping_the_run_deletes_the_job(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "create", "get", "list", "watch", "delete")
    cluster.start(account, makes(account, job("600")))
    cluster.until(account, lambda found: task(found, "a").get("message", "").startswith("Job "), WITHIN)
    assert len(jobs(cluster, account)) == 1
    assert cluster.windlass("cancel", account).code == 0
    assert cluster.ended(account, WITHIN)["phase"] == "Cancelled"
    assert jobs(cluster, account) == []


def test_a_right_to_delete_that_is_missing(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "create", "get", "list", "watch")
    cluster.start(account, makes(account, job("600")))
    cluster.until(account, lambda found: task(found, "a").get("message", "").startswith("Job "), WITHIN)
    assert cluster.windlass("cancel", account).code == 0
    status = cluster.until(account, lambda found: "cannot delete" in str(task(found, "a").get("message")), WITHIN)
    assert 'cannot delete resource "jobs"' in task(status, "a")["message"]
    allow(cluster, account, "delete")
    assert cluster.ended(account, WITHIN)["phase"] == "Cancelled"


def test_what_the_api_server_finds_invalid_fails_at_once(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "create", "get", "list", "watch")
    cluster.start(account, makes(account, {**job(), "spec": {"templat": {}}}))
    ended = cluster.ended(account, WITHIN)
    assert (ended["phase"], task(ended, "a")["phase"]) == ("Failed", "Failed")
    assert "templat" in task(ended, "a")["message"]


def settings(name: str, **data: str) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def setting(cluster: Cluster, name: str) -> Body:
    (found,) = (one for one in objects("configmaps", cluster.namespace) if one["metadata"]["name"] == name)
    return found


def test_what_is_applied_sets_its_own_fields_and_leaves_the_others(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "get", "list", "watch", "create", "patch", resource="configmaps")
    name = f"shared-{account}"
    kubectl("create", "configmap", name, "-n", cluster.namespace, "--from-literal=theirs=1", "--from-literal=mode=old")
    before = setting(cluster, name)
    spec = makes(account, settings(name, mode="new"), make="Apply", remove="Never", outputs={"mode": "{.data.mode}"})
    for run in (account, f"{account}-again"):
        cluster.start(run, spec)
        ended = cluster.ended(run, WITHIN)
        assert (ended["phase"], task(ended, "a").get("outputs")) == ("Succeeded", {"mode": "new"}), task(ended, "a")
    after = setting(cluster, name)
    assert (after["metadata"]["uid"], after["data"]) == (before["metadata"]["uid"], {"theirs": "1", "mode": "new"})
    assert "ownerReferences" not in after["metadata"]


def test_what_is_applied_and_was_not_there_is_made_and_goes_with_its_run(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "get", "list", "watch", "create", "patch", resource="configmaps")
    name = f"own-{account}"
    cluster.start(account, makes(account, settings(name, mode="new"), make="Apply"))
    assert cluster.ended(account, WITHIN)["phase"] == "Succeeded"
    (owner,) = setting(cluster, name)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("WorkflowRun", account)
    kubectl("delete", "workflowruns.windlass.dev", account, "-n", cluster.namespace, "--wait=true", "--timeout=60s")
    kubectl("wait", "--for=delete", f"configmap/{name}", "-n", cluster.namespace, "--timeout=60s")


def test_applying_without_the_right_to_patch(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "get", "list", "watch", "create", resource="configmaps")
    name = f"denied-{account}"
    cluster.start(account, makes(account, settings(name, mode="new"), make="Apply"))
    status = cluster.until(account, lambda found: task(found, "a").get("reason") == "NotPermitted", WITHIN)
    assert 'cannot patch resource "configmaps"' in task(status, "a")["message"]
    assert cluster.windlass("cancel", account).code == 0
    assert cluster.ended(account, WITHIN)["phase"] == "Cancelled"


@pytest.fixture
def policed(controller: Controller, kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Cluster]:
    """A controller whose admin lets tasks be `good` and nobody else."""
    file = tmp_path / "policies.yaml"
    file.write_text(json.dumps({"policies": [{"name": "accounts", "serviceAccounts": ["good"]}]}))
    controller.stop()
    own = Controller(kubeconfig, namespace, tmp_path / "log", ("--lease-name", "policed", "--policy", str(file)))
    try:
        own.start()
        yield Cluster(kubeconfig, namespace)
    finally:
        own.stop()
        controller.start()


def test_a_service_account_that_the_admin_forbids(policed: Cluster, account: str) -> None:
    allow(policed, account, "create", "get", "list", "watch")
    policed.start(account, makes(account))
    status = policed.until(account, lambda found: "policy" in str(task(found, "a").get("message")), WITHIN)
    said = f'the admin\'s policy "accounts" refuses {account}: its rule serviceAccounts does not allow it'
    assert said in task(status, "a")["message"]
    assert jobs(policed, account) == []
    policed.windlass("cancel", account)


def test_emr_like(cluster: Cluster, kubeconfig: Path) -> None:
    """The example, with its own service at work."""
    command = [sys.executable, str(EXAMPLES / "emr-like" / "service.py")]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "NAMESPACE": cluster.namespace}
    subprocess.run([*command, "install"], check=True, env=environment)
    manifest = (EXAMPLES / "emr-like" / "workflow.yaml").read_text(encoding="utf-8")
    playing = subprocess.Popen(command, env=environment)
    try:
        said = cluster.windlass("run", "-f", "-", "--name", "emr-whole", "--watch", stdin=manifest, within=WITHIN)
        assert said.code == 0, said.all
        bad = cluster.windlass("run", "emr-like", "--name", "emr-bad", "-p", "day=1999-01-01", "--watch", within=WITHIN)
        assert bad.code == 1, bad.all
    finally:
        playing.terminate()
        playing.wait()
    assert phases(cluster.status("emr-bad")) == {
        "cluster": "Succeeded", "clean": "Failed", "load": "UpstreamFailed", "delete-cluster": "Succeeded",
    }  # fmt: skip
    assert objects("clusters.emr.example.com", cluster.namespace) == []
