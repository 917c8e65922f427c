"""A definition without the parts that its schema refuses, so that the rest of it can be looked at too.

A misspelt field is taken for the one that it is likely to be; what can't be used is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from windlass.models.findings import Finding, Path
from windlass.models.workflow import WorkflowSpec

MOST_ROUNDS: Final = 50
_MEANT: Final = re.compile(r'did you mean "([A-Za-z]+)"')


def salvage(
    manifest: Mapping[str, Any], found: Sequence[Finding], place: tuple[str, ...]
) -> tuple[WorkflowSpec, set[Path]] | None:
    """The definition at `place`, as far as it can be read, and what can't be judged without the parts that were cut."""
    whole = deepcopy(dict(manifest))
    for item in found:
        if meant := _MEANT.search(item.fix):
            _rename(whole, item.path, meant[1])
    doubtful: set[Path] = set()
    for _ in range(MOST_ROUNDS):
        spec = _at(whole, place)
        if not isinstance(spec, dict):
            return None
        try:
            return WorkflowSpec.model_validate(spec, by_alias=True, by_name=False), doubtful
        except ValidationError as error:
            paths = [(*place, *item["loc"]) for item in error.errors(include_url=False, include_input=False)]
        cut = [path for path in paths if _cut_out(whole, path, len(place))]
        if not cut:
            return None
        doubtful |= {_doubted(path, len(place) + 2) for path in cut}
    return None


def _doubted(cut: Path, depth: int) -> Path:
    """A task as a whole when its name or its upstream went; else the field that went."""
    return cut[:depth] if len(cut) <= depth or cut[depth] in ("name", "dependsOn") else cut[: depth + 1]


def _rename(whole: dict[str, Any], path: Path, meant: str) -> None:
    holder = _at(whole, path[:-1])
    key = path[-1] if path else None
    if isinstance(holder, dict) and isinstance(key, str) and key in holder and meant not in holder:
        holder[meant] = holder.pop(key)


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _cut_out(whole: dict[str, Any], path: Sequence[str | int], depth: int) -> bool:
    """Take away the innermost field at `path` that is there; whether there was one.

    Entries of lists keep their places, so that the paths of what is found later are right: a task without a usable
    name gets one.
    """
    holders: list[tuple[dict[str, Any], str]] = []
    value: Any = whole
    for number, part in enumerate(path):
        if isinstance(value, dict) and isinstance(part, str):
            if part not in value:
                break
            if number >= depth:
                holders.append((value, part))
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    if len(path) == depth + 3 and path[-1] == "name":
        task = _at(whole, path[:-1])
        if isinstance(task, dict):
            task["name"] = f"unnamed-{path[-2]}"
            return True
    if not holders:
        return False
    holder, key = holders[-1]
    del holder[key]
    return True
