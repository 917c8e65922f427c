"""The metadata of what a run owns: labels, the reference to its owner, the finalizer that guards a result."""

from __future__ import annotations

from typing import Any

from windlass import names
from windlass.build.request import PodRequest

JsonObject = dict[str, Any]


def pod_metadata(request: PodRequest) -> JsonObject:
    """The pod's metadata. The task's own labels can't displace those that the controller lives by."""
    task = request.body
    labels = {
        **(task.labels or {}),
        **run_labels(request.workflow, request.run, request.run_uid),
        names.LABEL_TASK: request.task,
        names.LABEL_ATTEMPT: str(request.attempt),
        names.LABEL_COMPONENT: request.task,
    }
    if request.index is not None:
        labels[names.LABEL_INDEX] = str(request.index)
    if task.pool is not None and not request.is_source_step:
        labels |= {names.LABEL_POOL: task.pool, names.LABEL_SLOTS: str(task.slots or 1)}
    metadata: JsonObject = {
        "name": request.pod,
        "namespace": request.namespace,
        "labels": labels,
        "ownerReferences": [owner_reference(request.run, request.run_uid)],
        "finalizers": [names.RESULT_FINALIZER],
    }
    if task.annotations:
        metadata["annotations"] = dict(task.annotations)
    return metadata


def run_labels(workflow: str, run: str, run_uid: str) -> dict[str, str]:
    """The labels of everything that belongs to a run."""
    return {
        names.LABEL_WORKFLOW: label_value(workflow),
        names.LABEL_RUN: label_value(run),
        names.LABEL_RUN_UID: run_uid,
        names.LABEL_NAME: label_value(workflow),
        names.LABEL_INSTANCE: label_value(run),
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
    }


def owner_reference(run: str, run_uid: str) -> JsonObject:
    """The run as the controlling owner; its deletion waits for nothing that it owns."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "WorkflowRun",
        "name": run,
        "uid": run_uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def label_value(name: str) -> str:
    """`name` where it fits a label's value, else cut, with a digest that keeps it apart from others."""
    return name if len(name) <= names.MAX_NAME else names.shortened(name, names.short_hash(name))
