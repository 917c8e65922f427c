"""`python -m windlass.cli.docs`: write the pages of `docs/`, and the rules of the chart's policies, that are made from
tables in the code.

With `--check` nothing is written, and the exit code is 1 when a page is not what the tables say.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from windlass.build import policy_chart
from windlass.plan import reference
from windlass.telemetry.reference import render as metrics


def pages() -> dict[str, str]:
    """What the pages should hold, by their path in the repository."""
    return {
        "docs/phases-and-reasons.md": reference.phases_and_reasons(),
        "docs/failures.md": reference.failures(),
        "docs/metrics.md": metrics(),
        "helm/windlass/policy-rules.yaml": policy_chart.render(),
    }


def stale_pages(root: Path) -> list[str]:
    """The paths of the pages under `root` that are not as the tables say."""
    return [path for path, text in pages().items() if _read(root / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m windlass.cli.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not up to date")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (the current directory)")
    options = parser.parse_args(arguments)
    stale = stale_pages(options.root)
    if options.check:
        for path in stale:
            sys.stderr.write(f"{path} is not what the code says: run python -m windlass.cli.docs\n")
        return 1 if stale else 0
    for path in stale:
        (options.root / path).parent.mkdir(parents=True, exist_ok=True)
        (options.root / path).write_text(pages()[path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
