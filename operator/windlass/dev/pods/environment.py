"""The environment of a container, from `env` and `envFrom`, in the kubelet's order and words."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from windlass.build.expansion import expand
from windlass.dev.pods.errors import ConfigMissing
from windlass.dev.pods.fields import field_value, resource_value

Body = dict[str, Any]
Lookup = Callable[[str, str], Body | None]
"""(kind, name) → the ConfigMap or Secret of the pod's namespace."""


def data_of(kind: str, obj: Body) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret with their bytes."""
    plain = {} if kind == "Secret" else {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    encoded = obj.get("data" if kind == "Secret" else "binaryData") or {}
    return plain | {key: base64.b64decode(value) for key, value in encoded.items()}


def build_environment(pod: Body, container: Body, base: dict[str, str], lookup: Lookup) -> dict[str, str]:
    """All variables of `container`: those of the image (`base`), `envFrom`, then `env`. Raises ConfigMissing."""
    defined: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        defined |= _all_of(source, lookup)
    for entry in container.get("env") or []:
        value = _value_of(pod, container, entry, defined, lookup)
        if value is not None:
            defined[entry["name"]] = value
    return base | defined


def _all_of(source: Body, lookup: Lookup) -> dict[str, str]:
    kind, reference = (
        ("ConfigMap", source["configMapRef"]) if source.get("configMapRef") else ("Secret", source["secretRef"])
    )
    obj = lookup(kind, reference["name"])
    if obj is None:
        if reference.get("optional"):
            return {}
        raise ConfigMissing(f'{kind.lower()} "{reference["name"]}" not found')
    prefix = source.get("prefix") or ""
    return {
        prefix + key: value.decode(errors="surrogateescape")
        for key, value in data_of(kind, obj).items()
        if "=" not in key and b"\0" not in value
    }


def _value_of(pod: Body, container: Body, entry: Body, defined: dict[str, str], lookup: Lookup) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", defined)
    if source.get("fieldRef"):
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if source.get("resourceFieldRef"):
        return resource_value(pod, container, source["resourceFieldRef"])
    for kind, word in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if source.get(word):
            return _key_of(pod["metadata"]["namespace"], kind, source[word], lookup)
    raise ConfigMissing(f"the development cluster knows no such valueFrom: {', '.join(source)}")


def _key_of(namespace: str, kind: str, reference: Body, lookup: Lookup) -> str | None:
    name, key = reference["name"], reference["key"]
    obj = lookup(kind, name)
    if obj is not None:
        data = data_of(kind, obj)
        if key in data:
            return data[key].decode(errors="surrogateescape")
    if reference.get("optional"):
        return None
    if obj is None:
        raise ConfigMissing(f'{kind.lower()} "{name}" not found')
    raise ConfigMissing(f"couldn't find key {key} in {kind} {namespace}/{name}")
