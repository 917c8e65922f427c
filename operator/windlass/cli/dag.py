"""The DAG of a definition as `windlass graph` shows it: nodes in layers, edges, and what is to be said of each node.

It is made of plain dicts, so that a definition that is not yet right can be drawn too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from windlass.cli.failures import Failure

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dag:
    """Names in an order in which each comes after those it depends on."""

    name: str
    upstream: Mapping[str, tuple[str, ...]]
    finals: frozenset[str] = frozenset()
    """The tasks of `finally`."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Trigger rules other than AllSuccess."""
    phases: Mapping[str, str] = field(default_factory=dict)
    """Of a run's tasks."""

    @property
    def layers(self) -> list[list[str]]:
        """The tasks by the length of the longest path to them."""
        level: dict[str, int] = {}
        for name, before in self.upstream.items():
            level[name] = 1 + max((level[other] for other in before), default=-1)
        return [[name for name in level if level[name] == number] for number in range(1 + max(level.values()))]


def read(name: str, spec: Body, phases: Mapping[str, str] | None = None) -> Dag:
    """The DAG of a definition. Failure when its tasks make none."""
    tasks, finals = _tasks(spec, "tasks"), _tasks(spec, "finally")
    if not tasks:
        raise Failure(f"{name} has no tasks")
    names = [task["name"] for task in (*tasks, *finals)]
    known = set(names)
    before = {task["name"]: tuple(dict.fromkeys(task.get("dependsOn") or ())) for task in (*tasks, *finals)}
    for task, others in before.items():
        if unknown := [other for other in others if other not in known]:
            raise Failure(f"the task {task} depends on {unknown[0]}, which there is not: see windlass lint")
    if finals:
        # They start when all others have ended, which are those that nothing else waits for.
        waited = {other for others in before.values() for other in others}
        leaves = tuple(task["name"] for task in tasks if task["name"] not in waited)
        last = {task["name"] for task in finals}
        before |= {
            one: others if set(others) & last else (*others, *leaves) for one, others in before.items() if one in last
        }
    return Dag(
        name=name,
        upstream={one: before[one] for one in _order(names, before)},
        finals=frozenset(task["name"] for task in finals),
        rules={task["name"]: task["triggerRule"] for task in (*tasks, *finals) if _has_rule(task)},
        phases=phases or {},
    )


def _tasks(spec: Body, part: str) -> list[Body]:
    found = spec.get(part)
    return [task for task in found if isinstance(task, Mapping) and task.get("name")] if isinstance(found, list) else []


def _has_rule(task: Body) -> bool:
    return task.get("triggerRule") not in (None, "AllSuccess")


def _order(names: Sequence[str], before: Mapping[str, Sequence[str]]) -> list[str]:
    """The names in layers, in each as the definition has them. Failure on a cycle."""
    left, done = list(names), list[str]()
    while left:
        ready = [name for name in left if all(other in done for other in before[name])]
        if not ready:
            who = f"the tasks {', '.join(sorted(left))} wait for each other"
            raise Failure(f"{who if len(left) > 1 else f'the task {left[0]} waits for itself'}: see windlass lint")
        done += ready
        left = [name for name in left if name not in ready]
    return done
