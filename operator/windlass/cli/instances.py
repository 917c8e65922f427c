"""The instances of a forEach for people: which went wrong, and which pods are theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from windlass import names
from windlass.cli.failures import Failure

Body = dict[str, Any]

MOST_AT_ONCE: Final = 20
"""Instances whose logs are printed together; of more, one has to be named."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One of them, as far as the status tells it."""

    index: int
    phase: str
    attempts: int
    """How many it has had."""
    ended: bool
    """Its latest attempt has ended."""
    last: Body
    """What is known of its latest attempt."""
    message: str


def instances_of(task: Body) -> list[Instance | None]:
    """The instances of a task by index, None where one has not begun; none where it is no forEach, or where the status
    is of a controller that is newer than this command."""
    if not task.get("instances"):
        return []
    from pydantic import ValidationError

    from windlass.models.run import TaskStatus

    try:
        status = TaskStatus.model_validate({"name": task["name"], "instances": task["instances"]}, extra="ignore")
    except ValidationError:
        return []
    made: list[Instance | None] = []
    for index, state in enumerate(status.instances.states if status.instances else ()):
        if state is None:
            made.append(None)
            continue
        last = state.attempts[-1] if state.attempts else None
        number = last.number if last is not None else state.dropped or 0
        ended = state.phase.ended or last is None or last.finished_at is not None
        shown = last.model_dump(mode="json", by_alias=True, exclude_none=True) if last is not None else {}
        made.append(Instance(index, state.phase.value, number, ended, shown, state.message or ""))
    return made


def troubled(task: Body) -> Iterator[Instance]:
    """Those that have failed, or are to be tried again, and whose last failure is known."""
    for one in instances_of(task):
        if one is not None and one.phase in ("Failed", "Retrying") and (one.last.get("class") or one.message):
            yield one


def chosen(task: Body, index: int | None) -> list[Instance]:
    """The instances whose logs are wanted: the one that was named, or all where they are few."""
    found = instances_of(task)
    if index is not None and not found:
        raise Failure(f"{task['name']} has no instances: leave --index out")
    if index is not None and index >= len(found):
        raise Failure(f"{task['name']} has no instance {index}: they are 0 to {len(found) - 1}")
    wanted = found if index is None else found[index : index + 1]
    return [one for one in wanted if one is not None and one.attempts]


def which(task: Body) -> str:
    """How to ask for one of many instances."""
    shown = task["instances"]
    failed = f"; failed are {shown['failedIndices']}" if shown.get("failedIndices") else ""
    return f"{task['name']} has {shown['total']} instances: say which by --index{failed}"


def pod_of(run: Body, task: str, index: int, attempt: int) -> str:
    """The name of the pod of an attempt of an instance."""
    metadata = run["metadata"]
    return names.pod_name(metadata["name"], metadata["uid"], task, attempt, index)
