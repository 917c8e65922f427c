"""Pods and policies, and what of them is refused: held against the controller and against the cluster's admission."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

Body = dict[str, Any]
RECORDED: Final = Path(__file__).parents[1] / "unit" / "build" / "recorded"
GOLDEN: Final = Path(__file__).parents[1] / "unit" / "build" / "golden"
VALUES: Final[Mapping[str, Any]] = {"string": "x", "boolean": True, "integer": 7, "number": 7, "object": {"x": "y"}}


def usual_pod() -> Body:
    """The pod of a task that says no more than its command."""
    pod: Body = yaml.safe_load((GOLDEN / "command.yaml").read_text())
    return pod


def pod_fields() -> dict[str, Any]:
    """Every field of a pod's spec, and a value of its type."""
    lines = (RECORDED / "pod-fields.txt").read_text().splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {path: VALUES[kind] for path, kind in pairs}


def with_field(pod: Body, path: str, value: Any) -> Body:
    """The pod with one field set: in the first entry of each list on the way."""
    changed = deepcopy(pod)
    at: Any = changed
    *way, last = path.split(".")
    for key in way:
        if key.endswith("[]"):
            entries = at.setdefault(key[:-2], [])
            if not entries:
                entries.append({"name": "added"} if key == "initContainers[]" else {})
            at = entries[0]
        else:
            at = at.setdefault(key, {})
    at[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    return changed


@dataclass(frozen=True)
class PolicyCase:
    """A field of the usual pod, a policy, and what the policy's rule says of it; None: it passes."""

    path: str
    value: Any
    policy: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, str] | None = None
    """Rule, and what it names."""


MAIN = "spec.containers[]."
CONTEXT = f"{MAIN}securityContext."
NODE_TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[]"
HOST_PATH = {"name": "v", "hostPath": {"path": "/data/in"}}
SOMEWHERE = {"key": "pool", "operator": "In", "values": ["a"]}

