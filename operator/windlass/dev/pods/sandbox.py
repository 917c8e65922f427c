"""The command line that runs a container's program apart from the host: own processes, host name, /tmp and mounts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import windlass
from windlass.dev.pods.host import Host
from windlass.dev.pods.layout import is_own, mount_arguments, real_target, root_arguments
from windlass.dev.pods.volumes import Mount

_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a container needs of its sandbox."""

    hostname: str
    user: int
    group: int
    tmp: Path
    """The host directory that is the container's /tmp."""
    mounts: Sequence[Mount] = ()
    hidden: Sequence[Path] = ()
    """Host directories whose contents the container must not see."""
    working_dir: str = "/"
    command: Sequence[str] = field(default_factory=tuple)


def search_path() -> str:
    """The PATH of a container: the project's virtual environment comes first."""
    return f"{sys.prefix}/bin:{_SYSTEM_PATH}"


def sandbox_command(host: Host, sandbox: Sandbox) -> list[str]:
    """The whole command line."""
    own = [*_python_mounts(), *sandbox.mounts]
    targets = [real_target(mount.target) for mount in own]
    return [
        host.bwrap,
        "--die-with-parent",
        *("--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", sandbox.hostname),
        *("--cap-drop", "ALL"),
        *(_identity(sandbox) if host.user_namespaces else ()),
        *root_arguments([*targets, *_missing_working_dir(sandbox, targets)]),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--bind", str(sandbox.tmp), "/tmp"),
        *("--dir", "/run"),
        *_resolver(),
        *(word for path in sandbox.hidden if not is_own(path) for word in ("--tmpfs", str(path))),
        *mount_arguments(own),
        *(word for path in _missing_working_dir(sandbox, targets) for word in ("--dir", path)),
        *("--chdir", sandbox.working_dir),
        "--",
        *sandbox.command,
    ]


def _identity(sandbox: Sandbox) -> Sequence[str]:
    return ("--unshare-user", "--uid", str(sandbox.user), "--gid", str(sandbox.group))


def _python_mounts() -> list[Mount]:
    """The interpreter that runs this, and this project where it is installed as it stands in its working tree, where
    they lie in a directory that containers do not share."""
    prefix, project = Path(sys.prefix), Path(windlass.__file__).resolve().parents[1]
    places = {prefix, Path(sys.base_prefix)} | ({project} if not project.is_relative_to(prefix) else set())
    return [Mount(str(path), path, read_only=True) for path in sorted(places) if is_own(path)]


def _resolver() -> Sequence[str]:
    """The file behind a link /etc/resolv.conf, which often lies in /run."""
    real = os.path.realpath("/etc/resolv.conf")
    return ("--ro-bind-try", real, real) if real.startswith("/run/") else ()


def _missing_working_dir(sandbox: Sandbox, targets: Sequence[str]) -> list[str]:
    """A working directory that no image brings is made, as container runtimes do."""
    path = real_target(sandbox.working_dir)
    if any(Path(path).is_relative_to(target) for target in targets):
        writable = [mount for mount in sandbox.mounts if Path(path).is_relative_to(real_target(mount.target))]
        return [] if not writable or writable[-1].read_only else [path]
    return [] if Path(path).is_dir() and not is_own(path) else [path]
