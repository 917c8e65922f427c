"""The rights that the chart gives are enough for all that the controller does, and it has a use for each of them.

The controller runs outside of the cluster, as the chart's ServiceAccount, and its own count of requests tells what it
asked for. Pods run on hollow nodes.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path

import pytest

from support.clusters import Cluster, phases
from support.hollow import task
from support.kubectl import kubectl, objects
from support.rights import Installed, install
from windlass.engine.engine import WATCHED

pytestmark = pytest.mark.cluster
WITHIN = 60.0

SEEN_BY_KOPF = {(verb, resource.plural) for verb in ("list", "watch") for resource in WATCHED}
"""What the scenario can't do without, though the requests are not counted: our own kinds are watched by kopf."""
NOT_IN_A_SHORT_TIME = {("delete", "controllerrevisions")}
"""Definitions that no run names are collected after ten minutes."""


def unreadable(cluster: Cluster) -> None:
    """A run whose status somebody has spoilt."""
    cluster.start("unreadable", {"tasks": [task("a")]})
    status = {"status": {"phase": "Running", "startedAt": "0000-01-01T00:00:00Z"}}
    patch = ["patch", "workflowrun", "unreadable", "-n", cluster.namespace, "--subresource=status", "--type=merge"]
    kubectl(*patch, "-p", json.dumps(status))


def play(cluster: Cluster) -> None:
    """Everything that may happen to runs, as far as it asks something of the API."""
    place = cluster.namespace
    name = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "flow", "namespace": place}}
    metadata = {"name": "waits", "namespace": place}
    run = {**name, "kind": "WorkflowRun", "metadata": metadata, "spec": {"workflow": "flow"}}
    kubectl("create", "-f", "-", stdin=json.dumps(run))
    cluster.until("waits", lambda status: status.get("reason") == "WorkflowNotFound", WITHIN)
    spec = {"workspace": {"size": "1Mi"}, "tasks": [task("a"), task("b", dependsOn=["a"])]}
    kubectl("create", "-f", "-", stdin=json.dumps({**name, "spec": spec}))
    assert cluster.ended("waits", WITHIN)["phase"] == "Succeeded"

    cluster.start("by-hand", {"tasks": [task("a", seconds=12)]})
    status = cluster.until("by-hand", lambda status: phases(status).get("a") == "Running", WITHIN)
    kubectl("delete", "pod", status["tasks"][0]["attempts"][0]["pod"], "-n", place, "--wait=false")
    assert cluster.ended("by-hand", WITHIN)["phase"] == "Succeeded"

    cluster.start("unscheduled", {"tasks": [task("a", nodeSelector={"no": "node"})]})
    # Longer than it takes to cancel it; hollow nodes take no deadline that comes while a pod runs.
    cluster.start("running", {"tasks": [task("a", seconds=15)]})
    cluster.until("unscheduled", lambda status: bool(phases(status)), WITHIN)
    cluster.until("running", lambda status: phases(status).get("a") == "Running", WITHIN)
    for one in ("unscheduled", "running"):
        assert cluster.windlass("cancel", one).code == 0
        assert cluster.ended(one, WITHIN)["phase"] in ("Cancelled", "Succeeded")

    cluster.start("fails", {"tasks": [task("a", annotations={"hollow/exit-code": "3"})]})
    assert cluster.ended("fails", WITHIN)["phase"] == "Failed"

    cluster.start("deleted", {"tasks": [task("a", seconds=600)]})
    cluster.until("deleted", lambda status: phases(status).get("a") == "Running", WITHIN)
    kubectl("delete", "workflowrun", "deleted", "-n", place, "--wait=false")
    until_gone(place, "windlass.dev/run=deleted")


