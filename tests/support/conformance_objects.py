"""Conversations about objects of any kind: how they are made, named, changed and patched."""

from __future__ import annotations

from support.conformance import JSON, MERGE, STRATEGIC, Ask
from support.conformance_bodies import (
    DELETE,
    GET,
    PATCH,
    POST,
    PUT,
    config_map,
    pod,
)

OBJECTS: dict[str, list[Ask]] = {
    "an object is made, read, changed and deleted": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"})),
        Ask(GET, "configmaps/a"),
        Ask(PUT, "configmaps/a", config_map("a", {"x": "2"}, resourceVersion="$1.metadata.resourceVersion")),
        Ask(PUT, "configmaps/a", config_map("a", {"x": "3"}, resourceVersion="$1.metadata.resourceVersion")),
        Ask(PUT, "configmaps/a", config_map("a", {"x": "4"})),
        Ask(PUT, "configmaps/a", config_map("a", {"x": "4"})),
        Ask(DELETE, "configmaps/a"),
        Ask(GET, "configmaps/a"),
        Ask(DELETE, "configmaps/a"),
        Ask(PUT, "configmaps/a", config_map("a", {"x": "4"})),
    ],
    "a name is taken": [
        Ask(POST, "configmaps", config_map("a")),
        Ask(POST, "configmaps", config_map("a")),
    ],
    "a uid is a precondition": [
        Ask(POST, "configmaps", config_map("a")),
        Ask(PUT, "configmaps/a", config_map("a", uid="11111111-1111-1111-1111-111111111111"), unlike=["message"]),
        Ask(DELETE, "configmaps/a", {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        Ask(DELETE, "configmaps/a", {"preconditions": {"resourceVersion": "1"}}, unlike=["message"]),
        Ask(DELETE, "configmaps/a", {"preconditions": {"uid": "$1.metadata.uid"}}),
    ],
    "a name is made": [
        Ask(POST, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}),
    ],
    "names that are none": [
        Ask(POST, "configmaps", config_map("Upper")),
        Ask(POST, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
        Ask(POST, "configmaps", config_map("x" * 300)),
        Ask(POST, "/api/v1/namespaces", {"metadata": {"name": "a.b"}}),
    ],
    "an object that is another": [
        Ask(POST, "configmaps", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}, unlike=["message"]),
        Ask(
            POST, "configmaps", {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}}, unlike=["message"]
        ),
        Ask(POST, "configmaps", config_map("a", namespace="elsewhere")),
        Ask(POST, "configmaps", "{nonsense", unlike=["message"]),
        Ask(PUT, "configmaps/a", config_map("b"), unlike=["message"]),
    ],
    "a namespace that is not there": [
        Ask(POST, "/api/v1/namespaces/nowhere/configmaps", config_map("a")),
        Ask(GET, "/api/v1/namespaces/nowhere/configmaps"),
        Ask(GET, "/api/v1/namespaces/nowhere"),
    ],
    "resources that are not served": [
        Ask(GET, "gadgets"),
        Ask(GET, "/apis/nothing.example.com/v1/things"),
        Ask(GET, "configmaps/a/status"),
        Ask(PUT, "configmaps", config_map("a")),
    ],
    "labels that are none": [
        Ask(POST, "configmaps", config_map("a", labels={"a": "b c"}), unlike=["message", "details"]),
        Ask(POST, "configmaps", config_map("a", labels={"a b": "c"}), unlike=["message", "details"]),
        Ask(POST, "configmaps", config_map("a", labels={"a": "c" * 64}), unlike=["message", "details"]),
    ],
    "owners that say too little": [
        Ask(
            POST,
            "configmaps",
            config_map("a", ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}]),
            unlike=["message", "details"],
        ),
    ],
    "a dry run": [
        Ask(POST, "configmaps", config_map("a"), {"dryRun": "All"}),
        Ask(GET, "configmaps/a"),
        Ask(POST, "configmaps", config_map("a"), {"dryRun": "Some"}, unlike=["message", "details"]),
    ],
    "merge patches": [
        Ask(POST, "configmaps", config_map("a", {"x": "1", "y": "2"}, labels={"l": "m"})),
        Ask(PATCH, "configmaps/a", {"data": {"x": None, "z": "3"}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"data": {"z": "3"}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"resourceVersion": "$1.metadata.resourceVersion"}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"name": "b"}}, type=MERGE, unlike=["message"]),
        Ask(PATCH, "configmaps/a", {"metadata": {"labels": None}}, type=MERGE),
        Ask(PATCH, "configmaps/none", {"data": {}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"data": {}}, type="application/json", unlike=["message"]),
    ],
    "JSON patches": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"}, finalizers=["example.com/one", "example.com/two"])),
        Ask(PATCH, "configmaps/a", [{"op": "add", "path": "/data/y", "value": "2"}], type=JSON),
        Ask(
            PATCH,
            "configmaps/a",
            [{"op": "replace", "path": "/data/none", "value": "2"}],
            type=JSON,
            unlike=["message"],
        ),
        Ask(PATCH, "configmaps/a", [{"op": "test", "path": "/data/x", "value": "9"}], type=JSON, unlike=["message"]),
        Ask(PATCH, "configmaps/a", [{"op": "remove", "path": "/data/none"}], type=JSON, unlike=["message"]),
        Ask(
            PATCH,
            "configmaps/a",
            [
                {"op": "test", "path": "/metadata/finalizers/0", "value": "example.com/one"},
                {"op": "remove", "path": "/metadata/finalizers/0"},
            ],
            type=JSON,
        ),
        Ask(PATCH, "configmaps/a", [{"op": "move", "from": "/data/x", "path": "/data/w"}], type=JSON),
        Ask(PATCH, "configmaps/a", [{"op": "copy", "from": "/data/w", "path": "/data/v"}], type=JSON),
        Ask(PATCH, "configmaps/a", [{"op": "remove", "path": "/metadata/finalizers"}], type=JSON),
    ],
    "strategic patches": [
        Ask(
            POST,
            "pods",
            pod(
                "a",
                {"env": [{"name": "A", "value": "1"}]},
                {"finalizers": ["example.com/one"]},
                tolerations=[{"key": "k", "operator": "Exists"}],
            ),
        ),
        Ask(PATCH, "pods/a", {"spec": {"containers": [{"name": "main", "image": "busybox:2"}]}}, type=STRATEGIC),
        Ask(PATCH, "pods/a", {"metadata": {"finalizers": ["example.com/two"]}}, type=STRATEGIC),
        Ask(
            PATCH,
            "pods/a",
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/one"]}},
            type=STRATEGIC,
        ),
        Ask(
            PATCH,
            "pods/a/status",
            {"status": {"conditions": [{"type": "A", "status": "True"}]}},
            type=STRATEGIC,
            unlike=["status.conditions.lastProbeTime", "status.conditions.lastTransitionTime"],
        ),
        Ask(
            PATCH,
            "pods/a/status",
            {"status": {"conditions": [{"type": "B", "status": "True"}]}},
            type=STRATEGIC,
            unlike=["status.conditions.lastProbeTime", "status.conditions.lastTransitionTime"],
        ),
        Ask(
            PATCH,
            "pods/a",
            {"metadata": {"finalizers": None, "labels": {"a": "b"}}},
            type=STRATEGIC,
            unlike=["status.conditions.lastProbeTime", "status.conditions.lastTransitionTime"],
        ),
    ],
}
