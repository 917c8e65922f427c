"""Pods as the API server gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def at(second: int) -> str:
    return f"2025-04-01T17:00:{second:02}Z"


def time(second: int) -> datetime:
    return datetime(2025, 4, 1, 17, 0, second, tzinfo=UTC)


def pod(status: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    meta = {
        "name": "sales-1-load-1a2b3c4d-2",
        "namespace": "data",
        "uid": "pod-uid",
        "resourceVersion": "812",
        "creationTimestamp": at(0),
        "labels": {
            "windlass.dev/workflow": "sales",
            "windlass.dev/run": "sales-1",
            "windlass.dev/task": "load",
            "windlass.dev/attempt": "2",
        },
        "ownerReferences": [{"kind": "WorkflowRun", "name": "sales-1", "uid": "run-uid", "controller": True}],
        "finalizers": ["windlass.dev/result"],
    }
    main = {"name": "main", "image": "python:3.12", "resources": {"limits": {"memory": "1Gi"}}}
    containers = {
        "containers": [main],
        "nodeName": "n1",
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 65532},
    }
    return {"metadata": {**meta, **metadata}, "spec": {**containers, **(spec or {})}, "status": status or {}}


def main(phase: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"phase": phase, "containerStatuses": [{"name": "main", "state": state}], **more}


def ended(code: int, reason: str = "", message: str = "", second: int = 20) -> dict[str, Any]:
    state = {"exitCode": code, "reason": reason or ("Error" if code else "Completed"), "message": message}
    return {"terminated": {**state, "startedAt": at(10), "finishedAt": at(second)}}


def condition(kind: str, status: str, reason: str = "", message: str = "", second: int = 5) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(second)}


def init(name: str, code: int, message: str, reason: str = "Error") -> dict[str, Any]:
    """The status of a pod whose init container failed."""
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": at(9)}}
    main_state = {"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}
    statuses = [{"name": name, "state": state}]
    return {"phase": "Failed", "initContainerStatuses": statuses, "containerStatuses": [main_state]}


def deleted(second: int, grace: int = 30) -> dict[str, Any]:
    """The metadata of a pod whose deletion was asked for in that second."""
    return {"deletionTimestamp": at(second + grace), "deletionGracePeriodSeconds": grace}
