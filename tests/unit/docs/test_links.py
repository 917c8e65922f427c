"""Links between the pages lead somewhere, and manifests in them can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PAGES = {str(path.relative_to(ROOT)): path for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("docs/runbooks/*.md"))}
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """What its headings are called in a URL."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links(page: str) -> None:
    text = PAGES[page].read_text()
    for link in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = PAGES[page].parent / path if path else PAGES[page]
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", PAGES)
def test_manifests(page: str) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGES[page].read_text(), re.MULTILINE | re.DOTALL):
        for document in yaml.safe_load_all(block):
            assert document is not None
