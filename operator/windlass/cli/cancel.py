"""`windlass cancel`."""

from __future__ import annotations

from typing import Any

import click

from windlass.cli import following, runs
from windlass.cli.asking import Asked, ask
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.output import run_name
from windlass.cli.switching import reference, run_in, switch
from windlass.errors import Forbidden
from windlass.resources import RUNS


@click.command("cancel")
@click.argument("run")
@click.option("--terminate", is_flag=True, help="Don't run the `finally` tasks either.")
@click.option("--reason", help="Why; the run's history says who has cancelled it, and this.")
@with_cluster
async def command(cluster: Cluster, run: str, terminate: bool, reason: str | None) -> int:
    """Stop a run: what runs is ended, and its `finally` tasks still run. RUN may be @latest.

    Of backfill/NAME the active runs are cancelled, and no more are made.
    """
    if (which := reference(run)) is not None:
        if terminate:
            raise click.UsageError("--terminate is for runs: leave it out")
        if reason is not None:
            raise click.UsageError("--reason is for runs: leave it out")
        return await switch(cluster, "Cancel", which)
    run = run_in(run)
    found = await runs.read_run(cluster, run)
    name = found["metadata"]["name"]
    if following.phase(found) in following.ENDED:
        click.echo(f"windlass: the run {name} has ended already: {following.phase(found)}", err=True)
        return 0
    stop = "Terminate" if terminate else "Cancel"
    said = _asked(found)
    if said in (stop, "Terminate"):
        click.echo(f"{run_name(name)} is being {'terminated' if said == 'Terminate' else 'cancelled'} already")
        return 0
    if reason is not None or found["spec"].get("stop") in (stop, "Terminate"):
        # A spec can't tell a reason, nor say a second time what a retry has left behind.
        return await ask(cluster, Asked(verb=stop, run=name, reason=reason))
    try:
        await cluster.client.patch(RUNS, cluster.namespace, name, {"spec": {"stop": stop}})
    except Forbidden:
        # Who may not change runs may have the right to this action.
        return await ask(cluster, Asked(verb=stop, run=name))
    click.echo(f"{run_name(name)} {'terminated' if terminate else 'cancelled'}")
    return 0


def _asked(run: dict[str, Any]) -> str | None:
    """How the run is being stopped, by its spec or an action; None: it is not."""
    orders = (run.get("status") or {}).get("orders") or {}
    by_spec = run["spec"].get("stop")
    if by_spec is not None and by_spec in (orders.get("stopOver"), "Cancel" if orders.get("stopOver") else None):
        by_spec = None
    asked = {by_spec, orders.get("stop")}
    return next((stop for stop in ("Terminate", "Cancel") if stop in asked), None)
