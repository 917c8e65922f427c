"""What assets the tasks of a run have produced, as its status tells of them. Pure.

A task that is run again has produced its asset until it has done so anew: then that is another event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from windlass.models.asset import MAX_ASSETS, ProducedAsset
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.budget import json_size
from windlass.plan.partial import TAKEN_OVER
from windlass.plan.types import Program

MAX_FIELDS: Final = 1024
"""Bytes of JSON that the fields of an asset may take."""
MAX_ALL_FIELDS: Final = 16 * 1024
"""The same of all assets of a run together."""


def produced_assets(
    program: Program, tasks: Mapping[str, TaskStatus], known: Sequence[ProducedAsset] | None
) -> list[ProducedAsset] | None:
    """The assets that were produced, the latest last; None where there are none."""
    if not program.produces:
        return None
    old: dict[str, list[ProducedAsset]] = {}
    for one in known or ():
        old.setdefault(one.task, []).append(one)
    found = [asset for name in program.produces for asset in _of_task(program, tasks.get(name), old.get(name, []))]
    found.sort(key=lambda one: one.finished_at)
    return _bounded(found[-MAX_ASSETS:]) or None


def _of_task(program: Program, status: TaskStatus | None, before: list[ProducedAsset]) -> list[ProducedAsset]:
    if status is None or status.phase is not TaskPhase.SUCCEEDED or status.finished_at is None:
        return before
    if status.reason == TAKEN_OVER or (before and before[0].finished_at == status.finished_at):
        return before
    fields = fitting(status.outputs or {}) if status.instances is None else {}
    return [
        ProducedAsset(name=name, task=status.name, finished_at=status.finished_at, fields=fields or None)
        for name in program.nodes[status.name].task.produces
    ]


def fitting(outputs: Mapping[str, Any], limit: int = MAX_FIELDS) -> dict[str, Any]:
    """The outputs that fit together, in their order."""
    kept: dict[str, Any] = {}
    left = limit - 2
    for key, value in outputs.items():
        size = json_size({key: value})
        if size <= left:
            kept[key] = value
            left -= size
    return kept


def _bounded(found: list[ProducedAsset]) -> list[ProducedAsset]:
    """The assets, without the fields of those that would make the status too large: the latest keep theirs."""
    kept: list[ProducedAsset] = []
    left = MAX_ALL_FIELDS
    for one in reversed(found):
        size = json_size(one.fields) if one.fields else 0
        kept.append(one if size <= left else one.model_copy(update={"fields": None}))
        left -= min(size, left)
    return kept[::-1]
