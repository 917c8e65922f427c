"""Objects in Kubernetes' protobuf form, as kubectl's typed commands (`create namespace`, `auth can-i`) send them.

Only what these commands send is known; answers are JSON always, which every client takes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from windlass.dev.api.answers import bad_request, unsupported
from windlass.dev.api.texts import timestamp

CONTENT_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its JSON name, and how its bytes are read."""

    name: str
    type: Any = "text"
    """text, bytes, bool, int, time, quantity, or the fields of a message."""
    repeated: bool = False
    map: bool = False


Message = Mapping[int, Field]


def _texts(*names: str) -> dict[int, Field]:
    return {number: Field(name) for number, name in enumerate(names, 1) if name}


_OWNER: Final[Message] = {
    **_texts("kind", "", "name", "uid", "apiVersion"), 6: Field("controller", "bool"),
    7: Field("blockOwnerDeletion", "bool"),
}  # fmt: skip
_META: Final[Message] = {
    **_texts("name", "generateName", "namespace", "", "uid", "resourceVersion"),
    11: Field("labels", map=True),
    12: Field("annotations", map=True),
    13: Field("ownerReferences", _OWNER, repeated=True),
    14: Field("finalizers", repeated=True),
}
_OBJECT: Final = Field("metadata", _META)
_NAMED: Final[Message] = _texts("name")
_RESOURCE_ATTRIBUTES: Final[Message] = _texts(
    "namespace", "verb", "group", "version", "resource", "subresource", "name"
)
_NON_RESOURCE: Final[Message] = _texts("path", "verb")
_MICRO_TIME: Final = "time"

_KINDS: Final[Mapping[str, Message]] = {
    "Namespace": {1: _OBJECT, 2: Field("spec", {1: Field("finalizers", repeated=True)})},
    "ConfigMap": {
        1: _OBJECT, 2: Field("data", map=True), 3: Field("binaryData", "bytes", map=True),
        4: Field("immutable", "bool"),
    },
    "Secret": {
        1: _OBJECT, 2: Field("data", "bytes", map=True), 3: Field("type"), 4: Field("stringData", map=True),
        5: Field("immutable", "bool"),
    },
    "ServiceAccount": {
        1: _OBJECT, 2: Field("secrets", _texts("kind", "namespace", "name"), repeated=True),
        3: Field("imagePullSecrets", _NAMED, repeated=True), 4: Field("automountServiceAccountToken", "bool"),
    },
    "ResourceQuota": {
        1: _OBJECT, 2: Field("spec", {1: Field("hard", "quantity", map=True), 2: Field("scopes", repeated=True)}),
    },
    "PriorityClass": {
        1: _OBJECT, 2: Field("value", "int"), 3: Field("globalDefault", "bool"), 4: Field("description"),
        5: Field("preemptionPolicy"),
    },
    "Lease": {
        1: _OBJECT,
        2: Field("spec", {
            1: Field("holderIdentity"), 2: Field("leaseDurationSeconds", "int"), 3: Field("acquireTime", _MICRO_TIME),
            4: Field("renewTime", _MICRO_TIME), 5: Field("leaseTransitions", "int"),
        }),
    },
    "SelfSubjectReview": {1: _OBJECT},
    "SelfSubjectAccessReview": {
        1: _OBJECT,
        2: Field("spec", {
            1: Field("resourceAttributes", _RESOURCE_ATTRIBUTES), 2: Field("nonResourceAttributes", _NON_RESOURCE),
        }),
    },
    "SelfSubjectRulesReview": {1: _OBJECT, 2: Field("spec", _texts("namespace"))},
    "DeleteOptions": {
        1: Field("gracePeriodSeconds", "int"), 2: Field("preconditions", _texts("uid", "resourceVersion")),
        3: Field("orphanDependents", "bool"), 4: Field("propagationPolicy"), 5: Field("dryRun", repeated=True),
    },
}  # fmt: skip


def decode(data: bytes) -> dict[str, Any]:
    """The object that the bytes stand for. Raises Invalid for kinds that are not known here."""
    if not data.startswith(_MAGIC):
        raise bad_request("the body of the request is not Kubernetes' protobuf")
    try:
        envelope = _message({1: Field("type", _texts("apiVersion", "kind")), 2: Field("raw", "raw")}, data[4:])
        kind = envelope["type"]
        fields = _KINDS.get(kind["kind"])
        if fields is None:
            raise unsupported(f"the development cluster takes {kind['kind']} objects as JSON only")
        return {**kind, **_message(fields, envelope.get("raw", b""))}
    except (IndexError, KeyError, ValueError) as error:
        raise bad_request(f"the body of the request can't be read: {error}") from error


def _message(fields: Message, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _wire(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.map:
            entry = _message({1: Field("key"), 2: Field("value", field.type)}, value)
            empty = "" if field.type in {"text", "bytes"} else None
            found.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", empty)
        elif field.repeated:
            found.setdefault(field.name, []).append(_value(field.type, value))
        elif (read := _value(field.type, value)) not in ("", None):
            found[field.name] = read
    return found


def _value(type_: Any, value: Any) -> Any:
    match type_:
        case "text":
            return value.decode()
        case "raw":
            return value
        case "bytes":
            return base64.b64encode(value).decode()
        case "bool":
            return bool(value)
        case "int":
            return value if value < 1 << 63 else value - (1 << 64)
        case "quantity":
            return _message(_texts("string"), value).get("string", "0")
        case "time":
            seconds = _message({1: Field("seconds", "int")}, value).get("seconds")
            return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC)).replace("Z", ".000000Z")
    return _message(type_, value)


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, form = tag >> 3, tag & 7
        if form == 0:
            value, position = _varint(data, position)
            yield number, value
        elif form == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("cut short")
            yield number, data[position : position + length]
            position += length
        elif form in {1, 5}:
            position += 8 if form == 1 else 4
        else:
            raise ValueError(f"unknown wire type {form}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position += 1
        shift += 7
        if byte < 128:
            return value, position
