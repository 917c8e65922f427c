"""Strategic merge of a partial pod template over a pod, as Kubernetes' own clients do it.

Lists of things with names are merged by name, other lists are replaced; a null deletes. `$patch: delete` and
`$patch: replace` work as in `kubectl patch`. Two things differ, for what people mean by them: tolerations are
appended, and a volume given under a name that is taken replaces that volume unless it is of the same type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

JsonObject = dict[str, Any]

KEYS: Final[Mapping[str, str]] = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
    "schedulingGates": "name",
}
"""Lists that are merged, by the field that tells their entries apart."""
APPENDED: Final = frozenset({"tolerations", "finalizers"})
_DIRECTIVE: Final = "$patch"
_IGNORED: Final = ("$setElementOrder/", "$retainKeys", "$deleteFromPrimitiveList/")


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> JsonObject:
    """`patch` over `base`; neither is changed. ValueError when the patch has a list where an entry has no key."""
    if patch.get(_DIRECTIVE) == "replace":
        return dict(_clean(patch))
    merged = dict(base)
    for key, value in patch.items():
        if key == _DIRECTIVE or key.startswith(_IGNORED):
            continue
        if value is None or (isinstance(value, Mapping) and value.get(_DIRECTIVE) == "delete"):
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            before = merged.get(key)
            merged[key] = merge(before if isinstance(before, Mapping) else {}, value)
        elif isinstance(value, list):
            merged[key] = _merge_list(key, merged.get(key) or [], value)
        else:
            merged[key] = value
    return merged


def _merge_list(field: str, base: list[Any], patch: list[Any]) -> list[Any]:
    if field in APPENDED:
        return [*base, *(entry for entry in patch if entry not in base)]
    identity = _identity(field, base, patch)
    if identity is None:
        return list(patch)
    entries = [entry for entry in patch if not _is_replace_marker(entry)]
    by_key: dict[Any, Any] = {} if len(entries) < len(patch) else {identity(entry): entry for entry in base}
    for entry in entries:
        key = identity(entry)
        if entry.get(_DIRECTIVE) == "delete":
            by_key.pop(key, None)
        elif key in by_key and not (field == "volumes" and _another_type(by_key[key], entry)):
            by_key[key] = merge(by_key[key], entry)
        else:
            by_key[key] = _clean(entry)
    return list(by_key.values())


def _identity(field: str, base: list[Any], patch: list[Any]) -> Callable[[Mapping[str, Any]], Any] | None:
    if not all(isinstance(entry, Mapping) for entry in [*base, *patch]):
        return None
    if field == "ports":
        return lambda entry: (entry.get("containerPort"), entry.get("protocol", "TCP"))
    key = KEYS.get(field)
    if key is None:
        return None
    for place, entry in enumerate(patch):
        if key not in entry and not _is_replace_marker(entry):
            raise ValueError(f"{field}[{place}] has no {key!r}, by which it is merged: add it")
    return lambda entry: entry.get(key)


def _is_replace_marker(entry: Mapping[str, Any]) -> bool:
    return dict(entry) == {_DIRECTIVE: "replace"}


def _another_type(base: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    types = {key for key in patch if key != "name" and not key.startswith("$")}
    return bool(types) and not types & base.keys()


def _clean(value: Any) -> Any:
    """A value that had nothing to be merged with, without nulls and directives."""
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items() if item is not None and not key.startswith("$")}
    if isinstance(value, list):
        return [_clean(item) for item in value if not (isinstance(item, Mapping) and item.get(_DIRECTIVE))]
    return value
