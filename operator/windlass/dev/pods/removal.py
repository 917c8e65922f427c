"""Removing what containers left behind, whatever permissions they gave it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a directory with all that is in it; what can't be removed stays."""
    shutil.rmtree(path, onerror=_once_more)


def _once_more(remove: Callable[..., object], path: str, _: object) -> None:
    with contextlib.suppress(OSError):
        Path(path).parent.chmod(0o700)
        if remove in (os.scandir, os.open, os.listdir, os.rmdir):
            Path(path).chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)
