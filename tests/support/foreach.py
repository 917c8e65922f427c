"""Runs of one repeated task on the simulated cluster, and how it came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from support.simulate import OK, Behaviour, World, app_failure, workflow
from windlass.models.run import TaskStatus, WorkflowRunSpec
from windlass.plan.types import PodResult

BAD = app_failure(3, "no such file")
FOUR: dict[str, Any] = {"items": ["a", "b", "c", "d"]}


def world(ends: Mapping[str, Sequence[PodResult]] | None = None, params: Any = None, **fields: Any) -> World:
    """A run of one repeated task. `ends` says how attempts end, by `load[7]`; the last is repeated, others are good."""
    spec = workflow([{"name": "load", "forEach": FOUR, **fields}], params={key: {} for key in params or {}})

    def script(who: str, attempt: int) -> Behaviour:
        known = (ends or {}).get(who, [OK])
        return Behaviour(known[min(attempt, len(known)) - 1], run=timedelta(seconds=5 + int(who[5:-1])))

    return World(spec, script, WorkflowRunSpec(params=params or {}))


def task(played: World, name: str = "load") -> TaskStatus:
    return next(task for task in played.stored.tasks if task.name == name)


def outcome(played: World) -> tuple[str, str | None, str | None, dict[str, int]]:
    status = task(played)
    assert status.instances is not None
    return status.phase.value, status.reason, status.message, dict(status.instances.counts)


def outcome_or_none(played: World) -> Mapping[str, int]:
    instances = next((task.instances for task in played.stored.tasks if task.name == "load"), None)
    return instances.counts if instances is not None else {}
