"""Finds values of parameters and items that land in the text of a program without quotes: they could rewrite it."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from windlass.models.common import JsonObject
from windlass.models.findings import Finding, Path, Severity
from windlass.models.task import Interpreter, Task
from windlass.models.workflow import WorkflowSpec
from windlass.plan.template_eval import path_of
from windlass.plan.template_syntax import parse
from windlass.plan.templates import TemplateError, has_templates

_SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash", "dash", "ash", "zsh")
_SAFE_TYPES = ("integer", "number", "boolean", "null")
_SAFE_FILTERS = ("quote", "int", "float", "bool", "length", "round", "abs", "timestamp")


def unquoted(task: Task, spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    """Warnings for the parameters and items that a script, or a shell's -c, takes as a part of its program."""
    python = _interpreter(task, spec) is Interpreter.PYTHON
    safe = (*_SAFE_FILTERS, "tojson") if python else _SAFE_FILTERS
    for at, text in _programs(task, path):
        for read in _read_in(text, safe):
            name = read[-1]
            if _is_harmless(spec.params.get(name, {})) if read[0] == "params" else not _from_outside(task):
                continue
            message = f"the value of {'.'.join(read)} becomes a part of the program, which it may change"
            better = f'pass it by env: [{{name: {_variable(name)}, value: "{{{{ {".".join(read)} }}}}"}}]'
            fix = better if python else f"{better}, or write {{{{ {'.'.join(read)} | quote }}}}"
            yield Finding(at, message, fix, Severity.WARNING)


def _is_harmless(schema: JsonObject) -> bool:
    """Whether a parameter can't hold what a shell takes for more than a word."""
    if schema.get("sensitive") is True:
        return True
    return schema.get("type") in _SAFE_TYPES or "enum" in schema or schema.get("format") in ("date", "date-time")


def _from_outside(task: Task) -> bool:
    """Whether the items of a forEach are not those that its author has written out."""
    for_each = task.for_each
    if for_each is None or for_each.count is not None:
        return False
    return "{{" in str(for_each.matrix if for_each.matrix is not None else for_each.items)


def _interpreter(task: Task, spec: WorkflowSpec) -> Interpreter | None:
    return task.interpreter or (spec.task_defaults.interpreter if spec.task_defaults else None)


def _variable(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name).upper()


def _programs(task: Task, path: Path) -> Iterator[tuple[Path, str]]:
    if task.script is not None and has_templates(task.script):
        yield (*path, "script"), task.script
    words = [((*path, "command", place), word) for place, word in enumerate(task.command or ())]
    words += [((*path, "args", place), word) for place, word in enumerate(task.args or ())]
    if not words or words[0][1] not in _SHELLS:
        return
    for place, (_, word) in enumerate(words[:-1]):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            at, text = words[place + 1]
            if has_templates(text):
                yield at, text
            return


def _read_in(text: str, safe: tuple[str, ...]) -> list[tuple[str, ...]]:
    try:
        expressions = parse(text).expressions
    except TemplateError:
        return []
    return list(dict.fromkeys(read for one in expressions for read in _flowing(one.node, safe)))


def _flowing(node: nodes.Node, safe: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The parameters and items whose text is a part of the expression's result: `("params", "day")`, `("item",)`."""
    if isinstance(node, nodes.Compare | nodes.Test | nodes.Not):
        return
    if isinstance(node, nodes.Filter) and node.name in safe:
        return
    path = path_of(node)
    if len(path) >= 2 and path[0] == "params":
        yield "params", str(path[1])
    elif path and path[0] == "item":
        yield ("item", str(path[1])) if len(path) > 1 else ("item",)
    elif isinstance(node, nodes.CondExpr):
        for part in (node.expr1, node.expr2):
            if part is not None:
                yield from _flowing(part, safe)
    elif not path:
        for child in node.iter_child_nodes():
            yield from _flowing(child, safe)
