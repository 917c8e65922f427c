"""`windlass backfill`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from windlass.cli import backfilling, following
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import OK, Failure
from windlass.cli.output import Format, format_option, objects, table
from windlass.cli.starting import read_workflow
from windlass.errors import AlreadyExists, ApiError, Forbidden
from windlass.names import API_VERSION, GROUP
from windlass.resources import BACKFILLS

Body = dict[str, Any]


@click.command("backfill")
@click.argument("workflow")
@click.option("--from", "first", required=True, metavar="DAY|INSTANT", help="The first logical date.")
@click.option("--to", "last", required=True, metavar="DAY|INSTANT", help="The last one, itself included.")
@click.option("--order", type=click.Choice(["oldest", "newest"], case_sensitive=False), help="Which slot comes first.")
@click.option(
    "--reprocess",
    type=click.Choice(["none", "failed", "all"], case_sensitive=False),
    help="Which slots that have a run already are run once more; none by default.",
)
@click.option("--max-active", type=int, metavar="N", help="How many of its runs may be active at once; 1 by default.")
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the runs.")
@click.option("--priority", type=int, metavar="N", help="The runs' priority; -10 by default, below the schedule's.")
@click.option("--stop-after", type=int, metavar="N", help="Make no more runs after so many have failed.")
@click.option("--dry-run", is_flag=True, help="Only show the slots, and what would become of each.")
@click.option("--name", help="The backfill's name; by default the Workflow's and five random characters.")
@click.option("-d", "--detach", is_flag=True, help="Don't show its progress: it goes on in the cluster.")
@format_option(Format.JSON, Format.YAML, Format.NAME)
@with_cluster
async def command(
    cluster: Cluster,
    workflow: str,
    params: tuple[str, ...],
    name: str | None,
    detach: bool,
    output: Format | None,
    **given: Any,
) -> int:
    """Run WORKFLOW for every slot of its schedule in a past range, and show the progress.

    A day such as 2025-04-01 is one of the schedule's time zone, and all of it counts. The backfill goes on in the
    cluster when this command is interrupted.

    \b
    Exit codes: 0 when all runs succeeded, 1 when the backfill ended otherwise.
    """
    body = _manifest(cluster, workflow, name, await _spec(cluster, workflow, params, **given))
    _check(body)
    try:
        made = await cluster.client.create(BACKFILLS, body)
    except AlreadyExists:
        raise Failure(
            f"there is a backfill {name} already: give another --name, or delete it "
            f"(kubectl delete backfills.{GROUP} {name})"
        ) from None
    if given["dry_run"]:
        return await _dry(cluster, made, output)
    if output is None:
        click.echo(f"{backfilling.backfill_name(made['metadata']['name'])} created")
    if detach:
        if output is not None:
            click.echo(objects([made], output, as_list=False))
        return OK
    show = backfilling.watch if output is None else backfilling.wait
    ended = await show(cluster, made["metadata"]["name"])
    click.echo(backfilling.told_at_end(ended) if output is None else objects([ended], output, as_list=False))
    return following.verdict(ended)


async def _spec(
    cluster: Cluster,
    workflow: str,
    params: tuple[str, ...],
    *,
    first: str,
    last: str,
    order: str | None,
    reprocess: str | None,
    max_active: int | None,
    priority: int | None,
    stop_after: int | None,
    dry_run: bool,
) -> Body:
    """The spec that the options say; what they leave out is left to the API server."""
    said: Body = {
        "workflow": workflow,
        "from": first,
        "to": last,
        "order": order.capitalize() if order else None,
        "reprocess": reprocess.capitalize() if reprocess else None,
        "maxActiveRuns": max_active,
        "params": await _params(cluster, workflow, params) or None,
        "priority": priority,
        "stopAfterFailures": stop_after,
        "dryRun": dry_run or None,
    }
    return {field: value for field, value in said.items() if value is not None}


async def _params(cluster: Cluster, workflow: str, given: tuple[str, ...]) -> Body:
    from windlass.cli.params import parse

    try:
        schemas = (await read_workflow(cluster, cluster.namespace, workflow))["spec"].get("params") or {}
    except Forbidden:
        schemas = None
    return parse(given, schemas) if given else {}


def _manifest(cluster: Cluster, workflow: str, name: str | None, spec: Body) -> Body:
    named = {"name": name} if name is not None else {"generateName": f"{workflow}-"}
    metadata = {**named, "namespace": cluster.namespace}
    return {"apiVersion": API_VERSION, "kind": BACKFILLS.kind, "metadata": metadata, "spec": spec}


_OPTIONS = {
    "spec.from": "--from", "spec.to": "--to", "spec.maxActiveRuns": "--max-active", "spec.priority": "--priority",
    "spec.stopAfterFailures": "--stop-after", "metadata.name": "--name",
}  # fmt: skip


def _check(body: Body) -> None:
    """Say at once what the API server would refuse, by the option that said it."""
    from windlass.models.parse import check

    found = check(body)
    if found:
        told = [f"{_OPTIONS.get(one.where, one.where)}: {one.message}" for one in found]
        raise click.UsageError("; ".join(told))


def _local(slot: str, zone: str) -> str:
    """A slot as the clocks of its zone show it; as it is, where this machine knows no such zone."""
    from zoneinfo import ZoneInfo

    try:
        return f"{datetime.fromisoformat(slot).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"
    except (OSError, ValueError):
        return slot


async def _dry(cluster: Cluster, made: Body, output: Format | None) -> int:
    """Show what would become of each slot; nothing stays in the cluster."""
    name = made["metadata"]["name"]
    try:
        ended = await backfilling.wait(cluster, name)
    finally:
        try:
            await cluster.client.delete(BACKFILLS, made["metadata"]["namespace"], name)
        except ApiError as error:
            click.echo(f"warning: the backfill {name} of the dry run stays: {error.message}", err=True)
    if output is not None:
        click.echo(objects([ended], output, as_list=False))
        return following.verdict(ended)
    status = ended.get("status") or {}
    slots = status.get("slots") or []
    if slots:
        zone = (status.get("schedule") or {}).get("timeZone") or "UTC"
        rows = [[slot["slot"], _local(slot["slot"], zone), slot["action"], slot["run"]] for slot in slots]
        click.echo(table(["SLOT", zone.upper(), "ACTION", "RUN"], rows))
    click.echo(status.get("message") or following.phase(ended), err=following.verdict(ended) != OK)
    return following.verdict(ended)
