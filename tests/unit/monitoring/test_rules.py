"""Each alert says what is wrong, leads to a page that helps, and is shown firing and not firing by promtool's tests,
which tests/monitoring runs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support.monitoring import ROOT, alerts, unknown_words

PAGES = ROOT / "docs" / "runbooks"
SECTIONS = ["## What it means", "## What suffers", "## Find the cause", "## Mend it"]
CASES = [
    case
    for test in yaml.safe_load((ROOT / "tests" / "monitoring" / "rules.yaml").read_text())["tests"]
    for case in test["alert_rule_test"]
]


@pytest.mark.parametrize("name", alerts())
def test_alert(name: str) -> None:
    rule: dict[str, Any] = alerts()[name]
    assert unknown_words(rule["expr"]) == []
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    fires = [bool(case["exp_alerts"]) for case in CASES if case["alertname"] == name]
    assert set(fires) == {True, False}


@pytest.mark.parametrize("name", alerts())
def test_runbook(name: str) -> None:
    lines = (PAGES / f"{name}.md").read_text().splitlines()
    assert lines[0] == f"# {name}"
    assert [line for line in lines if line.startswith("## ")] == SECTIONS
    causes = "\n".join(lines).partition(SECTIONS[2])[2].partition(SECTIONS[3])[0]
    assert "    kubectl " in causes


def test_no_page_without_its_alert() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {*alerts(), "README"}
