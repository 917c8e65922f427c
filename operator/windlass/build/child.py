"""The WorkflowRun that a task of another run starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windlass import names
from windlass.build.meta import label_value, owner_reference
from windlass.resources import RUNS


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """Whose child it is, and what it runs."""

    namespace: str
    parent: str
    parent_uid: str
    task: str
    attempt: int
    chain: Sequence[str]
    """The Workflows that led here."""
    name: str
    workflow: str
    params: Mapping[str, Any]
    logical_date: str | None = None
    priority: int | None = None


def build_child(request: ChildRequest) -> dict[str, Any]:
    """The run, owned by the run that starts it: it goes with its parent."""
    parent = {
        "run": request.parent,
        "task": request.task,
        "attempt": request.attempt,
        "chain": [*request.chain],
    }
    spec: dict[str, Any] = {"workflow": request.workflow, "parent": parent}
    spec |= {"params": dict(request.params)} if request.params else {}
    spec |= {"logicalDate": request.logical_date} if request.logical_date is not None else {}
    spec |= {"priority": request.priority} if request.priority is not None else {}
    return {
        "apiVersion": names.API_VERSION,
        "kind": RUNS.kind,
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "labels": {names.LABEL_WORKFLOW: label_value(request.workflow), names.LABEL_TRIGGER: "workflow"},
            "ownerReferences": [owner_reference(request.parent, request.parent_uid)],
        },
        "spec": spec,
    }
