"""`python -m windlass.models.generate`: write what is made from the models, `crds/` and the API reference.

With `--check` nothing is written, and the exit code is 1 when a file is not what the models say. What else is made from
the code is written in the same way by `windlass.cli.docs`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from windlass.models import crd, reference

COMMAND = "python -m windlass.models.generate"


def generated() -> dict[str, str]:
    """What the generated files should hold, by their path in the repository."""
    files = {f"crds/{plural}.yaml": crd.to_yaml(definition) for plural, definition in crd.definitions().items()}
    return {**files, "docs/api-reference.md": reference.render()}


def drifted(files: Mapping[str, str], root: Path) -> list[str]:
    """The paths of those files under `root` that don't hold what they should."""
    return [path for path, text in files.items() if _read(root / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def write_or_check(files: Mapping[str, str], command: str, arguments: Sequence[str] | None) -> int:
    """What `command` does with the files that it makes; its exit code."""
    parser = argparse.ArgumentParser(prog=command, description="Write the files that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (the current directory)")
    options = parser.parse_args(arguments)
    stale = drifted(files, options.root)
    if options.check:
        for path in stale:
            sys.stderr.write(f"{path} is not what the code says: run {command}\n")
        return 1 if stale else 0
    for path in stale:
        (options.root / path).parent.mkdir(parents=True, exist_ok=True)
        (options.root / path).write_text(files[path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    return write_or_check(generated(), COMMAND, arguments)


if __name__ == "__main__":
    sys.exit(main())
