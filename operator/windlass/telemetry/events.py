"""Kubernetes Events as plain dicts. Pure.

An event's name is derived from what it says of which attempt, not from its words or its time: told again, it exists
already, and nothing is flooded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from windlass.names import GROUP, short_hash
from windlass.plan.types import RunEvent
from windlass.resources import EVENTS, RUNS, Resource

CONTROLLER: Final = f"{GROUP}/controller"
LONGEST_NOTE: Final = 1024
LONGEST_INSTANCE: Final = 128
LONGEST_NAME: Final = 253


def build_event(
    run: dict[str, Any],
    event: RunEvent,
    now: datetime,
    *,
    instance: str = "windlass",
    resource: Resource = RUNS,
    about: str = "",
) -> dict[str, Any]:
    """The events.k8s.io/v1 Event that says `event` of `run`, the body of a WorkflowRun or of another `resource`.
    `instance` names who tells; `about` keeps events apart that have the same reason."""
    metadata = run["metadata"]
    name, namespace, uid = metadata["name"], metadata["namespace"], metadata["uid"]
    digest = short_hash(
        uid, event.type, event.reason, event.task or "", str(event.attempt or ""), *filter(None, [about])
    )
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{name[: LONGEST_NAME - len(digest) - 1].rstrip('-.')}.{digest}",
            "namespace": namespace,
        },
        "eventTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:LONGEST_INSTANCE] or "windlass",
        "action": "Reconcile",
        "type": event.type,
        "reason": event.reason,
        "note": _note(event),
        "regarding": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "namespace": namespace,
            "name": name,
            "uid": uid,
        },
    }


def _note(event: RunEvent) -> str:
    text = event.note if event.task is None or event.task in event.note else f"{event.task}: {event.note}"
    # The limit is of bytes.
    encoded = text.encode()
    return text if len(encoded) <= LONGEST_NOTE else encoded[: LONGEST_NOTE - 3].decode(errors="ignore") + "…"
