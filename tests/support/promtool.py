"""Prometheus's own judgement, by its promtool: of rules, and of queries over metrics that were really scraped."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from support.monitoring import ROOT, Target

PROMTOOL = ROOT / "tools" / "promtool" / "promtool"
SECONDS = 15
"""Between two scrapes."""
VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "5m",
    "$namespace": "default",
    "$workflow": "sales",
    # The clock of the tests begins at 1970, that of the metrics is today's.
    "time()": "(4e9 + time())",
}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool; it is built first where it is not there yet."""
    return subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False)


def series(scrapes: Sequence[str], instance: str) -> dict[str, list[float | None]]:
    """The value of each series at each scrape, None where it was not there yet."""
    found: dict[str, list[float | None]] = {}
    for number, text in enumerate(scrapes):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = {**sample.labels, "job": "windlass", "instance": instance}
                shown = ", ".join(f"{key}={json.dumps(value)}" for key, value in sorted(labels.items()))
                values = found.setdefault(f"{sample.name}{{{shown}}}", [None] * len(scrapes))
                values[number] = sample.value
    return found


def unanswered(
    targets: Sequence[Target], scrapes: Mapping[str, Sequence[str]], may_be_zero: frozenset[str], directory: Path
) -> dict[str, str]:
    """The queries that Prometheus answers with no number above zero at any time of the scrapes.

    `scrapes` are by instance. Those of the panels in `may_be_zero` need only be answered.
    """
    inputs = [
        {
            "series": name,
            "values": " ".join("_" if value is None else _number(value) for value in (*values, values[-1])),
        }
        for instance, texts in scrapes.items()
        for name, values in series(texts, instance).items()
    ]
    span = SECONDS * max(len(texts) for texts in scrapes.values())
    cases = [
        {
            "interval": f"{SECONDS}s",
            "input_series": inputs,
            "promql_expr_test": [
                {
                    # A quantile of nothing is NaN, which no comparison lets through.
                    "expr": f"label_replace(count(count_over_time((({_filled(target)}) {_least(target, may_be_zero)})"
                    f'[{span + 1}s:{SECONDS}s])) > bool 0, "query", "{number}", "", "")',
                    "eval_time": f"{span}s",
                    "exp_samples": [{"labels": f'{{query="{number}"}}', "value": 1}],
                }
                for number, target in enumerate(targets)
            ],
        }
    ]
    path = directory / "queries.yaml"
    path.write_text(yaml.safe_dump({"evaluation_interval": f"{SECONDS}s", "tests": cases}))
    said = promtool("test", "rules", str(path))
    if not said.returncode:
        return {}
    text = said.stdout + said.stderr
    numbers = {int(number) for number in re.findall(r"exp:\W*\{query=\W*(\d+)", text)}
    return {str(targets[number]): _filled(targets[number]) for number in sorted(numbers)} or {"promtool": text}


def _filled(target: Target) -> str:
    expr = target.expr
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def _least(target: Target, may_be_zero: frozenset[str]) -> str:
    return ">= 0" if target.panel in may_be_zero else "> 0"


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": "Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    return repr(int(value)) if value == int(value) else f"{value:.9f}"


def rules_file_says(path: Path) -> tuple[int, str]:
    """What promtool says of a rules file and its style."""
    said = promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))
    return said.returncode, said.stdout + said.stderr


def unit_tests_say(path: Path) -> tuple[int, str]:
    """What promtool says of a file of unit tests."""
    said = promtool("test", "rules", str(path))
    return said.returncode, said.stdout + said.stderr
