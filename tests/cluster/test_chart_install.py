"""The chart's life on a real cluster, from nothing: install, test, upgrade, uninstall, install again.

The controller runs from its image, in two pods, with the chart's rights; the namespace takes restricted pods only.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.chart import CHART, helm_program
from support.clusters import Cluster, phases
from support.controller import Controller
from support.controller_image import REPOSITORY, TAG, make_controller
from support.kubectl import kubectl, objects
from windlass.models import crd
from windlass.names import RESULT_FINALIZER

pytestmark = pytest.mark.cluster

SELECTOR = "app.kubernetes.io/name=windlass,app.kubernetes.io/component=controller"
SLOW = {"tasks": [{"name": "a", "script": "sleep 12"}, {"name": "b", "dependsOn": ["a"], "script": "sleep 5"}]}


@dataclass(frozen=True)
class Release:
    """A release of the chart, by helm."""

    namespace: str
    name: str = "windlass"

    def helm(self, command: str, *arguments: str) -> str:
        """A command of helm for this release; fails the test when it fails, with what the pods of its hooks said."""
        whole = [helm_program(), command, self.name, *arguments, "--namespace", self.namespace, "--timeout", "180s"]
        done = subprocess.run(whole, capture_output=True, text=True, check=False)
        if done.returncode:
            kubectl("get", "pods,jobs,events", "-n", self.namespace)
            told = subprocess.run(
                ["kubectl", "logs", "-n", self.namespace, "-l", "app.kubernetes.io/part-of=windlass", "--tail=50"],
                capture_output=True,
                text=True,
                check=False,
            )
            pytest.fail(f"helm {command}: {done.stdout}{done.stderr}{told.stdout}{told.stderr}")
        return done.stdout

    def install(self, *options: str) -> float:
        """Install or upgrade it, and wait until it is ready; after how many seconds that was."""
        began = time.monotonic()
        image = f"image.repository={REPOSITORY},image.tag={TAG},test.namespace={self.namespace}"
        self.helm("upgrade", str(CHART), "--install", "--wait", "--set", image, *options)
        return time.monotonic() - began

    def pods(self) -> list[dict[str, Any]]:
        """The controller's pods."""
        return objects("pods", self.namespace, "-l", SELECTOR)


@pytest.fixture(scope="module")
def release(controller: Controller, image_kit: None) -> Iterator[Release]:
    """Nothing is installed: not even our kinds are in the cluster. The session's own controller rests meanwhile."""
    controller.stop()
    found = Release(f"windlass-chart-{uuid.uuid4().hex[:6]}")
    with tempfile.TemporaryDirectory(prefix="windlass-image-") as directory:
        print(f"the image's layer of ours: {make_controller(Path(directory)) / 1e6:.0f} MB")
    kubectl("create", "namespace", found.namespace)
    kubectl("label", "namespace", found.namespace, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("delete", "crd", *(one["metadata"]["name"] for one in crd.definitions().values()))
    try:
        yield found
    finally:
        if subprocess.run([helm_program(), "status", found.name, "-n", found.namespace], check=False).returncode == 0:
            found.helm("uninstall")
        kubectl("delete", "namespace", found.namespace, "--wait=false")
        subprocess.run(["kubectl", "apply", "--server-side", "--force-conflicts", "-f", str(CHART.parents[1] / "crds")])
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
