"""Manifests in the pages for operators are what a real API server takes. Nothing is made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.kubectl import kubectl

pytestmark = pytest.mark.cluster
PAGES = ("operations",)
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_manifests(page: str, kubeconfig: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL)
    said = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin="---\n".join(blocks))
    assert len(said.splitlines()) == sum(block.count("\nkind: ") for block in blocks)
