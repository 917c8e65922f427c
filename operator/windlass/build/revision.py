"""The ControllerRevision that holds the definition a run is pinned to."""

from __future__ import annotations

import json
from typing import Any

from windlass import names
from windlass.build.meta import label_value


def build_revision(workflow: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The revision of a Workflow's spec: equal specs give equal names.

    It has no owner, so that deleting the Workflow doesn't take the definition from a run in flight.
    """
    canonical = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": names.revision_name(workflow, names.short_hash(canonical)),
            "namespace": namespace,
            "labels": {
                names.LABEL_WORKFLOW: label_value(workflow),
                names.LABEL_NAME: label_value(workflow),
                names.LABEL_MANAGED_BY: names.MANAGED_BY,
            },
        },
        "data": {"spec": spec},
        "revision": 1,
    }
