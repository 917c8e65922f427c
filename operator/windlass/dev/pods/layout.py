"""The root directory of a container, as arguments of bubblewrap.

The root is a tmpfs, on which each top-level entry of the host is bound read-only. A mount point that the host does
not have below such an entry can't be made there; so its parent is split: a directory of the tmpfs, on which the
entries of the host's directory are bound one by one.

    mount at /etc/shop/url:   /           tmpfs
                              ├── usr     bound
                              └── etc     split: passwd, hosts, ssl … bound one by one, and shop/url
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from windlass.dev.pods.volumes import Mount

OWN: Final = frozenset({"dev", "proc", "run", "tmp"})
"""Top-level entries that a container does not share with the host."""


def is_own(path: str | PurePath) -> bool:
    """Does the path lie where a container has something of its own instead of the host's?"""
    return not OWN.isdisjoint(PurePosixPath(path).parts[1:2])


def root_arguments(targets: Iterable[str], root: Path = Path("/")) -> list[str]:
    """Bind the host's files so that all `targets` can be mount points."""
    split = {parent for target in targets for parent in _to_split(target, root)}
    return list(_bound(PurePosixPath("/"), split, root))


def real_target(target: str, root: Path = Path("/")) -> str:
    """The path of a mount point with the host's links followed, since they are links in the container too."""
    path = PurePosixPath("/", os.path.normpath(target))
    if len(path.parts) < 2 or is_own(path):
        return str(path)
    real = Path(os.path.realpath(root / path.relative_to("/")))
    return "/" + str(real.relative_to(root.resolve())) if real.is_relative_to(root.resolve()) else str(path)


def mount_arguments(mounts: Iterable[Mount]) -> list[str]:
    """Bind `mounts`, in their order."""
    return [
        word
        for mount in mounts
        for word in ("--ro-bind" if mount.read_only else "--bind", str(mount.source), real_target(mount.target))
    ]


def _to_split(target: str, root: Path) -> list[PurePosixPath]:
    """The host's directories above `target` that lack the way to it."""
    path = PurePosixPath(target)
    if len(path.parts) < 3 or is_own(path):
        return []
    above = [*reversed(path.parents)][1:]
    for index, step in enumerate([*above[1:], path], start=1):
        if not os.path.lexists(root / above[0].relative_to("/")):
            return []
        if not os.path.lexists(root / step.relative_to("/")):
            return above[:index]
    return []


def _bound(directory: PurePosixPath, split: set[PurePosixPath], root: Path) -> Iterable[str]:
    with os.scandir(root / directory.relative_to("/")) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = directory / entry.name
        if len(path.parts) == 2 and entry.name in OWN:
            continue
        if entry.is_symlink():
            yield from ("--symlink", str(Path(entry.path).readlink()), str(path))
        elif path in split:
            yield from ("--dir", str(path))
            yield from _bound(path, split, root)
        elif entry.is_dir() or entry.is_file():
            yield from ("--ro-bind-try", entry.path, str(path))
