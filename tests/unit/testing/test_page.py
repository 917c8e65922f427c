"""What docs/testing-workflows.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from windlass.testing import load, read, simulate, timeline

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "testing-workflows.md").read_text(encoding="utf-8")
TEST, RESULTS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
DAILY = {
    "apiVersion": "windlass.dev/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "daily"},
    "spec": {
        "schedule": {"cron": "0 2 * * *", "timeZone": "Asia/Seoul"},
        "tasks": [{"name": "extract", "script": "true"}, {"name": "load", "script": "true", "dependsOn": ["extract"]}],
    },
}


def test_the_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(TEST, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0]()


def test_what_a_result_is_asked_is_there() -> None:
    names: dict[str, Any] = {"simulate": simulate, "daily": read(DAILY)}
    for line in RESULTS.splitlines():
        statement = line.partition("#")[0].strip()
        if " = " in statement:
            exec(statement, names)
            continue
        first, *more = statement.split(", ") if statement else [""]
        owner = first.rpartition(".")[0]
        for expression in [first, *(f"{owner}{one}" if one.startswith(".") else one for one in more)]:
            assert not expression or eval(expression, names) is not NotImplemented
    assert names["run"].phase == "Failed"


def test_the_drawing_is_the_command_s() -> None:
    outputs = {"extract": {"file": "a"}, "transform": {"file": "b"}}
    found = simulate(load(ROOT / "examples/daily-sales-etl/workflow.yaml"), fail="load:1", outputs=outputs)
    assert f"```text\n{timeline(found, 80)}\n```" in PAGE
