"""Evaluates the expressions of templates: a walk over the syntax tree that knows mappings, lists and numbers only.

No Python attribute is ever read and no Python object is ever called, but for the functions of template_filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jinja2 import nodes

from windlass.models.findings import suggestion
from windlass.plan.template_filters import FILTERS, FUNCTIONS, TESTS
from windlass.plan.template_values import (
    MAX_BITS,
    MAX_ITEMS,
    Meter,
    TemplateError,
    Undefined,
    bounded,
    defined,
    text_of,
    type_name,
)

_PARTS_OF_MOMENTS: Final = frozenset({"year", "month", "day", "hour", "minute", "second"})
_BINARY: Final = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/",
    nodes.FloorDiv: "//", nodes.Mod: "%", nodes.Pow: "**",
}  # fmt: skip
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "lt": lambda left, right: bool(left < right),
    "lteq": lambda left, right: bool(left <= right),
    "gt": lambda left, right: bool(left > right),
    "gteq": lambda left, right: bool(left >= right),
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is evaluated with."""

    context: Mapping[str, Any]
    meter: Meter
    source: str
    """The expression as it is written, for hints."""


def evaluate(node: nodes.Expr, scope: Scope) -> Any:
    """The value of an expression. TemplateError says what was wrong, without the expression's text."""
    try:
        return defined(_value(node, scope))
    except RecursionError:
        raise TemplateError("the expression is nested too deep") from None


def path_of(node: nodes.Node) -> tuple[str | int, ...]:
    """The names that an expression reads one below the other, `tasks.a.outputs`; empty when it begins with no name."""
    parts: list[str | int] = []
    while True:
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
            node = node.node
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            parts.append(node.arg.value)
            node = node.node
        elif isinstance(node, nodes.Name):
            return (node.name, *reversed(parts))
        else:
            return ()


def missing(where: str, name: str, known: list[str], source: str) -> str:
    """What to say of a name that does not exist: what was meant, perhaps, and what there is."""
    dashed = next((key for key in known if "-" in key and f"{where}.{key}" in source), None)
    head = f'{where} has no "{name}"' if where else f'there is no "{name}"'
    if dashed is not None:
        return f"{head}; write {where}['{dashed}']: a name with a dash stands in brackets"
    guess = suggestion(name, known)
    listed = ", ".join(sorted(known)[:12]) + (", …" if len(known) > 12 else "")
    return f"{head}; {guess or (f'there are: {listed}' if known else 'there are none')}"


def _value(node: nodes.Node, scope: Scope) -> Any:
    scope.meter.charge(1)
    kind = type(node)
    if kind in _BINARY:
        return _binary(_BINARY[kind], defined(_value(node.left, scope)), defined(_value(node.right, scope)), scope)  # type: ignore[attr-defined]  # all of _BINARY have left and right
    return _EVALUATORS[kind](node, scope)


def _name(node: nodes.Name, scope: Scope) -> Any:
    if node.name in scope.context:
        return scope.context[node.name]
    return Undefined(missing("", node.name, [str(name) for name in scope.context], scope.source))


def _get(node: nodes.Getattr | nodes.Getitem, scope: Scope) -> Any:
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return _slice(node, node.arg, scope)
    value = defined(_value(node.node, scope))
    key = node.attr if isinstance(node, nodes.Getattr) else defined(_value(node.arg, scope))
    where = ".".join(str(part) for part in path_of(node.node)) or "the value"
    if isinstance(value, Mapping):
        if isinstance(key, str) and key in value:
            return value[key]
        return Undefined(missing(where, str(key)[:60], [str(name) for name in value], scope.source))
    if isinstance(value, list | tuple | str) and isinstance(key, int):
        if -len(value) <= key < len(value):
            return value[key]
        return Undefined(f"{where} has {len(value)} items: there is no [{key}]")
    if isinstance(value, datetime) and key in _PARTS_OF_MOMENTS:
        return getattr(value, key)
    return Undefined(f'{where} is a {type_name(value)}: it has no "{str(key)[:60]}"')


def _slice(node: nodes.Getitem, part: nodes.Slice, scope: Scope) -> Any:
    value = defined(_value(node.node, scope))
    if not isinstance(value, list | tuple | str):
        raise TemplateError(f"a {type_name(value)} has no items")
    limits = [None if one is None else defined(_value(one, scope)) for one in (part.start, part.stop, part.step)]
    if any(one is not None and not isinstance(one, int) for one in limits) or limits[2] == 0:
        raise TemplateError("a slice has whole numbers, and a step that is not 0")
    scope.meter.charge(len(value))
    return value[slice(*limits)]


def _binary(sign: str, left: Any, right: Any, scope: Scope) -> Any:
    try:
        return _calculate(sign, left, right, scope)
    except (TypeError, ValueError, ArithmeticError) as error:
        reason = str(error) if isinstance(error, ArithmeticError) else f"{type_name(left)} {sign} {type_name(right)}"
        raise TemplateError(f"can't calculate: {reason}") from None


