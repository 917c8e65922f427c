"""The volumes of a pod, as directories, and the mounts that its containers get of them.

<pod directory>/volumes/<name>     emptyDir, configMap, secret, downwardAPI, projected
<state>/volumes/<claim directory>  persistentVolumeClaim (see claims.py)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from windlass.build.expansion import expand
from windlass.dev.pods.environment import Lookup, data_of
from windlass.dev.pods.errors import ConfigMissing, Unstartable, VolumeMissing
from windlass.dev.pods.fields import field_value, resource_value

Body = dict[str, Any]
ClaimPath = Callable[[str], Path | None]
"""The directory of a bound claim of the pod's namespace."""

DEFAULT_MODE: Final = 0o644
DIRECTORY_MODE: Final = 0o777
_ALWAYS_READ_ONLY: Final = ("configMap", "secret", "downwardAPI", "projected")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that was set up."""

    path: Path
    read_only: bool


@dataclass(frozen=True, slots=True)
class Mount:
    """A host file or directory at a path of the container."""

    target: str
    source: Path
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    data: bytes
    mode: int


def set_up(pod: Body, root: Path, lookup: Lookup, claim_path: ClaimPath) -> dict[str, Volume]:
    """Make all volumes of `pod` below `root`. Raises VolumeMissing while something that they need is missing."""
    return {volume["name"]: _one(pod, volume, root / volume["name"], lookup, claim_path) for volume in volumes_of(pod)}


def _failed(volume: str, why: str) -> VolumeMissing:
    return VolumeMissing(f'MountVolume.SetUp failed for volume "{volume}" : {why}')


def volumes_of(pod: Body) -> list[Body]:
    return pod["spec"].get("volumes") or []


def _one(pod: Body, volume: Body, path: Path, lookup: Lookup, claim_path: ClaimPath) -> Volume:
    name = volume["name"]
    if claim := volume.get("persistentVolumeClaim"):
        directory = claim_path(claim["claimName"])
        if directory is None:
            raise _failed(name, f'persistentvolumeclaim "{claim["claimName"]}" is not bound')
        return Volume(directory, bool(claim.get("readOnly")))
    if "hostPath" in volume:
        return Volume(_host_path(name, volume["hostPath"]), False)
    if "emptyDir" in volume:
        path.mkdir(exist_ok=True)
        path.chmod(DIRECTORY_MODE)
        return Volume(path, False)
    for kind in _ALWAYS_READ_ONLY:
        if kind in volume:
            _write(path, _files(pod, name, kind, volume[kind] or {}, lookup))
            return Volume(path, True)
    kinds = ", ".join(sorted(set(volume) - {"name"})) or "nothing"
    raise _failed(name, f"the development cluster has no volumes of type {kinds}")


def _host_path(name: str, host: Body) -> Path:
    path = Path(host["path"])
    if host.get("type") == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        raise _failed(name, f"hostPath {path} does not exist")
    return path


def _write(root: Path, files: list[_File]) -> None:
    root.mkdir(exist_ok=True)
    for file in files:
        target = root / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(file.data)
        target.chmod(file.mode)


def _files(pod: Body, volume: str, kind: str, source: Body, lookup: Lookup) -> list[_File]:
    mode = source.get("defaultMode") or DEFAULT_MODE
    if kind == "projected":
        return [file for part in source.get("sources") or [] for file in _projected(pod, volume, part, mode, lookup)]
    if kind == "downwardAPI":
        return [_downward(pod, volume, item, mode) for item in source.get("items") or []]
    name = source.get("secretName") if kind == "secret" else source.get("name")
    return _keys(volume, "Secret" if kind == "secret" else "ConfigMap", str(name), source, mode, lookup)


def _projected(pod: Body, volume: str, part: Body, mode: int, lookup: Lookup) -> list[_File]:
    if "downwardAPI" in part:
        return [_downward(pod, volume, item, mode) for item in part["downwardAPI"].get("items") or []]
    for kind, word in (("Secret", "secret"), ("ConfigMap", "configMap")):
        if word in part:
            return _keys(volume, kind, part[word]["name"], part[word], mode, lookup)
    raise _failed(volume, f"the development cluster projects no {', '.join(part)}")


def _keys(volume: str, kind: str, name: str, source: Body, mode: int, lookup: Lookup) -> list[_File]:
    obj = lookup(kind, name)
    if obj is None:
        if source.get("optional"):
            return []
        raise _failed(volume, f'{kind.lower()} "{name}" not found')
    data = data_of(kind, obj)
    if not source.get("items"):
        return [_File(key, value, mode) for key, value in data.items()]
    files = []
    for item in source["items"]:
        if item["key"] in data:
            files.append(_File(_inside(volume, item["path"]), data[item["key"]], item.get("mode") or mode))
        elif not source.get("optional"):
            raise _failed(volume, f"references non-existent {kind.lower()} key: {item['key']}")
    return files


def _downward(pod: Body, volume: str, item: Body, mode: int) -> _File:
    if item.get("fieldRef"):
        value = field_value(pod, item["fieldRef"]["fieldPath"])
    else:
        value = resource_value(pod, {}, item["resourceFieldRef"])
    return _File(_inside(volume, item["path"]), value.encode(), item.get("mode") or mode)


def _inside(volume: str, path: str) -> str:
    if path.startswith("/") or ".." in Path(path).parts:
        raise _failed(volume, f"the path {path!r} leaves the volume")
    return path


def mounts_of(container: Body, volumes: Mapping[str, Volume], variables: Mapping[str, str]) -> list[Mount]:
    """What `container` sees of the volumes; parents come before what is mounted in them."""
    mounts = []
    for entry in container.get("volumeMounts") or []:
        volume = volumes.get(entry["name"])
        if volume is None:
            raise Unstartable(f'cannot find volume "{entry["name"]}" to mount into container "{container["name"]}"')
        source = _sub_path(container, entry, volume, variables)
        mounts.append(Mount(entry["mountPath"], source, volume.read_only or bool(entry.get("readOnly"))))
    return sorted(mounts, key=lambda mount: len(Path(mount.target).parts))


def _sub_path(container: Body, entry: Body, volume: Volume, variables: Mapping[str, str]) -> Path:
    sub_path = entry.get("subPath") or expand(entry.get("subPathExpr") or "", variables)
    if not sub_path:
        return volume.path
    source = volume.path / sub_path
    where = f'for volumeMount "{entry["name"]}" of container "{container["name"]}"'
    # A link inside the volume must not lead a mount out of it.
    if not source.resolve().is_relative_to(volume.path.resolve()):
        raise ConfigMissing(f"failed to prepare subPath {where}")
    if not source.exists():
        if volume.read_only:
            raise ConfigMissing(f"failed to create subPath directory {where}")
        source.mkdir(parents=True)
        source.chmod(DIRECTORY_MODE)
    return source
