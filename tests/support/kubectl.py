"""kubectl, for tests."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def kubectl(*arguments: str, stdin: str = "") -> str:
    """A command of kubectl; fails the test when it fails."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def objects(kind: str, namespace: str, *arguments: str) -> list[dict[str, Any]]:
    """Objects of a kind."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", kind, "-n", namespace, "-o", "json", *arguments))["items"]
    return found
