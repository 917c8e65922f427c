"""`python profiled.py OUT windlass-arguments…`: runs the command under cProfile and writes what it found to OUT."""

from __future__ import annotations

import cProfile
import sys

from windlass.cli.main import main

if __name__ == "__main__":
    out = sys.argv.pop(1)
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    finally:
        profile.dump_stats(out)
