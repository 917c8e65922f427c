"""The instances of one task while a plan is made: what they were, and what has changed so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from windlass import names
from windlass.models.instances import SEEN, Instances, quiet
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import next_number, under_way
from windlass.plan.draft import Draft
from windlass.plan.types import Node

MOST_TOLD: Final = 10
"""Instances of a task whose failures and retries are told as Events: after them, the task's status has to do."""
_TROUBLED: Final = (TaskPhase.FAILED, TaskPhase.RETRYING)


@dataclass(slots=True)
class Work:
    """One advance of one task."""

    draft: Draft
    node: Node
    status: TaskStatus
    before: Instances
    changes: dict[int, TaskStatus | None] = field(default_factory=dict)
    items: tuple[Any, ...] | None = None
    """What they are for, where it had to be derived again."""
    waits: TaskStatus | None = None
    """An instance that can't start now, with the reason."""

    def state(self, index: int) -> TaskStatus | None:
        return self.changes[index] if index in self.changes else self.before.states[index]

    def instances(self) -> Instances:
        """As they are now."""
        return self.before.with_changes(self.changes, self.items)

    def live(self) -> list[int]:
        """Those with an attempt under way."""
        changes = self.changes
        if not changes:
            return [*self.before.live]
        kept = [index for index in self.before.live if index not in changes]
        return kept + [index for index, state in changes.items() if state is not None and under_way(state)]

    def resting(self) -> list[int]:
        """Those that have begun, have not ended, and have no attempt under way."""
        changed = [index for index, state in self.changes.items() if _rests(state)]
        return [index for index in self.before.resting if index not in self.changes] + changed

    def unbegun(self) -> Iterator[int]:
        """Those that have not begun, or whose first pod was not taken."""
        changes = self.changes
        if self.before.unbegun or None in changes.values():
            for index, state in enumerate(self.before.states):
                if (changes[index] if index in changes else state) is None:  # noqa: SIM401  # None is a change
                    yield index

    def put(self, index: int, before: TaskStatus | None, after: TaskStatus) -> None:
        """Note what has become of one."""
        if after is before:
            return
        if after.phase.ended:
            self.changes[index] = settled(after)
        elif after.attempts or (after.dropped or 0) >= self.first:
            self.changes[index] = _trimmed(after)
        elif before is not None or index in self.changes:
            self.changes[index] = None

    # Its names and numbers

    @property
    def first(self) -> int:
        """The number of the first attempt of an instance since the task was last sent back."""
        return (self.status.cleared or 0) + 1

    def fresh(self) -> TaskStatus:
        """An instance that begins."""
        made = self.status.cleared
        return TaskStatus(name="", phase=TaskPhase.QUEUED, ready_at=self.status.ready_at, dropped=made, cleared=made)

    def pod(self, index: int, number: int) -> str:
        """The name of the pod of an attempt."""
        run = self.draft.seen.run
        return names.pod_name(run.name, run.uid, self.node.task.name, number, index)

    def named(self, index: int, state: TaskStatus) -> TaskStatus:
        """With its name, and that of its pod, which are not stored; and with the UID of the pod that there is."""
        name = f"{self.node.task.name}[{index}]"
        if not under_way(state):
            return state if state.name else state.model_copy(update={"name": name})
        last = state.attempts[-1]
        if state.name and last.pod is not None and last.uid != SEEN:
            return state
        pod = last.pod or self.pod(index, last.number)
        found = self.draft.seen.pods.get(pod)
        uid = found.uid if last.uid == SEEN and found is not None else last.uid
        last = last.model_copy(update={"pod": pod, "uid": uid})
        return state.model_copy(update={"name": name, "attempts": [*state.attempts[:-1], last]})

    # What is told

    def hush(self, told: int) -> None:
        """Take back the Events after the first `told`, when enough was told of other instances."""
        events = self.draft.events
        if len(events) > told and self._troubled() >= MOST_TOLD:
            del events[told:]

    def _troubled(self) -> int:
        counts = self.before.counts
        new = sum(1 for state in self.changes.values() if state is not None and state.phase in _TROUBLED)
        return counts.get("failed", 0) + counts.get("retrying", 0) + new


def settled(state: TaskStatus) -> TaskStatus:
    """What is kept of an instance that has ended: why it failed, or how many attempts it took."""
    if state.phase is TaskPhase.FAILED:
        return _trimmed(state)
    kept = quiet(state.phase.value, state.reason, next_number(state) - 1)
    return kept if state.outputs is None else kept.model_copy(update={"outputs": state.outputs})


def _trimmed(state: TaskStatus) -> TaskStatus:
    """With its latest attempt; the earlier ones are counted."""
    if len(state.attempts) <= 1:
        return state
    dropped = (state.dropped or 0) + len(state.attempts) - 1
    return state.model_copy(update={"attempts": state.attempts[-1:], "dropped": dropped})


def _rests(state: TaskStatus | None) -> bool:
    return state is not None and not state.phase.ended and not under_way(state)
