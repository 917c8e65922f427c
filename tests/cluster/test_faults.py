"""What an installation meets in its life: rights and tokens that are taken away, namespaces that go with their runs.

The controller runs outside of the cluster, with the chart's rights. Pods run on hollow nodes.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, phases
from support.hollow import task
from support.kubectl import kubectl, objects
from support.rights import Installed, install

pytestmark = pytest.mark.cluster
WITHIN = 150.0
"""Seconds: what was refused is tried again after a minute at the latest."""
CHAIN = {"tasks": [task("a", seconds=8), task("b", dependsOn=["a"]), task("c", dependsOn=["b"])]}
"""Its first task runs for long enough that something can be taken away meanwhile."""


@pytest.fixture
def installed(kubeconfig: Path, places: list[str]) -> Iterator[Installed]:
    """At work, for the second and third of the places."""
    home, *watched = places
    with tempfile.TemporaryDirectory(prefix="windlass-faults-") as directory:
        found = install(kubeconfig, Path(directory), home, {"rbac": {"userRoles": False}, "watchNamespaces": watched})
        found.controller.start()
        try:
            yield found
        finally:
            found.remove()


def whole(status: dict[str, Any]) -> None:
    """The chain went through, and each task took one attempt."""
    found = {one["name"]: (one["phase"], len(one["attempts"])) for one in status["tasks"]}
    assert (status["phase"], found) == ("Succeeded", dict.fromkeys("abc", ("Succeeded", 1)))


def one_pod_each(namespace: str, run: str) -> None:
    """No attempt of the chain has two pods."""
    pods = objects("pods", namespace, "-l", f"windlass.dev/run={run}")
    made = sorted(pod["metadata"]["labels"]["windlass.dev/task"] for pod in pods)
    assert made == ["a", "b", "c"]


def until(condition: Callable[[], object], what: str, within: float = WITHIN) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(0.3)


def errors(installed: Installed) -> float:
    """Reconciles that have failed so far."""
    lines = installed.controller.read_metrics().splitlines()
    found = [line for line in lines if re.match(r'windlass_reconcile_seconds_count\{.*"error"', line)]
    return sum(float(line.rpartition(" ")[2]) for line in found)


class Right:
    """The Role of the chart in a namespace, which is taken away and given back."""

    def __init__(self, installed: Installed, namespace: str) -> None:
        (self._role,) = (
            one
            for one in installed.manifests
            if one["kind"] == "Role" and one["metadata"]["namespace"] == namespace and _makes_pods(one)
        )

    def take(self, *, pods_only: bool) -> None:
        rules = self._role["rules"]
        left = [{**one, "verbs": [verb for verb in one["verbs"] if verb != "create"]} for one in rules]
        spared = [less if "pods" in one["resources"] else one for one, less in zip(rules, left, strict=True)]
        self._apply(spared if pods_only else [])

    def give_back(self) -> None:
        self._apply(self._role["rules"])

    def _apply(self, rules: list[dict[str, Any]]) -> None:
        kubectl("replace", "-f", "-", stdin=json.dumps({**self._role, "rules": rules}))


def _makes_pods(role: dict[str, Any]) -> bool:
    return any("pods" in rule["resources"] and "create" in rule["verbs"] for rule in role["rules"])


def test_a_task_waits_for_the_right_to_make_its_pod(installed: Installed, places: list[str], kubeconfig: Path) -> None:
    _, place, other = places
    here, there = Cluster(kubeconfig, place), Cluster(kubeconfig, other)
    right = Right(installed, place)
    here.start("run", CHAIN)
    here.until("run", lambda status: phases(status).get("a") == "Running", WITHIN)
    right.take(pods_only=True)
    status = here.until("run", lambda status: phases(status).get("b") == "Queued", WITHIN)
    told = status["tasks"][1]
    assert told["reason"] == "NotPermitted"
    assert f'cannot create resource "pods" in API group "" in the namespace "{place}"' in told["message"]
    events = objects("events", place, "--field-selector", "reason=WaitingForPermission")
    assert [event["involvedObject"]["name"] for event in events] == ["run"]
    there.start("run", CHAIN)
    whole(there.ended("run", WITHIN))
    right.give_back()
    whole(here.ended("run", WITHIN))
    one_pod_each(place, "run")


def test_without_any_right_in_one_namespace_the_others_go_on(
    installed: Installed, places: list[str], kubeconfig: Path
) -> None:
    """Pods end meanwhile, whose results nobody may store."""
    _, place, other = places
    here, there = Cluster(kubeconfig, place), Cluster(kubeconfig, other)
    right = Right(installed, place)
    here.start("run", CHAIN)
    here.until("run", lambda status: phases(status).get("a") == "Running", WITHIN)
    right.take(pods_only=False)
    refused = rf'work on {place}/run failed.*cannot \w+ resource "[\w/]+" in API group ".*" in the namespace "{place}"'
    log = installed.controller.log
    until(lambda: re.search(refused, log.read_text()), f"the log says {refused}")
    there.start("run", CHAIN)
    whole(there.ended("run", WITHIN))
    before = len(log.read_text().splitlines())
    time.sleep(10)
    assert len(log.read_text().splitlines()) - before < 60, "it says so again and again"
    assert "finishedAt" not in here.status("run")
    right.give_back()
    whole(here.ended("run", WITHIN))
    one_pod_each(place, "run")


class TokenFile:
    """The login of the controller by a token in a file, each of which ends with a Secret that it is bound to."""

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._login = installed.controller.kubeconfig
        self._path = self._login.with_name("token")
        self._count = 0
        self.rotate()
        config = json.loads(self._login.read_text())
        config["users"][0]["user"] = {"tokenFile": str(self._path)}
        self._login.write_text(json.dumps(config))

    def rotate(self) -> str:
        """Put another token into the file; what the one before was bound to."""
        before, self._count = f"token-{self._count}", self._count + 1
        name, place = f"token-{self._count}", ["-n", self._installed.namespace]
        kubectl("create", "secret", "generic", name, *place)
        bound = ["--bound-object-kind", "Secret", "--bound-object-name", name]
        self._path.write_text(kubectl("create", "token", self._installed.account, *place, *bound))
        return before

    def end(self, name: str | None = None) -> None:
        """Have the token that is bound to `name`, or the one that is in the file, expire."""
        kubectl("delete", "secret", name or f"token-{self._count}", "-n", self._installed.namespace)


def test_a_token_that_is_rotated_in_time_is_not_noticed(
    installed: Installed, places: list[str], kubeconfig: Path
) -> None:
    cluster = Cluster(kubeconfig, places[1])
    installed.controller.stop()
    token = TokenFile(installed)
    installed.controller.start()
    long = {"tasks": [task("a", seconds=15), task("b", dependsOn=["a"]), task("c", dependsOn=["b"])]}
    cluster.start("run", long)
    cluster.until("run", lambda status: phases(status).get("a") == "Running", WITHIN)
    token.end(token.rotate())
    whole(cluster.ended("run", WITHIN))
    one_pod_each(places[1], "run")
    # The API server remembers a token that it knows for ten seconds.
    until(lambda: '"401"' in installed.controller.read_metrics(), "the first token is refused")
    cluster.start("later", CHAIN)
    whole(cluster.ended("later", WITHIN))
    assert installed.controller.log.read_text().count("leads: it holds the lease") == 2, "of the two that were started"


def test_an_expired_token_costs_time_only(installed: Installed, places: list[str], kubeconfig: Path) -> None:
    """It is the lease, too, that can't be renewed then."""
    cluster = Cluster(kubeconfig, places[1])
    installed.controller.stop()
    token = TokenFile(installed)
    installed.controller.start()
    cluster.start("run", CHAIN)
    cluster.until("run", lambda status: phases(status).get("a") == "Running", WITHIN)
    token.end()
    installed.controller.says("leads no more", "begins anew", "the API server can't be asked", "Unauthorized")
    token.rotate()
    whole(cluster.ended("run", WITHIN))
    one_pod_each(places[1], "run")


