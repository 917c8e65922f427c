"""Whether a pod can be placed on the one node, in the scheduler's words. Pure but for claims, which it binds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from windlass.dev.api.quantity import quantity
from windlass.dev.pods.node import allocatable, node_labels
from windlass.dev.pods.volumes import volumes_of

Body = dict[str, Any]


def obstacle(pod: Body, claim_path: Callable[[str], Path | None]) -> str | None:
    """Why the pod can't be placed; None when it can. Requests of other pods are not counted."""
    why = _selector(pod) or _size(pod) or _claims(pod, claim_path)
    return f"0/1 nodes are available: {why}." if why else None


def _selector(pod: Body) -> str | None:
    wanted = pod["spec"].get("nodeSelector") or {}
    labels = node_labels()
    fits = all(labels.get(key) == value for key, value in wanted.items())
    return None if fits else "1 node(s) didn't match Pod's node affinity/selector"


def _size(pod: Body) -> str | None:
    for resource in ("cpu", "memory"):
        requests = [((one.get("resources") or {}).get("requests") or {}) for one in pod["spec"]["containers"]]
        if sum(quantity(one.get(resource, "0")) for one in requests) > quantity(allocatable()[resource]):
            return f"1 Insufficient {resource}"
    return None


def _claims(pod: Body, claim_path: Callable[[str], Path | None]) -> str | None:
    for volume in volumes_of(pod):
        claim = volume.get("persistentVolumeClaim")
        if claim and claim_path(claim["claimName"]) is None:
            return f'persistentvolumeclaim "{claim["claimName"]}" not found'
    return None
