"""Each fault and each point of the safety protocol names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
ROW = re.compile(r"^\| .+ \| `(test_\w+)` \|$", re.MULTILINE)
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_each_named_test_exists() -> None:
    named = ROW.findall((TESTS / "README.md").read_text())
    defined = {name for file in TESTS.rglob("test_*.py") for name in DEFINED.findall(file.read_text())}
    assert len(named) > 30
    assert [name for name in named if name not in defined] == []
