"""Conversations about pods: their defaults, what is wrong with them, what may change, and how they end."""

from __future__ import annotations

from support.conformance import JSON, MERGE, Ask
from support.conformance_bodies import (
    DELETE,
    GET,
    PATCH,
    POST,
    STRICT,
    pod,
)

PODS: dict[str, list[Ask]] = {
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
}
