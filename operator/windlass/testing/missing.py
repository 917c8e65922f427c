"""Outputs that a task reads and nobody has given: a simulation runs no program that would put them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from windlass.models.run import TaskPhase, WorkflowRunStatus
from windlass.plan.templates import TemplateError, has_templates, names_read
from windlass.plan.types import Program
from windlass.testing.cues import Cues
from windlass.testing.definition import Definition
from windlass.testing.errors import OutputsMissing


def refuse_missing_outputs(definition: Definition, status: WorkflowRunStatus, cues: Cues) -> None:
    """OutputsMissing when a task of the run failed for want of outputs that were not given.

    What a template does without, by `default` or since a `when` was false, has not to be given. The outputs of a task
    that are given are taken for all that it puts out.
    """
    if not any(task.reason == "TemplateError" and task.phase is TaskPhase.FAILED for task in status.tasks):
        return
    reads = outputs_read(definition.program)
    good = {task.name for task in status.tasks if task.phase is TaskPhase.SUCCEEDED}
    for task in status.tasks:
        if task.reason != "TemplateError" or task.phase is not TaskPhase.FAILED:
            continue
        sources = [source for source, _ in reads.get(task.name, ()) if _is_program(definition.program, source)]
        if any(source in good and source not in cues.outputs for source in sources):
            raise _missing(definition.program, reads, cues, task.name)


def outputs_read(program: Program) -> dict[str, list[tuple[str, str]]]:
    """By task: the outputs that its templates read, as task and key."""
    found = {}
    for name, node in program.nodes.items():
        pairs = [
            (str(path[1]), str(path[3]) if len(path) > 3 else "")
            for text in _texts(node.task.model_dump(mode="json", exclude_none=True))
            for path in sorted(_paths(text), key=str)
            if len(path) > 2 and path[0] == "tasks" and path[2] == "outputs"
        ]
        if pairs:
            found[name] = list(dict.fromkeys(pairs))
    return found


def _missing(program: Program, reads: Mapping[str, list[tuple[str, str]]], cues: Cues, reader: str) -> OutputsMissing:
    """Everything that is still to be given, so that people don't find it out one by one."""
    keys: dict[str, dict[str, None]] = {}
    for pairs in reads.values():
        for source, key in pairs:
            if source not in cues.outputs and _is_program(program, source):
                keys.setdefault(source, {})[key] = None
    first, key = next(pair for pair in reads[reader] if pair[0] in keys)
    read = f"tasks.{first}.outputs{'.' + key if key else ''}"
    return OutputsMissing(reader, read, {source: tuple(key for key in found if key) for source, found in keys.items()})


def _is_program(program: Program, name: str) -> bool:
    """Whether it is a program, or another run, that puts out what the task does."""
    node = program.nodes[name]
    return not node.is_join and node.task.approval is None and node.task.wait_for is None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if has_templates(value):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


@lru_cache(maxsize=4096)
def _paths(text: str) -> frozenset[tuple[str | int, ...]]:
    try:
        return names_read(text)
    except TemplateError:
        return frozenset()
