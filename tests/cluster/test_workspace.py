"""The volume of a run on a real cluster: bound while the run goes on, and afterwards kept or not, as was said."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from support.clusters import Cluster, phases
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster

WITHIN = 30.0
ROWS: dict[str, tuple[str, str, bool]] = {
    "never-kept": ("Never", "true", False),
    "kept-on-failure-after-success": ("OnFailure", "true", False),
    "kept-on-failure-after-failure": ("OnFailure", "false", True),
    "always-kept": ("Always", "true", True),
}
"""What `keep` says, how the second task ends, and whether the volume stays."""


@pytest.fixture(scope="module")
def runs(cluster: Cluster) -> dict[str, str]:
    """The run of each row; all have been started."""
    names = {row: f"space-{row}" for row in ROWS}
    cluster.start_all({names[row]: {"workflowSpec": definition(keep, end)} for row, (keep, end, _) in ROWS.items()})
    return names


def definition(keep: str, end: str) -> dict[str, Any]:
    return {
        "workspace": {"size": "10Mi", "keep": keep},
        "tasks": [
            {"name": "a", "script": 'sleep 8; echo kept > "$WINDLASS_WORKSPACE/file"'},
            {"name": "b", "dependsOn": ["a"], "script": f'[ "$(cat "$WINDLASS_WORKSPACE/file")" = kept ]\n{end}'},
        ],
    }


def claim(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """The claim, or None when there is none."""
    command = ["kubectl", "get", "pvc", name, "-n", cluster.namespace, "-o", "json", "--ignore-not-found"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(said) if said else None


@pytest.mark.parametrize("row", ROWS)
def test_a_workspace(cluster: Cluster, runs: dict[str, str], row: str) -> None:
    _, end, stays = ROWS[row]
    status = cluster.until(runs[row], lambda status: phases(status).get("a") in ("Running", "Succeeded"))
    name = status["workspace"]
    found = claim(cluster, name)
    assert found is not None
    assert found["status"]["phase"] == "Bound"
    assert [owner["name"] for owner in found["metadata"]["ownerReferences"]] == [runs[row]]
    status = cluster.ended(runs[row])
    assert phases(status) == {"a": "Succeeded", "b": "Succeeded" if end == "true" else "Failed"}
    if stays:
        time.sleep(2)
        found = claim(cluster, name)
        assert found is not None
        assert "deletionTimestamp" not in found["metadata"]
        return
    # Kubernetes holds it as long as there are pods that name it, even ended ones.
    kubectl("delete", "pods", "-l", f"windlass.dev/run={runs[row]}", "-n", cluster.namespace)
    due = time.monotonic() + WITHIN
    while claim(cluster, name) is not None:
        assert time.monotonic() < due, "the claim stays"
        time.sleep(0.3)


def test_a_kept_workspace_goes_with_its_run(cluster: Cluster, runs: dict[str, str]) -> None:
    name = cluster.ended(runs["always-kept"])["workspace"]
    kubectl("delete", "workflowrun", runs["always-kept"], "-n", cluster.namespace, "--timeout=60s")
    kubectl("wait", "--for=delete", f"pvc/{name}", "-n", cluster.namespace, "--timeout=60s")
