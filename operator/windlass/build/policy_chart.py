"""The rules as the chart reads them: what is allowed where a policy says nothing, and the CEL of each rule."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import yaml

from windlass.build.policy import KEYS
from windlass.build.policy_rules import RULES, Allowed


def rules_document() -> dict[str, Any]:
    """What stands in the chart's `policy-rules.yaml`."""
    usual = Allowed()
    values = {KEYS[one.name]: getattr(usual, one.name) for one in fields(Allowed)}
    return {
        "usual": {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()},
        "rules": [{"name": rule.name, "offenders": rule.cel} for rule in RULES],
    }


def render() -> str:
    """The file."""
    head = "# Made from operator/windlass/build/policy_rules.py by `make generate`.\n"
    return head + yaml.safe_dump(rules_document(), sort_keys=False, width=10000)
