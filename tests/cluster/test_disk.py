"""The disk of a workspace is full: the task is told so, and what comes after it, the clean-up above all, goes on."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator

import pytest

from support.clusters import Cluster, phases, task
from support.controller import Controller
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster
MIB = 2
_FREE = """echo "{\\"free\\": $(df --output=avail -k "$WINDLASS_WORKSPACE" | tail -1)}" > "$WINDLASS_OUTPUTS\""""


@pytest.fixture
def small_disk(image_kit: None) -> Iterator[str]:
    """A volume of two mebibytes, on this machine, which is the node; the storage class that finds it."""
    if os.geteuid():
        pytest.skip("only root can mount a file system")
    name = f"small-{uuid.uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory(prefix="windlass-disk-", dir="/var/tmp") as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MIB}m,mode=0777", "windlass", directory], check=True)
        node = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["real-0"]}
        spec = {
            "capacity": {"storage": f"{MIB}Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": name,
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": directory},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
        }
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
        kubectl("create", "-f", "-", stdin=json.dumps(volume))
        try:
            yield name
        finally:
            kubectl("delete", "pv", name, "--wait=false")
            # Lazily: pods that have it mounted may be there yet.
            subprocess.run(["umount", "--lazy", directory], check=True)


def test_a_full_workspace(cluster: Cluster, controller: Controller, small_disk: str) -> None:
    spec = {
        "workspace": {"size": f"{MIB}Mi", "storageClassName": small_disk},
        "tasks": [
            {"name": "fill", "script": 'head -c 8000000 /dev/zero > "$WINDLASS_WORKSPACE/data"'},
            {"name": "after", "dependsOn": ["fill"], "script": "true"},
        ],
        "finally": [{"name": "clean", "script": f'rm -f "$WINDLASS_WORKSPACE"/*\n{_FREE}'}],
    }
    cluster.start("full", spec)
    cluster.start("beside", {"tasks": [{"name": "a", "script": "true"}]})
    status = cluster.ended("full")
    assert phases(status) == {"fill": "Failed", "after": "UpstreamFailed", "clean": "Succeeded"}
    (attempt,) = task(status, "fill")["attempts"]
    assert (attempt["class"], attempt["exitCode"]) == ("App", 1)
    assert "No space left on device" in attempt["message"]
    assert "the disk is full: enlarge workspace.size" in attempt["hint"]
    assert task(status, "clean")["outputs"]["free"] > (MIB * 1024) / 2, "the clean-up has made room"
    assert cluster.ended("beside")["phase"] == "Succeeded"
    assert controller.process is not None
    assert controller.process.poll() is None
