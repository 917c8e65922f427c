"""The tables of phases, reasons and failures: complete, free of doubles, and the pages made from them up to date."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from windlass.cli.docs import main, pages
from windlass.models.run import FailureClass, RunPhase, TaskPhase
from windlass.models.task import TriggerRule
from windlass.plan import reasons
from windlass.plan.hint_table import ROWS
from windlass.plan.rules import Counts, VerdictKind, verdict

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", pages())
def test_page_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text() == pages()[path], "run: python -m windlass.cli.docs"


def test_check_names_the_stale_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    assert main(["--root", str(tmp_path)]) == 0
    (tmp_path / "docs" / "failures.md").write_text("old")
    assert main(["--root", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err == "docs/failures.md is not what the code says: run python -m windlass.cli.docs\n"


@pytest.mark.parametrize("table", [reasons.RUNS, reasons.TASKS], ids=["runs", "tasks"])
def test_each_row_is_there_once(table: list[reasons.Entry]) -> None:
    keys = [(row.phase, row.reason) for row in table]
    assert sorted(set(keys)) == sorted(keys)


def test_every_phase_has_a_row() -> None:
    assert {row.phase for row in reasons.RUNS} == set(RunPhase)
    assert {row.phase for row in reasons.TASKS} == set(TaskPhase)


def test_every_reason_of_a_trigger_rule_has_a_row() -> None:

    ends = {VerdictKind.SKIP: TaskPhase.SKIPPED, VerdictKind.UPSTREAM_FAIL: TaskPhase.UPSTREAM_FAILED}
    for rule in TriggerRule:
        for code in range(4**3):
            kinds = [code % 4, code // 4 % 4, code // 16]
            counts = Counts(3, *(kinds.count(kind) for kind in range(4)))
            given = verdict(rule, counts)
            if given.kind in ends:
                assert reasons.entry(ends[given.kind], given.reason) is not None, (rule, given)


def test_every_class_has_a_row_for_any_other_reason() -> None:
    last = {row.failure: row for row in ROWS if not row.reasons and not row.words and not row.exit_codes}
    assert set(last) == set(FailureClass)


def _planned(keyword: str) -> set[str]:
    """The literal reasons that the planner's modules give: `reason="…"`, and `"reason": "…"` in updates."""
    found: set[str] = set()
    for path in (ROOT / "operator/windlass/plan").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == keyword and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                found |= {
                    value.value
                    for key, value in pairs
                    if isinstance(key, ast.Constant) and key.value == keyword and isinstance(value, ast.Constant)
                }
    return {reason for reason in found if reason}


def test_every_literal_reason_of_the_planner_has_a_row() -> None:
    known = {row.reason for row in (*reasons.RUNS, *reasons.TASKS)} | _told_of_other_kinds()
    of_attempts = {"Superseded", "Cleared"}  # whose pods are being cleared away, never of a task
    assert _planned("reason") - known - of_attempts == set()


def _told_of_other_kinds() -> set[str]:
    """What the pages about Workflows and Backfills say of their statuses."""
    pages = [ROOT / "docs" / name for name in ("scheduling.md", "backfill.md")]
    cells = [cell for page in pages for line in page.read_text().splitlines() for cell in line.split("|")[1:3]]
    return {word for cell in cells for word in re.findall(r"\b[A-Z][A-Za-z]+\b", cell)}
