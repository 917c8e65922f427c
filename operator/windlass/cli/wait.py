"""`windlass wait`."""

from __future__ import annotations

import asyncio
from typing import Final

import click

from windlass.cli import following, runs
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import FAILED, OK, TIMED_OUT, Failure
from windlass.cli.lengths import Length
from windlass.cli.output import one_line, run_name

ANY_END: Final = "Ended"
PHASES: Final = (ANY_END, "Queued", "Running", "Suspended", "Succeeded", "Failed", "Cancelled", "Refused")


@click.command("wait")
@click.argument("run")
@click.option(
    "--for",
    "wanted",
    type=click.Choice(PHASES, case_sensitive=False),
    default=ANY_END,
    show_default=True,
    help="The phase to wait for. With Ended: any end, and exit 1 when that is not Succeeded.",
)
@click.option("--timeout", "at_most", type=Length(), help="How long to wait at most, such as 5m; then exit 124.")
@with_cluster
async def command(cluster: Cluster, run: str, wanted: str, at_most: float | None) -> int:
    """Wait until a run has ended, or has reached a phase. RUN may be @latest.

    \b
    Exit codes: 0 when it did, 1 when the run failed or ended otherwise, 124 when the time was over.
    """
    try:
        async with asyncio.timeout(at_most):
            return await _wait(cluster, run, wanted)
    except TimeoutError:
        found = await runs.read_run(cluster, run)
        raise Failure(
            f"the run {found['metadata']['name']} is still {following.phase(found)}: the time is over", TIMED_OUT
        ) from None


async def _wait(cluster: Cluster, name: str, wanted: str) -> int:
    async for run in runs.follow(cluster, name):
        phase = following.phase(run)
        if phase == wanted or (wanted == ANY_END and phase in following.ENDED):
            click.echo(f"{run_name(run['metadata']['name'])} {phase.lower()}")
            return OK if wanted != ANY_END else following.verdict(run)
        if phase in following.ENDED:
            message = (run.get("status") or {}).get("message")
            told = f": {one_line(message)}" if message else ""
            click.echo(f"windlass: the run {run['metadata']['name']} ended {phase}{told}", err=True)
            return FAILED
    return FAILED
