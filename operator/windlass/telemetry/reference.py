"""The table of metrics for the docs: `python -m windlass.telemetry.reference > docs/metrics.md`."""

from __future__ import annotations

import sys
from typing import Final

from windlass.telemetry.families import FAMILIES, Family

_HEAD: Final = """\
# Metrics

The controller serves these at `/metrics`, for Prometheus. Its log says once where. Beside them stand the usual
`process_*` metrics of memory, processor time and open files. No label holds the name of a run, a task or a pod, so the
number of series stays bounded however much runs.

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
