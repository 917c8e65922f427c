"""`python -m windlass.cli.docs`: write the pages of `docs/`, and the rules of the chart's policies, that are made from
tables in the code.

With `--check` nothing is written, and the exit code is 1 when a page is not what the tables say.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from windlass.build import policy_chart
from windlass.models.generate import write_or_check
from windlass.plan import reference
from windlass.telemetry.reference import render as metrics

COMMAND = "python -m windlass.cli.docs"


def pages() -> dict[str, str]:
    """What the pages should hold, by their path in the repository."""
    return {
        "docs/phases-and-reasons.md": reference.phases_and_reasons(),
        "docs/failures.md": reference.failures(),
        "docs/metrics.md": metrics(),
        "helm/windlass/policy-rules.yaml": policy_chart.render(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    return write_or_check(pages(), COMMAND, arguments)


if __name__ == "__main__":
    sys.exit(main())
