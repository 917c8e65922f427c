"""What a task hands on: files in the run's workspace, figures and the files' names as outputs."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def workspace_file(name: str) -> Path:
    """A file of the directory that all tasks of the run share."""
    return Path(os.environ["WINDLASS_WORKSPACE"]) / name


def write_outputs(values: Mapping[str, Any]) -> None:
    """Write the task's outputs: in place, since the file is a mount and can't be replaced by another."""
    Path(os.environ["WINDLASS_OUTPUTS"]).write_text(json.dumps(values), encoding="utf-8")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file. A reader, or a second attempt, never meets half of it."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
