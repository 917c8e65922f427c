"""How the instances of a task count together: when too many have failed, what the task says, and how it ends."""

from __future__ import annotations

import math
from typing import Any

from windlass.models.instances import Instances, ranges
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.attempts import fail
from windlass.plan.budget import cut
from windlass.plan.draft import Draft, changed
from windlass.plan.types import Node

MOST_NAMED = 10


def needed(node: Node, instances: Instances) -> int:
    """How many instances have to succeed. Those that were skipped don't count."""
    ratio = node.task.for_each.min_success if node.task.for_each else None
    counted = instances.total - instances.counts.get("skipped", 0)
    # Of 10 instances 0.7 are 7, and not 7.000000000000001.
    return math.ceil((1.0 if ratio is None else ratio) * counted - 1e-9)


def hopeless(node: Node, instances: Instances) -> bool:
    """Whether the rest is to be stopped, since so many failed that the task can't succeed any more."""
    if node.task.for_each is None or not node.task.for_each.fail_fast or not instances.failed:
        return False
    lost = len(instances.failed) + instances.counts.get("cancelled", 0)
    return instances.total - instances.counts.get("skipped", 0) - lost < needed(node, instances)


def summary(draft: Draft, node: Node, status: TaskStatus, instances: Instances, waits: TaskStatus | None) -> TaskStatus:
    """The task as its instances make it. `waits` is one that can't start now."""
    if instances.live or instances.resting or instances.unbegun:
        return _going_on(draft, node, status, instances, waits)
    return _ended(draft, node, status, instances)


def told(instances: Instances) -> str:
    """How far they are, for people: `312/5000 done, 3 failed: indices 7, 19, 204`."""
    counts = instances.counts
    done = sum(counts.get(phase, 0) for phase in ("succeeded", "failed", "skipped", "cancelled"))
    parts = [f"{done}/{instances.total} done"]
    parts += [f"{counts[phase]} {word}" for phase, word in _LESSER if counts.get(phase)]
    if instances.failed:
        parts.append(f"{len(instances.failed)} failed: {named(instances.failed)}")
    return ", ".join(parts)


def named(failed: tuple[int, ...]) -> str:
    """Indices for people, the first of them where they are many."""
    shown = ", ".join(map(str, failed[:MOST_NAMED]))
    if len(failed) <= MOST_NAMED:
        return f"{'index' if len(failed) == 1 else 'indices'} {shown}"
    text = ranges(failed)
    if len(text) <= 80:
        return f"indices {text}"
    return f"indices {shown} and {len(failed) - MOST_NAMED} more"


_LESSER = (("skipped", "skipped"), ("cancelled", "cancelled"))


def _going_on(
    draft: Draft, node: Node, status: TaskStatus, instances: Instances, waits: TaskStatus | None
) -> TaskStatus:
    counts = instances.counts
    update: dict[str, Any] = {"instances": instances, "message": told(instances), "reason": None, "retry_at": None}
    stopping = draft.stops(node)
    if stopping is not None:
        update |= {"phase": status.phase, "reason": "Stopping"}
    elif counts.get("running"):
        update["phase"] = TaskPhase.RUNNING
    elif counts.get("starting"):
        update["phase"] = TaskPhase.RUNNING if status.started_at else TaskPhase.STARTING
    elif waits is not None or not counts.get("retrying"):
        update["phase"] = TaskPhase.QUEUED
    else:
        moments = [
            state.retry_at for index in instances.resting if (state := instances.states[index]) and state.retry_at
        ]
        update |= {"phase": TaskPhase.RETRYING, "reason": "BackingOff", "retry_at": min(moments, default=None)}
    if waits is not None and stopping is None:
        update["reason"] = waits.reason
        update["message"] = cut(f"{told(instances)}; {waits.message or waits.reason}", 512)
    if status.started_at is None and counts.get("running"):
        update["started_at"] = draft.moment
    return changed(status, **update)


def _ended(draft: Draft, node: Node, status: TaskStatus, instances: Instances) -> TaskStatus:
    counts = instances.counts
    fields: dict[str, Any] = {"instances": instances, "retry_at": None, "finished_at": draft.moment}
    stopping = draft.stopping_finals if node.is_finally else draft.stopping
    if stopping is not None and counts.get("cancelled"):
        fields |= {"phase": TaskPhase.CANCELLED, "reason": stopping.reason, "message": told(instances)}
    elif counts.get("skipped") == instances.total:
        fields |= {"phase": TaskPhase.SKIPPED, "reason": "WhenFalse", "message": "when was false for each item"}
    elif counts.get("succeeded", 0) >= needed(node, instances):
        good = f"{counts.get('succeeded', 0)} of {instances.total} instances succeeded"
        fields |= {"phase": TaskPhase.SUCCEEDED, "reason": "Completed", "message": good}
        if counts.get("skipped"):
            good += f", {counts['skipped']} skipped"
            fields["message"] = good
        if instances.failed:
            fields["message"] = f"{good}, {len(instances.failed)} failed: {named(instances.failed)}"
    else:
        return fail(draft, status.model_copy(update=fields), "InstancesFailed", _why(node, instances))
    return status.model_copy(update=fields)


def _why(node: Node, instances: Instances) -> str:
    counts = instances.counts
    text = f"{len(instances.failed)} of {instances.total} instances failed: {named(instances.failed)}"
    if counts.get("cancelled"):
        text += f"; {counts['cancelled']} were cancelled"
    wanted = needed(node, instances)
    if wanted < instances.total - counts.get("skipped", 0):
        text += f"; {wanted} had to succeed, and {counts.get('succeeded', 0)} did"
    first = instances.states[instances.failed[0]] if instances.failed else None
    return f"{text}; the first: {first.message}" if first is not None and first.message else text
