"""Groups of tasks that are run again together.

a member failed for good ──▶ withheld: no task outside learns of it, no member starts
                                │ no member is at work any more
                                ▼
                             retryAt ──▶ all members go back to where they wait; after the last retry the failure counts
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from windlass.models.branching import Group, GroupStatus
from windlass.models.common import delta, format_time, parse_time
from windlass.models.run import TaskPhase
from windlass.models.workflow import WorkflowSpec
from windlass.plan.budget import cut
from windlass.plan.draft import MAX_NOTE, Draft
from windlass.plan.reruns import sent_back
from windlass.plan.types import RunEvent

DEFAULT_DELAY: Final = timedelta(seconds=10)
_AT_WORK: Final = frozenset({TaskPhase.QUEUED, TaskPhase.STARTING, TaskPhase.RUNNING, TaskPhase.RETRYING})


def groups_of(spec: WorkflowSpec) -> list[GroupStatus] | None:
    """The groups of a run that begins, in the order of their first tasks; None: there is none."""
    tasks: dict[str, list[str]] = {}
    for task in (*spec.tasks, *spec.finally_):
        if task.group is not None:
            tasks.setdefault(task.group, []).append(task.name)
    return [GroupStatus(name=name, tasks=names) for name, names in tasks.items()] or None


def withhold(draft: Draft) -> None:
    """Note which groups have failed and may be run again. A run that is being stopped runs nothing again."""
    draft.withheld.clear()
    if draft.stopping is not None:
        return
    for group in draft.seen.program.spec.groups:
        if group.retry is None or _status(draft, group).retries >= group.retry.limit:
            continue
        failed = [name for name in _members(draft, group) if _failed(draft, name)]
        if failed:
            draft.withheld[group.name] = frozenset(failed)


def run_again(draft: Draft) -> bool:
    """Send the groups back whose time has come; whether there was one."""
    again = False
    for group in draft.seen.program.spec.groups:
        if group.name not in draft.withheld or draft.holding:
            continue
        members = _members(draft, group)
        if any(draft.tasks[name].phase in _AT_WORK for name in members):
            continue
        again |= _send_back(draft, group, members)
    return again


def _send_back(draft: Draft, group: Group, members: list[str]) -> bool:
    status = _status(draft, group)
    delay = delta(group.retry.delay) if group.retry is not None and group.retry.delay is not None else DEFAULT_DELAY
    due = parse_time(status.retry_at) if status.retry_at is not None else draft.now + delay
    if due > draft.now:
        draft.groups[group.name] = status.model_copy(update={"retry_at": format_time(due)})
        draft.wake(due)
        return False
    failed = ", ".join(sorted(draft.withheld.pop(group.name)))
    limit = group.retry.limit if group.retry is not None else 0
    note = f"group {group.name}: {failed} failed; all its tasks are run again, {status.retries + 1} of {limit}"
    draft.events.append(RunEvent("Warning", "GroupRetrying", cut(note, MAX_NOTE)))
    draft.groups[group.name] = status.model_copy(update={"retries": status.retries + 1, "retry_at": None})
    for name in members:
        draft.tasks[name] = sent_back(draft.tasks[name], draft.now)
        draft.ends.pop(name, None)
    return True


def _status(draft: Draft, group: Group) -> GroupStatus:
    return draft.groups.get(group.name) or GroupStatus(name=group.name)


def _members(draft: Draft, group: Group) -> list[str]:
    return [name for name, node in draft.seen.program.nodes.items() if node.task.group == group.name]


def _failed(draft: Draft, name: str) -> bool:
    return draft.tasks[name].phase is TaskPhase.FAILED and not draft.seen.program.nodes[name].allows_failure
