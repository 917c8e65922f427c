"""The conversations of the conformance table, by what they are about."""

from __future__ import annotations

from typing import Any

from support.conformance import JSON, MERGE, METADATA, STRATEGIC, TABLE, Ask, Body

WIDGETS = "/apis/conformance.windlass.dev/v1/namespaces/NAMESPACE/widgets"
PLAIN_WIDGETS = "/apis/conformance.windlass.dev/v1/namespaces/NAMESPACE/plainwidgets"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/NAMESPACE/events"
EVENT_TIMES = ("firstTimestamp", "lastTimestamp", "source")
NEW_EVENT_TIMES = ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource")
GET, POST, PUT, PATCH, DELETE = "GET", "POST", "PUT", "PATCH", "DELETE"
STRICT = {"fieldValidation": "Strict"}


def config_map(name: str, /, data: Body | None = None, **meta: Any) -> Body:
    body: Body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}}
    return body | ({"data": data} if data is not None else {})


def pod(name: str, /, container: Body | None = None, meta: Body | None = None, **spec: Any) -> Body:
    """A pod that nobody schedules and that gets no token."""
    containers = [{"name": "main", "image": "busybox:1", **(container or {})}]
    base = {"schedulerName": "nobody", "automountServiceAccountToken": False, "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **(meta or {})}, "spec": {**base, **spec}}


def widget(name: str, /, spec: Any = None, meta: Body | None = None, **more: Any) -> Body:
    spec = {"size": 3} if spec is None else spec
    told = {"apiVersion": "conformance.windlass.dev/v1", "kind": "Widget"}
    return {**told, "metadata": {"name": name, **(meta or {})}, "spec": spec, **more}


SCHEMA: Body = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 10},
                "ratio": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1},
                "step": {"type": "integer", "multipleOf": 5},
                "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4},
                "when": {"type": "string", "format": "date-time"},
                "flag": {"type": "boolean"},
                "maybe": {"type": "string", "nullable": True},
                "port": {"x-kubernetes-int-or-string": True},
                "names": {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "string"},
                    "maxItems": 3,
                },
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}},
                    },
                },
                "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "either": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {"phase": {"type": "string"}, "count": {"type": "integer"}, "at": {"type": "string"}},
        },
    },
}
COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
    {"name": "Part", "type": "string", "jsonPath": ".spec.parts[?(@.name=='b')].weight"},
    {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def definition(kind: str, *, status: bool) -> Body:
    plural = f"{kind.lower()}s"
    version: Body = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA},
        "additionalPrinterColumns": COLUMNS,
    }  # fmt: skip
    if status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.conformance.windlass.dev"},
        "spec": {
            "group": "conformance.windlass.dev",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [version],
        },
    }


DEFINITIONS = (definition("Widget", status=True), definition("PlainWidget", status=False))


def bad_widget(spec: Any, *unlike: str) -> list[Ask]:
    return [Ask(POST, WIDGETS, widget("bad", spec), unlike=unlike)]