def test_a_namespace_that_is_deleted_takes_its_runs_and_nothing_else(
    installed: Installed, places: list[str], kubeconfig: Path
) -> None:
    _, place, other = places
    gone, stays = Cluster(kubeconfig, place), Cluster(kubeconfig, other)
    long = {"tasks": [task("a", seconds=600), task("b", dependsOn=["a"])]}
    failing = task("a", annotations={"hollow/exit-code": "1"}, retry={"limit": 50, "delay": "1s"})
    runs = {
        "running": long,
        "with-a-workspace": {"workspace": {"size": "1Mi"}, **long},
        "without-a-node": {"tasks": [task("a", nodeSelector={"no": "node"})]},
        "retrying": {"tasks": [failing]},
        "busy": {"tasks": [task(f"t{number}", seconds=0.5) for number in range(40)]},
    }
    gone.start_all({name: {"workflowSpec": spec} for name, spec in runs.items()})
    stays.start("run", {"tasks": [task("a", seconds=20), task("b", dependsOn=["a"]), task("c", dependsOn=["b"])]})
    gone.until("running", lambda status: phases(status).get("a") == "Running", WITHIN)
    kubectl("delete", "namespace", place, "--timeout=120s")
    # What was under way has been told; from here on nothing is tried any more.
    time.sleep(5)
    log, failed = installed.controller.log.read_text(), errors(installed)
    time.sleep(10)
    more = installed.controller.log.read_text()[len(log) :]
    assert [line for line in more.splitlines() if place in line and "workflowruns" not in line] == []
    assert errors(installed) == failed
    whole(stays.ended("run", WITHIN))
