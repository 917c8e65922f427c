"""`python benchmarks/run.py [NAME…]`: runs benchmarks and prints their figures. README.md says what each one is."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from figures import as_result, load, machine, write_json

from cluster import Setting, kit

ON_A_CLUSTER: Final = ("requests", "chains10", "chains5", "burst", "wide", "foreach", "live", "takeover", "schedules")
ON_THIS_MACHINE: Final = ("plan", "foreach_plan", "slots", "pools", "waiting", "informer", "install", "dev")
NODES: Final = 4


def main() -> int:
    known = (*ON_A_CLUSTER, *ON_THIS_MACHINE)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which; all by default: {', '.join(known)}")
    parser.add_argument(
        "--kit", type=Path, help="the directory of a `kube` that starts a cluster; else KUBECONFIG is used"
    )
    parser.add_argument("--kit-state", type=Path, default=Path(tempfile.gettempdir()) / "windlass-bench-kube")
    parser.add_argument("--kit-port", type=int, default=16901)
    parser.add_argument("--scale", type=float, default=1.0, help="a smaller size, to try the benchmarks themselves")
    parser.add_argument("--json", type=Path, help="write the figures into this file too")
    parser.add_argument("--profile", type=Path, help="a directory for cProfile's findings on the controller")
    given = parser.parse_args()
    if unknown := set(given.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return asyncio.run(_run(given, given.names or known))


async def _run(given: argparse.Namespace, names: Sequence[str]) -> int:
    # Told to end, it still leaves the cluster as it was.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _this_task().cancel)
    print(", ".join(f"{key}: {value}" for key, value in machine().items()))
    results: dict[str, dict[str, Any]] = {}
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-bench-")))
        kubeconfig = Path(os.environ.get("KUBECONFIG", ""))
        if given.kit is not None and set(names) & set(ON_A_CLUSTER):
            kubeconfig = stack.enter_context(kit(given.kit, given.kit_state, given.kit_port, NODES))
        for name in names:
            if name in ON_A_CLUSTER and not kubeconfig.is_file():
                print(f"{name} needs a cluster: set KUBECONFIG or give --kit", file=sys.stderr)
                return 2
            setting = Setting(kubeconfig, given.scale, work, given.profile, name)
            before, began = load(), time.monotonic()
            figures = await importlib.import_module(f"cases.{name}").measure(setting)
            seconds = time.monotonic() - began
            print(f"\n{name} ({seconds:.0f} s, load before {before})", *(figure.line() for figure in figures), sep="\n")
            results[name] = as_result(figures, before, seconds)
            if given.json is not None:
                write_json(given.json, results)
    return int(any(figure["verdict"] == "MISSED" for result in results.values() for figure in result["figures"]))


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


if __name__ == "__main__":
    sys.exit(main())
