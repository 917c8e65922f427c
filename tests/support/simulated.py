"""Workflows that tests of the simulation play."""

from __future__ import annotations

from typing import Any

START = "2025-04-01T00:00:00Z"


def workflow(tasks: list[dict[str, Any]], name: str = "sales", **spec: Any) -> dict[str, Any]:
    """A Workflow; tasks without anything to run get a script, but for those with `join`."""
    made = [
        {key: value for key, value in {"script": "true", **task}.items() if key != "join"}
        if not task.get("join")
        else {key: value for key, value in task.items() if key != "join"}
        for task in tasks
    ]
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"tasks": made, **spec},
    }


CHAIN = [
    {"name": "extract"},
    {"name": "load", "dependsOn": ["extract"], "retry": {"limit": 2, "delay": "5m"}},
    {"name": "report", "dependsOn": ["load"], "triggerRule": "AllDone"},
]


def reads_rows(**more: Any) -> dict[str, Any]:
    tasks = [
        {"name": "extract"},
        {"name": "load", "dependsOn": ["extract"], "script": "load {{ tasks.extract.outputs.rows }}"},
        {"name": "mail", "dependsOn": ["load"], "script": "mail {{ tasks.load.outputs.total }}"},
    ]
    tasks[1] |= more
    return workflow(tasks)
