"""The lists of `policy_fields` as one CEL expression: a list of the fields that are refused.

Objects are taken for maps (`dyn`), so that a field which this version does not know is refused too.
"""

from __future__ import annotations

import json
from typing import Final

from windlass.build.policy_fields import ALLOWED, CONTAINERS, FIXED, Path, shown

_MORE: Final = "variables.allowed_fields"


def _quoted(value: str) -> str:
    return "'" + json.dumps(value)[1:-1].replace("'", "\\'") + "'"


def _list(values: frozenset[str]) -> str:
    return "[" + ", ".join(_quoted(value) for value in sorted(values)) + "]"


def _joined(path: Path, leaf: str) -> str:
    """A string: what `leaf` says, joined, of each object at this path, which it calls OUTER."""
    expression = leaf
    for depth, variable in zip(range(len(path), 0, -1), "vwxyz", strict=False):
        outer = "variables.spec" if depth == 1 else "OUTER"
        expression = _within(path[depth - 1], outer, variable, expression.replace("OUTER", variable))
    return expression


def _within(key: str, outer: str, variable: str, expression: str) -> str:
    if key == CONTAINERS:
        return f"variables.containers.map({variable}, {expression}).filter(s, s != '').join(', ')"
    if key.endswith("[]"):
        name = f"{outer}.{key[:-2]}"
        return f"(has({name}) ? {name}.map({variable}, {expression}).filter(s, s != '').join(', ') : '')"
    name = f"{outer}.{key}"
    # A list of one: CEL has no other way to give the object a name.
    return f"(has({name}) ? [{name}].map({variable}, {expression}).join(', ') : '')"


def _unknown(path: Path, allowed: frozenset[str]) -> str:
    name = f"{_quoted(shown((*path, '')))} + k"
    leaf = f"dyn(OUTER).filter(k, !(k in {_list(allowed)}) && !(({name}) in {_MORE})).map(k, {name}).join(', ')"
    return _joined(path, leaf) if path else leaf.replace("OUTER", "variables.spec")


def _fixed(path: Path, values: frozenset[str]) -> str:
    place, key = _quoted(shown(path)), path[-1]
    leaf = f"(has(OUTER.{key}) && !(OUTER.{key} in {_list(values)}) && !({place} in {_MORE}) ? {place} : '')"
    return _joined(path[:-1], leaf) if path[:-1] else leaf.replace("OUTER", "variables.spec")


FIELDS_CEL: Final = (
    f"'*' in {_MORE} ? [] : ["
    + ", ".join(
        [*(_unknown(path, allowed) for path, allowed in ALLOWED.items()),
         *(_fixed(path, values) for path, values in FIXED.items())]
    )
    + "].filter(s, s != '')"
)  # fmt: skip
