"""`windlass trigger`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from windlass.cli import following, times
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import FAILED, OK
from windlass.cli.output import Format, format_option, objects, run_name
from windlass.cli.starting import read_workflow, run_of, start, watch_all
from windlass.errors import Forbidden
from windlass.resources import RUNS

Body = dict[str, Any]

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@click.command("trigger")
@click.argument("workflow")
@click.option(
    "--date",
    metavar="INSTANT|DAY",
    help="The logical date, such as 2025-04-01T17:00:00Z; a day alone begins in the schedule's time zone.",
)
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the run.")
@click.option("--name", help="The run's name; by default the Workflow's and five random characters.")
@click.option("-w", "--wait", is_flag=True, help="Wait until the run has ended; exit 1 when it didn't succeed.")
@click.option("--follow", is_flag=True, help="Show the run until it has ended; exit 1 when it didn't succeed.")
@format_option(Format.JSON, Format.YAML, Format.NAME)
@with_cluster
async def command(
    cluster: Cluster,
    workflow: str,
    date: str | None,
    params: tuple[str, ...],
    name: str | None,
    wait: bool,
    follow: bool,
    output: Format | None,
) -> int:
    """Start a run of WORKFLOW by hand, at a logical date.

    A run by hand takes no slot of the schedule: the slot of that date still fires. A run of the same date that is there
    already is told, and stays.
    """
    logical_date = None if date is None else await _logical_date(cluster, workflow, date)
    run = await start(cluster, run_of(workflow), params, name, logical_date)
    if output is None:
        click.echo(f"{run_name(run['metadata']['name'])} created")
    ended = await watch_all(cluster, [run], shown=follow and output is None) if wait or follow else []
    if output is not None:
        click.echo(objects(ended or [run], output, as_list=False))
    elif ended and not follow:
        click.echo(f"{run_name(run['metadata']['name'])} {following.phase(ended[0]).lower()}")
    return FAILED if any(map(following.verdict, ended)) else OK


async def _logical_date(cluster: Cluster, workflow: str, text: str) -> str:
    """The moment as a run says it, once those who have it already are told."""
    from windlass.models.common import format_time

    moment = await _moment(cluster, workflow, text)
    async for run in _runs_at(cluster, workflow, moment):
        told = f"{run['metadata']['name']} ({following.phase(run)})"
        click.echo(f"warning: there is a run of {workflow} for {format_time(moment)} already: {told}", err=True)
    return format_time(moment)


async def _moment(cluster: Cluster, workflow: str, text: str) -> datetime:
    """The instant that is meant."""
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=await _zone(cluster, workflow)).astimezone(UTC)
        moment = times.parse(text)
    except ValueError:
        moment = None
    if moment is None:
        raise click.UsageError(f"--date {text!r} is no date: write 2025-04-01T17:00:00Z, or 2025-04-01")
    if moment.tzinfo is None:
        raise click.UsageError(f"--date {text} has no time zone: write {text}Z for UTC")
    return moment.astimezone(UTC)


async def _zone(cluster: Cluster, workflow: str) -> ZoneInfo:
    """The time zone of the Workflow's schedule; UTC without one, or where the Workflow may not be read."""
    try:
        found = await read_workflow(cluster, cluster.namespace, workflow)
    except Forbidden:
        click.echo(f"warning: you may not read the Workflow {workflow}: the day is taken as one of UTC", err=True)
        return ZoneInfo("UTC")
    zone = (found["spec"].get("schedule") or {}).get("timeZone") or "UTC"
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError):
        raise click.UsageError(f"the Workflow's time zone {zone} is unknown here: write an instant, with Z") from None


async def _runs_at(cluster: Cluster, workflow: str, moment: datetime) -> AsyncIterator[Body]:
    """The Workflow's runs that are about this moment. Nothing where runs may not be listed."""
    try:
        async for page in cluster.client.pages(RUNS, cluster.namespace):
            for run in page:
                spec = run.get("spec") or {}
                if spec.get("workflow") == workflow and _is_at(spec.get("logicalDate"), moment):
                    yield run
    except Forbidden:
        return


def _is_at(text: str | None, moment: datetime) -> bool:
    try:
        return times.parse(text) == moment
    except ValueError:
        return False
