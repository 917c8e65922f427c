"""Objects as tables, which is how `kubectl get` asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from windlass.dev.api import jsonpath
from windlass.dev.api.ages import age
from windlass.dev.api.catalog import Column, Kind, StorageKey
from windlass.dev.api.hub import Body
from windlass.dev.api.podstatus import pod_cells

Include = Literal["None", "Metadata", "Object"]
"""What of its object each row carries."""
Cells = Callable[[Body, datetime], list[Any]]

_NAME: Final = ("Name", "string", "name", 0)
_AGE: Final = ("Age", "string", "", 0)


def _created(body: Body, now: datetime) -> str:
    return age(body["metadata"].get("creationTimestamp"), now)


def _named(body: Body, now: datetime) -> list[Any]:
    return [body["metadata"]["name"], _created(body, now)]


def _namespace(body: Body, now: datetime) -> list[Any]:
    return [body["metadata"]["name"], body.get("status", {}).get("phase", ""), _created(body, now)]


def _config(body: Body, now: datetime) -> list[Any]:
    count = len(body.get("data") or {}) + len(body.get("binaryData") or {})
    return [body["metadata"]["name"], count, _created(body, now)]


def _secret(body: Body, now: datetime) -> list[Any]:
    return [body["metadata"]["name"], body.get("type", ""), len(body.get("data") or {}), _created(body, now)]


_ENDED: Final = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
_MODES: Final = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: Sequence[str] | None) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in modes or ())


def _claim(body: Body, now: datetime) -> list[Any]:
    spec, status = body["spec"], body.get("status", {})
    phase = "Terminating" if body["metadata"].get("deletionTimestamp") else status.get("phase", "")
    capacity = (status.get("capacity") or {}).get("storage", "")
    attributes = spec.get("volumeAttributesClassName") or "<unset>"
    return [
        body["metadata"]["name"], phase, spec.get("volumeName", ""), capacity,
        _modes(status.get("accessModes") if spec.get("volumeName") else ()), spec.get("storageClassName", ""),
        attributes, _created(body, now), spec.get("volumeMode", ""),
    ]  # fmt: skip


def _volume(body: Body, now: datetime) -> list[Any]:
    spec, status = body["spec"], body.get("status", {})
    claim = spec.get("claimRef") or {}
    claimed = f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""
    return [
        body["metadata"]["name"], (spec.get("capacity") or {}).get("storage", ""), _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""), status.get("phase", ""), claimed,
        spec.get("storageClassName", ""), _created(body, now),
    ]  # fmt: skip


def _from(source: Body, body: Body) -> str:
    component, host = source.get("component"), source.get("host")
    if not component:
        component, host = body.get("reportingComponent", ""), body.get("reportingInstance")
    return f"{component}, {host}" if host else str(component)


def _event(body: Body, now: datetime) -> list[Any]:
    regarding, source = body.get("involvedObject") or {}, body.get("source") or {}
    series = body.get("series") or {}
    first = body.get("firstTimestamp") or body.get("eventTime")
    last = series.get("lastObservedTime") or body.get("lastTimestamp") or first
    count = series.get("count") or body.get("count") or 1
    return [
        age(last, now), body.get("type", ""), body.get("reason", ""),
        f"{str(regarding.get('kind', '')).lower()}/{regarding.get('name', '')}", regarding.get("fieldPath", ""),
        _from(source, body), str(body.get("message", "")).strip(),
        age(first, now), count, body["metadata"]["name"],
    ]  # fmt: skip


def _node(body: Body, now: datetime) -> list[Any]:
    status = body.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    shown = "Ready" if ready else "NotReady"
    if (body.get("spec") or {}).get("unschedulable"):
        shown += ",SchedulingDisabled"
    version = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
    return [body["metadata"]["name"], shown, "<none>", _created(body, now), version]


def _definition(body: Body, now: datetime) -> list[Any]:
    return [body["metadata"]["name"], body["metadata"].get("creationTimestamp")]


def _service(body: Body, now: datetime) -> list[Any]:
    spec = body["spec"]
    ports = ",".join(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in spec.get("ports") or ())
    address = spec.get("clusterIP") or "<none>"
    return [body["metadata"]["name"], spec.get("type"), address, "<none>", ports or "<none>", _created(body, now)]


def _revision(body: Body, now: datetime) -> list[Any]:
    owner = next((one for one in body["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    controller = (
        f"{owner['kind'].lower()}.{owner['apiVersion'].partition('/')[0]}/{owner['name']}" if owner else "<none>"
    )
    return [body["metadata"]["name"], controller, body.get("revision", 0), _created(body, now)]


def _lease(body: Body, now: datetime) -> list[Any]:
    return [body["metadata"]["name"], (body.get("spec") or {}).get("holderIdentity", ""), _created(body, now)]


def _columns(*named: str) -> list[tuple[str, str, str, int]]:
    """Columns after NAME, before AGE; `Name:type:priority`."""
    parts = [one.split(":") for one in named]
    return [(name, type_ or "string", "", int(priority or 0)) for name, type_, priority in
            [(*part, "", "")[:3] for part in parts]]  # fmt: skip


_LAYOUTS: Final[Mapping[StorageKey, tuple[list[tuple[str, str, str, int]], Cells]]] = {
    ("", "pods"): (
        [_NAME, *_columns("Ready", "Status", "Restarts"), _AGE,
         *_columns("IP::1", "Node::1", "Nominated Node::1", "Readiness Gates::1")],
        pod_cells,
    ),
    ("", "namespaces"): ([_NAME, *_columns("Status"), _AGE], _namespace),
    ("", "configmaps"): ([_NAME, *_columns("Data"), _AGE], _config),
    ("", "secrets"): ([_NAME, *_columns("Type", "Data"), _AGE], _secret),
    ("", "persistentvolumeclaims"): (
        [_NAME, *_columns("Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass"),
         _AGE, *_columns("VolumeMode::1")],
        _claim,
    ),
    ("", "persistentvolumes"): (
        [_NAME, *_columns("Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"), _AGE],
        _volume,
    ),
    ("", "events"): (
        [*_columns("Last Seen", "Type", "Reason", "Object", "Subobject::1", "Source::1", "Message", "First Seen::1",
                   "Count::1"), ("Name", "string", "name", 1)],
        _event,
    ),
    ("", "nodes"): ([_NAME, *_columns("Status", "Roles"), _AGE, *_columns("Version")], _node),
    ("", "services"): (
        [_NAME, *_columns("Type", "Cluster-IP", "External-IP", "Port(s)"), _AGE], _service,
    ),
    ("apps", "controllerrevisions"): ([_NAME, *_columns("Controller", "Revision"), _AGE], _revision),
    ("coordination.k8s.io", "leases"): ([_NAME, *_columns("Holder"), _AGE], _lease),
    ("apiextensions.k8s.io", "customresourcedefinitions"): (
        [_NAME, ("Created At", "date", "", 0)], _definition,
    ),
}  # fmt: skip


def _custom_cells(columns: Sequence[Column]) -> Cells:
    def cells(body: Body, now: datetime) -> list[Any]:
        return [body["metadata"]["name"], *(_custom_cell(column, body, now) for column in columns)]

    return cells


def _custom_cell(column: Column, body: Body, now: datetime) -> Any:
    found = jsonpath.find(column.path, body)
    if not found or found[0] is None:
        return None
    value = found[0]
    match column.type:
        case "date":
            return age(str(value), now)
        case "integer":
            return int(value) if isinstance(value, (int, float)) else None
        case "number":
            return float(value) if isinstance(value, (int, float)) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case _:
            return ",".join(_text(one) for one in found)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def layout(kind: Kind) -> tuple[list[tuple[str, str, str, int]], Cells]:
    """The columns of a kind (name, type, format, priority), and how to fill them."""
    if kind.columns:
        columns = [(one.name, one.type, one.format, one.priority) for one in kind.columns]
        return [_NAME, *columns], _custom_cells(kind.columns)
    if kind.custom:
        return [_NAME, _AGE], _named
    return _LAYOUTS.get(kind.storage, ([_NAME, _AGE], _named))


def table(kind: Kind, bodies: Sequence[Body], now: datetime, meta: Body, include: Include) -> Body:
    """A metav1.Table of objects in their stored form."""
    columns, cells = layout(kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": [
            {"name": name, "type": type_, "format": format_, "description": "", "priority": priority}
            for name, type_, format_, priority in columns
        ],
        "rows": [_row(kind, body, cells(body, now), include) for body in bodies],
    }


def partial(body: Body) -> Body:
    """The metadata alone, as an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": body["metadata"]}


def _row(kind: Kind, body: Body, cells: list[Any], include: Include) -> Body:
    row: Body = {"cells": cells}
    if include == "Object":
        row["object"] = body
    elif include == "Metadata":
        row["object"] = partial(body)
    else:
        row["object"] = None
    phase = (body.get("status") or {}).get("phase") if kind.storage == ("", "pods") else None
    if phase in _ENDED:
        row["conditions"] = [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]
    return row
