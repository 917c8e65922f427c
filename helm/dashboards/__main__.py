"""`python helm/dashboards`: write the chart's dashboards. With `--check` nothing is written: 1 when one is stale."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from overview import overview
from workflow import workflow

CHART = Path(__file__).parents[1] / "windlass" / "dashboards"


def main() -> int:
    stale = 0
    for name, dashboard in {"windlass-overview": overview(), "workflow": workflow()}.items():
        path = CHART / f"{name}.json"
        text = json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{path.name} is stale: run python helm/dashboards\n")
            stale = 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
