"""Conversations about kinds that have rules of their own: secrets, claims, leases, events and others."""

from __future__ import annotations

from support.conformance import MERGE, TABLE, Ask
from support.conformance_bodies import (
    DELETE,
    EVENT_TIMES,
    GET,
    NEW_EVENT_TIMES,
    NEW_EVENTS,
    PATCH,
    POST,
    PUT,
    WIDGETS,
    config_map,
    widget,
)

KINDS: dict[str, list[Ask]] = {
    "secrets": [
        Ask(POST, "secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
        Ask(PATCH, "secrets/s", {"stringData": {"a": "z"}}, type=MERGE),
        Ask(PATCH, "secrets/s", {"type": "other"}, type=MERGE, unlike=["message", "details"]),
        Ask(
            POST,
            "secrets",
            {"metadata": {"name": "t"}, "data": {"c": "not base64"}},
            unlike=["message", "details", "reason", "status"],
        ),
        Ask(PATCH, "secrets/s", {"immutable": True}, type=MERGE),
        Ask(PATCH, "secrets/s", {"stringData": {"a": "y"}}, type=MERGE, unlike=["message", "details"]),
    ],
    "claims": [
        Ask(
            POST,
            "persistentvolumeclaims",
            {
                "metadata": {"name": "c"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "none",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            },
            unlike=["metadata.finalizers"],
        ),
        Ask(POST, "persistentvolumeclaims", {"metadata": {"name": "d"}, "spec": {}}),
        Ask(
            DELETE,
            "persistentvolumeclaims/c",
            unlike=[
                "metadata.finalizers",
                "metadata.deletionGracePeriodSeconds",
                "metadata.deletionTimestamp",
                "metadata.resourceVersion",
            ],
        ),
    ],
    "revisions": [
        Ask(
            POST,
            "/apis/apps/v1/namespaces/NAMESPACE/controllerrevisions",
            {"metadata": {"name": "r"}, "revision": 1, "data": {"a": {"b": 1}}},
        ),
        Ask(
            PATCH,
            "/apis/apps/v1/namespaces/NAMESPACE/controllerrevisions/r",
            {"data": {"a": {"b": 2}}},
            type=MERGE,
            unlike=["message", "details"],
        ),
        Ask(DELETE, "/apis/apps/v1/namespaces/NAMESPACE/controllerrevisions/r"),
    ],
    "leases": [
        Ask(
            POST,
            "/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases",
            {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}},
        ),
        Ask(
            PUT,
            "/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases/l",
            {"metadata": {"name": "l"}, "spec": {"holderIdentity": "b"}},
        ),
        Ask(
            PUT,
            "/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases/l",
            {
                "metadata": {"name": "l", "resourceVersion": "$1.metadata.resourceVersion"},
                "spec": {"holderIdentity": "b"},
            },
        ),
        Ask(
            PUT,
            "/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases/l",
            {
                "metadata": {"name": "l", "resourceVersion": "$1.metadata.resourceVersion"},
                "spec": {"holderIdentity": "c"},
            },
        ),
    ],
    "events have two faces": [
        Ask(
            POST,
            f"{NEW_EVENTS}",
            {
                "metadata": {"name": "e"},
                "eventTime": "2026-01-01T00:00:00.000000Z",
                "type": "Normal",
                "reason": "Done",
                "action": "Run",
                "reportingController": "windlass.dev/controller",
                "reportingInstance": "x",
                "note": "well",
                "regarding": {"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "NAMESPACE"},
            },
            unlike=NEW_EVENT_TIMES,
        ),
        Ask(GET, "events/e", unlike=EVENT_TIMES),
        Ask(GET, f"{NEW_EVENTS}/e", unlike=NEW_EVENT_TIMES),
        Ask(
            GET,
            "events",
            query={"fieldSelector": "involvedObject.name=p,reason=Done"},
            unlike=[f"items.{name}" for name in EVENT_TIMES],
        ),
        Ask(
            GET,
            f"{NEW_EVENTS}",
            query={"fieldSelector": "regarding.name=p,reason=Done"},
            unlike=[f"items.{name}" for name in NEW_EVENT_TIMES],
        ),
        Ask(GET, "events/e", accept=TABLE, unlike=["columnDefinitions.description"]),
    ],
    "a quota is used up": [
        Ask(
            POST,
            "resourcequotas",
            {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "0"}}},
            unlike=["status"],
        ),
    ],
    "who am I": [
        Ask(
            POST,
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}},
            unlike=["status.reason"],
        ),
    ],
    "an object that is too large": [
        Ask(POST, "configmaps", config_map("a", {"x": "y" * 1_100_000}), unlike=["message", "details"]),
        Ask(POST, WIDGETS, widget("a", {"size": 1, "free": {"x": "y" * 2_000_000}}), unlike=["message", "details"]),
        Ask(POST, WIDGETS, widget("a", {"size": 1, "free": {"x": "y" * 4_000_000}})),
    ],
}
