"""What this machine must have so that pods can be processes, and what it offers."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INSTALL: Final = "apt-get install bubblewrap"
_APPARMOR: Final = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_MAX_NAMESPACES: Final = Path("/proc/sys/user/max_user_namespaces")


@dataclass(frozen=True, slots=True)
class Host:
    """The sandbox program, and whether it can give a container a user id of its own."""

    bwrap: str
    user_namespaces: bool


def check_host() -> list[str]:
    """What keeps pods from running here, each with its remedy; nothing when all is well."""
    found = probe()
    return [found] if isinstance(found, str) else []


def probe() -> Host | str:
    """The host, or what is wrong with it."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return f"bubblewrap (bwrap) is not installed; pods run in it as local processes: sudo {INSTALL}"
    trial = [bwrap, "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    refused = _trial([*trial, "--unshare-user", "--uid", "65532", "--gid", "65532"])
    if refused is None:
        return Host(bwrap, user_namespaces=True)
    if os.geteuid() == 0 and _trial(trial) is None:
        return Host(bwrap, user_namespaces=False)
    return f"bubblewrap (bwrap) can't make a sandbox on this machine ({refused}): {_remedy()}"


def _trial(command: list[str]) -> str | None:
    done = subprocess.run([*command, "--", "true"], capture_output=True, check=False)
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"


def _remedy() -> str:
    if _read(_APPARMOR) == "1":
        return "allow user namespaces with: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if _read(_MAX_NAMESPACES) == "0":
        return "allow user namespaces with: sudo sysctl -w user.max_user_namespaces=15000"
    return f"it needs user namespaces, which this kernel or container forbids; or install it anew: sudo {INSTALL}"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
