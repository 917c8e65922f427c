"""Tasks that wait for objects, on a real API server: as their own service account, with its rights and no others."""

from __future__ import annotations

import uuid

import pytest

from support.clusters import Cluster, task
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster
WITHIN = 60.0


@pytest.fixture
def account(cluster: Cluster) -> str:
    """A service account without any rights."""
    name = f"robot-{uuid.uuid4().hex[:6]}"
    kubectl("create", "serviceaccount", name, "-n", cluster.namespace)
    return name


def allow(cluster: Cluster, account: str, *verbs: str) -> None:
    place = ["-n", cluster.namespace]
    kubectl("create", "role", account, *place, f"--verb={','.join(verbs)}", "--resource=configmaps")
    kubectl("create", "rolebinding", account, *place, f"--role={account}",
            f"--serviceaccount={cluster.namespace}:{account}")  # fmt: skip


def wait(account: str, name: str, **fields: object) -> dict[str, object]:
    awaited = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, **fields}
    return {"tasks": [{"name": "a", "serviceAccountName": account, "waitFor": {"object": awaited, "interval": "5s"}}]}


def test_what_the_service_account_may_watch(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "list", "watch")
    cluster.start(account, wait(account, account, jsonPath="{.data.state}", equals="good"))
    kubectl("create", "configmap", account, "-n", cluster.namespace, "--from-literal=state=bad")
    status = cluster.until(account, lambda found: "waits for" in str(task(found, "a").get("message")), WITHIN)
    assert status["phase"] == "Running"
    kubectl("patch", "configmap", account, "-n", cluster.namespace, "-p", '{"data": {"state": "good"}}')
    ended = cluster.ended(account, WITHIN)
    assert (ended["phase"], task(ended, "a")["outputs"]) == ("Succeeded", {"name": account})


def test_what_it_may_only_read_by_its_name(cluster: Cluster, account: str) -> None:
    allow(cluster, account, "get")
    cluster.start(account, wait(account, account))
    cluster.until(account, lambda found: "there is none" in str(task(found, "a").get("message")), WITHIN)
    kubectl("create", "configmap", account, "-n", cluster.namespace)
    assert cluster.ended(account, WITHIN)["phase"] == "Succeeded"


def test_what_it_may_not_see_is_said_in_the_words_of_the_cluster(cluster: Cluster, account: str) -> None:
    cluster.start(account, wait(account, account))
    kubectl("create", "configmap", account, "-n", cluster.namespace)
    status = cluster.until(account, lambda found: task(found, "a").get("reason") == "WaitingForRight", WITHIN)
    message = task(status, "a")["message"]
    assert f'User "system:serviceaccount:{cluster.namespace}:{account}" cannot get resource "configmaps"' in message
    allow(cluster, account, "get")
    assert cluster.ended(account, WITHIN)["phase"] == "Succeeded"


def test_a_kind_that_there_is_not(cluster: Cluster, account: str) -> None:
    awaited = {"apiVersion": "spark.example.com/v1", "kind": "Nothing", "name": "x"}
    spec = {"tasks": [{"name": "a", "serviceAccountName": account, "waitFor": {"object": awaited, "timeout": "5s"}}]}
    cluster.start(account, spec)
    ended = cluster.ended(account, WITHIN)
    assert (ended["phase"], task(ended, "a")["reason"]) == ("Failed", "WaitTimeout")
