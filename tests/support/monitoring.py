"""The chart's dashboards and alert rules, read, and which metrics a query names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from windlass.telemetry.families import FAMILIES, Kind

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "windlass"
RULES = CHART / "rules" / "windlass.yaml"
DASHBOARDS = ("windlass-overview", "workflow")
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
_SUFFIXES = {
    Kind.COUNTER: ("",),
    Kind.GAUGE: ("",),
    Kind.SUMMARY: ("_count", "_sum"),
    Kind.HISTOGRAM: ("_count", "_sum", "_bucket"),
}
SERIES: dict[str, frozenset[str]] = {
    family.name + suffix: frozenset(family.labels) | ({"le"} if suffix == "_bucket" else set())
    for family in FAMILIES
    for suffix in _SUFFIXES[family.kind]
}
"""The names of our series, with the labels that they have."""
OF_THE_TARGET = frozenset({"job", "instance"})


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    dashboard: str
    panel: str
    ref: str
    expr: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel} {self.ref}"


def dashboard(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHART / "dashboards" / f"{name}.json").read_text())
    return found


def panels(name: str) -> list[dict[str, Any]]:
    """The panels of a dashboard that show something: rows apart."""
    return [panel for panel in dashboard(name)["panels"] if panel["type"] != "row"]


def targets() -> list[Target]:
    """Every query of every dashboard."""
    return [
        Target(name, panel["title"], target["refId"], target["expr"])
        for name in DASHBOARDS
        for panel in panels(name)
        for target in panel["targets"]
    ]


def alerts() -> dict[str, dict[str, Any]]:
    """The alert rules by name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def unknown_words(expr: str) -> list[str]:
    """Series, and labels of selectors and groups, that are named in a query and are not ours."""
    wrong = []
    bare = re.sub(r'"[^"]*"', '""', expr)
    for name, selector in re.findall(r"\b((?:windlass|process)_[a-z_]+)(?:\{([^}]*)\})?", bare):
        if name not in SERIES and name not in PROCESS:
            wrong.append(name)
            continue
        labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selector))
        wrong += sorted(f"{name}.{label}" for label in labels - SERIES.get(name, frozenset()) - OF_THE_TARGET)
    every = OF_THE_TARGET.union(*SERIES.values())
    for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", bare):
        wrong += sorted(label for label in set(re.split(r",\s*", group)) - every)
    return wrong
