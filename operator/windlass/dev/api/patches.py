"""The three kinds of patch: JSON merge (RFC 7386), JSON (RFC 6902), and Kubernetes' strategic merge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from windlass.dev.api.answers import bad_request, unprocessable, unsupported

PatchKind = Literal["merge", "json", "strategic"]

CONTENT_TYPES: Final[Mapping[str, PatchKind]] = {
    "application/merge-patch+json": "merge",
    "application/json-patch+json": "json",
    "application/strategic-merge-patch+json": "strategic",
}

_MERGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "containers": ("name",), "initContainers": ("name",), "ephemeralContainers": ("name",), "env": ("name",),
    "volumes": ("name",), "volumeMounts": ("mountPath",), "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"), "imagePullSecrets": ("name",), "hostAliases": ("ip",),
    "ownerReferences": ("uid",), "conditions": ("type",), "secrets": ("name",), "podIPs": ("ip",), "hostIPs": ("ip",),
    "topologySpreadConstraints": ("topologyKey",), "resourceClaims": ("name",), "schedulingGates": ("name",),
    "addresses": ("type",), "taints": ("key",),
}  # fmt: skip
"""The lists that a strategic patch merges item by item, and the field that tells the items apart."""
_SETS: Final = frozenset({"finalizers"})
_ORDER: Final = "$setElementOrder/"
_DELETE: Final = "$deleteFromPrimitiveList/"


def apply_patch(kind: PatchKind | str, body: Any, patch: Any) -> Any:
    """`body` with `patch` applied; neither is changed. `kind` may also be a content type."""
    kind = CONTENT_TYPES.get(kind, kind)
    if kind == "json":
        return _json(body, patch)
    if not isinstance(patch, dict):
        raise bad_request("the patch is not an object")
    if kind == "merge":
        return merge(body, patch)
    if kind == "strategic":
        return _strategic(body, patch)
    raise unsupported(
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(CONTENT_TYPES)
    )


def merge(body: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(body) if isinstance(body, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def _strategic(body: Any, patch: dict[str, Any]) -> dict[str, Any]:
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged = dict(body) if isinstance(body, dict) else {}
    kept = patch.get("$retainKeys")
    if kept is not None:
        merged = {key: value for key, value in merged.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _strategic(merged.get(key), value)
        elif isinstance(value, list):
            merged[key] = _list(key, merged.get(key) or [], value)
        else:
            merged[key] = value
    for key, value in patch.items():
        if key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            merged[name] = [item for item in merged.get(name) or () if item not in value]
        elif key.startswith(_ORDER) and isinstance(merged.get(name := key.removeprefix(_ORDER)), list):
            server = (body.get(name) or []) if isinstance(body, dict) else []
            merged[name] = _arranged(name, merged[name], value, server)
    return merged


def _merge_key(name: str, items: list[Any]) -> str | None:
    for key in _MERGE_KEYS.get(name, ()):
        if any(isinstance(item, dict) and key in item for item in items):
            return key
    return None


def _list(name: str, old: list[Any], patch: list[Any]) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    if name in _SETS:
        return _arranged(name, [*old, *(item for item in patch if item not in old)], patch, old)
    key = _merge_key(name, [*patch, *old])
    if key is None:
        return patch
    merged = list(old)
    for item in patch:
        at = next((index for index, one in enumerate(merged) if one.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            merged = [one for one in merged if one.get(key) != item.get(key)]
        elif at is None:
            merged.append(_strategic({}, item))
        else:
            merged[at] = _strategic(merged[at], item)
    return _arranged(name, merged, patch, old)


def _arranged(name: str, items: list[Any], patch: list[Any], server: list[Any]) -> list[Any]:
    """`items` in order: what the patch names in its order, the rest in the server's, new things as early as may be."""
    key = _merge_key(name, items)

    def ids(of: list[Any]) -> list[Any]:
        return [item.get(key) if key and isinstance(item, dict) else item for item in of]

    by_id = dict(zip(map(repr, ids(items)), items, strict=True))
    wanted = [one for one in dict.fromkeys(map(repr, ids(patch))) if one in by_id]
    known = list(map(repr, ids(server)))
    others = [one for one in known if one in by_id and one not in wanted]
    arranged: list[str] = []
    while wanted and others:
        first = wanted[0]
        behind = first in known and known.index(others[0]) < known.index(first)
        arranged.append(others.pop(0) if behind else wanted.pop(0))
    return [by_id[one] for one in [*arranged, *wanted, *others]]


def _json(body: Any, patch: Any) -> Any:
    if not isinstance(patch, list):
        raise bad_request("the patch is not a list of operations")
    root = [_clone(body)]
    for operation in patch:
        try:
            _OPERATIONS[operation["op"]](root, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise unprocessable(f"the server rejected our request due to an error in our request: {error}") from error
    return root[0]


def _clone(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clone(item) for key, item in value.items()}
    return [_clone(item) for item in value] if isinstance(value, list) else value


def _place(root: list[Any], path: str) -> tuple[Any, Any]:
    """The container that a pointer's last step goes into, and that step."""
    if path and not path.startswith("/"):
        raise ValueError(f"not a JSON pointer: {path}")
    steps = [0, *(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])]
    holder: Any = root
    for step in steps[:-1]:
        holder = holder[_step(holder, step)]
    return holder, _step(holder, steps[-1])


def _step(holder: Any, step: Any) -> Any:
    if isinstance(holder, list):
        if step == "-":
            return len(holder)
        index = int(step)
        if index < 0:
            raise IndexError(f"invalid index {index}")
        return index
    if not isinstance(holder, dict):
        raise TypeError(f"no such place: {step}")
    return step


def _read(root: list[Any], path: str) -> Any:
    holder, step = _place(root, path)
    return holder[step]


def _add(root: list[Any], operation: Any) -> None:
    _put(root, operation["path"], _clone(operation["value"]))


def _put(root: list[Any], path: str, value: Any) -> None:
    holder, step = _place(root, path)
    if isinstance(holder, list) and holder is not root:
        if step > len(holder):
            raise IndexError(f"index out of bounds: {path}")
        holder.insert(step, value)
    else:
        holder[step] = value


def _remove(root: list[Any], operation: Any) -> None:
    """What is not there counts as removed, as for a real server."""
    try:
        holder, step = _place(root, operation["path"])
        del holder[step]
    except LookupError:
        return


def _replace(root: list[Any], operation: Any) -> None:
    """In an object, a key that is not there is added, as by a real server."""
    holder, step = _place(root, operation["path"])
    if isinstance(holder, list):
        holder[step]
    holder[step] = _clone(operation["value"])


def _move(root: list[Any], operation: Any) -> None:
    value = _read(root, operation["from"])
    _remove(root, {"path": operation["from"]})
    _put(root, operation["path"], value)


def _copy(root: list[Any], operation: Any) -> None:
    _put(root, operation["path"], _clone(_read(root, operation["from"])))


def _test(root: list[Any], operation: Any) -> None:
    if _read(root, operation["path"]) != operation.get("value"):
        raise ValueError(f"testing value {operation['path']} failed")


_OPERATIONS: Final[Mapping[str, Callable[[list[Any], Any], None]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
