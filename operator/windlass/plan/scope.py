"""The names that templates may read, as they are known before a run: those of the values that `context` gives."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import transitive_upstream
from windlass.plan.params import sensitive_params
from windlass.plan.templates import Known, Shape
from windlass.plan.types import Program

OF_TIME: Final = (
    "logical_date", "ds", "ds_nodash", "ts", "ts_nodash", "scheduled_at", "data_interval_start", "data_interval_end",
)  # fmt: skip
OF_PREVIOUS: Final = ("run", "logical_date", "data_interval_start", "data_interval_end")
OF_RUN: Final = ("name", "namespace", "uid", "trigger", "attempt")
OF_ITEMS: Final = ("item", "index")
OF_TASK: Final[Shape] = {"outputs": None, "phase": None}


def base_names() -> dict[str, Shape | None]:
    """What all templates of a run may read, but for its parameters."""
    return {
        **dict.fromkeys(OF_TIME),
        "prev_success": dict.fromkeys(OF_PREVIOUS),
        "triggers": None,
        "run": dict.fromkeys(OF_RUN),
        "workflow": {"name": None},
    }


def known_to_defaults() -> Known:
    """What the default of a parameter may read."""
    return Known(base_names(), _not_yet)


def known_to_any(spec: WorkflowSpec) -> Known:
    """What some task may read, where the graph does not tell which."""
    names = [task.name for task in (*spec.tasks, *spec.finally_)]
    sensitive = sensitive_params(spec)
    return Known(
        {
            **base_names(),
            "run": dict.fromkeys((*OF_RUN, "outcome")),
            "params": dict.fromkeys(spec.params),
            "task": {"name": None, "attempt": None},
            "tasks": dict.fromkeys(names, OF_TASK),
            **dict.fromkeys(OF_ITEMS),
        },
        lambda path: _of_params(path, sensitive),
    )


def known_to_task(program: Program, name: str) -> Known:
    """What the fields of a task may read."""
    node = program.nodes[name]
    run = [*OF_RUN, "outcome"] if node.is_finally else [*OF_RUN]
    names: dict[str, Shape | None] = {
        **base_names(),
        "run": dict.fromkeys(run),
        "params": dict.fromkeys(program.spec.params),
        "task": {"name": None, "attempt": None},
        "tasks": dict.fromkeys(program.nodes, OF_TASK),
    }
    repeated = node.task.for_each is not None
    if repeated:
        names |= dict.fromkeys(OF_ITEMS)
    sensitive = sensitive_params(program.spec)
    upstream: list[frozenset[str]] = []

    def explain(path: tuple[str, ...]) -> str | None:
        if len(path) == 2 and path[0] == "tasks" and path[1] in program.nodes:
            if not upstream:
                upstream.append(transitive_upstream(program, name))
            return None if path[1] in upstream[0] else _not_upstream(program, name, path[1])
        if path == ("run", "outcome") and not node.is_finally:
            return "run.outcome is known to tasks of finally only"
        if path[0] in OF_ITEMS and not repeated:
            return f"{path[0]} is known to tasks with forEach only"
        if path[0] == "tasks" and len(path) == 4:
            return _of_list(program, path)
        return _of_params(path, sensitive)

    return Known(names, explain)


def known_before_items(known: Known) -> Known:
    """What a task's forEach itself may read, where `known` is what the task's fields may."""

    def explain(path: tuple[str, ...]) -> str | None:
        if path[0] in OF_ITEMS:
            return f"forEach says what the items are, so it can't read {path[0]}"
        return known.explain(path)

    return Known({name: shape for name, shape in known.names.items() if name not in OF_ITEMS}, explain)


def _of_list(program: Program, path: tuple[str, ...]) -> str | None:
    """Why a value below the outputs of a forEach can't be read by its name."""
    _, name, part, key = path
    node = program.nodes.get(name)
    if node is None or node.task.for_each is None or part != "outputs" or key.lstrip("-").isdigit():
        return None
    read = f"tasks.{name}" if "-" not in name else f"tasks['{name}']"
    return (
        f"the outputs of {name} are a list, one of each instance: write {read}.outputs[0].{key} for the first, or "
        f"{read}.outputs | map(attribute='{key}') for all"
    )


def _not_upstream(program: Program, name: str, read: str) -> str:
    if read == name:
        return f"{name} can't read its own outputs"
    if program.nodes[read].is_finally and not program.nodes[name].is_finally:
        return f"{read} runs in finally, after {name}"
    return f"{name} doesn't depend on {read}: add it to dependsOn"


def _of_params(path: tuple[str, ...], sensitive: Collection[str]) -> str | None:
    if len(path) == 2 and path[0] == "params" and path[1] in sensitive:
        return f"the parameter {path[1]} is sensitive: it can only be the whole value of an env entry"
    return None


def _not_yet(path: tuple[str, ...]) -> str | None:
    if path[0] == "params":
        return "the default of a parameter can't read other parameters"
    return "the default of a parameter can't read tasks" if path[0] in ("tasks", "task") else None
