"""What must be the same wherever pods run: the row of the table, and what many rows share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.clusters import Cluster

Status = dict[str, Any]
Spec = dict[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """A row. `check` asserts what the ended run's status must say."""

    spec: Spec
    check: Callable[[Status], None]
    run: Spec | None = None
    """Fields of the run beside its definition."""
    meanwhile: Callable[[Cluster, str], None] | None = None
    """What is done to the run while it goes on."""
    real_only: bool = False
    """The development cluster can't show it."""


def one(command: str, **more: Any) -> Spec:
    return {"tasks": [{"name": "a", "script": command, **more}]}


def succeeded(status: Status) -> None:
    assert (status["phase"], status["reason"]) == ("Succeeded", "Completed"), status
