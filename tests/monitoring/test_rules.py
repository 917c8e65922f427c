"""Promtool on the chart's alert rules."""

from __future__ import annotations

from pathlib import Path

from support.monitoring import RULES
from support.promtool import rules_file_says, unit_tests_say

CASES = Path(__file__).with_name("rules.yaml")


def test_the_rules_are_well_formed() -> None:
    code, text = rules_file_says(RULES)
    assert code == 0, text


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    code, text = unit_tests_say(CASES)
    assert code == 0, text


def test_an_alert_that_does_not_fire_is_noticed(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.read_text().replace("> 300", "> 30000"))
    cases = tmp_path / "cases.yaml"
    cases.write_text(CASES.read_text().replace("../../helm/windlass/rules/windlass.yaml", str(rules)))
    code, text = unit_tests_say(cases)
    assert code == 1
    assert "WindlassPodsPending" in text
