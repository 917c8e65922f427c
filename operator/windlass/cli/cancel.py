"""`windlass cancel`."""

from __future__ import annotations

import click

from windlass.cli import runs
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.output import run_name
from windlass.resources import RUNS


@click.command("cancel")
@click.argument("run")
@click.option("--terminate", is_flag=True, help="Don't run the `finally` tasks either.")
@with_cluster
async def command(cluster: Cluster, run: str, terminate: bool) -> int:
    """Stop a run: what runs is ended, and its `finally` tasks still run. RUN may be @latest."""
    found = await runs.read_run(cluster, run)
    name = found["metadata"]["name"]
    if runs.phase(found) in runs.ENDED:
        click.echo(f"windlass: the run {name} has ended already: {runs.phase(found)}", err=True)
        return 0
    stop = "Terminate" if terminate else "Cancel"
    said = found["spec"].get("stop")
    if said in (stop, "Terminate"):
        click.echo(f"{run_name(name)} is being {'terminated' if said == 'Terminate' else 'cancelled'} already")
        return 0
    await cluster.client.patch(RUNS, cluster.namespace, name, {"spec": {"stop": stop}})
    click.echo(f"{run_name(name)} {'terminated' if terminate else 'cancelled'}")
    return 0
