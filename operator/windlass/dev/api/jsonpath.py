"""The JSON paths of printer columns: fields, indexes, `*`, and filters on equality."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

_STEP: Final = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
      | \[\s*(?P<index>-?\d+|\*)\s*\]
      | \[\s*(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*\]
      | \[\?\(\s*@(?P<path>[^=!\s]+)\s*==\s*(?P<q>['"])(?P<wanted>.*?)(?P=q)\s*\)\]""",
    re.VERBOSE,
)


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[re.Match[str], ...]:
    text = path.strip().removeprefix("{").removesuffix("}")
    text = text if text.startswith((".", "[")) else f".{text}"
    steps = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return ()
        steps.append(found)
        position = found.end()
    return tuple(steps)


def find(path: str, value: Any) -> list[Any]:
    """Every value that the path leads to; none for a path that can't be read."""
    steps = _steps(path)
    found = [value] if steps else []
    for step in steps:
        found = [inner for one in found for inner in _follow(step, one)]
    return found


def _follow(step: re.Match[str], value: Any) -> Iterable[Any]:
    field = step["field"] or step["quoted"]
    if field is not None:
        name = re.sub(r"\\(.)", r"\1", field)
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, (list, dict)):
        return []
    items = list(value.values()) if isinstance(value, dict) else value
    if step["index"] == "*":
        return items
    if step["index"] is not None:
        index = int(step["index"])
        return [items[index]] if -len(items) <= index < len(items) else []
    return [item for item in items if step["wanted"] in map(str, find(step["path"], item))]
