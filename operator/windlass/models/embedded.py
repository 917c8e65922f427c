"""The definition that a run brings along: the same schema and rules as a Workflow's, made cheap.

A server checks the whole object at each write of its status. With 1,000 tasks, rules per task and lists that it holds
unique would cost it half a second of CPU each time, for a spec that can't change. So here rules look only at the
creation, and the definition is one atomic value, whose fields have no owners of their own either. That names are
unique is left to admission.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from windlass.models.rules import RULES, Rule

_ONCE: Final = "oldSelf.hasValue() || "
_LIST_TYPES: Final = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys")


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
    """The schema of a definition as one value, in which lists are just lists."""
    result = {**_plain_lists(definition), "x-kubernetes-map-type": "atomic"}
    for part in ("tasks", "finally"):
        upstream = result["properties"][part]["items"]["properties"]["dependsOn"]
        upstream["items"] = {key: value for key, value in upstream["items"].items() if key != "pattern"}
    return result


def _plain_lists(schema: dict[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in schema.items() if key not in _LIST_TYPES}
    if "properties" in result:
        result["properties"] = {name: _plain_lists(part) for name, part in result["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = _plain_lists(result[key])
    return result
