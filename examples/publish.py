"""Try an example, or your changes to it, without a git server: commit it to a repository of its own on this machine,
and print its manifest with that repository as the source.

    python examples/publish.py examples/weather-umbrella | windlass run -f - --watch

For the development cluster that KUBECONFIG points at: the repository goes to the directory that its pods see. Git must
be installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

UPSTREAM = "https://github.com/windlass/windlass.git"
ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (
    *("-c", "user.name=windlass", "-c", "user.email=windlass@localhost"),
    *("-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false"),
    *("-c", "core.excludesFile=/dev/null"),
)


def git(*arguments: str, good: tuple[int, ...] = (0,)) -> int:
    """Run git, and return its exit code."""
    # A hook that calls this exports the repository of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *SETTINGS, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in good:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.returncode


def commit(example: Path, repository: Path) -> None:
    """Bring the branch `main` of the repository to what the example is now, at the same path as in the project."""
    if not repository.exists():
        repository.parent.mkdir(parents=True, exist_ok=True)
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(repository))
    there = (f"--git-dir={repository}", f"--work-tree={ROOT}")
    git(*there, "add", "--all", "--", str(example.relative_to(ROOT)))
    if git(*there, "diff", "--cached", "--quiet", good=(0, 1)):
        git(*there, "commit", "--quiet", "-m", f"Publish {example.name}")


def publish(example: Path, directory: Path) -> str:
    """Commit the example to `<directory>/<example>.git`; return its manifest with that repository as the source."""
    example = example.resolve()
    manifest = (example / "workflow.yaml").read_text(encoding="utf-8")
    if UPSTREAM not in manifest:
        return manifest
    repository = directory.resolve() / f"{example.name}.git"
    commit(example, repository)
    return manifest.replace(UPSTREAM, repository.as_uri())


def shared_directory() -> Path:
    """The directory that all pods of the development cluster see, which stands beside its kubeconfig."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    shared = Path(kubeconfig).resolve().parent / "shared"
    if not kubeconfig or not shared.is_dir():
        raise ValueError(
            "KUBECONFIG is not that of a running development cluster: export KUBECONFIG=$(windlass dev --detach)"
        )
    return shared / "source"


def main() -> int:
    """Publish the example that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", type=Path, help="the directory of an example")
    parser.add_argument("--to", type=Path, help="the directory for the repositories, if it is to be another")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(publish(arguments.example, arguments.to or shared_directory()))
    except (OSError, RuntimeError, ValueError) as error:
        print(f"can't publish {arguments.example}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
