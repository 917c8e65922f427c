"""Servers for the tests in pods of the tests' namespace, each with a Service of its own name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from support.kubectl import kubectl

RESTRICTED: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Server:
    """A pod that serves a port; the Service has the pod's name."""

    namespace: str
    name: str
    port: int

    @property
    def address(self) -> str:
        """How other pods reach it."""
        return f"{self.name}.{self.namespace}.svc.cluster.local:{self.port}"

    def execute(self, *command: str, stdin: bytes = b"") -> str:
        """Run a command in the pod; what it printed."""
        call = ["kubectl", "exec", "-i", "-n", self.namespace, self.name, "--", *command]
        done = subprocess.run(call, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.decode()

    def reach(self, other: Server) -> None:
        """Wait until this pod can connect to the other's Service, which is told of a ready pod a moment later."""
        host, _, port = other.address.partition(":")
        connect = f"until (: <>/dev/tcp/{host}/{port}) 2>/dev/null; do sleep 0.1; done"
        self.execute("timeout", "30", "bash", "-c", connect)


def start(
    server: Server,
    image: str,
    command: list[str],
    *,
    files: Mapping[str, str] | None = None,
    directories: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> None:
    """Make the pod and its Service: `files` stand in /files, and each of the `directories` is empty and writable."""
    labels = {"server": server.name}
    meta = {"name": server.name, "namespace": server.namespace}
    volumes: list[dict[str, Any]] = [{"name": "files", "configMap": {"name": server.name}}]
    volumes += [{"name": f"d{number}", "emptyDir": {}} for number, _ in enumerate(directories)]
    mounts = [{"name": "files", "mountPath": "/files"}]
    mounts += [{"name": f"d{number}", "mountPath": path} for number, path in enumerate(directories)]
    container = {
        "name": "server",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": [{"name": name, "value": value} for name, value in (env or {}).items()],
        "volumeMounts": mounts,
        "readinessProbe": {"tcpSocket": {"port": server.port}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "securityContext": RESTRICTED,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": volumes,
    }
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(files or {})},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, "labels": labels}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": [{"port": server.port}]},
        },
    ]
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def await_ready(*servers: Server) -> None:
    """Wait until all of them answer."""
    for server in servers:
        kubectl("wait", "--for=condition=Ready", f"pod/{server.name}", "-n", server.namespace, "--timeout=60s")
