"""The commands that the READMEs tell people to type, and where the tests type them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 240.0


class Place(Enum):
    """Who runs a block of commands."""

    CI = "the gate, .ci/run: it makes the environment that the tests run in"
    DEV = "tests/scenarios/test_readme.py, on the development cluster"
    CLUSTER = "tests/cluster/test_readme.py, on a real one"
    READER = "nobody but the reader: it names databases, registries or repositories of theirs"
    STORY = "tests/cluster/test_end_to_end.py, on a real one, from the chart's installation to its end"
    CHART = (
        "tests/cluster/test_chart_install.py makes the same steps on a real cluster; tests/unit/chart reads the guides"
    )


PLACES: dict[tuple[str, str], Place] = {
    ("README.md", "Windlass"): Place.CI,
    ("README.md", "A first workflow"): Place.DEV,
    ("README.md", "On a cluster"): Place.CLUSTER,
    ("docs/actions.md", "Acting on a run"): Place.READER,
    ("docs/backfill.md", "On the command line"): Place.READER,
    ("docs/branching.md", "A part of the tasks"): Place.READER,
    ("docs/dev-cluster.md", "The development cluster"): Place.DEV,
    ("docs/install-eks.md", "1. The image in a private ECR"): Place.READER,
    ("docs/install-eks.md", "2. The chart"): Place.CHART,
    ("docs/install-eks.md", "3. Rights in AWS for tasks (IRSA)"): Place.READER,
    ("docs/install-kind.md", "1. A cluster"): Place.READER,
    ("docs/install-kind.md", "2. The image"): Place.READER,
    ("docs/install-kind.md", "3. The chart"): Place.STORY,
    ("docs/install-kind.md", "4. Does it work?"): Place.STORY,
    ("docs/install-kind.md", "5. Remove it"): Place.CHART,
    ("docs/testing-workflows.md", "On the command line"): Place.DEV,
    ("docs/upgrade.md", "Upgrade"): Place.STORY,
    ("docs/upgrade.md", "Definitions by hand"): Place.STORY,
    ("docs/upgrade.md", "Back"): Place.READER,
    ("docs/upgrade.md", "Uninstall"): Place.STORY,
    ("docs/upgrade.md", "By hand"): Place.READER,
    ("examples/README.md", "Examples"): Place.DEV,
    ("examples/approval/README.md", "Run it"): Place.DEV,
    ("examples/backfill/README.md", "Run it"): Place.DEV,
    ("examples/business-days/README.md", "When does it run?"): Place.DEV,
    ("examples/business-days/README.md", "Run it"): Place.DEV,
    ("examples/daily-kst/README.md", "When does it run?"): Place.DEV,
    ("examples/daily-kst/README.md", "Run it"): Place.DEV,
    ("examples/follow/README.md", "Run it"): Place.DEV,
    ("examples/follow/README.md", "Run it with kubectl alone"): Place.CLUSTER,
    ("examples/backfill/README.md", "Run it with kubectl alone"): Place.CLUSTER,
    ("examples/daily-sales-etl/README.md", "Run it on the development cluster"): Place.DEV,
    ("examples/daily-sales-etl/README.md", "Run it on a cluster"): Place.READER,
    ("examples/emr-like/README.md", "Run it"): Place.DEV,
    ("examples/fan-out/README.md", "Run it"): Place.DEV,
    ("examples/hello/README.md", "Run it"): Place.DEV,
    ("examples/hello/README.md", "Run it with kubectl alone"): Place.CLUSTER,
    ("examples/ml-pipeline/README.md", "Run it"): Place.DEV,
    ("examples/ml-pipeline/README.md", "Try it without a cluster"): Place.DEV,
    ("examples/pools/README.md", "Run it"): Place.DEV,
    ("examples/sales-report/README.md", "Run it on the development cluster"): Place.CI,
    ("examples/sales-report/README.md", "Run it on a cluster"): Place.READER,
    ("examples/weather-umbrella/README.md", "Run it on the development cluster"): Place.DEV,
    ("examples/weather-umbrella/README.md", "Run it on a cluster"): Place.READER,
}
"""By file and heading. A block that is not here fails a test."""


@dataclass(frozen=True)
class Block:
    """Commands, and the heading that they stand under."""

    file: str
    heading: str
    text: str

    @property
    def place(self) -> Place:
        return PLACES[self.file, self.heading]

    @property
    def commands(self) -> list[str]:
        """The lines without what is said of them."""
        return [line.partition("  #")[0].strip() for line in self.text.splitlines() if line.strip()]


def blocks() -> list[Block]:
    """The blocks of commands of all pages that are for users."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("README.md"))]
    return [block for page in pages for block in blocks_of(page)]


def blocks_of(page: Path) -> list[Block]:
    """The blocks of commands of a page: what is fenced as `sh`."""
    found: list[Block] = []
    heading, kept, inside = "", [""], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if inside:
            if text.startswith("```"):
                if inside == "sh":
                    found.append(Block(str(page.relative_to(ROOT)), heading, "\n".join(kept) + "\n"))
                inside = ""
            else:
                kept.append(text if line.startswith("   ") and inside == "sh" else line)
        elif text.startswith("```"):
            inside, kept = text[3:] or "text", []
        elif text.startswith("#"):
            heading = text.lstrip("# ")
    return found


def checkout(directory: Path) -> Path:
    """A working tree for commands of the READMEs, with the environment of these tests as its `.venv`."""
    tree = directory / "windlass"
    tree.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (tree / entry.name).symlink_to(entry)
    (tree / ".venv").symlink_to(sys.prefix)
    return tree


def run(script: str, tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type the commands into a shell, which ends with the first one that fails."""
    env = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "VIRTUAL_ENV")}
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=tree,
        env={**env, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
    )
