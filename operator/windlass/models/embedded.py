"""The definition that a run brings along: the same schema and rules as a Workflow's, made cheap.

A server checks the whole object at each write of its status. With 1,000 tasks, rules per task would cost it seconds of
CPU each time, for a spec that can't change: so here they are asked at the creation alone. The definition is one atomic
value, or the owners of its fields would take more room than the definition itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from windlass.models.rules import RULES, Rule

_ONCE: Final = "oldSelf.hasValue() || "


def embedded_rules() -> Mapping[str, tuple[Rule, ...]]:
    """The rules for a run: those of its definition are asked once, and those of tasks by one loop each."""
    lifted = [_once(f"({rule.cel})", rule) for rule in RULES["WorkflowSpec"]]
    lifted += [_once(_for_all_tasks(rule.cel), replace(rule, field="")) for rule in RULES["Task"]]
    return {**RULES, "WorkflowSpec": tuple(lifted), "Task": ()}


def _once(cel: str, rule: Rule) -> Rule:
    return replace(rule, cel=_ONCE + cel, optional_old=True)


def _for_all_tasks(cel: str) -> str:
    """CEL on one task as CEL on a definition."""
    one = re.sub(r"\bself\b", "t", cel)
    return f"(self.tasks.all(t, {one}) && (!has(self.finally) || self.finally.all(t, {one})))"


def atomic(definition: dict[str, Any]) -> dict[str, Any]:
    """The schema of a definition as one value: nobody owns a field of what can't change."""
    return {**definition, "x-kubernetes-map-type": "atomic"}
