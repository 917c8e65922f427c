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
    """What is to be said of a task: its kind where it has no pod, and its trigger rule where that is not AllSuccess."""
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
    before = {
        task["name"]: tuple(dict.fromkeys((*(task.get("dependsOn") or ()), *(task.get("teardownOf") or ()))))
        for task in (*tasks, *finals)
    }
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
        rules={task["name"]: said for task in (*tasks, *finals) if (said := _said(task))},
        phases=phases or {},
    )


def _tasks(spec: Body, part: str) -> list[Body]:
    found = spec.get(part)
    return [task for task in found if isinstance(task, Mapping) and task.get("name")] if isinstance(found, list) else []


def _said(task: Body) -> str:
    """`Job`, `waits for Job`, `run of etl`, `switch`, `forEach`, `teardown`, `AllDone`."""
    parts = [_kind(task), "forEach" if task.get("forEach") else ""]
    if task.get("teardownOf"):
        parts.append("teardown")
    elif task.get("triggerRule") not in (None, "AllSuccess"):
        parts.append(str(task["triggerRule"]))
    # A definition that is not yet right may hold anything: nothing that ends a label.
    return ", ".join("".join(sign for sign in part if sign.isalnum() or sign in " .-_") for part in parts if part)


def _kind(task: Body) -> str:
    wait, made, child = (_part(task.get(field)) for field in ("waitFor", "resource", "run"))
    if made:
        kind = str(_part(made.get("manifest")).get("kind") or "resource")
        return f"deletes {kind}" if made.get("make") == "Delete" else kind
    if wait:
        what = next((field for field in ("object", "run", "time", "duration", "pod") if field in wait), "")
        named = {"object": _part(wait.get("object")).get("kind"), "run": _part(wait.get("run")).get("workflow")}
        return f"waits for {named.get(what) or what}"
    if child:
        return f"run of {child.get('workflow')}"
    return "switch" if task.get("switch") else ""


def _part(value: Any) -> Body:
    return value if isinstance(value, Mapping) else {}


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
