"""The fields of a pod that a policy lets pass, object by object: all that is not here is refused.

A key that has no list of its own passes with all that it contains. Keys that a rule decides about pass here, and are
that rule's. A field that Kubernetes may have tomorrow is on no list, and so is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Path = tuple[str, ...]
"""Keys from the pod's spec downwards; a list's key ends in `[]`."""

CONTAINERS: Final = "containers[]"
"""Stands for init containers too."""
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
_CONTEXT: Final = frozenset({"appArmorProfile", "runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile"})

ALLOWED: Final[Mapping[Path, frozenset[str]]] = {
    (): frozenset(
        {
            "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy",
            "enableServiceLinks", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets",
            "initContainers", "nodeSelector", "preemptionPolicy", "priority", "priorityClassName", "readinessGates",
            "resources", "restartPolicy", "schedulerName", "securityContext", "serviceAccount", "serviceAccountName",
            "setHostnameAsFQDN", "subdomain", "terminationGracePeriodSeconds", "tolerations",
            "topologySpreadConstraints", "volumes",
        }
    ),
    ("affinity",): frozenset({"nodeAffinity", "podAffinity", "podAntiAffinity"}),
    ("securityContext",): _CONTEXT
    | {"fsGroup", "fsGroupChangePolicy", "supplementalGroups", "supplementalGroupsPolicy"},
    ("volumes[]",): frozenset(
        {
            "configMap", "downwardAPI", "emptyDir", "hostPath", "image", "name", "persistentVolumeClaim",
            "projected", "secret",
        }
    ),
    ("volumes[]", "projected", "sources[]"): frozenset({"configMap", "downwardAPI", "secret", "serviceAccountToken"}),
    ("resources",): frozenset({"limits", "requests"}),
    (CONTAINERS,): frozenset(
        {
            "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name",
            "ports", "readinessProbe", "resizePolicy", "resources", "restartPolicy", "restartPolicyRules",
            "securityContext", "startupProbe", "stdin", "stdinOnce", "terminationMessagePath",
            "terminationMessagePolicy", "tty", "volumeMounts", "workingDir",
        }
    ),
    (CONTAINERS, "securityContext"): _CONTEXT
    | {"allowPrivilegeEscalation", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem"},
    (CONTAINERS, "securityContext", "capabilities"): frozenset({"add", "drop"}),
    (CONTAINERS, "ports[]"): frozenset({"containerPort", "name", "protocol"}),
    (CONTAINERS, "resources"): frozenset({"limits", "requests"}),
    (CONTAINERS, "volumeMounts[]"): frozenset(
        {"mountPath", "name", "readOnly", "recursiveReadOnly", "subPath", "subPathExpr"}
    ),
    **{(CONTAINERS, hook[0]): frozenset({"postStart", "preStop", "stopSignal"}) for hook in _HOOKS},
    # The kubelet would ask any host, from the node's network.
    **{
        (CONTAINERS, *asked, "httpGet"): frozenset({"httpHeaders", "path", "port", "scheme"})
        for asked in (*((probe,) for probe in _PROBES), *_HOOKS)
    },
    **{(CONTAINERS, *asked, "tcpSocket"): frozenset({"port"}) for asked in (*((probe,) for probe in _PROBES), *_HOOKS)},
}  # fmt: skip
FIXED: Final[Mapping[Path, frozenset[str]]] = {
    ("schedulerName",): frozenset({"default-scheduler"}),
    ("securityContext", "seccompProfile", "type"): frozenset({"RuntimeDefault"}),
    ("securityContext", "appArmorProfile", "type"): frozenset({"RuntimeDefault"}),
    (CONTAINERS, "securityContext", "seccompProfile", "type"): frozenset({"RuntimeDefault"}),
    (CONTAINERS, "securityContext", "appArmorProfile", "type"): frozenset({"RuntimeDefault"}),
    (CONTAINERS, "securityContext", "procMount"): frozenset({"Default"}),
}
"""Fields that pass with these values only."""


def shown(path: Path) -> str:
    """A path as an admin writes it: `spec.containers[].ports[].hostPort`."""
    return ".".join(("spec", *path))


def known_field(text: str) -> bool:
    """Whether a policy may list this field: one below an object whose fields are told apart, or with fixed values."""
    parts = tuple(text.split("."))
    return parts[0] == "spec" and len(parts) > 1 and (parts[1:-1] in ALLOWED or parts[1:] in FIXED)


def refused_fields(spec: Mapping[str, Any], more: frozenset[str]) -> list[str]:
    """The fields of a pod's spec that are on no list: neither here nor in `more`."""
    found = []
    for path, allowed in ALLOWED.items():
        for value in objects_at(spec, path):
            found += [name for key in value if key not in allowed and (name := shown((*path, key))) not in more]
    for path, values in FIXED.items():
        for value in objects_at(spec, path[:-1]):
            if value.get(path[-1], None) not in (None, *values) and shown(path) not in more:
                found.append(shown(path))
    return sorted(set(found))


def objects_at(spec: Mapping[str, Any], path: Path) -> Iterator[Mapping[str, Any]]:
    """The objects at a path."""
    if not path:
        yield spec
        return
    head, rest = path[0], path[1:]
    if not head.endswith("[]"):
        if isinstance(found := spec.get(head), Mapping):
            yield from objects_at(found, rest)
        return
    keys = ("containers", "initContainers") if head == CONTAINERS else (head[:-2],)
    for key in keys:
        for one in spec.get(key) or ():
            if isinstance(one, Mapping):
                yield from objects_at(one, rest)
