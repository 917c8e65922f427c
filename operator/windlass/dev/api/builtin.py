"""What the server fills in and checks for the built-in kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from windlass.dev.api import pods
from windlass.dev.api.answers import Cause, bad_request
from windlass.dev.api.catalog import StorageKey
from windlass.dev.api.definitions import definition_causes, fill_definition
from windlass.dev.api.hub import Body
from windlass.dev.api.schema import Structural
from windlass.dev.api.texts import decoded, encoded

_MOST_DATA: Final = 1024 * 1024
SPEC_KEPT: Final = ("spec", "data", "type")
"""Parts that an update of the status never changes."""


def _namespace(body: Body, now: datetime) -> None:
    body["spec"] = {"finalizers": ["kubernetes"]} | (body.get("spec") or {})
    body.setdefault("status", {"phase": "Active"})
    labels = body["metadata"].get("labels") or {}
    body["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": body["metadata"]["name"]}


def _secret(body: Body, now: datetime) -> None:
    body.setdefault("type", "Opaque")
    plain = body.pop("stringData", None)
    if plain:
        body["data"] = {**(body.get("data") or {}), **{key: encoded(value) for key, value in plain.items()}}


def _claim(body: Body, now: datetime) -> None:
    body["spec"].setdefault("volumeMode", "Filesystem")
    body.setdefault("status", {"phase": "Pending"})


def _volume(body: Body, now: datetime) -> None:
    body["spec"].setdefault("volumeMode", "Filesystem")
    body["spec"].setdefault("persistentVolumeReclaimPolicy", "Retain")
    body.setdefault("status", {"phase": "Available"})


def _service(body: Body, now: datetime) -> None:
    spec = body.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    body.setdefault("status", {"loadBalancer": {}})


def _quota(body: Body, now: datetime) -> None:
    body.setdefault("status", {})


def _config_checks(body: Body, old: Body | None) -> Iterator[Cause]:
    parts = (*(body.get("data") or {}).values(), *(body.get("binaryData") or {}).values())
    if sum(len(str(value).encode()) for value in parts) > _MOST_DATA:
        yield Cause("[]", f"Too long: may not be more than {_MOST_DATA} bytes", "FieldValueTooLong")
    if old is None or not old.get("immutable"):
        return
    if not body.get("immutable"):
        yield Cause("immutable", "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden")
    for part in ("data", "binaryData"):
        if body.get(part) != old.get(part):
            yield Cause(part, "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden")


def _secret_checks(body: Body, old: Body | None) -> Iterator[Cause]:
    for value in (body.get("data") or {}).values():
        if decoded(value) is None:
            raise bad_request('Secret in version "v1" cannot be handled as a Secret: illegal base64 data')
    if old is not None and body.get("type") != old.get("type"):
        yield Cause("type", f'Invalid value: "{body.get("type")}": field is immutable')
    yield from _config_checks(body, old)


def _claim_checks(body: Body, old: Body | None) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    if not spec.get("accessModes"):
        yield Cause("spec.accessModes", "Required value: at least 1 access mode is required", "FieldValueRequired")
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        yield Cause("spec.resources[storage]", "Required value", "FieldValueRequired")
    if old is not None:
        kept = ("accessModes", "storageClassName", "selector")
        if any(spec.get(part) != old["spec"].get(part) for part in kept):
            said = "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName"
            yield Cause("spec", f"{said} for bound claims", "FieldValueForbidden")


def _revision_checks(body: Body, old: Body | None) -> Iterator[Cause]:
    if "revision" not in body:
        yield Cause("revision", "Required value", "FieldValueRequired")
    if old is not None and body.get("data") != old.get("data"):
        yield Cause("data", "Invalid value: field is immutable")


DEFAULTS: Final[Mapping[StorageKey, Callable[[Body, datetime], None]]] = {
    ("", "namespaces"): _namespace,
    ("", "pods"): pods.fill,
    ("", "secrets"): _secret,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _volume,
    ("", "services"): _service,
    ("", "resourcequotas"): _quota,
    ("apiextensions.k8s.io", "customresourcedefinitions"): fill_definition,
}

CHECKS: Final[Mapping[StorageKey, Callable[[Body, Body | None], Iterator[Cause]]]] = {
    ("", "pods"): pods.causes,
    ("", "configmaps"): _config_checks,
    ("", "secrets"): _secret_checks,
    ("", "persistentvolumeclaims"): _claim_checks,
    ("apps", "controllerrevisions"): _revision_checks,
    ("apiextensions.k8s.io", "customresourcedefinitions"): definition_causes,
}

SCHEMAS: Final[Mapping[StorageKey, Structural]] = {("", "pods"): pods.SCHEMA}
