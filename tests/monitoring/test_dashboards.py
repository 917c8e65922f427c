"""Every query of the dashboards, asked over metrics of a controller that went through what it shows: none is empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.monitoring import Target, targets
from support.promtool import unanswered

MAY_BE_ZERO = frozenset({"Errors", "Queue"})
"""Panels that show nothing else while all is well."""


def test_no_query_is_without_an_answer(scrapes: Sequence[str], tmp_path: Path) -> None:
    assert unanswered(targets(), {"a": scrapes}, MAY_BE_ZERO, tmp_path) == {}


def test_an_empty_answer_is_noticed(scrapes: Sequence[str], tmp_path: Path) -> None:
    nothing = Target("some", "Runs refused by nobody", "A", 'sum(windlass_runs_total{outcome="Nothing"})')
    assert unanswered([nothing, targets()[0]], {"a": scrapes}, MAY_BE_ZERO, tmp_path) == {str(nothing): nothing.expr}


def test_no_series_names_a_run_or_a_pod(scrapes: Sequence[str]) -> None:
    assert "crowded-1" not in scrapes[-1]
    assert "ok-2" not in scrapes[-1]
