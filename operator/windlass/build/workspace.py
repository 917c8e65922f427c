"""The volume that all tasks of a run share: its claim, its mount, and the affinity that one node's volume needs."""

from __future__ import annotations

from typing import Any, Final

from windlass import names
from windlass.build.meta import owner_reference, run_labels
from windlass.models.workflow import Workspace

JsonObject = dict[str, Any]

VOLUME: Final = "windlass-workspace"
"""The name of the volume, for users' own containers that want to mount it too."""


def build_claim(*, namespace: str, run: str, run_uid: str, workflow: str, workspace: Workspace) -> JsonObject:
    """The PersistentVolumeClaim of a run's workspace, owned by the run."""
    spec: JsonObject = {
        "accessModes": list(workspace.access_modes),
        "resources": {"requests": {"storage": workspace.size}},
    }
    if workspace.storage_class_name is not None:
        spec["storageClassName"] = workspace.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": names.workspace_claim_name(run, run_uid),
            "namespace": namespace,
            "labels": {**run_labels(workflow, run, run_uid), names.LABEL_COMPONENT: "workspace"},
            "ownerReferences": [owner_reference(run, run_uid)],
        },
        "spec": spec,
    }


def volume(claim: str) -> JsonObject:
    """The volume of a pod that mounts the workspace."""
    return {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim}}


def mount(workspace: Workspace) -> JsonObject:
    """The mount of the workspace in the main container."""
    return {"name": VOLUME, "mountPath": workspace.mount_path}


def with_affinity(affinity: JsonObject | None, workspace: Workspace, run_uid: str) -> JsonObject | None:
    """The task's affinity, and with it that of the run's pods to one node, where the volume can be on one only.

    The scheduler lets the first pod of a run pass, since it matches its own term and no other pod does.
    """
    if "ReadWriteOnce" not in workspace.access_modes or "ReadWriteMany" in workspace.access_modes:
        return affinity
    term = {
        "labelSelector": {"matchLabels": {names.LABEL_RUN_UID: run_uid}},
        "topologyKey": "kubernetes.io/hostname",
    }
    said = affinity or {}
    pod_affinity = said.get("podAffinity") or {}
    required = [*(pod_affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or []), term]
    return {**said, "podAffinity": {**pod_affinity, "requiredDuringSchedulingIgnoredDuringExecution": required}}
