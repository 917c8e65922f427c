"""Objects as the API gives them, made short."""

from __future__ import annotations

from typing import Any

from support.clock import START
from windlass.models.common import format_time

Body = dict[str, Any]


def run_body(
    name: str = "r1",
    *,
    uid: str = "uid-1",
    version: int = 1,
    spec: Body | None = None,
    status: Body | None = None,
    namespace: str = "data",
    generation: int = 1,
) -> Body:
    """A WorkflowRun of a one-task definition, unless `spec` says another."""
    body: Body = {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "WorkflowRun",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "resourceVersion": str(version),
            "generation": generation,
            "creationTimestamp": format_time(START),
        },
        "spec": spec if spec is not None else {"workflowSpec": {"tasks": [{"name": "a", "command": ["true"]}]}},
    }
    if status is not None:
        body["status"] = status
    return body
