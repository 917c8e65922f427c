"""Instances of a `forEach` that run again, because a person wants it: which of them, and as if they had not begun.

The numbers of their attempts go on, so that no new pod meets the name of an old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from windlass.models.instances import Instances
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.action_types import ActionRefused
from windlass.plan.attempts import next_number, under_way
from windlass.plan.foreach_ends import named, told

_WENT_WRONG: Final = (TaskPhase.FAILED, TaskPhase.CANCELLED)


def busy(status: TaskStatus) -> bool:
    """Whether a pod of the task may be at work."""
    return under_way(status) if status.instances is None else bool(status.instances.live)


def attempts_made(status: TaskStatus) -> int:
    """How many attempts the task has had; of a forEach: the most that an instance had."""
    instances = status.instances
    if instances is None:
        return max(next_number(status) - 1, status.cleared or 0)
    return max([status.cleared or 0, *(next_number(state) - 1 for state in instances.states if state is not None)])


def with_instances_again(status: TaskStatus, wanted: Sequence[int] = ()) -> TaskStatus:
    """The task with these instances sent back, or those that went wrong. ActionRefused when it can't be."""
    instances = status.instances
    if instances is None:
        raise ActionRefused(f"{status.name} has no instances: leave the indices out")
    chosen = wanted or _gone_wrong(instances)
    changes = {index: _sent_back(status.name, instances, index) for index in chosen}
    after = instances.with_changes(changes)
    return TaskStatus(
        name=status.name,
        phase=TaskPhase.QUEUED,
        message=told(after),
        ready_at=status.ready_at,
        started_at=status.started_at,
        cleared=status.cleared,
        instances=after,
    )


def refuse_good(status: TaskStatus, wanted: Sequence[int]) -> None:
    """ActionRefused when one of these instances has ended, and has not gone wrong."""
    states = status.instances.states if status.instances is not None else ()
    good = [
        index
        for index in wanted
        if index < len(states)
        and (state := states[index]) is not None
        and state.phase.ended
        and state.phase not in _WENT_WRONG
    ]
    if good:
        verb = "has" if len(good) == 1 else "have"
        remedy = "Clear runs an instance again whatever its end"
        raise ActionRefused(f"{named(tuple(good))} of {status.name} {verb} not failed: {remedy}")


def said(status: TaskStatus, wanted: Sequence[int]) -> str:
    """The task and its instances for a sentence: `load, indices 3, 7`."""
    return f"{status.name}, {named(tuple(wanted))}" if wanted else status.name


def _gone_wrong(instances: Instances) -> list[int]:
    states = enumerate(instances.states)
    return [index for index, state in states if state is not None and state.phase in _WENT_WRONG]


def _sent_back(name: str, instances: Instances, index: int) -> TaskStatus | None:
    if index >= instances.total:
        raise ActionRefused(f"{name} has no instance {index}: they are 0 to {instances.total - 1}")
    state = instances.states[index]
    if state is None:
        return None
    if not state.phase.ended:
        raise ActionRefused(f"instance {index} of {name} has not ended: it is {state.phase.value}")
    made = next_number(state) - 1
    return TaskStatus(name="", phase=TaskPhase.QUEUED, dropped=made, cleared=made) if made else None
