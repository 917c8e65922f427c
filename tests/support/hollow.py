"""Tasks for hollow nodes, which play what the pods' annotations say and start no process."""

from __future__ import annotations

from typing import Any, Final

HOLLOW: Final[dict[str, Any]] = {
    "image": "busybox",
    "command": ["true"],
    "nodeSelector": {"windlass.dev/hollow": "true"},
    "tolerations": [{"key": "windlass.dev/hollow", "operator": "Exists"}],
}


def task(name: str, seconds: float = 0.2, **fields: Any) -> dict[str, Any]:
    """A task whose pod runs for so many seconds."""
    return {"name": name, "annotations": {"hollow/run-seconds": str(seconds)}, **HOLLOW, **fields}
