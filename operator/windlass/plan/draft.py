"""A plan in the making: what is known, and what has been decided so far. It lives within one call of `plan_run`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from windlass.models.branching import GroupStatus
from windlass.models.common import format_time
from windlass.models.run import RunPhase, SourceStatus, TaskPhase, TaskStatus
from windlass.plan.budget import cut
from windlass.plan.context import run_context
from windlass.plan.sights import ObjectQuestion
from windlass.plan.task_types import ChildLaunch, ChildStop, ObjectLaunch, ObjectRemoval, PoolWant
from windlass.plan.times import zone_of
from windlass.plan.types import EndHow, Launch, Node, PodEnding, PodView, RunEvent, Seen

MAX_NOTE: Final = 1000
"""Bytes of an Event's note: Kubernetes takes 1 KB."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """That tasks are being stopped, why and since when."""

    reason: str
    since: datetime


@dataclass(slots=True)
class Draft:
    """What one call of the planner gathers, task by task."""

    seen: Seen
    now: datetime
    moment: str
    """`now` as it is written."""
    tasks: dict[str, TaskStatus]
    pods: Mapping[tuple[str, int], PodView]
    """The run's pods by task and attempt, those of instances apart."""
    instance_pods: Mapping[str, list[PodView]]
    """The pods of the instances of each forEach."""
    context: Mapping[str, Any]
    """What the templates of all tasks share."""
    free_slots: int | None
    ends: dict[str, TaskPhase]
    """The phases of the tasks that have ended."""
    source: SourceStatus | None = None
    stopping: Stopping | None = None
    stopping_finals: Stopping | None = None
    """That the tasks of `finally` are being stopped too."""
    halted: dict[str, Stopping] = field(default_factory=dict)
    """Tasks whose instances are being stopped, since too many of them have failed."""
    groups: dict[str, GroupStatus] = field(default_factory=dict)
    """What was done to groups."""
    withheld: dict[str, frozenset[str]] = field(default_factory=dict)
    """By group: the tasks of it that have failed, while all of it may be run again."""
    in_haste: bool = False
    """More pods are to be made at once: what can wait leaves the API to them."""
    holding: bool = False
    """Nothing new starts for now: the run is suspended, or is about to be stopped."""
    outcome: RunPhase | None = None
    """How the tasks ended, once all have."""
    output_bytes: int | None = None
    """The size of all outputs so far; None: not counted yet."""
    short: bool = False
    """A pod would be launched, were there a slot."""
    launches: list[Launch] = field(default_factory=list)
    wants: list[PoolWant] = field(default_factory=list)
    questions: dict[ObjectQuestion, None] = field(default_factory=dict)
    """The objects that tasks wait for, in the order of the tasks."""
    awaited_workflows: set[str] = field(default_factory=set)
    objects: list[ObjectLaunch] = field(default_factory=list)
    removals: list[ObjectRemoval] = field(default_factory=list)
    children: list[ChildLaunch] = field(default_factory=list)
    child_stops: list[ChildStop] = field(default_factory=list)
    confirm_children: list[str] = field(default_factory=list)
    endings: dict[str, PodEnding] = field(default_factory=dict)
    """By pod; the first reason counts."""
    events: list[RunEvent] = field(default_factory=list)
    wake_at: datetime | None = None

    @classmethod
    def begin(cls, seen: Seen, now: datetime) -> Draft:
        """Nothing decided yet."""
        stored = {task.name: task for task in seen.run.status.tasks}
        spec = seen.program.spec
        names = [task.name for task in (*spec.tasks, *spec.finally_)]
        return cls(
            seen=seen,
            now=now,
            moment=format_time(now),
            tasks={name: stored.get(name) or TaskStatus(name=name) for name in names},
            pods={(pod.task, pod.attempt): pod for pod in seen.pods.values() if pod.index is None},
            instance_pods=_by_task(seen),
            context=run_context(seen.run, zone_of(spec)),
            free_slots=seen.free_slots,
            ends={name: task.phase for name, task in stored.items() if task.phase.ended},
            source=seen.run.status.source,
            groups={group.name: group for group in seen.run.status.groups or ()},
        )

    def stops(self, node: Node) -> Stopping | None:
        """Whether this task is to be stopped."""
        stopping = self.stopping_finals if node.is_finally or node.task.teardown_of else self.stopping
        return stopping or self.halted.get(node.task.name)

    def ends_for(self, node: Node) -> Mapping[str, TaskPhase]:
        """The phases of the tasks that have ended, as this task may know them: a failure in a group that may be run
        again is no end yet for those outside."""
        hidden = {name for group, names in self.withheld.items() if group != node.task.group for name in names}
        return {name: end for name, end in self.ends.items() if name not in hidden} if hidden else self.ends

    def wake(self, moment: datetime) -> None:
        """Plan again at this moment."""
        if self.wake_at is None or moment < self.wake_at:
            self.wake_at = moment

    def end(self, pod: PodView, how: EndHow, why: str) -> None:
        """Have the pod ended."""
        self.endings.setdefault(pod.name, PodEnding(pod.name, pod.uid, how, why))

    def warn(self, reason: str, note: str, status: TaskStatus) -> None:
        """Tell people what happened to a task."""
        attempt = status.attempts[-1].number if status.attempts else None
        self.events.append(RunEvent("Warning", reason, cut(note, MAX_NOTE), task=status.name, attempt=attempt))


def _by_task(seen: Seen) -> dict[str, list[PodView]]:
    found: dict[str, list[PodView]] = defaultdict(list)
    for pod in seen.pods.values():
        if pod.index is not None:
            found[pod.task].append(pod)
    return found


def changed(status: TaskStatus, **update: Any) -> TaskStatus:
    """The status with these fields; the very same object when they are so already."""
    values = status.__dict__
    if all(values[name] == value for name, value in update.items()):
        return status
    return status.model_copy(update=update)
