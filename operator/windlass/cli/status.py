"""`windlass status`."""

from __future__ import annotations

import click

from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import OK
from windlass.cli.following import verdict
from windlass.cli.output import Format, format_option, objects
from windlass.cli.runs import read_run


@click.command("status")
@click.argument("run")
@click.option("-w", "--watch", is_flag=True, help="Go on until the run has ended; exit 1 when it didn't succeed.")
@format_option(Format.JSON, Format.YAML, Format.NAME)
@with_cluster
async def command(cluster: Cluster, run: str, watch: bool, output: Format | None) -> int:
    """Show how a run is doing, task by task. RUN may be @latest."""
    found = await read_run(cluster, run)
    if watch:
        from windlass.cli.watching import await_run, watch_run

        found = await (watch_run if output is None else await_run)(cluster, found["metadata"]["name"])
    if output is not None:
        click.echo(objects([found], output, as_list=False))
    elif not watch:
        from windlass.cli import times, tree

        tree.console().print(tree.render(found, times.now()))
    return verdict(found) if watch else OK
