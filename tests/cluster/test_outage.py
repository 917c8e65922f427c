"""The API server of a real cluster is away for half a minute; WINDLASS_OUTAGE=120 makes it two.

The cluster is one of this test's own, with two controllers.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.clusters import WINDLASS, Cluster, phases
from support.controller import Controller
from support.hollow import task
from support.kubectl import kubectl
from support.own_cluster import OwnCluster, own_cluster

pytestmark = pytest.mark.cluster
AWAY = float(os.environ.get("WINDLASS_OUTAGE", "30"))
"""Seconds. Longer than the lease and than what a request may take."""
CHAIN = {
    "tasks": [
        task("ends-meanwhile", annotations={"hollow/run-seconds": "8", "hollow/message": '{"n": 7}'}),
        task("b", dependsOn=["ends-meanwhile"]),
        task("long", seconds=AWAY + 15),
        task("c", dependsOn=["b", "long"]),
    ]
}


@pytest.fixture(scope="module")
def lonely(image_kit: None) -> Iterator[OwnCluster]:
    """A cluster with our kinds in it, and no controller."""
    with tempfile.TemporaryDirectory(prefix="windlass-own-") as directory, own_cluster(Path(directory)) as found:
        definitions = subprocess.run([str(WINDLASS), "crds"], capture_output=True, text=True, check=True).stdout
        kubectl("--kubeconfig", str(found.kubeconfig), "apply", "--server-side", "-f", "-", stdin=definitions)
        yield found


@pytest.fixture
def controllers(lonely: OwnCluster) -> Iterator[list[Controller]]:
    """Two, of which the first leads."""
    with tempfile.TemporaryDirectory(prefix="windlass-outage-") as directory:
        found = [
            Controller(lonely.kubeconfig, "default", Path(directory) / f"log-{number}", (), when)
            for number, when in enumerate(("ok\n", "ok.*\n"))
        ]
        try:
            for one in found:
                one.start()
            yield found
        finally:
            for one in found:
                one.stop()
                print(one.log.read_text()[-6000:])


def pods(lonely: OwnCluster, run: str) -> list[str]:
    """The tasks of the pods of a run, one by one."""
    labels = r"jsonpath={.items[*].metadata.labels.windlass\.dev/task}"
    said = kubectl("--kubeconfig", str(lonely.kubeconfig), "get", "pods", "-l", f"windlass.dev/run={run}", "-o", labels)
    return sorted(said.split())


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_an_api_server_that_is_away_costs_time_only(
    lonely: OwnCluster, controllers: list[Controller], how: str
) -> None:
    cluster = Cluster(lonely.kubeconfig)
    cluster.start(how, CHAIN)
    cluster.until(how, lambda status: phases(status).get("ends-meanwhile") == "Running")
    began = time.monotonic()
    if how == "frozen":
        lonely.freeze()
    else:
        lonely.kill()
    try:
        time.sleep(max(AWAY - (time.monotonic() - began), 0))
        assert "leads no more" in controllers[0].log.read_text()
    finally:
        if how == "frozen":
            lonely.thaw()
        else:
            lonely.up()
    back = time.monotonic()
    status = cluster.ended(how)
    print({one["name"]: one["attempts"][-1]["finishedAt"] for one in status["tasks"]}, status["finishedAt"])
    print(f"away for {back - began:.0f} s; the run ended {time.monotonic() - back:.0f} s after it was back")
    found: dict[str, tuple[str, int, Any]] = {
        one["name"]: (one["phase"], len(one["attempts"]), one.get("outputs")) for one in status["tasks"]
    }
    assert found == {
        "ends-meanwhile": ("Succeeded", 1, {"n": 7}),
        "b": ("Succeeded", 1, None),
        "long": ("Succeeded", 1, None),
        "c": ("Succeeded", 1, None),
    }
    assert pods(lonely, how) == sorted(found)
    assert [one.process and one.process.poll() for one in controllers] == [None, None], "neither has ended"
