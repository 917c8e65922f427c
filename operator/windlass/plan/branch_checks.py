"""What is wrong with the branches of a definition: switches, teardowns, groups, and tasks that are runs."""

from __future__ import annotations

from collections.abc import Iterator

from windlass.models.findings import Finding, Path, Severity, suggestion
from windlass.models.task import Task, TriggerRule
from windlass.models.workflow import WorkflowSpec
from windlass.plan.choosing import reached
from windlass.plan.types import Program


def check_switch(task: Task, spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    """Cases that can't be taken, and tasks that they can't choose."""
    others = (*spec.tasks, *spec.finally_)
    names = {other.name for other in others}
    after = {other.name for other in others if task.name in other.depends_on}
    cases = task.switch or []
    for place, case in enumerate(cases):
        at = (*path, "switch", place)
        if case.when is None and place < len(cases) - 1:
            yield Finding(at, "a case without when is always taken, so those after it never are", "put it last")
        for number, name in enumerate(case.then):
            if name in after:
                continue
            if name not in names:
                fix = suggestion(name, after) or f"name tasks that depend on {task.name}"
                yield Finding((*at, "then", number), f"there is no task {name}", fix)
            else:
                fix = f"add {task.name} to its dependsOn"
                yield Finding((*at, "then", number), f"{name} does not depend on {task.name}", fix)


def check_teardown(task: Task, spec: WorkflowSpec, path: Path, part: str) -> Iterator[Finding]:
    """Setups that there are not, and settings that have no effect."""
    if not task.teardown_of:
        return
    names = {other.name for other in (spec.tasks if part == "tasks" else spec.finally_)}
    for number, name in enumerate(task.teardown_of):
        if name not in names:
            fix = suggestion(name, names - {task.name})
            yield Finding((*path, "teardownOf", number), f"there is no task {name} in {part}", fix)
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        message = (
            "triggerRule has no effect: a teardown runs when its setup succeeded and the tasks before it have ended"
        )
        yield Finding((*path, "triggerRule"), message, "leave it out", Severity.WARNING)


def check_groups(spec: WorkflowSpec, path: Path, program: Program | None) -> Iterator[Finding]:
    """Groups without tasks, and groups that can't be run again as a whole."""
    members: dict[str, list[str]] = {}
    for task in (*spec.tasks, *spec.finally_):
        if task.group is not None:
            members.setdefault(task.group, []).append(task.name)
    finals = {task.name for task in spec.finally_}
    for place, group in enumerate(spec.groups):
        at = (*path, "groups", place)
        if group.name not in members:
            yield Finding((*at, "name"), f"no task has the group {group.name}", suggestion(group.name, members))
            continue
        if group.retry is None:
            continue
        if finals.intersection(members[group.name]):
            fix = "give these tasks a retry of their own"
            yield Finding((*at, "retry"), "tasks of finally can't be run again as a group", fix)
        elif program is not None and (outside := _between(program, members[group.name])) is not None:
            message = f"{outside} comes between tasks of the group, so they can't be run again as a whole"
            yield Finding((*at, "retry"), message, f"take {outside} into the group, or change the dependencies")


def _between(program: Program, members: list[str]) -> str | None:
    """A task outside of the group that comes after one member and before another."""
    after = reached(program, members, lambda node: node.downstream)
    before = reached(program, members, lambda node: node.upstream)
    return next((name for name in program.nodes if name in after & before and name not in members), None)
