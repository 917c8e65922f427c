"""The one node of the development cluster: this machine."""

from __future__ import annotations

import os
import platform
from functools import cache
from typing import Any, Final

from windlass.dev.api.texts import timestamp

Body = dict[str, Any]
NODE_NAME: Final = "local"
ADDRESS: Final = "127.0.0.1"
MAX_PODS: Final = 110
"""As many as a kubelet takes by default."""


@cache
def allocatable() -> dict[str, str]:
    """What the machine has, as a node's status says it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{memory // 1024}Ki",
        "pods": str(MAX_PODS),
        "ephemeral-storage": "100Gi",
    }


def node_labels() -> dict[str, str]:
    """The labels that a nodeSelector may ask for."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {"kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": "linux", "kubernetes.io/arch": machine}


def build_node(version: str, started: Any) -> Body:
    """The Node object, with its status."""
    now = timestamp(started)
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the development cluster runs pods as local processes",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE_NAME, "labels": node_labels()},
        "spec": {},
        "status": {
            "capacity": allocatable(),
            "allocatable": allocatable(),
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": NODE_NAME}],
            "nodeInfo": {
                "architecture": node_labels()["kubernetes.io/arch"],
                "bootID": "",
                "containerRuntimeVersion": "local://",
                "kernelVersion": platform.release(),
                "kubeProxyVersion": "",
                "kubeletVersion": version,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": platform.platform(),
                "systemUUID": "",
            },
        },
    }
