"""docs/backfill.md says of backfills what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from windlass.models.backfill import BackfillPhase
from windlass.models.parse import check

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "backfill.md").read_text(encoding="utf-8")
CODE = "".join(
    path.read_text(encoding="utf-8")
    for path in [
        *(ROOT / "operator" / "windlass" / "plan").glob("backfill*.py"),
        ROOT / "operator" / "windlass" / "engine" / "backfills.py",
    ]
)
ROWS = re.findall(r"^\| (\w+) \| ([\w, ]+) \| ", PAGE[PAGE.index("## Phases and reasons") :], re.MULTILINE)
TOLD = {reason for phase, reasons in ROWS if phase != "phase" for reason in reasons.split(", ")}


def test_each_reason_stands_in_the_page() -> None:
    patterns = (
        r'Trouble\(\s*"(\w+)"',
        r'_end\(.*?P\.\w+, "(\w+)"',
        r'return "(\w+)", f?"',
        r'reason(?:, message)? = "(\w+)"',
        r'return P\.\w+, "(\w+)"',
        r'reason="(\w+)"',
        r'"reason": "(\w+)"',
        r'P\.SUSPENDED, "(\w+)"',
        r'reason = "(\w+)" if',
    )
    used = {reason for pattern in patterns for reason in re.findall(pattern, CODE)}
    assert len(used) > 15
    assert used - TOLD == set()


def test_each_reason_of_the_page_is_the_code_s() -> None:
    assert {reason for reason in TOLD if f'"{reason}"' not in CODE} == set()
    assert {phase for phase, _ in ROWS} - {"phase"} <= {phase.value for phase in BackfillPhase}


def test_its_manifests_are_good() -> None:
    manifests = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [check(yaml.safe_load(manifest)) for manifest in manifests] == [[]]
