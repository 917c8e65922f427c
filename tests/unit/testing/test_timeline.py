"""How simulations are drawn."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.testing import simulate, timeline

TASKS = [
    {"name": "extract", "script": "x"},
    {"name": "load", "script": "x", "dependsOn": ["extract"], "retry": {"limit": 1, "delay": "2m"}},
    {"name": "check", "script": "x", "dependsOn": ["extract"]},
    {"name": "join", "dependsOn": ["load", "check"]},
    {"name": "tell", "script": "x", "dependsOn": ["join"], "triggerRule": "AllFailed"},
]
TENTHS = {"schedule": {"cron": "*/10 * * * *"}}
START = "2025-04-01T00:00:00Z"


def workflow(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "sales"},
        "spec": {"tasks": TASKS, "concurrency": {"maxActiveTasks": 1}, **spec},
    }


DRAWN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a retry, a wait for a slot, a join, a task that was skipped": (
        {},
        {"fail": "load:1"},
        """\
sales-1  Succeeded in 5m3s
           2025-01-01 00:00:00    00:05:03
✔ extract  ━━━━━━                           1m
✔ load           ━━━━━━✖╌╌╌╌╌╌╌╌╌╌╌╌━━━━━   4m1s  2 attempts
✔ check          ╌╌╌╌╌╌╌━━━━━━              1m
✔ join                                   ✔
– tell                                   –  join succeeded""",
    ),
    "what is too long is cut": (
        {},
        {"fail": "load"},
        """\
sales-1  Failed in 6m4s  2 of 5 tasks failed: load, join
           2025-01-01 00:00:00
✔ extract  ━━━                   1m
✖ load        ━━━━✖╌╌╌╌╌━━━━✖    4m1s  2 attempts  exit cod…
✔ check       ╌╌╌╌━━━            1m
⊘ join                      ⊘    load failed
✔ tell                      ━━   1m""",
    ),
    "several runs, and one that is late": (
        {**TENTHS, "deadline": {"after": "6m"}, "tasks": TASKS[:2]},
        {"start": START, "end": "2025-04-01T00:20:00Z", "fail": "load:1@2025-04-01T00:20:00Z", "duration": "2m"},
        """\
                                             2025-04-01 00:10:00
✔ sales-20250401t0010  Succeeded  4m2s       ━━━━
✔ sales-20250401t0020  Succeeded  8m3s late             ━━━━━━━━

sales-20250401t0010  Succeeded in 4m2s
           2025-04-01 00:10:00                  00:14:02
✔ extract  ━━━━━━━━━━━━━━━━━━━━━━                         2m
✔ load                           ╌━━━━━━━━━━━━━━━━━━━━━   2m

sales-20250401t0020  Succeeded in 8m3s, late
           2025-04-01 00:20:00    00:28:03
✔ extract  ━━━━━━━━                         2m
✔ load             ━━━━━━━━✖╌╌╌╌╌╌━━━━━━━   6m1s  2 attempts""",
    ),
    "many runs, and none that went wrong": (
        {**TENTHS, "tasks": TASKS[:1]},
        {"start": START, "end": "2025-04-01T00:40:00Z"},
        """\
                                        2025-04-01 00:10:00
✔ sales-20250401t0010  Succeeded  1m1s  ━
✔ sales-20250401t0020  Succeeded  1m1s        ━
✔ sales-20250401t0030  Succeeded  1m1s               ━
✔ sales-20250401t0040  Succeeded  1m1s                     ━""",
    ),
    "a run that is refused": (
        {"params": {"limit": {"type": "integer"}}},
        {"params": {"limit": "x"}},
        "sales-1  Refused  spec.params.limit: 'x' is not of type 'integer'",
    ),
    "a run that still waits": (
        {**TENTHS, "tasks": TASKS[:1], "dependsOnPast": True},
        {"start": START, "end": "2025-04-01T00:20:00Z", "fail": "extract"},
        """\
                                     2025-04-01 00:10:00
✖ sales-20250401t0010  Failed  1m1s  ━━✖
◌ sales-20250401t0020  Queued                              ╌

sales-20250401t0010  Failed in 1m1s  1 of 1 tasks failed: extract
           2025-04-01 00:10:00
✖ extract  ━━━━━━━━━━━━━━━━━━━✖  1m  exit code 1: it failed…

sales-20250401t0020  Queued  waits for the success of sales-20250401t0010, which has failed: \
retry it, or mark what failed as succeeded""",
    ),
}


@pytest.mark.parametrize("case", DRAWN.values(), ids=DRAWN.keys())
def test_drawings(case: tuple[dict[str, Any], dict[str, Any], str]) -> None:
    spec, given, drawn = case
    assert timeline(simulate(workflow(**spec), **given), 60) == drawn
