"""What a RunAction can say about itself: which verb goes with what, and that nothing of it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from windlass.models.findings import Path
from windlass.models.rule import Rule

_OF_RUN: Final = ("Suspend", "Resume", "Cancel", "Terminate")
_OF_TASKS: Final = ("Clear", "Skip", "MarkSuccess", "MarkFailed")


def _when(broken: bool, *place: str | int) -> list[Path]:
    return [place] if broken else []


def _tasks(spec: Mapping[str, Any]) -> int:
    found = spec.get("tasks")
    return len(found) if isinstance(found, list) else 0


ACTION_RULES: Final[tuple[Rule, ...]] = (
    Rule(
        cel="self == oldSelf",
        message="an action can't be changed: create another one",
        breaks_change=lambda new, old: _when(new != old),
    ),
    Rule(
        cel="self.verb != 'MarkFailed' || has(self.reason)",
        message="MarkFailed needs a reason: say why the tasks are to count as failed",
        breaks=lambda spec: _when(spec.get("verb") == "MarkFailed" and "reason" not in spec, "reason"),
        field="reason",
    ),
    Rule(
        cel="!has(self.values) || self.verb == 'Approve'",
        message="values are for Approve: they fill in the form of an approval",
        breaks=lambda spec: _when("values" in spec and spec.get("verb") != "Approve", "values"),
        field="values",
    ),
    Rule(
        cel="!has(self.tasks) || !(self.verb in ['Suspend', 'Resume', 'Cancel', 'Terminate'])",
        message="Suspend, Resume, Cancel and Terminate are about the whole run: leave tasks out",
        breaks=lambda spec: _when("tasks" in spec and spec.get("verb") in _OF_RUN, "tasks"),
        field="tasks",
    ),
    Rule(
        cel="has(self.tasks) || !(self.verb in ['Clear', 'Skip', 'MarkSuccess', 'MarkFailed'])",
        message="say which tasks: Clear, Skip, MarkSuccess and MarkFailed need them",
        breaks=lambda spec: _when("tasks" not in spec and spec.get("verb") in _OF_TASKS, "tasks"),
        field="tasks",
    ),
    Rule(
        cel="!has(self.indices) || (has(self.tasks) && self.tasks.size() == 1)",
        message="indices are instances of one task, a forEach: name it in tasks, and no other",
        breaks=lambda spec: _when("indices" in spec and _tasks(spec) != 1, "indices"),
        field="indices",
    ),
)
