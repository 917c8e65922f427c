"""The WorkflowRun that a schedule, or what follows other runs, makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from windlass import names
from windlass.build.meta import label_value
from windlass.models.common import format_time
from windlass.models.run import RunSlot
from windlass.resources import RUNS, WORKFLOWS


class Wanted(Protocol):
    """What is to be known of the run."""

    @property
    def name(self) -> str: ...

    @property
    def logical_date(self) -> datetime: ...

    @property
    def slot(self) -> RunSlot: ...

    @property
    def params(self) -> Mapping[str, Any]: ...

    @property
    def priority(self) -> int | None: ...

    @property
    def labels(self) -> Mapping[str, str]: ...


def build_run(namespace: str, workflow: str, uid: str, request: Wanted) -> dict[str, Any]:
    """The run that `request` asks for, owned by the Workflow of this name and UID."""
    spec: dict[str, Any] = {"workflow": workflow, "logicalDate": format_time(request.logical_date)}
    spec["slot"] = request.slot.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    if request.params:
        spec["params"] = dict(request.params)
    if request.priority is not None:
        spec["priority"] = request.priority
    labels = {
        names.LABEL_WORKFLOW: label_value(workflow),
        names.LABEL_TRIGGER: request.slot.trigger.value.lower(),
        **request.labels,
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": RUNS.kind,
        "metadata": {
            "name": request.name,
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [workflow_reference(workflow, uid)],
        },
        "spec": spec,
    }


def workflow_reference(workflow: str, uid: str) -> dict[str, Any]:
    """The Workflow as the controlling owner of a run; its deletion waits for none of them."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": WORKFLOWS.kind,
        "name": workflow,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
