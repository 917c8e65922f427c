"""The chart's life on a real cluster, from nothing: install, test, upgrade, uninstall, install again.

The controller runs from its image, in two pods, with the chart's rights; the namespace takes restricted pods only.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import Cluster, phases
from support.controller import Controller
from support.kubectl import kubectl, objects
from support.release import Release, apply_kinds, remove_kinds
from windlass.names import RESULT_FINALIZER

pytestmark = pytest.mark.cluster

SLOW = {"tasks": [{"name": "a", "script": "sleep 12"}, {"name": "b", "dependsOn": ["a"], "script": "sleep 5"}]}


@pytest.fixture(scope="module")
def release(controller: Controller, controller_image: None) -> Iterator[Release]:
    """Nothing is installed: not even our kinds are in the cluster. The session's own controller rests meanwhile."""
    controller.stop()
    found = Release(f"windlass-chart-{uuid.uuid4().hex[:6]}")
    kubectl("create", "namespace", found.namespace)
    kubectl("label", "namespace", found.namespace, "pod-security.kubernetes.io/enforce=restricted")
    remove_kinds()
    try:
        yield found
    finally:
        if found.is_installed():
            found.helm("uninstall")
        kubectl("delete", "namespace", found.namespace, "--wait=false")
        apply_kinds()
        controller.start()


@pytest.fixture(scope="module")
def installed(release: Release) -> Release:
    print(f"installed after {release.install():.1f} s")
    return release


@pytest.fixture
def runs(release: Release, kubeconfig: Path) -> Cluster:
    return Cluster(kubeconfig, release.namespace, real=True)


def test_two_controllers_are_ready_and_one_leads(installed: Release) -> None:
    pods = installed.pods()
    assert [all(status["ready"] for status in pod["status"]["containerStatuses"]) for pod in pods] == [True, True]
    lease = json.loads(kubectl("get", "lease", "windlass-controller", "-n", installed.namespace, "-o", "json"))
    holder = lease["spec"]["holderIdentity"]
    assert [holder.startswith(pod["metadata"]["name"]) for pod in pods].count(True) == 1
    said = {
        pod["metadata"]["name"]: kubectl(
            "get", "--raw", f"/api/v1/namespaces/{installed.namespace}/pods/{pod['metadata']['name']}:8080/proxy/readyz"
        )
        for pod in pods
    }
    assert sorted(said.values()) == ["ok\n", f"ok: standing by: {holder} leads\n"]


def test_nothing_of_a_hook_is_left(installed: Release) -> None:
    left = kubectl("get", "jobs,serviceaccounts,roles,rolebindings", "-n", installed.namespace, "-o", "name").split()
    assert {name.partition("/")[2] for name in left} == {"windlass", "windlass-lease", "default"}


def test_helm_test(installed: Release) -> None:
    assert "Phase:          Succeeded" in installed.helm("test")


def test_an_upgrade_keeps_runs_going_and_brings_definitions_up_to_date(installed: Release, runs: Cluster) -> None:
    changed = [{"op": "replace", "path": "/spec/names/shortNames", "value": ["old"]}]
    kubectl("patch", "crd", "workflows.windlass.dev", "--type=json", "-p", json.dumps(changed))
    runs.start("upgraded", SLOW)
    runs.until("upgraded", lambda status: phases(status).get("a") == "Running")
    before = {pod["metadata"]["name"] for pod in installed.pods()}
    installed.install("--set", "podAnnotations.upgraded=yes")
    status = runs.ended("upgraded")
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    assert [len(one["attempts"]) for one in status["tasks"]] == [1, 1]
    assert not before & {pod["metadata"]["name"] for pod in installed.pods() if pod["status"]["phase"] == "Running"}
    definition = json.loads(kubectl("get", "crd", "workflows.windlass.dev", "-o", "json"))
    assert definition["spec"]["names"]["shortNames"] == ["wlw"]


def test_an_uninstall_leaves_no_pod_held_and_an_install_goes_on_with_runs(installed: Release, runs: Cluster) -> None:
    runs.start("kept", SLOW)
    runs.until("kept", lambda status: phases(status).get("a") == "Running")
    (held,) = objects("pods", runs.namespace, "-l", "windlass.dev/run=kept")
    assert RESULT_FINALIZER in held["metadata"]["finalizers"]
    installed.helm("uninstall")
    (freed,) = objects("pods", runs.namespace, "-l", "windlass.dev/run=kept")
    assert "finalizers" not in freed["metadata"]
    left = kubectl("get", "all,roles,rolebindings,configmaps,leases", "-n", runs.namespace, "-o", "name").split()
    ours = [name for name in left if "windlass" in name and "windlass.dev" not in name]
    assert ours == ["lease.coordination.k8s.io/windlass-controller"]
    assert runs.status("kept")["phase"] == "Running"
    installed.install()
    assert phases(runs.ended("kept")) == {"a": "Succeeded", "b": "Succeeded"}


def test_a_second_release_may_have_namespaces_of_its_own(installed: Release, runs: Cluster, kubeconfig: Path) -> None:
    """The definitions are shared: whose hook applied them first does not matter."""
    installed.helm("uninstall")
    own = [f"windlass-own-{uuid.uuid4().hex[:6]}" for _ in range(2)]
    releases = [Release(name, f"team-{number}") for number, name in enumerate(own)]
    try:
        for one in releases:
            kubectl("create", "namespace", one.namespace)
            one.install("--set", f"watchNamespaces={{{one.namespace}}},rbac.userRoles=false,replicas=1")
        for one in releases:
            there = Cluster(kubeconfig, one.namespace, real=True)
            there.start("run", {"tasks": [{"name": "a", "script": "true"}]})
            assert there.ended("run")["phase"] == "Succeeded"
        runs.start("nobodys", {"tasks": [{"name": "a", "script": "true"}]})
        time.sleep(3)
        assert runs.status("nobodys") == {}
    finally:
        for one in releases:
            one.helm("uninstall")
        kubectl("delete", "namespace", *own, "--wait=false")