def lose_a_pod_while_nobody_looks(cluster: Cluster, installed: Installed) -> None:
    """The definition is read again after a restart, and so is the pod that should be there."""
    place = ["-n", cluster.namespace]
    flow = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "long"}}
    kubectl("create", *place, "-f", "-", stdin=json.dumps({**flow, "spec": {"tasks": [task("a", seconds=12)]}}))
    assert cluster.windlass("run", "long", "--name", "lost").code == 0
    status = cluster.until("lost", lambda status: phases(status).get("a") == "Running", WITHIN)
    installed.controller.stop()
    pod = status["tasks"][0]["attempts"][0]["pod"]
    kubectl("patch", "pod", pod, *place, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    kubectl("delete", "pod", pod, *place, "--force")
    installed.controller.start()
    assert [attempt.get("class") for attempt in cluster.ended("lost", WITHIN)["tasks"][0]["attempts"]] == [
        "Infra",
        None,
    ]


def schedule(cluster: Cluster) -> None:
    """A schedule makes its run, reads its holidays, and lets go of what was run by hand."""
    place = ["-n", cluster.namespace]
    holidays = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "holidays"}, "data": {"2026-12-25": ""}}
    kubectl("create", *place, "-f", "-", stdin=json.dumps(holidays))
    calendar = {"cron": "0 0 1 1 *", "exclude": {"configMap": {"name": "holidays"}}}
    for name, timing in (("once", {"cron": "@once"}), ("yearly", calendar)):
        spec = {"schedule": timing, "history": {"succeeded": 0}, "tasks": [task("a")]}
        flow = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": name}, "spec": spec}
        kubectl("create", *place, "-f", "-", stdin=json.dumps(flow))
    assert cluster.windlass("run", "once", "--name", "by-hand-again").code == 0
    end = time.monotonic() + WITHIN
    while True:
        seen = {flow["metadata"]["name"]: flow.get("status", {}) for flow in objects("workflows", cluster.namespace)}
        if seen["once"].get("lastSuccess") and seen["yearly"].get("nextSlot"):
            break
        assert time.monotonic() < end, seen
        time.sleep(0.3)
    until_gone(cluster.namespace, "windlass.dev/workflow=once,!windlass.dev/trigger", "workflowruns")


def backfill(cluster: Cluster) -> None:
    """A backfill makes runs, tells of what has failed, and cancels what runs when it is stopped."""
    place = ["-n", cluster.namespace]
    timing = {"cron": "0 0 * * *", "suspend": True}
    # Longer than it takes to cancel it.
    spec = {"schedule": timing, "tasks": [task("a", seconds=15)]}
    flow = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "past"}, "spec": spec}
    kubectl("create", *place, "-f", "-", stdin=json.dumps(flow))
    days = ("--from", "2025-04-01", "--to", "2025-04-03")
    assert cluster.windlass("backfill", "past", *days, "--name", "stopped", "--detach").code == 0
    end = time.monotonic() + WITHIN
    while not objects("workflowruns", cluster.namespace, "-l", "windlass.dev/backfill=stopped"):
        assert time.monotonic() < end, "no run was made"
        time.sleep(0.3)
    assert cluster.windlass("cancel", "backfill/stopped").code == 0
    kubectl("wait", "backfill/stopped", *place, "--for=jsonpath={.status.phase}=Cancelled", f"--timeout={WITHIN:.0f}s")


def act(cluster: Cluster) -> None:
    """An action is applied and answered; the next leader removes it."""
    cluster.start("act", {"tasks": [task("a", annotations={"hollow/exit-code": "3"})]})
    assert cluster.ended("act", WITHIN)["phase"] == "Failed"
    said = cluster.windlass("mark-success", "act", "a")
    assert said.code == 0, said.all
    assert cluster.status("act")["phase"] == "Succeeded"


def look(cluster: Cluster) -> None:
    """A task waits for an object, which its service account may watch."""
    place = ["-n", cluster.namespace]
    kubectl("create", "role", "look", *place, "--verb=list,watch", "--resource=configmaps")
    kubectl("create", "rolebinding", "look", *place, "--role=look", f"--serviceaccount={cluster.namespace}:default")
    awaited = {"apiVersion": "v1", "kind": "ConfigMap", "name": "awaited"}
    cluster.start("looks", {"tasks": [{"name": "a", "waitFor": {"object": awaited}}]})
    cluster.until("looks", lambda status: phases(status).get("a") == "Running", WITHIN)
    kubectl("create", "configmap", "awaited", *place)
    assert cluster.ended("looks", WITHIN)["phase"] == "Succeeded"


