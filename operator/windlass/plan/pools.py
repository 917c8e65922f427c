"""Whether a task's Pool lets its pod be made: the planner asks, and reads what was answered to the last question."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from windlass.models.task import Task
from windlass.plan.draft import Draft
from windlass.plan.task_types import PoolAnswer, PoolAnswerKind, PoolWant

POOL_REASONS: Final = ("WaitingForPool", "PoolNotFound", "PoolTooSmall")


def held_back(draft: Draft, task: Task, pod: str, since: datetime) -> tuple[str, str] | None:
    """Why the pod may not be made now, as reason and message; None when it may, or needs no Pool.

    `since` is when the task became ready. The wish stands in the plan either way, for as long as there is no pod.
    """
    if task.pool is None:
        return None
    want = PoolWant(task.pool, pod, task.name, task.slots or 1, task.priority or 0, since)
    draft.wants.append(want)
    answer = draft.seen.pools.get(pod)
    if answer is not None and answer.kind is PoolAnswerKind.GRANTED:
        return None
    return _told(want, answer)


def _told(want: PoolWant, answer: PoolAnswer | None) -> tuple[str, str]:
    amount = "a slot" if want.slots == 1 else f"{want.slots} slots"
    if answer is None or answer.kind is PoolAnswerKind.WAITS:
        place = f": number {answer.position} of {answer.waiting}" if answer is not None else ""
        return "WaitingForPool", f"waits for {amount} of the pool {want.pool}{place}"
    if answer.kind is PoolAnswerKind.MISSING:
        return "PoolNotFound", f"there is no pool {want.pool} in this namespace: the task starts once it is made"
    return "PoolTooSmall", f"wants {amount}, and the pool {want.pool} has {answer.slots} in all: make the pool larger"
