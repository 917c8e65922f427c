"""Deploy the model: put it beside the earlier ones, prove that it can be read, and let `current` point to it.

Whoever predicts reads `<models>/current/model.json`; the switch is one rename, so there is always a whole model.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from handover import workspace_file, write_outputs
from model import Model

RAINY_SATURDAY = {"rain": 12.0, "temperature": 9.0, "weekend": 1.0}
DRY_MONDAY = {"rain": 0.0, "temperature": 21.0, "weekend": 0.0}


def install(models: Path, version: str, text: str) -> Model:
    """Write the model as `version` and return what a reader of that file gets."""
    directory = models / version
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.json").write_text(text, encoding="utf-8")
    return Model.from_json((directory / "model.json").read_text(encoding="utf-8"))


def switch(models: Path, version: str) -> str | None:
    """Let `current` point to the version; return the one that it pointed to."""
    link, draft = models / "current", models / f".current-{version}"
    before = link.readlink().name if link.is_symlink() else None
    draft.unlink(missing_ok=True)
    draft.symlink_to(version)
    draft.replace(link)
    return before


def main() -> None:
    """Deploy the workspace's model to the directory that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", required=True, type=Path, help="the directory of all deployed models")
    arguments = parser.parse_args()
    version = os.environ["WINDLASS_RUN"]
    model = install(arguments.models, version, workspace_file("model.json").read_text(encoding="utf-8"))
    wet, dry = (model.predict([day[name] for name in model.features]) for day in (RAINY_SATURDAY, DRY_MONDAY))
    if wet <= dry:
        raise SystemExit(f"not deployed: it sells {dry:.1f} umbrellas on a dry Monday, {wet:.1f} on a rainy Saturday")
    before = switch(arguments.models, version)
    write_outputs({"version": version, "before": before, "rainySaturday": round(wet), "dryMonday": round(dry)})
    print(
        f"{version} is current (before: {before}); a rainy Saturday sells {wet:.0f} umbrellas, a dry Monday {dry:.0f}"
    )


if __name__ == "__main__":
    main()
