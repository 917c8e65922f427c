"""The other examples on a real kubelet, as kubectl applies their own manifests; their code comes by git."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, ends
from support.examples import EXAMPLES, Pod, documents, manifest_from, run_all
from support.git_server import GitServer
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster
NAMES = ("hello", "daily-sales-etl", "weather-umbrella")
MOUNTS = {"daily-sales-etl": "/warehouse", "weather-umbrella": "/models"}


@dataclass(frozen=True)
class Applied:
    """An example whose run has been started."""

    manifest: str
    run: str
    params: dict[str, Any]


@pytest.fixture(scope="module")
def examples(cluster: Cluster, git_server: GitServer) -> dict[str, Applied]:
    """The examples; all have been started."""
    applied = {}
    for name in NAMES:
        (run,) = documents(EXAMPLES / name / "run.yaml")
        manifest = manifest_from(name, git_server)
        applied[name] = Applied(manifest, run["metadata"]["name"], run["spec"].get("params", {}))
        apply(cluster, manifest)
        apply(cluster, json.dumps(run))
    return applied


def apply(cluster: Cluster, manifest: str) -> None:
    kubectl("apply", "--server-side", "-n", cluster.namespace, "-f", "-", stdin=manifest)


@pytest.mark.parametrize("name", NAMES)
def test_an_example(cluster: Cluster, examples: dict[str, Applied], tmp_path: Path, name: str) -> None:
    example = examples[name]
    mounts = {MOUNTS[name]: str(tmp_path)} if name in MOUNTS else {}
    expected = run_all(Pod(name, tmp_path, run=example.run), params=example.params, mounts=mounts)
    status = cluster.ended(example.run)
    assert status["phase"] == "Succeeded", json.dumps(status, indent=1)
    assert ends(status) == {one: ("Succeeded", ended.outputs) for one, ended in expected.items()}


@pytest.mark.parametrize("name", NAMES)
def test_applying_again_changes_nothing(cluster: Cluster, examples: dict[str, Applied], name: str) -> None:
    look = (
        "get",
        "workflows.windlass.dev",
        name,
        "-n",
        cluster.namespace,
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    )
    before = kubectl(*look)
    apply(cluster, examples[name].manifest)
    assert kubectl(*look) == before
