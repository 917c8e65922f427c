"""Templates: `{{ expression }}` in the strings of a manifest. Expressions are Jinja2's; no other syntax is.

    "{{ params.limit }}"            the value, of the type that it has
    "--day {{ ds }}"                text; what is no string is written as JSON
    "{{ '{{' }}"                    two braces

What a template produced is never rendered again. Evaluation reads no attribute of a Python object, calls nothing
but the filters and functions of template_filters, and is bounded in what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from jinja2 import nodes

from windlass.plan.template_eval import Scope, evaluate, missing, path_of
from windlass.plan.template_filters import truth
from windlass.plan.template_syntax import Expression, Template, parse
from windlass.plan.template_values import Meter, SecretReference, TemplateError, plain, text_of

__all__ = [
    "Known", "Shape", "TemplateError", "check", "has_templates", "moments", "names_read", "render", "render_text",
    "secret_reference", "truth",
]  # fmt: skip

Shape = Mapping[str, "Shape | None"]
"""Names and what is below them; None: anything."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What templates of a field may read."""

    names: Shape
    explain: Callable[[tuple[str, ...]], str | None] = lambda path: None
    """Why a path can't be read, before it is looked for among the names."""


def has_templates(text: str) -> bool:
    """Whether the text holds an expression."""
    return "{{" in text


def render(value: Any, context: Mapping[str, Any], *, double_dollar: bool = False) -> Any:
    """A copy of `value` in which each template of each string is replaced; a string that is one expression becomes
    the expression's value, of any type. Keys of objects are left as they are. With `double_dollar`, each `$` that
    comes from an expression is doubled. TemplateError names field, expression and what is wrong."""
    return _walk(value, (), _Rendering(context, Meter(), double_dollar).value)


def render_text(value: Any, context: Mapping[str, Any], *, double_dollar: bool = False) -> Any:
    """As `render`, but each string stays a string, for fields that take no other type: what an expression gives is
    written as JSON when it is no string."""
    return _walk(value, (), _Rendering(context, Meter(), double_dollar).text)


def secret_reference(text: str, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `valueFrom` of an env entry whose value is `text`, when that is one expression which gives a sensitive
    parameter. What only looks like a reference, in an output or another parameter, is none."""
    single = parse(text).single
    if single is None:
        return None
    try:
        value = evaluate(single.node, Scope(context, Meter(), single.source))
    except TemplateError as error:
        raise TemplateError(error.problem, single.source) from None
    return {"secretKeyRef": dict(value.reference)} if isinstance(value, SecretReference) else None


@dataclass(frozen=True, slots=True)
class _Rendering:
    context: Mapping[str, Any]
    meter: Meter
    double_dollar: bool

    def value(self, text: str, path: Path) -> Any:
        """A string's value."""
        template = _parsed(text, path)
        if (single := template.single) is not None:
            return self._guarded(single, path, self._plain)
        return self._joined(template, path)

    def text(self, text: str, path: Path) -> str:
        """A string's value as text."""
        return self._joined(_parsed(text, path), path)

    def _joined(self, template: Template, path: Path) -> str:
        parts = [part if isinstance(part, str) else self._guarded(part, path, self._text) for part in template.parts]
        return "".join(parts)

    def _plain(self, expression: Expression) -> Any:
        result = plain(self._evaluated(expression), self.meter)
        return _map_strings(result, _doubled) if self.double_dollar else result

    def _text(self, expression: Expression) -> str:
        result = text_of(self._evaluated(expression), self.meter)
        return _doubled(result) if self.double_dollar else result

    def _evaluated(self, expression: Expression) -> Any:
        return evaluate(expression.node, Scope(self.context, self.meter, expression.source))

    def _guarded(self, expression: Expression, path: Path, how: Callable[[Expression], Any]) -> Any:
        try:
            return how(expression)
        except TemplateError as error:
            raise TemplateError(error.problem, expression.source, path) from None


def _parsed(text: str, path: Path) -> Template:
    try:
        return parse(text)
    except TemplateError as error:
        raise TemplateError(error.problem, error.expression, path) from None


def _doubled(text: str) -> str:
    return text.replace("$", "$$")


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_strings(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    return value


def _walk(value: Any, path: Path, change: Callable[[str, Path], Any]) -> Any:
    if isinstance(value, str):
        return change(value, path) if has_templates(value) else value
    if len(path) > 100:
        raise TemplateError("the value is nested too deep", path=path[:5])
    if isinstance(value, Mapping):
        return {key: _walk(item, (*path, key), change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(item, (*path, place), change) for place, item in enumerate(value)]
    return value


def names_read(text: str) -> frozenset[tuple[str | int, ...]]:
    """The paths that a text's templates read, each as long as it is written out: `("tasks", "a", "outputs", "rows")`.
    TemplateError when a template can't be parsed."""
    return frozenset(path for expression in parse(text).expressions for path in _paths(expression.node))


def _paths(root: nodes.Node) -> Iterator[tuple[str | int, ...]]:
    """The longest paths only: of `a.b` not also `a`. Names that are called are no paths."""
    path = path_of(root)
    if path:
        yield path
        return
    children = [*root.args, *root.kwargs] if isinstance(root, nodes.Call) else root.iter_child_nodes()
    for child in children:
        yield from _paths(child)


def check(text: str, known: Known) -> list[str]:
    """What is wrong with the templates of a text, without their values."""
    try:
        template = parse(text)
    except TemplateError as error:
        return [str(error)]
    found = [
        str(TemplateError(problem, expression.source))
        for expression in template.expressions
        for problem in _problems(expression, known)
    ]
    return list(dict.fromkeys(found))


def _problems(expression: Expression, known: Known) -> list[str]:
    problems = [found for path in _paths(expression.node) if (found := _unknown(path, known, expression.source))]
    # `tasks.load-a` is a subtraction to Jinja, so that what follows the dash looks like a name of its own.
    dashed = [found for found in problems if "in brackets" in found]
    return dashed[:1] or problems


def _unknown(path: tuple[str | int, ...], known: Known, source: str) -> str:
    """What is wrong with reading `path`; nothing when it can be read."""
    shape: Shape | None = known.names
    for place, name in enumerate(path):
        told = known.explain(tuple(str(part) for part in path[: place + 1]))
        if told is not None:
            return told
        if shape is None:
            return ""
        if name not in shape:
            return missing(".".join(str(part) for part in path[:place]), str(name), list(shape), source)
        shape = shape[str(name)]
    return ""


def moments(logical_date: datetime, zone: tzinfo = UTC) -> dict[str, Any]:
    """The names of a context that come from a run's logical date: its day and time are those of `zone`."""
    local = logical_date.astimezone(zone)
    return {
        "logical_date": local,
        "ds": local.strftime("%Y-%m-%d"),
        "ds_nodash": local.strftime("%Y%m%d"),
        "ts": local.isoformat(timespec="seconds"),
        "ts_nodash": local.strftime("%Y%m%dT%H%M%S"),
    }
