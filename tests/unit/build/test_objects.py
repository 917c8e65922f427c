from __future__ import annotations

from typing import Any

import pytest

from support.pod_requests import UID
from windlass.build.revision import build_revision
from windlass.build.source import is_ssh
from windlass.build.workspace import build_claim
from windlass.models.workflow import Workspace

OWNER = {
    "apiVersion": "windlass.dev/v1alpha1",
    "kind": "WorkflowRun",
    "name": "sales-1",
    "uid": UID,
    "controller": True,
    "blockOwnerDeletion": False,
}
CLAIMS: dict[str, tuple[Workspace, dict[str, Any]]] = {
    "as it comes": (
        Workspace(),
        {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
    "with all that can be said": (
        Workspace(size="5Gi", storage_class_name="gp3", access_modes=["ReadWriteMany"]),
        {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "5Gi"}},
            "storageClassName": "gp3",
        },
    ),
}


@pytest.mark.parametrize("case", CLAIMS.values(), ids=CLAIMS.keys())
def test_claim(case: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, spec = case
    assert build_claim(namespace="data", run="sales-1", run_uid=UID, workflow="sales", workspace=workspace) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "sales-1-workspace-ce96953681",
            "namespace": "data",
            "labels": {
                "windlass.dev/workflow": "sales",
                "windlass.dev/run": "sales-1",
                "windlass.dev/run-uid": UID,
                "app.kubernetes.io/name": "sales",
                "app.kubernetes.io/instance": "sales-1",
                "app.kubernetes.io/managed-by": "windlass",
                "app.kubernetes.io/component": "workspace",
            },
            "ownerReferences": [OWNER],
        },
        "spec": spec,
    }


def test_revision() -> None:
    spec = {"tasks": [{"name": "a", "script": "echo é"}]}
    assert build_revision("sales", "data", spec) == {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": "sales-bf0650d9f5",
            "namespace": "data",
            "labels": {
                "windlass.dev/workflow": "sales",
                "app.kubernetes.io/name": "sales",
                "app.kubernetes.io/managed-by": "windlass",
            },
        },
        "data": {"spec": spec},
        "revision": 1,
    }


def test_revisions_are_told_apart_by_what_they_say_alone() -> None:
    def name(spec: dict[str, Any]) -> str:
        return str(build_revision("sales", "data", spec)["metadata"]["name"])

    assert name({"a": 1, "b": [2, {"c": 3, "d": 4}]}) == name({"b": [2, {"d": 4, "c": 3}], "a": 1})
    assert name({"a": 1}) != name({"a": "1"})
    assert name({"a": [1, 2]}) != name({"a": [2, 1]})


REPOSITORIES = {
    "https://git.example.com/a.git": False,
    "http://user@git.example.com:8080/a.git": False,
    "file:///srv/a.git": False,
    "git://git.example.com/a.git": False,
    "/srv/a:b.git": False,
    "ssh://git@git.example.com:22/a.git": True,
    "git@git.example.com:a/b.git": True,
    "git.example.com:a.git": True,
}


@pytest.mark.parametrize(("repo", "ssh"), REPOSITORIES.items())
def test_which_repositories_take_a_key(repo: str, ssh: bool) -> None:
    assert is_ssh(repo) is ssh
