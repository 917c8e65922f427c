"""What the conversations of the conformance table are made of: verbs, paths, and objects."""

from __future__ import annotations

from typing import Any

from support.conformance import Body

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
