"""From a text with `{{ … }}` to its parts: literal text, and expressions of Jinja2's grammar that were found harmless.

Jinja2 parses the expressions; nothing of it evaluates them. Literal text never passes through it, so line ends,
`{%`, `{#` and `${#a[@]}` stay as they are.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser

from windlass.models.findings import suggestion
from windlass.plan.template_filters import FILTERS, FUNCTIONS, TESTS, Operation
from windlass.plan.template_values import TemplateError

MAX_EXPRESSION: Final = 4096
MAX_NESTING: Final = 100
MAX_EXPRESSIONS: Final = 1000
"""Expressions of one text."""

_ENVIRONMENT: Final = Environment(autoescape=False)  # only its lexer and parser are used
_TOKEN: Final = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<end>-?\}\})|(?P<open>[\[({])|(?P<close>[\])}])|(?P<quote>['"])""",
    re.DOTALL,
)
_HARMLESS: Final = (
    nodes.Add, nodes.And, nodes.Call, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Dict, nodes.Div,
    nodes.Filter, nodes.FloorDiv, nodes.Getattr, nodes.Getitem, nodes.Keyword, nodes.List, nodes.Mod, nodes.Mul,
    nodes.Name, nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Pair, nodes.Pos, nodes.Pow, nodes.Slice, nodes.Sub,
    nodes.Test, nodes.Tuple,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One `{{ … }}`."""

    source: str
    """As it is written, braces included."""
    node: nodes.Expr


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def single(self) -> Expression | None:
        """The expression, when the whole text is one."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Expression) else None


@lru_cache(maxsize=8192)
def parse(text: str) -> Template:
    """The parts of a text. TemplateError names the expression that is wrong."""
    parts: list[str | Expression] = []
    at = 0
    trim = False
    if text.count("{{") > MAX_EXPRESSIONS:
        raise TemplateError(f"a text may hold {MAX_EXPRESSIONS} expressions", f"{text[:40]}…")
    while (start := text.find("{{", at)) >= 0:
        end, closing = _end_of(text, start + 2)
        literal = text[at:start].lstrip() if trim else text[at:start]
        inner = text[start + 2 : end]
        if inner.startswith("-"):
            inner, literal = inner[1:], literal.rstrip()
        if literal:
            parts.append(literal)
        at = end + len(closing)
        trim = closing.startswith("-")
        source = text[start:at]
        parts.append(Expression(source, _parse_expression(inner, source)))
    rest = text[at:].lstrip() if trim else text[at:]
    if rest:
        parts.append(rest)
    return Template(tuple(parts))


def _end_of(text: str, at: int) -> tuple[int, str]:
    """Where the expression that begins at `at` ends, and what closes it."""
    begin, depth = at, 0
    while (token := _TOKEN.search(text, at)) is not None:
        kind, at = token.lastgroup, token.end()
        if kind == "end" and depth == 0:
            return token.start(), token.group()
        if kind == "end":
            at = token.start() + token.group().index("}") + 1
            depth -= 1
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "quote":
            break
        if depth > MAX_NESTING:
            break
    raise TemplateError(
        "the expression has no end: close it with }}, or write {{ '{{' }} for two braces", text[begin - 2 : begin + 30]
    )


@lru_cache(maxsize=8192)
def _parse_expression(inner: str, source: str) -> nodes.Expr:
    if len(inner) > MAX_EXPRESSION:
        raise TemplateError(f"an expression may have {MAX_EXPRESSION} characters", source)
    if not inner.strip():
        raise TemplateError("the expression is empty; write {{ '{{' }} for two braces", source)
    try:
        parser = Parser(_ENVIRONMENT, inner.strip(), state="variable")
        node = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateError(f"unexpected {parser.stream.current.value!r}", source)
        for problem in _problems(node):
            raise TemplateError(problem, source)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{error.message}; write {{{{ '{{{{' }}}} for two braces as text", source) from None
    except RecursionError:
        raise TemplateError("the expression is nested too deep", source) from None
    except (ValueError, OverflowError) as error:  # numbers with more digits than Python takes
        raise TemplateError(str(error)[:120], source) from None
    return node


def _problems(root: nodes.Expr) -> Iterator[str]:
    """What of an expression is not allowed."""
    waiting: list[tuple[nodes.Node, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_NESTING:
            yield "the expression is nested too deep"
            return
        if not isinstance(node, _HARMLESS):
            yield f"{type(node).__name__} is not allowed in a template"
            return
        yield from _problems_of(node)
        children = [*node.args, *node.kwargs] if isinstance(node, nodes.Call) else node.iter_child_nodes()
        waiting += [(child, depth + 1) for child in children]


def _problems_of(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        yield f'"{node.attr}" can\'t be read: names that begin with _ are private'
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        if isinstance(node.arg.value, str) and node.arg.value.startswith("_"):
            yield f'"{node.arg.value}" can\'t be read: names that begin with _ are private'
    elif isinstance(node, nodes.Name) and node.name.startswith("_"):
        yield f'"{node.name}" can\'t be read: names that begin with _ are private'
    elif isinstance(node, nodes.Filter):
        yield from _wrong_use("filter", node.name, node, FILTERS, 2)
    elif isinstance(node, nodes.Test):
        yield from _wrong_use("test", node.name, node, TESTS, 1)
    elif isinstance(node, nodes.Call):
        if isinstance(node.node, nodes.Name):
            yield from _wrong_use("function", node.node.name, node, FUNCTIONS, 1)
        else:
            yield "methods can't be called: use a filter, as in {{ value | upper }}"


def _wrong_use(
    kind: str,
    name: str,
    node: nodes.Filter | nodes.Test | nodes.Call,
    known: Mapping[str, Operation],
    given: int,
) -> Iterator[str]:
    """Unknown names and wrong arguments; `given` arguments come from the evaluator."""
    if name not in known:
        as_filter = f"use the filter: value | {name}" if name in FILTERS else ""
        there_are = "there are: " + ", ".join(sorted(known))
        yield f"there is no {kind} {name}; {as_filter or suggestion(name, known) or there_are}"
    elif node.dyn_args is not None or node.dyn_kwargs is not None:
        yield "* and ** are not allowed in arguments"
    else:
        taken = inspect.signature(known[name])
        filler: list[Any] = [None] * given
        try:
            taken.bind(*filler, *node.args, **{str(pair.key): pair.value for pair in node.kwargs})
        except TypeError:
            wanted = ", ".join(str(one) for one in list(taken.parameters)[given:])
            yield f"{kind} {name} takes ({wanted})"
