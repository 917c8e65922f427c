"""Runs whose attempts end as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from support.simulate import OK, Behaviour, app_failure
from windlass.plan.types import PodResult

Ends = Mapping[str, list[PodResult]]
FAIL = app_failure(1, "first line\nValueError: no rows")


def played(ends: Ends) -> Callable[[str, int], Behaviour]:
    """Attempts that end so, the last for all that follow; well where nothing is said."""

    def script(task: str, attempt: int) -> Behaviour:
        results = ends.get(task, [OK])
        return Behaviour(results[min(attempt, len(results)) - 1])

    return script


def chain(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": name, "dependsOn": list(names[place - 1 : place]), **fields} for place, name in enumerate(names)]


DONE = ("Succeeded", "Completed")
