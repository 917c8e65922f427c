"""`python -m windlass.models.generate`: write what is made from the models, `crds/` and the API reference.

With `--check` nothing is written, and the exit code is 1 when a file is not what the models say.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from windlass.models import crd, reference


def generated() -> dict[str, str]:
    """What the generated files should hold, by their path in the repository."""
    files = {f"crds/{plural}.yaml": crd.to_yaml(definition) for plural, definition in crd.definitions().items()}
    return {**files, "docs/api-reference.md": reference.render()}


def drifted(root: Path) -> list[str]:
    """The paths of the files under `root` that are not as the models say."""
    return [path for path, text in generated().items() if _read(root / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m windlass.models.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (the current directory)")
    options = parser.parse_args(arguments)
    stale = drifted(options.root)
    if options.check:
        for path in stale:
            sys.stderr.write(f"{path} is not what the models say: run python -m windlass.models.generate\n")
        return 1 if stale else 0
    for path in stale:
        (options.root / path).parent.mkdir(parents=True, exist_ok=True)
        (options.root / path).write_text(generated()[path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
