"""The table of metrics for the docs: `python -m windlass.telemetry.reference > docs/metrics.md`."""

from __future__ import annotations

import sys
from typing import Final

from windlass.telemetry.families import FAMILIES, Family

_HEAD: Final = """\
# Metrics

The controller serves these at `/metrics`, for Prometheus. Its log says once where. Beside them stand the usual
`process_*` metrics of memory, processor time and open files. Each process counts what it did itself, from its start:
sum over the replicas, and use `rate` and `increase`, which bear restarts.

The number of series stays bounded however much runs. No label holds the name of a run or a pod. The first 500
workflows, and the first 1,000 of their tasks, are kept apart; later ones are counted together under the name `other`,
until the controller starts anew. Runs with a definition of their own have no workflow (the label is empty), and their
tasks no name, since such names would never end. What follows tasks one by one is no histogram: four series a task. The
step that resolves a source counts as a task, of the name `windlass-source`.

The label `namespace` is that of the run, so a scrape must keep it: `honorLabels: true` in a ServiceMonitor.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def render() -> str:
    """The page."""
    return _HEAD + "".join(f"{_row(family)}\n" for family in FAMILIES)


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(render())
