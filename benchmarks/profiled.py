"""`python profiled.py OUT windlass-arguments…`: runs the command under cProfile and writes what it found to OUT.

What kopf's thread does goes to OUT with `.kopf` behind it.
"""

from __future__ import annotations

import cProfile
import sys

from windlass.cli.main import main
from windlass.controller.watching import Watching


def watch_profiled(out: str) -> None:
    """Have the thread that watches profiled too: a profile sees its own thread alone."""
    run = Watching._run

    def profiled(watching: Watching) -> None:
        profile = cProfile.Profile()
        try:
            profile.runcall(run, watching)
        finally:
            profile.dump_stats(out)

    Watching._run = profiled  # type: ignore[method-assign]  # of this process alone


if __name__ == "__main__":
    file = sys.argv.pop(1)
    watch_profiled(f"{file}.kopf")
    whole = cProfile.Profile()
    try:
        whole.runcall(main)
    finally:
        whole.dump_stats(file)