def _calculate(sign: str, left: Any, right: Any, scope: Scope) -> Any:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _arithmetic(sign, left, right)
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        scope.meter.charge(len(left) + len(right))
        return left + right
    if sign == "+" and isinstance(left, list) and isinstance(right, list):
        scope.meter.charge(len(left) + len(right))
        return left + right
    if sign == "*" and isinstance(left, str | list) and isinstance(right, int):
        scope.meter.charge(len(left) * max(0, right))
        if isinstance(left, list) and len(left) * right > MAX_ITEMS:
            raise TemplateError(f"a list may have {MAX_ITEMS} items")
        return left * right
    if sign == "-" and isinstance(left, datetime) and isinstance(right, datetime):
        return (left - right).total_seconds()
    raise TypeError


def _arithmetic(sign: str, left: float, right: float) -> Any:
    match sign:
        case "+":
            result: Any = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "/":
            result = left / right
        case "//":
            result = left // right
        case "%":
            result = left % right
        case _:
            if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > MAX_BITS:
                raise TemplateError("the number is too large")
            result = left**right
    if isinstance(result, complex):
        raise TemplateError("the result is no real number")
    return bounded(result) if isinstance(result, int) else result


def _sign(node: nodes.Neg | nodes.Pos, scope: Scope) -> Any:
    number = defined(_value(node.node, scope))
    if not isinstance(number, int | float):
        raise TemplateError(f"a number is needed here, not a {type_name(number)}")
    return -number if isinstance(node, nodes.Neg) else number


def _compare(node: nodes.Compare, scope: Scope) -> bool:
    left = defined(_value(node.expr, scope))
    for operand in node.ops:
        right = defined(_value(operand.expr, scope))
        try:
            holds = _COMPARISONS[operand.op](left, right)
        except TypeError:
            raise TemplateError(f"can't compare a {type_name(left)} with a {type_name(right)}") from None
        if not holds:
            return False
        left = right
    return True


def _and(node: nodes.And, scope: Scope) -> Any:
    left = defined(_value(node.left, scope))
    return _value(node.right, scope) if left else left


def _or(node: nodes.Or, scope: Scope) -> Any:
    left = defined(_value(node.left, scope))
    return left if left else _value(node.right, scope)


def _condition(node: nodes.CondExpr, scope: Scope) -> Any:
    if defined(_value(node.test, scope)):
        return _value(node.expr1, scope)
    if node.expr2 is None:
        return Undefined("the condition is false, and there is no else")
    return _value(node.expr2, scope)


def _concat(node: nodes.Concat, scope: Scope) -> str:
    return "".join(text_of(defined(_value(part, scope)), scope.meter) for part in node.nodes)


def _list(node: nodes.List | nodes.Tuple, scope: Scope) -> list[Any]:
    return [defined(_value(item, scope)) for item in node.items]


def _dict(node: nodes.Dict, scope: Scope) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for pair in node.items:
        key = defined(_value(pair.key, scope))
        if not isinstance(key, str):
            raise TemplateError("the keys of an object are strings")
        made[key] = defined(_value(pair.value, scope))
    return made


def _applied(kind: str, name: str, operation: Callable[..., Any], given: list[Any], node: Any, scope: Scope) -> Any:
    arguments = [defined(_value(one, scope)) for one in node.args]
    named = {pair.key: defined(_value(pair.value, scope)) for pair in node.kwargs}
    try:
        result = operation(*given, *arguments, **named)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OSError) as error:
        # Whatever a filter meets in a value of the user's is the user's to mend.
        raise TemplateError(f"{kind} {name}: {str(error)[:100] or type(error).__name__}") from None
    return bounded(result) if isinstance(result, int) else result


def _filter(node: nodes.Filter, scope: Scope) -> Any:
    if node.node is None:
        raise TemplateError(f"filter {node.name} has nothing to work on")
    value = _value(node.node, scope)
    if node.name not in ("default", "d"):
        defined(value)
    return _applied("filter", node.name, FILTERS[node.name], [scope.meter, value], node, scope)


def _test(node: nodes.Test, scope: Scope) -> bool:
    value = _value(node.node, scope)
    if node.name not in ("defined", "undefined"):
        defined(value)
    return bool(_applied("test", node.name, TESTS[node.name], [value], node, scope))


def _call(node: nodes.Call, scope: Scope) -> Any:
    name = node.node.name if isinstance(node.node, nodes.Name) else ""
    return _applied("function", name, FUNCTIONS[name], [scope.meter], node, scope)


_EVALUATORS: Final[Mapping[type[nodes.Node], Callable[[Any, Scope], Any]]] = {
    nodes.And: _and,
    nodes.Call: _call,
    nodes.Compare: _compare,
    nodes.Concat: _concat,
    nodes.CondExpr: _condition,
    nodes.Const: lambda node, scope: node.value,
    nodes.Dict: _dict,
    nodes.Filter: _filter,
    nodes.Getattr: _get,
    nodes.Getitem: _get,
    nodes.List: _list,
    nodes.Name: _name,
    nodes.Neg: _sign,
    nodes.Not: lambda node, scope: not defined(_value(node.node, scope)),
    nodes.Or: _or,
    nodes.Pos: _sign,
    nodes.Test: _test,
    nodes.Tuple: _list,
}
