"""Several controllers: one acts, the others stand by, and whatever becomes of the one, no task is started twice.

Pods run on hollow nodes, which play what the pods' annotations say.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, phases
from support.controller import Controller
from support.kubectl import kubectl, objects

pytestmark = pytest.mark.cluster

KILLED_WITHIN = 10.0
ORDERLY_WITHIN = 2.0


def task(name: str, *after: str, seconds: float = 1.0, message: str = "") -> dict[str, Any]:
    """A task that a hollow node plays."""
    plays = {"hollow/run-seconds": str(seconds), "hollow/message": message}
    body = {
        "name": name,
        "image": "busybox",
        "command": ["true"],
        "annotations": plays,
        "nodeSelector": {"windlass.dev/hollow": "true"},
        "tolerations": [{"key": "windlass.dev/hollow", "operator": "Exists"}],
    }
    return {**body, "dependsOn": list(after)} if after else body


CHAIN = {"tasks": [task("a", seconds=4, message='{"n": 1}'), task("b", "a", seconds=4), task("c", "b")]}


@dataclass
class Replicas:
    """Controllers that share a lease."""

    kubeconfig: Path
    namespace: str
    directory: Path
    lease: str
    started: list[Controller] = field(default_factory=list)

    def start(self) -> Controller:
        """One more; ready when this returns."""
        log = self.directory / f"controller-{len(self.started)}.log"
        one = Controller(self.kubeconfig, self.namespace, log, ("--lease-name", self.lease), "ok.*\n")
        one.start()
        self.started.append(one)
        return one

    def spec(self) -> dict[str, Any]:
        lease = json.loads(kubectl("get", "lease", self.lease, "-n", self.namespace, "-o", "json"))
        spec: dict[str, Any] = lease["spec"]
        return spec

    def followed(self, term: int, within: float) -> float:
        """Wait until a later term has begun; after how many seconds that was."""
        began = time.monotonic()
        while True:
            spec = self.spec()
            after = time.monotonic() - began
            if spec["leaseTransitions"] > term and spec["holderIdentity"]:
                return after
            assert after < within, f"nobody has followed within {within} s: {spec}"
            time.sleep(0.05)

    def end(self) -> None:
        for one in self.started:
            if one.process is not None and one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                one.process.kill()
                one.process.wait()


@pytest.fixture
def replicas(controller: Controller, kubeconfig: Path, namespace: str) -> Iterator[Replicas]:
    """None yet; the session's own controller, which has another lease, rests meanwhile."""
    controller.stop()
    with tempfile.TemporaryDirectory(prefix="windlass-ha-") as directory:
        found = Replicas(kubeconfig, namespace, Path(directory), f"ha-{uuid.uuid4().hex[:6]}")
        try:
            yield found
        finally:
            found.end()
            controller.start()
            for log in sorted(Path(directory).iterdir()):
                print(f"--- {log.name}\n{log.read_text()[-6000:]}")


@pytest.fixture
def runs(kubeconfig: Path, namespace: str) -> Cluster:
    """The cluster, without a controller that works on all of it."""
    return Cluster(kubeconfig, namespace)


def readiness(one: Controller) -> str:
    with urllib.request.urlopen(one.metrics.replace("/metrics", "/readyz"), timeout=5) as answer:
        text: str = answer.read().decode()
    return text.strip()


def made(runs: Cluster, run: str) -> list[tuple[str, str]]:
    """Task and attempt of each pod of a run, as far as they are there."""
    pods = objects("pods", runs.namespace, "-l", f"windlass.dev/run={run}")
    labels = [pod["metadata"]["labels"] for pod in pods]
    return sorted((label["windlass.dev/task"], label["windlass.dev/attempt"]) for label in labels)


def whole(status: dict[str, Any]) -> None:
    """The chain went through once, and nothing of it was lost."""
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded", "c": "Succeeded"}
    assert [len(one["attempts"]) for one in status["tasks"]] == [1, 1, 1]
    assert status["tasks"][0]["outputs"] == {"n": 1}


def test_a_standby_is_ready_and_says_who_leads(replicas: Replicas) -> None:
    first, second = replicas.start(), replicas.start()
    assert readiness(first) == "ok"
    assert readiness(second) == f"ok: standing by: {replicas.spec()['holderIdentity']} leads"


def test_a_killed_leader_is_followed_within_ten_seconds(replicas: Replicas, runs: Cluster) -> None:
    first, _ = replicas.start(), replicas.start()
    runs.start("ha-killed", CHAIN)
    runs.until("ha-killed", lambda status: phases(status).get("a") == "Running")
    term = replicas.spec()["leaseTransitions"]
    first.kill()
    assert replicas.followed(term, KILLED_WITHIN) > 3, "it was followed before its lease was over"
    whole(runs.ended("ha-killed"))


def test_an_orderly_end_is_followed_within_two_seconds(replicas: Replicas, runs: Cluster) -> None:
    """A rolling upgrade: one after the other is replaced while a run is under way."""
    replicas.start()
    runs.start("ha-rolling", CHAIN)
    took = []
    for number in range(3):
        replicas.start()
        leader, term = replicas.started[number], replicas.spec()["leaseTransitions"]
        assert leader.process is not None
        leader.process.terminate()
        took.append(replicas.followed(term, ORDERLY_WITHIN))
        assert leader.process.wait(20) == 0
    print(f"followed after {took} s")
    whole(runs.ended("ha-rolling"))


@pytest.mark.parametrize("moment", ["a is Running", "a has just ended"])
def test_a_leader_frozen_past_its_lease_does_no_harm(replicas: Replicas, runs: Cluster, moment: str) -> None:
    first, _ = replicas.start(), replicas.start()
    name = f"ha-frozen-{uuid.uuid4().hex[:4]}"
    runs.start(name, CHAIN)
    runs.until(name, lambda status: phases(status).get("a") == "Running")
    if moment == "a has just ended":
        while objects("pods", runs.namespace, "-l", f"windlass.dev/run={name}")[0]["status"]["phase"] == "Running":
            time.sleep(0.02)
    assert first.process is not None
    term = replicas.spec()["leaseTransitions"]
    first.process.send_signal(signal.SIGSTOP)
    replicas.followed(term, KILLED_WITHIN)
    runs.until(name, lambda status: phases(status).get("b") in ("Running", "Succeeded"))
    first.process.send_signal(signal.SIGCONT)
    first.says("the controller begins anew", "standing by: ")
    status = runs.ended(name)
    whole(status)
    assert made(runs, name) == [("a", "1"), ("b", "1"), ("c", "1")]
    pods = objects("pods", runs.namespace, "-l", f"windlass.dev/run={name}")
    later = replicas.spec()["leaseTransitions"]
    assert {pod["metadata"]["annotations"]["windlass.dev/term"] for pod in pods} == {str(term), str(later)}
