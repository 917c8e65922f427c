"""The downward API: what a pod's environment and volumes can say about the pod itself."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from windlass.dev.api.quantity import quantity
from windlass.dev.pods.errors import ConfigMissing
from windlass.dev.pods.node import ADDRESS, allocatable

Body = dict[str, Any]
_KEYED: Final = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def field_value(pod: Body, path: str) -> str:
    """The value of a `fieldRef`."""
    metadata, spec = pod["metadata"], pod["spec"]
    keyed = _KEYED.fullmatch(path)
    if keyed:
        return str((metadata.get(keyed.group(1)) or {}).get(keyed.group(2), ""))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "metadata.labels": _lines(metadata.get("labels")),
        "metadata.annotations": _lines(metadata.get("annotations")),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": ADDRESS,
        "status.hostIPs": ADDRESS,
        "status.podIP": ADDRESS,
        "status.podIPs": ADDRESS,
    }
    if path not in values:
        raise ConfigMissing(f"unsupported fieldPath: {path}")
    return str(values[path])


def resource_value(pod: Body, container: Body, reference: Body) -> str:
    """The value of a `resourceFieldRef`: the container's limit or request, or what the node has."""
    named = reference.get("containerName")
    if named:
        spec = pod["spec"]
        everyone = [*spec.get("containers", []), *spec.get("initContainers", [])]
        container = next((one for one in everyone if one["name"] == named), container)
    kind, _, resource = reference["resource"].partition(".")
    resources = container.get("resources") or {}
    value = (resources.get(kind) or {}).get(resource)
    if value is None and kind == "limits":
        value = allocatable().get(resource)
    unit = quantity(reference.get("divisor") or "1") or 1
    return str(math.ceil(quantity(value or "0") / unit))


def _lines(pairs: dict[str, str] | None) -> str:
    return "\n".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sorted((pairs or {}).items()))
