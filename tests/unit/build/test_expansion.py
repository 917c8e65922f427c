"""`$(VAR)` as Kubernetes expands it."""

from __future__ import annotations

import pytest

from windlass.build.expansion import expand

VARIABLES = {"A": "one", "B": "$(A)", "E": ""}
CASES = {
    "nothing to do": ("plain $ text", "plain $ text"),
    "a variable": ("x$(A)y", "xoney"),
    "what a value holds stays": ("$(B)", "$(A)"),
    "an empty one": ("[$(E)]", "[]"),
    "an unknown one stays": ("$(NO)", "$(NO)"),
    "two dollars are one": ("$$", "$"),
    "an escaped reference": ("$$(A)", "$(A)"),
    "an escaped dollar before a reference": ("$$$(A)", "$one"),
    "a shell's own": ("$HOME ${HOME} $1", "$HOME ${HOME} $1"),
    "an open one": ("$(A", "$(A"),
    "a dollar at the end": ("$(A)$", "one$"),
}


@pytest.mark.parametrize(("text", "expanded"), CASES.values(), ids=CASES.keys())
def test_expand(text: str, expanded: str) -> None:
    assert expand(text, VARIABLES) == expanded
