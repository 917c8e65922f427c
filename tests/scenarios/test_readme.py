"""Every command of the READMEs that is for this machine, typed as it stands there."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support.clusters import WINDLASS
from support.readme import PLACES, ROOT, Block, Place, blocks, checkout, run
from support.side_by_side import chosen, side_by_side

AT_ONCE = 4
"""Pages: each has a development cluster of its own."""

PAGES = sorted({block.file for block in blocks() if block.place is Place.DEV})
EXPECTED = {
    "README.md": ["hello-", "Succeeded"],
    "docs/dev-cluster.md": ["Succeeded", "mail kept in:"],
    "docs/testing-workflows.md": ["hello-1  Succeeded in 6m2s", "✔ load", "7m1s  2 attempts"],
    "examples/README.md": [],
    "examples/approval/README.md": ["approval-1: go-ahead was approved by", "the tests are green", "✔ Succeeded"],
    "examples/backfill/README.md": [
        "2025-04-05T17:00:00Z   Sun 2025-04-06 02:00   Run",
        "7 slots from 2025-03-31T17:00:00Z to 2025-04-06T17:00:00Z",
        "6 succeeded, 1 failed",
        "all slots are done: 1 succeeded, 6 had a run already",
    ],
    "examples/business-days/README.md": [
        "Fri 2025-05-02 09:00 +09:00   2025-05-02T00:00:00Z\nWed 2025-05-07 09:00 +09:00   2025-05-07T00:00:00Z",
        "✔ business-days-20250510t0000  Succeeded",
        "settled from 2025-05-02 09:00 to 2025-05-07 09:00",
    ],
    "examples/daily-kst/README.md": [
        "Tue 2025-04-01 00:00 +09:00   2025-03-31T15:00:00Z",
        "✔ daily-kst-20250404t1500  Succeeded",
        "42 orders from 2025-04-01 00:00 to 2025-04-02 00:00",
    ],
    "examples/follow/README.md": ["follow-report-1-"],
    "examples/daily-sales-etl/README.md": ["sales-0401  ✔ Succeeded", "6 sales loaded"],
    "examples/emr-like/README.md": ["✔ delete-cluster", "FAILED", "⊘ load"],
    "examples/fan-out/README.md": ["✔ total", "[5]", "✔ Succeeded"],
    "examples/hello/README.md": ["✔ Succeeded"],
    "examples/ml-pipeline/README.md": ["✔ deploy", "– roll-back  Skipped", "✔ alert", "– deploy  Skipped"],
    "examples/pools/README.md": ["✔ alarm", "warehouse   2"],
    "examples/weather-umbrella/README.md": ["– deploy  Skipped"],
}
"""What stands in the answers when all went well."""


def test_every_block_of_commands_has_its_place() -> None:
    assert {(block.file, block.heading) for block in blocks()} == PLACES.keys()
    assert EXPECTED.keys() == set(PAGES)


@pytest.mark.parametrize("block", [one for one in blocks() if one.place is Place.CI], ids=lambda block: block.file)
def test_the_gate_runs_what_makes_the_environment(block: Block) -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [command for command in block.commands if not any(line.startswith(command) for line in gate)] == []


NOT_TYPED = [one for one in blocks() if one.place in (Place.READER, Place.CHART)]


@pytest.mark.parametrize("block", NOT_TYPED, ids=lambda block: f"{block.file}: {block.heading}")
def test_what_is_not_typed_here_is_shell_and_names_files_that_are_there(block: Block) -> None:
    assert subprocess.run(["bash", "-n", "-c", block.text], check=False, capture_output=True).stderr == b""
    named = re.findall(r"\bexamples/[\w./-]*", block.text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def typed(page: str) -> subprocess.CompletedProcess[str]:
    """Type a page's commands in a working tree, whose development cluster has a state directory of its own."""
    found = [block.text for block in blocks() if block.file == page and block.place is Place.DEV]
    if page.startswith("examples/") and page != "examples/README.md":
        # They ask for the environment that their common page makes.
        found = [block.text for block in blocks() if block.file == "examples/README.md"] + found
    elif page.startswith("docs/"):
        found = ['export PATH="$PWD/.venv/bin:$PATH"\n', *found]
    with tempfile.TemporaryDirectory(prefix="readme-") as directory:
        state = Path(directory) / "state"
        try:
            return run("".join(found), checkout(Path(directory)), XDG_STATE_HOME=str(state))
        finally:
            stop = [str(WINDLASS), "dev", "stop", "--state", str(state / "windlass" / "dev")]
            subprocess.run(stop, check=False, capture_output=True)


Typed = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest) -> Iterator[Typed]:
    """Waits for the end of a page's commands, of all pages that are chosen."""
    with side_by_side({page: partial(typed, page) for page in chosen(request, "page")}, AT_ONCE) as waits:
        yield waits


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(ended: Typed, page: str) -> None:
    done = ended(page)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [words for words in EXPECTED[page] if words not in done.stdout] == [], done.stdout


def test_the_first_workflow_is_the_example() -> None:
    example = (ROOT / "examples" / "hello" / "workflow.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{example}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")
