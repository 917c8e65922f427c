"""Files that hold what is expected; written anew when WINDLASS_UPDATE_GOLDEN is set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def assert_golden(path: Path, value: Any) -> None:
    """Compare `value` with what the file holds."""
    if os.environ.get("WINDLASS_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(value, Dumper=_Plain, sort_keys=False, width=120), encoding="utf-8")
    assert value == yaml.safe_load(path.read_text(encoding="utf-8")), f"not as {path.name} says"
