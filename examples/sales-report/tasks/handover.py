"""What a task hands on: rows through the run's workspace, figures through its outputs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

Row = dict[str, Any]


def give_up(message: str, code: int = 1) -> NoReturn:
    """End the task with a message. Its last lines become the attempt's message in the run's status."""
    print(message, file=sys.stderr)
    raise SystemExit(code)


def setting(name: str) -> str:
    """An environment variable that the task can't do without."""
    value = os.environ.get(name, "")
    if not value:
        give_up(f"{name} is not set: see the env of this task in workflow.yaml", code=2)
    return value


def workspace() -> Path:
    """The directory that all tasks of the run share."""
    return Path(setting("WINDLASS_WORKSPACE"))


def write_text(name: str, text: str) -> Path:
    """Write a file of the workspace. A reader, or a second attempt, never meets half of it."""
    path = workspace() / name
    draft = path.with_name(f".{name}.draft")
    draft.write_text(text, encoding="utf-8")
    return draft.replace(path)


def write_rows(name: str, rows: Sequence[Row]) -> Path:
    """Write rows to `<name>.json` of the workspace."""
    return write_text(f"{name}.json", json.dumps(rows, indent=1, default=str))


def read_rows(name: str) -> list[Row]:
    """Read the rows that an earlier task wrote."""
    rows: list[Row] = json.loads((workspace() / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def write_outputs(values: Mapping[str, Any]) -> None:
    """Write the task's outputs: in place, since the file is a mount and can't be replaced by another."""
    Path(setting("WINDLASS_OUTPUTS")).write_text(json.dumps(values), encoding="utf-8")
