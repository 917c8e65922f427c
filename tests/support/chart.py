"""The chart, rendered by helm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

Manifest = dict[str, Any]
CHART: Final = Path(__file__).parents[2] / "helm" / "windlass"
KIT: Final = Path(os.environ.get("KUBE_HOME") or Path.home() / ".cache" / "windlass-kube") / "bin"
OLDEST: Final = "1.30.0"
"""The oldest Kubernetes that the chart is for."""
RELEASE, NAMESPACE = "windlass", "windlass-system"


def helm_program() -> str:
    """The helm to use. Skips the test where there is none; fails it where $HELM names one that is not there."""
    said = os.environ.get("HELM")
    found = shutil.which(said or "helm") or shutil.which("helm", path=str(KIT))
    if found is None and said:
        pytest.fail(f"HELM={said}: there is no such program")
    if found is None:
        pytest.skip("helm is not in the PATH: https://helm.sh/docs/intro/install, or `kube build` of the test kit")
    return found


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """A command of helm, with values."""
    command = [helm_program(), *arguments, *(["--values", "-"] if values else [])]
    given = yaml.safe_dump(dict(values)) if values else ""
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def render(
    values: Mapping[str, Any] | None = None, release: str = RELEASE, namespace: str = NAMESPACE
) -> list[Manifest]:
    """The objects of a release, those of its hooks and its test included."""
    done = helm("template", release, str(CHART), "--namespace", namespace, "--kube-version", OLDEST, values=values)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of(manifests: list[Manifest], kind: str, name: str | None = None) -> list[Manifest]:
    """Those of a kind, and of a name."""
    return [one for one in manifests if one["kind"] == kind and name in (None, one["metadata"]["name"])]


def is_hook(manifest: Manifest) -> bool:
    return "helm.sh/hook" in (manifest["metadata"].get("annotations") or {})


def pod_specs(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The metadata and specs of all pods that the objects make, by the object."""
    found: dict[str, Manifest] = {}
    for one in manifests:
        name = f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] == "Pod":
            found[name] = one
        elif one["kind"] in ("Deployment", "Job"):
            found[name] = one["spec"]["template"]
    return found


VARIANTS: Final[dict[str, Mapping[str, Any]]] = {
    "as it comes": {},
    "some namespaces": {"watchNamespaces": ["team-a", "team-b"], "rbac": {"userRoles": False}},
    "one replica": {"replicas": 1, "fullnameOverride": "engine", "podDisruptionBudget": {"enabled": False}},
    "monitored": {
        "metrics": {
            "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s"},
            "rules": {"enabled": True, "labels": {"release": "prometheus"}},
            "dashboards": {"enabled": True, "annotations": {"grafana_folder": "Windlass"}},
        }
    },
    "everything given": {
        "commonLabels": {"team": "data"},
        "image": {
            "repository": "registry.example.com/windlass",
            "digest": "sha256:" + "0" * 64,
            "pullPolicy": "Always",
        },
        "imagePullSecrets": [{"name": "registry"}],
        "tasks": {"defaultImage": "python:3.13-slim", "gitSyncImage": "registry.example.com/git-sync:v4"},
        "log": {"level": "debug", "format": "text"},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "podLabels": {"sidecar.istio.io/inject": "false"},
        "podAnnotations": {"example.com/a": "b"},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
        ],
        "serviceAccount": {"name": "runner", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}},
        "service": {"annotations": {"a": "b"}},
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
            "apiServerCIDRs": ["10.0.0.0/8", "fd00::/8"],
        },
        "test": {"namespace": "try"},
        "policy": {
            "pods": [
                {"name": "usual", "images": ["registry.example.com"], "capabilities": [], "root": True},
                {
                    "name": "strict",
                    "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
                    "hostPaths": ["/data"],
                    "fields": ["spec.runtimeClassName"],
                },
            ]
        },
    },
    "nothing that can be left out": {
        "crds": {"install": False},
        "uninstall": {"freePods": False},
        "rbac": {"create": False, "userRoles": False},
        "serviceAccount": {"create": False},
        "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "admission": {"fencing": False, "pods": False},
        "topologySpreadConstraints": [],
    },
}
"""What may be chosen, by what it is called."""