CASES: dict[str, list[Ask]] = {
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
    "a pod gets its defaults": [
        Ask(
            POST,
            "pods",
            pod(
                "a",
                {
                    "image": "python",
                    "resources": {"limits": {"cpu": "1", "memory": "64Mi"}},
                    "ports": [{"containerPort": 80}],
                    "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                },
                volumes=[
                    {"name": "v"},
                    {"name": "c", "configMap": {"name": "c"}},
                    {"name": "s", "secret": {"secretName": "s"}},
                ],
            ),
        ),
    ],
    "misspelt fields of a pod": [
        Ask(POST, "pods", pod("a", {"comand": ["x"]}), STRICT),
        Ask(POST, "pods", pod("a", {"env": [{"nam": "x", "name": "x"}]}, restartpolicy="Never"), STRICT),
        Ask(POST, "pods", pod("a", {"comand": ["x"]}), {"fieldValidation": "Warn"}),
        Ask(POST, "pods", pod("b", {"comand": ["x"]}), {"fieldValidation": "Ignore"}),
        Ask(POST, "pods", pod("c", {"comand": ["x"]})),
    ],
    "pods that are wrong": [
        Ask(POST, "pods", pod("a", containers=[])),
        Ask(POST, "pods", pod("a", {"name": ""})),
        Ask(POST, "pods", pod("a", {"image": ""})),
        Ask(POST, "pods", pod("a", restartPolicy="Sometimes")),
        Ask(POST, "pods", pod("a", {"imagePullPolicy": "Perhaps"})),
        Ask(POST, "pods", pod("a", {"volumeMounts": [{"name": "none", "mountPath": "/x"}]})),
        Ask(POST, "pods", pod("a", activeDeadlineSeconds=0)),
        Ask(POST, "pods", pod("a", containers=[{"name": "x", "image": "i"}, {"name": "x", "image": "i"}])),
        Ask(POST, "pods", pod("a", volumes=[{"name": "v"}, {"name": "v"}])),
        Ask(POST, "pods", pod("a", {"command": "sh"}), unlike=["message"]),
        Ask(POST, "pods", pod("a", terminationGracePeriodSeconds="x"), unlike=["message"]),
    ],
    "what may change in a pod": [
        Ask(POST, "pods", pod("a")),
        Ask(PATCH, "pods/a", {"spec": {"activeDeadlineSeconds": 5}}, type=MERGE),
        Ask(PATCH, "pods/a", {"spec": {"activeDeadlineSeconds": 9}}, type=MERGE, unlike=["message", "details"]),
        Ask(PATCH, "pods/a", {"spec": {"activeDeadlineSeconds": 1}}, type=MERGE),
        Ask(PATCH, "pods/a", {"spec": {"restartPolicy": "Never"}}, type=MERGE, unlike=["message", "details.causes"]),
        Ask(PATCH, "pods/a", {"status": {"phase": "Running"}}, type=MERGE),
        Ask(PATCH, "pods/a/status", {"status": {"phase": "Running"}}, type=MERGE),
        Ask(PATCH, "pods/a/status", {"spec": {"activeDeadlineSeconds": 1}}, type=MERGE),
        Ask(GET, "pods/a/status"),
    ],
    "a pod nobody scheduled is deleted at once": [
        Ask(POST, "pods", pod("a")),
        Ask(DELETE, "pods/a"),
        Ask(GET, "pods/a"),
    ],
    "a pod with a finalizer stays": [
        Ask(POST, "pods", pod("a", meta={"finalizers": ["windlass.dev/result"]})),
        Ask(DELETE, "pods/a"),
        Ask(DELETE, "pods/a", {"gracePeriodSeconds": 0}),
        Ask(
            PATCH,
            "pods/a",
            {"metadata": {"finalizers": ["windlass.dev/result", "example.com/x"]}},
            type=MERGE,
            unlike=["message", "details.causes"],
        ),
        Ask(PATCH, "pods/a", [{"op": "remove", "path": "/metadata/finalizers/0"}], type=JSON),
        Ask(GET, "pods/a"),
    ],
    "a bound pod ends first": [
        Ask(POST, "pods", pod("a", terminationGracePeriodSeconds=20)),
        Ask(POST, "pods/a/binding", {"target": {"kind": "Node", "name": "nowhere"}, "metadata": {"name": "a"}}),
        Ask(GET, "pods/a", unlike=["status.conditions"]),
        Ask(DELETE, "pods/a", unlike=["status.conditions"]),
        Ask(DELETE, "pods/a", {"gracePeriodSeconds": 5}, unlike=["status.conditions"]),
        Ask(DELETE, "pods/a", {"gracePeriodSeconds": 50}, unlike=["status.conditions"]),
        Ask(DELETE, "pods/a", {"gracePeriodSeconds": 0}, unlike=["status.conditions"]),
        Ask(GET, "pods/a"),
    ],
    "selectors": [
        Ask(POST, "configmaps", config_map("a", labels={"app": "x", "tier": "1", "set": "t"})),
        Ask(POST, "configmaps", config_map("b", labels={"app": "y", "set": "t"})),
        Ask(POST, "configmaps", config_map("c", labels={"set": "t"})),
        *(
            Ask(GET, "configmaps", query={"labelSelector": f"set=t,{selector}"})
            for selector in ("app=x", "app==y", "app!=x", "app", "!app", "app in (x,y)", "app notin (x)", "tier>0")
        ),
        Ask(GET, "configmaps", query={"labelSelector": "app in x"}, unlike=["message"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "fieldSelector": "metadata.name=b"}),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "fieldSelector": "metadata.name!=b"}),
        Ask(GET, "configmaps", query={"fieldSelector": "data.x=1"}, unlike=["message"]),
        Ask(GET, "pods", query={"fieldSelector": "status.phase=Running,spec.nodeName=n"}),
    ],
    "pages": [
        *(Ask(POST, "configmaps", config_map(name, labels={"set": "t"})) for name in ("a", "b", "c")),
        Ask(GET, "secrets", query={"limit": "2"}, unlike=["metadata.resourceVersion"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "limit": "2"}),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "limit": "2", "continue": "$5.metadata.continue"}),
        Ask(GET, "configmaps", query={"limit": "2", "continue": "nonsense"}, unlike=["message"]),
    ],
    "a collection is deleted": [
        *(Ask(POST, "configmaps", config_map(name, labels={"set": name})) for name in ("a", "b")),
        Ask(DELETE, "configmaps", query={"labelSelector": "set=a"}),
        Ask(GET, "configmaps", query={"labelSelector": "set"}, unlike=["metadata.resourceVersion"]),
    ],
    "a watch tells what happened since": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"}, labels={"on": "y"})),
        Ask(PATCH, "configmaps/a", {"data": {"x": "2"}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"labels": {"on": "n"}}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"labels": {"on": "y"}}}, type=MERGE),
        Ask(DELETE, "configmaps/a"),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "resourceVersion": "$1.metadata.resourceVersion",
                "timeoutSeconds": "1",
                "fieldSelector": "metadata.name=a",
            },
        ),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "resourceVersion": "$1.metadata.resourceVersion",
                "timeoutSeconds": "1",
                "labelSelector": "on=y",
            },
        ),
    ],
    "a watch tells what is there": [
        Ask(POST, "configmaps", config_map("a", labels={"on": "y"})),
        Ask(GET, "configmaps", query={"watch": "true", "timeoutSeconds": "1", "labelSelector": "on=y"}),
        Ask(
            GET,
            "configmaps",
            query={"watch": "true", "timeoutSeconds": "1", "labelSelector": "on=y", "resourceVersion": "0"},
        ),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "timeoutSeconds": "1",
                "labelSelector": "on=y",
                "sendInitialEvents": "true",
                "allowWatchBookmarks": "true",
                "resourceVersionMatch": "NotOlderThan",
            },
            unlike=["object.metadata.resourceVersion"],
        ),
    ],
    "tables": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"}, labels={"set": "t"})),
        Ask(GET, "configmaps/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(
            GET, "configmaps", query={"labelSelector": "set=t"}, accept=TABLE, unlike=["columnDefinitions.description"]
        ),
        Ask(
            GET,
            "configmaps",
            query={"labelSelector": "set=t", "includeObject": "None"},
            accept=TABLE,
            unlike=["columnDefinitions.description"],
        ),
        Ask(
            GET,
            "configmaps",
            query={"labelSelector": "set=t", "includeObject": "Object"},
            accept=TABLE,
            unlike=["columnDefinitions.description"],
        ),
        Ask(POST, "secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}}),
        Ask(GET, "secrets/s", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(GET, "/api/v1/namespaces/NAMESPACE", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t"}, accept=METADATA, unlike=["metadata.resourceVersion"]),
    ],
    "the table of pods": [
        Ask(POST, "pods", pod("a")),
        Ask(GET, "pods/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        *(
            answer
            for phase in (
                {
                    "phase": "Running",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": True,
                            "restartCount": 2,
                            "image": "i",
                            "imageID": "i",
                            "state": {"running": {}},
                        }
                    ],
                },
                {
                    "phase": "Pending",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"waiting": {"reason": "ImagePullBackOff"}},
                        }
                    ],
                },
                {
                    "phase": "Failed",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                        }
                    ],
                },
                {"phase": "Failed", "reason": "Evicted", "containerStatuses": []},
                {
                    "phase": "Failed",
                    "reason": None,
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"terminated": {"exitCode": 3}},
                        }
                    ],
                },
            )
            for answer in (
                Ask(PATCH, "pods/a/status", {"status": phase}, type=MERGE, unlike=["status.containerStatuses"]),
                Ask(GET, "pods/a", accept=TABLE, unlike=["columnDefinitions"]),
            )
        ),
    ],
    "a custom resource is made, changed and deleted": [
        Ask(POST, WIDGETS, widget("a", status={"phase": "ignored"})),
        Ask(PATCH, f"{WIDGETS}/a", {"spec": {"size": 4}, "status": {"phase": "ignored"}}, type=MERGE),
        Ask(PATCH, f"{WIDGETS}/a", {"metadata": {"labels": {"a": "b"}}}, type=MERGE),
        Ask(PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Done"}, "spec": {"size": 9}}, type=MERGE),
        Ask(
            PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Over"}, "metadata": {"labels": {"c": "d"}}}, type=MERGE
        ),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5})),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5}, {"resourceVersion": "$1.metadata.resourceVersion"})),
        Ask(PUT, f"{WIDGETS}/a", widget("a", {"size": 5}, {"resourceVersion": "$5.metadata.resourceVersion"})),
        Ask(
            PUT,
            f"{WIDGETS}/a/status",
            widget(
                "a",
                {"size": 5},
                {"resourceVersion": "$8.metadata.resourceVersion"},
                status={"phase": "Again", "count": 2},
            ),
        ),
        Ask(GET, f"{WIDGETS}/a/status"),
        Ask(PATCH, f"{WIDGETS}/a", {"spec": {"size": 4}}, type=STRATEGIC, unlike=["message"]),
        Ask(DELETE, f"{WIDGETS}/a"),
        Ask(GET, f"{WIDGETS}/a"),
    ],
    "a custom resource without a status of its own": [
        Ask(POST, PLAIN_WIDGETS, {**widget("a", status={"phase": "kept"}), "kind": "PlainWidget"}),
        Ask(PATCH, f"{PLAIN_WIDGETS}/a", {"status": {"phase": "changed"}}, type=MERGE),
        Ask(PATCH, f"{PLAIN_WIDGETS}/a/status", {"status": {"phase": "changed"}}, type=MERGE),
    ],
    "a custom resource with a finalizer": [
        Ask(POST, WIDGETS, widget("a", meta={"finalizers": ["example.com/x"]})),
        Ask(DELETE, f"{WIDGETS}/a"),
        Ask(PATCH, f"{WIDGETS}/a", {"metadata": {"finalizers": None}}, type=MERGE),
        Ask(GET, f"{WIDGETS}/a"),
    ],
    "defaults, pruning and unknown fields": [
        Ask(POST, WIDGETS, widget("a", {"size": 1, "parts": [{"name": "p"}], "free": {"x": {"y": 1}}})),
        Ask(POST, WIDGETS, widget("b", {"size": 1, "sise": 2, "parts": [{"name": "p", "wight": 2}]}, top=1), STRICT),
        Ask(POST, WIDGETS, widget("b", {"size": 1, "sise": 2, "parts": [{"name": "p", "wight": 2}]}, top=1)),
        Ask(POST, WIDGETS, widget("c", {"size": 1, "sise": 2}), {"fieldValidation": "Ignore"}),
        Ask(
            PATCH,
            f"{WIDGETS}/c",
            {"spec": {"sise": 3}},
            STRICT,
            type=MERGE,
            unlike=["message", "details.causes.message"],
        ),
        Ask(POST, WIDGETS, widget("d", {"size": 1, "color": None, "maybe": None})),
        Ask(POST, WIDGETS, widget("e"), {"fieldValidation": "Sometimes"}, unlike=["message", "details"]),
    ],
    "a required field is missing": bad_widget({}),
    "a whole object is of another type": bad_widget("text"),
    "a number is too small": bad_widget({"size": 0}),
    "a number is too large": bad_widget({"size": 11}),
    "a number at its exclusive limit": bad_widget({"size": 1, "ratio": 0}),
    "a number that is no multiple": bad_widget({"size": 1, "step": 7}),
    "a text for a number": bad_widget({"size": "3"}),
    "a fraction for an integer": bad_widget({"size": 3.5}),
    "a value that is not in its list": bad_widget({"size": 1, "color": "green"}),
    "a text against its pattern": bad_widget({"size": 1, "code": "A1"}),
    "a text too short": bad_widget({"size": 1, "code": "a"}),
    "a text too long": bad_widget({"size": 1, "code": "abcde"}),
    "a time that is none": bad_widget({"size": 1, "when": "yesterday"}),
    "a null where none is taken": bad_widget({"size": None}),
    "a null where there may be nothing": bad_widget({"size": 1, "flag": None, "labels": None}),
    "neither a number nor a text": bad_widget({"size": 1, "port": True}),
    "an item twice in a set": bad_widget({"size": 1, "names": ["a", "a"]}),
    "too many items": bad_widget({"size": 1, "names": ["a", "b", "c", "d"]}),
    "a key twice in a list": bad_widget({"size": 1, "parts": [{"name": "a"}, {"name": "a"}]}),
    "a list item without its key": bad_widget({"size": 1, "parts": [{"weight": 1}]}),
    "a value of a map of another type": bad_widget({"size": 1, "labels": {"a": 1}}),
    "too many properties": bad_widget({"size": 1, "labels": {"a": "1", "b": "2", "c": "3"}}),
    "both of either": bad_widget({"size": 1, "either": {"a": "1", "b": "2"}}),
    "none of either": bad_widget({"size": 1, "either": {}}, "message", "details.causes"),
    "several things wrong": bad_widget({"size": 0, "color": "green", "flag": "yes"}, "message"),
    "the table of a custom resource": [
        Ask(POST, WIDGETS, widget("a", {"size": 3, "parts": [{"name": "a"}, {"name": "b", "weight": 7}]})),
        Ask(GET, f"{WIDGETS}/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(PATCH, f"{WIDGETS}/a/status", {"status": {"phase": "Done"}}, type=MERGE),
        Ask(GET, WIDGETS, accept=TABLE, unlike=["columnDefinitions.description"]),
    ],
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