def share(cluster: Cluster) -> None:
    """A task takes a slot of a pool, whose figures are written."""
    pool = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Pool", "metadata": {"name": "one"}, "spec": {"slots": 1}}
    kubectl("create", "-n", cluster.namespace, "-f", "-", stdin=json.dumps(pool))
    cluster.start("shares", {"tasks": [task("a", pool="one")]})
    assert cluster.ended("shares", WITHIN)["phase"] == "Succeeded"
    kubectl("wait", "pool/one", "-n", cluster.namespace, "--for=jsonpath={.status.free}=1", f"--timeout={WITHIN:.0f}s")


def until_gone(namespace: str, selector: str, kind: str = "pods") -> None:
    end = time.monotonic() + 60
    while objects(kind, namespace, "-l", selector):
        assert time.monotonic() < end, f"{kind} stay"
        time.sleep(0.3)


@pytest.mark.parametrize("everywhere", [True, False], ids=["cluster-wide", "in one namespace"])
def test_the_rights_are_enough_and_none_is_too_many(kubeconfig: Path, places: list[str], everywhere: bool) -> None:
    home, place, _ = places
    values = {} if everywhere else {"watchNamespaces": [place]}
    cluster = Cluster(kubeconfig, place)
    unreadable(cluster)
    with tempfile.TemporaryDirectory(prefix="windlass-rights-") as directory:
        installed = install(kubeconfig, Path(directory), home, {"rbac": {"userRoles": False}, **values})
        installed.controller.start()
        try:
            play(cluster)
            schedule(cluster)
            backfill(cluster)
            act(cluster)
            look(cluster)
            share(cluster)
            cluster.until("unreadable", lambda status: status.get("reason") == "StatusUnreadable", WITHIN)
            before = installed.asked()
            lose_a_pod_while_nobody_looks(cluster, installed)
            after = installed.asked()
        finally:
            installed.remove()
    asked = set(before) | set(after)
    assert {what for one in (before, after) for what, codes in one.items() if "403" in codes} == set()
    assert asked - installed.granted() == set()
    assert installed.granted() - asked - SEEN_BY_KOPF == NOT_IN_A_SHORT_TIME


def test_a_namespace_without_rights_holds_up_no_other(kubeconfig: Path, places: list[str]) -> None:
    """The Role was forgotten, or deleted, in one of two namespaces; a third is not the controller's."""
    home, place, forbidden = places
    with tempfile.TemporaryDirectory(prefix="windlass-rights-") as directory:
        values = {"rbac": {"userRoles": False}, "watchNamespaces": [place, forbidden]}
        installed = install(kubeconfig, Path(directory), home, values)
        kubectl("delete", "rolebindings", "--all", "-n", forbidden)
        installed.controller.start()
        try:
            for where in (forbidden, home, place):
                Cluster(kubeconfig, where).start("run", {"tasks": [task("a")]})
            assert Cluster(kubeconfig, place).ended("run", WITHIN)["phase"] == "Succeeded"
            assert [Cluster(kubeconfig, where).status("run") for where in (forbidden, home)] == [{}, {}]
            log = installed.controller.log.read_text()
            binding = next(
                one
                for one in installed.manifests
                if one["kind"] == "RoleBinding" and one["metadata"]["namespace"] == forbidden
            )
            kubectl("apply", "-f", "-", stdin=json.dumps(binding))
            assert Cluster(kubeconfig, forbidden).ended("run", WITHIN)["phase"] == "Succeeded"
        finally:
            installed.remove()
    for kind in ("pods", "workflowruns"):
        assert re.search(rf'cannot list resource "{kind}" in API group ".*" in the namespace "{forbidden}"', log), kind
