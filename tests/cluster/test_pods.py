"""A real API server takes every pod that is built, in a namespace that takes restricted pods only."""

from __future__ import annotations

import json
import subprocess

import pytest

from support.pod_requests import REQUESTS
from windlass.build.pod import build_pod

pytestmark = pytest.mark.cluster
OPTS_OUT = {
    "image-user": "runAsNonRoot != true",
    "init-and-sidecar": 'container "migrate" must not set runAsUser=0',
    "privileged": "privileged",
}
"""Requests that leave the standard, and what the server says of it."""
NEEDS_MORE = {"every-field": "priorityClassName"}
"""Requests that name objects which an admission plugin looks for."""


def create(name: str, namespace: str) -> subprocess.CompletedProcess[str]:
    """Ask the server to make the pod, without making it."""
    pod = build_pod(REQUESTS[name])
    pod["metadata"]["namespace"] = namespace
    if name in NEEDS_MORE:
        for field in ("priorityClassName", "runtimeClassName", "serviceAccountName"):
            del pod["spec"][field]
    command = ["kubectl", "create", "--dry-run=server", "--validate=strict", "-f", "-"]
    return subprocess.run(command, input=json.dumps(pod), capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in OPTS_OUT])
def test_taken(name: str, namespace: str) -> None:
    done = create(name, namespace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OPTS_OUT)
def test_what_opts_out_is_refused(name: str, namespace: str) -> None:
    done = create(name, namespace)
    assert "violates PodSecurity" in done.stderr
    assert OPTS_OUT[name] in done.stderr
