"""examples/hello: the second task reads what the first put out."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.examples import Pod, run_all

NAMES = {
    "a name": ("Ada", "Hello, Ada!", 11),
    "a name that JSON and shells must quote": ('"$(id)" o\'Neil \\ {', 'Hello, "$(id)" o\'Neil \\ {!', 26),
}


@pytest.mark.parametrize(("name", "greeting", "letters"), NAMES.values(), ids=NAMES.keys())
def test_hello(tmp_path: Path, name: str, greeting: str, letters: int) -> None:
    done = run_all(Pod("hello", tmp_path), params={"name": name})
    assert [(ended.code, ended.stdout, ended.outputs) for ended in done.values()] == [
        (0, f"{greeting}\n", {"greeting": greeting, "letters": letters}),
        (0, f'I was told "{greeting}": {letters} characters.\n', None),
    ]
