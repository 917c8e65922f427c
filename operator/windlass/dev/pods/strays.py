"""Processes that outlived their cluster.

A container dies with the process that runs the cluster. But one whose sandbox was just being made when that process
was killed may slip through; it is known by its mounts, which come from the cluster's directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Mounted:
    """A line of mountinfo: the file system, the directory of it, and where that is mounted."""

    device: str
    source: Path
    target: Path


def kill_strays(pods: Path) -> list[int]:
    """Kill every process that has a directory below `pods` as its /tmp."""
    own = _place_of(pods)
    killed = []
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            if own is not None and any(_is_from(own, mount) for mount in _mounts(path)):
                pid = int(path.parent.name)
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
    return killed


def _place_of(directory: Path) -> _Mounted | None:
    """Where `directory` is on its file system."""
    above = [mount for mount in _mounts(Path("/proc/self/mountinfo")) if directory.is_relative_to(mount.target)]
    if not above:
        return None
    # Of mounts on one another the last one is seen.
    nearest = max(enumerate(above), key=lambda found: (len(found[1].target.parts), found[0]))[1]
    return _Mounted(nearest.device, nearest.source / directory.relative_to(nearest.target), directory)


def _is_from(place: _Mounted, mount: _Mounted) -> bool:
    is_tmp = mount.target == Path("/tmp")
    return is_tmp and mount.device == place.device and mount.source.is_relative_to(place.source)


def _mounts(path: Path) -> Iterable[_Mounted]:
    for line in path.read_text(errors="surrogateescape").splitlines():
        _, _, device, source, target, *_ = line.split(" ")
        yield _Mounted(device, Path(source), Path(target))