CASES: Final[dict[str, PolicyCase]] = {
    "the usual pod": PolicyCase("metadata.labels.x", "y"),
    "a host namespace": PolicyCase("spec.hostNetwork", True, {}, ("hostNamespaces", "hostNetwork")),
    "one that is allowed": PolicyCase("spec.hostNetwork", True, {"hostNamespaces": ["hostNetwork"]}),
    "another one": PolicyCase("spec.hostPID", True, {"hostNamespaces": ["hostNetwork"]}, ("hostNamespaces", "hostPID")),
    "a host namespace that is not asked for": PolicyCase("spec.hostNetwork", False),
    "a directory of the node": PolicyCase("spec.volumes[]", HOST_PATH, {}, ("hostPaths", "/data/in")),
    "one below what is allowed": PolicyCase("spec.volumes[]", HOST_PATH, {"hostPaths": ["/data"]}),
    "one that only begins alike": PolicyCase(
        "spec.volumes[]", HOST_PATH, {"hostPaths": ["/dat", "/data/i"]}, ("hostPaths", "/data/in")
    ),
    "a privileged container": PolicyCase(
        f"{MAIN}securityContext",
        {"privileged": True, "runAsNonRoot": True},
        {"privilegeEscalation": True},
        ("privileged", "container main"),
    ),
    "one that is allowed to": PolicyCase(
        f"{MAIN}securityContext",
        {"privileged": True, "runAsNonRoot": True},
        {"privileged": True, "privilegeEscalation": True},
    ),
    "escalation": PolicyCase(f"{CONTEXT}allowPrivilegeEscalation", True, {}, ("privilegeEscalation", "container main")),
    "escalation that is not ruled out": PolicyCase(
        f"{MAIN}securityContext", {"runAsNonRoot": True}, {}, ("privilegeEscalation", "container main")
    ),
    "root": PolicyCase(
        f"{MAIN}securityContext",
        {"runAsUser": 0, "runAsNonRoot": False, "allowPrivilegeEscalation": False},
        {},
        ("root", "container main"),
    ),
    "the image's user": PolicyCase("spec.securityContext", {}, {}, ("root", "container main")),
    "the image's user, allowed": PolicyCase("spec.securityContext", {}, {"root": True}),
    "a capability": PolicyCase(
        f"{CONTEXT}capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}, {}, ("capabilities", "NET_ADMIN")
    ),
    "one that is allowed to add": PolicyCase(
        f"{CONTEXT}capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}, {"capabilities": ["NET_ADMIN"]}
    ),
    "a service account": PolicyCase("spec.serviceAccountName", "etl", {}, ("serviceAccounts", "etl")),
    "a service account by its old name": PolicyCase("spec.serviceAccount", "etl", {}, ("serviceAccounts", "etl")),
    "a service account that is allowed": PolicyCase("spec.serviceAccountName", "etl", {"serviceAccounts": ["etl"]}),
    "the default one, which is not": PolicyCase(
        "metadata.labels.x", "y", {"serviceAccounts": ["etl"]}, ("serviceAccounts", "default")
    ),
    "an image from elsewhere": PolicyCase(
        f"{MAIN}image", "evil/x:1", {"images": ["registry.example.com"]}, ("images", "evil/x:1")
    ),
    "a registry that only begins alike": PolicyCase(
        f"{MAIN}image",
        "registry.example.com.evil.org/x",
        {"images": ["registry.example.com"]},
        ("images", "registry.example.com.evil.org/x"),
    ),
    "an image of the registry": PolicyCase(
        f"{MAIN}image", "registry.example.com/a/b@sha256:00", {"images": ["registry.example.com"]}
    ),
    "an image with any tag": PolicyCase(f"{MAIN}image", "python:3.13", {"images": ["python"]}),
    "no image at all": PolicyCase(f"{MAIN}image", "python:3.13", {"images": []}, ("images", "python:3.13")),
    "the image of an init container": PolicyCase(
        "spec.initContainers[]",
        {"name": "i", "image": "evil", "securityContext": {"allowPrivilegeEscalation": False}},
        {"images": ["python", "busybox"]},
        ("images", "evil"),
    ),
    "a label of nodes": PolicyCase("spec.nodeSelector", {"pool": "a"}, {}, ("nodeSelectors", "pool=a")),
    "a label that is allowed": PolicyCase("spec.nodeSelector", {"pool": "a"}, {"nodeSelectors": ["pool"]}),
    "a value that is allowed": PolicyCase("spec.nodeSelector", {"pool": "a"}, {"nodeSelectors": ["pool=a"]}),
    "a value that is not": PolicyCase(
        "spec.nodeSelector", {"pool": "b"}, {"nodeSelectors": ["pool=a"]}, ("nodeSelectors", "pool=b")
    ),
    "nodes by affinity": PolicyCase(
        NODE_TERMS, {"matchExpressions": [SOMEWHERE]}, {"nodeSelectors": ["pool=a"]}, ("nodeSelectors", "pool")
    ),
    "nodes by affinity, allowed": PolicyCase(
        NODE_TERMS, {"matchExpressions": [SOMEWHERE]}, {"nodeSelectors": ["pool"]}
    ),
    "nodes by preference": PolicyCase(
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[]",
        {"weight": 1, "preference": {"matchExpressions": [SOMEWHERE]}},
        {},
        ("nodeSelectors", "pool"),
    ),
    "a toleration of all": PolicyCase("spec.tolerations[]", {"operator": "Exists"}, {}, ("tolerations", "*")),
    "a taint": PolicyCase("spec.tolerations[]", {"key": "spot", "operator": "Exists"}, {}, ("tolerations", "spot")),
    "a taint that is allowed": PolicyCase(
        "spec.tolerations[]", {"key": "spot", "operator": "Exists"}, {"tolerations": ["spot"]}
    ),
    "a priority class": PolicyCase(
        "spec.priorityClassName", "system-node-critical", {}, ("priorityClasses", "system-node-critical")
    ),
    "a field on no list": PolicyCase("spec.shareProcessNamespace", True, {}, ("fields", "spec.shareProcessNamespace")),
    "a field that the policy lists": PolicyCase(
        "spec.shareProcessNamespace", True, {"fields": ["spec.shareProcessNamespace"]}
    ),
    "a port of the node": PolicyCase(
        f"{MAIN}ports[]",
        {"containerPort": 80, "hostPort": 80},
        {},
        ("fields", "spec.containers[].ports[].hostPort"),
    ),
    "a probe of another host": PolicyCase(
        f"{MAIN}livenessProbe",
        {"httpGet": {"host": "169.254.169.254", "port": 80}},
        {},
        ("fields", "spec.containers[].livenessProbe.httpGet.host"),
    ),
    "a volume of another kind": PolicyCase(
        "spec.volumes[]", {"name": "v", "nfs": {"server": "s", "path": "/"}}, {}, ("fields", "spec.volumes[].nfs")
    ),
    "another scheduler": PolicyCase("spec.schedulerName", "mine", {}, ("fields", "spec.schedulerName")),
    "the scheduler": PolicyCase("spec.schedulerName", "default-scheduler"),
    "no seccomp": PolicyCase(
        "spec.securityContext.seccompProfile",
        {"type": "Unconfined"},
        {},
        ("fields", "spec.securityContext.seccompProfile.type"),
    ),
    "no seccomp, allowed": PolicyCase(
        "spec.securityContext.seccompProfile",
        {"type": "Unconfined"},
        {"fields": ["spec.securityContext.seccompProfile.type"]},
    ),
}
