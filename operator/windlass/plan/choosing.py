"""Which tasks an action means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from windlass.models.findings import suggestion
from windlass.models.run import TaskPhase, TaskStatus
from windlass.plan.action_types import Action, ActionRefused
from windlass.plan.types import Node, Program

_BY_ACTION = frozenset({"SkippedByAction", "MarkedSuccess", "MarkedFailed"})


def chosen(program: Program, action: Action) -> tuple[str, ...]:
    """The tasks that the action names, with those before and after them where it says so, in the order of the DAG.

    ActionRefused when it names one that there is not.
    """
    spec = action.spec
    for name in spec.tasks:
        if name not in program.nodes:
            hint = suggestion(name, program.nodes)
            raise ActionRefused(f"the run has no task {name}" + (f": {hint}" if hint else ""))
    found = set(spec.tasks)
    if spec.downstream:
        found |= reached(program, spec.tasks, lambda node: node.downstream)
    if spec.upstream:
        found |= reached(program, spec.tasks, lambda node: node.upstream)
    return tuple(name for name in program.nodes if name in found)


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
