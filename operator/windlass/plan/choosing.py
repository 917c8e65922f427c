"""Which tasks an action means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from windlass.models.findings import suggestion
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.action_types import Action, ActionRefused
from windlass.plan.types import Node, Program

_BY_ACTION = frozenset({"SkippedByAction", "MarkedSuccess", "MarkedFailed"})


def chosen(program: Program, action: Action) -> tuple[str, ...]:
    """The tasks that the action names, by themselves or by their group, with those before and after them where it says
    so, in the order of the DAG.

    ActionRefused when it names what there is not.
    """
    spec = action.spec
    named = [task for name in spec.tasks for task in _meant(program, name)]
    found = set(named)
    if spec.downstream:
        found |= reached(program, named, lambda node: node.downstream)
    if spec.upstream:
        found |= reached(program, named, lambda node: node.upstream)
    return tuple(name for name in program.nodes if name in found)


def _meant(program: Program, name: str) -> list[str]:
    """The task of this name, or the tasks of the group of this name."""
    if name in program.nodes:
        return [name]
    members = [task for task, node in program.nodes.items() if node.task.group == name]
    if not members:
        groups = {node.task.group for node in program.nodes.values()} - {None}
        hint = suggestion(name, {*program.nodes, *(group for group in groups if group)})
        raise ActionRefused(f"the run has no task {name}" + (f": {hint}" if hint else ""))
    return members


def reached(program: Program, names: Iterable[str], step: Callable[[Node], Sequence[str]]) -> set[str]:
    """The tasks that one comes to from these by `step`, again and again."""
    found: set[str] = set()
    todo = [*names]
    while todo:
        for other in step(program.nodes[todo.pop()]):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def never_ran_after(program: Program, names: Iterable[str], tasks: dict[str, TaskStatus]) -> Iterator[str]:
    """The tasks after these that ended without having run, for what came before them: they are to be decided anew."""
    after = reached(program, names, lambda node: node.downstream)
    for name in program.nodes:
        status = tasks.get(name)
        if name in after and status is not None and status.phase.ended and _never_ran(status):
            yield name


def _never_ran(status: TaskStatus) -> bool:
    if status.attempts or status.instances is not None or status.reason in _BY_ACTION:
        return False
    return status.phase in (TaskPhase.UPSTREAM_FAILED, TaskPhase.SKIPPED) or status.reason == "Joined"


def listed(names: Sequence[str]) -> str:
    """Some names for a sentence: `a, b, c and 4 more`."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def counted(names: Sequence[str]) -> str:
    """Their number and names: `2 tasks: a, b`."""
    return f"{len(names)} {'task' if len(names) == 1 else 'tasks'}: {listed(names)}"
