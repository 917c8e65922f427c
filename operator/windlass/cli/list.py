"""`windlass list`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from windlass.cli import following, runs, times
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.output import Format, format_option, objects, one_line, plain, table
from windlass.resources import POOLS, RUNS, WORKFLOWS

Body = dict[str, Any]

PHASES: Final = ("Pending", "Queued", "Running", "Suspended", "Succeeded", "Failed", "Cancelled", "Refused")


class _What(click.Choice[str]):
    """Takes one of them for all, as kubectl does."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(f"{value}s" if f"{value}s" in self.choices else value, param, ctx)


@click.command("list")
@click.argument("what", type=_What(["runs", "workflows", "pools"]), default="runs")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@click.option("--workflow", help="Only runs of this Workflow.")
@click.option(
    "--phase", "phases", multiple=True, type=click.Choice(PHASES, case_sensitive=False), help="Only runs in it."
)
@click.option("-l", "--selector", default="", help="Only objects with these labels.")
@format_option(Format.JSON, Format.YAML, Format.NAME, Format.WIDE)
@with_cluster
async def command(
    cluster: Cluster,
    what: str,
    all_namespaces: bool,
    workflow: str | None,
    phases: tuple[str, ...],
    selector: str,
    output: Format | None,
) -> int:
    """List runs, the newest first, Workflows with their schedules, or Pools with who is next."""
    namespace = None if all_namespaces else cluster.namespace
    if what != "runs" and (workflow or phases):
        raise click.UsageError("--workflow and --phase choose runs: leave them out, or list runs")
    if what == "pools":
        found = await cluster.client.list_all(POOLS, namespace, label_selector=selector)
        found.sort(key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"]))
        header, rows = _pool_rows(found, times.now())
    elif what == "workflows":
        found = await cluster.client.list_all(WORKFLOWS, namespace, label_selector=selector)
        found.sort(key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"]))
        header, rows = _workflow_rows(found, times.now(), wide=output is Format.WIDE)
    else:
        found = await cluster.client.list_all(RUNS, namespace, label_selector=selector)
        found = [run for run in found if workflow in (None, runs.workflow_of(run))]
        found = [run for run in found if not phases or following.phase(run) in phases]
        found.sort(key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]), reverse=True)
        header, rows = _run_rows(found, times.now(), wide=output is Format.WIDE)
    if output not in (None, Format.WIDE):
        click.echo(objects(found, output, as_list=True))
    elif not found:
        where = "any namespace" if namespace is None else f"the namespace {namespace}"
        click.echo(f"there are no {what} in {where}", err=True)
    else:
        if all_namespaces:
            header = ["NAMESPACE", *header]
            rows = [[item["metadata"]["namespace"], *row] for item, row in zip(found, rows, strict=True)]
        click.echo(table(header, rows))
    return 0


def _run_rows(found: list[Body], at: datetime, *, wide: bool) -> tuple[list[str], list[list[str]]]:
    header = ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "AGE", "DURATION", *(["MESSAGE"] if wide else [])]
    rows = []
    for run in found:
        status = run.get("status") or {}
        lasted = status.get("duration") or times.between(status.get("startedAt"), status.get("finishedAt"), at)
        row = [
            run["metadata"]["name"],
            runs.workflow_of(run),
            following.phase(run),
            status.get("progress") or "-",
            times.age(run["metadata"]["creationTimestamp"], at),
            lasted or "-",
        ]
        rows.append([*row, one_line(status.get("message") or "")] if wide else row)
    return header, rows


def _workflow_rows(found: list[Body], at: datetime, *, wide: bool) -> tuple[list[str], list[list[str]]]:
    header = ["NAME", "SCHEDULE", "ZONE", "SUSPENDED", "LAST SLOT", "NEXT SLOT", "ACTIVE", "OWNER", "AGE"]
    rows = []
    for item in found:
        spec, status = item["spec"], item.get("status") or {}
        schedule = spec.get("schedule") or {}
        row = [
            item["metadata"]["name"],
            _when(schedule),
            schedule.get("timeZone") or "UTC" if schedule.get("cron") else "-",
            ("yes" if schedule.get("suspend") else "no") if schedule else "-",
            status.get("lastSlot") or "-",
            status.get("nextSlot") or "-",
            str(status.get("activeRuns", "-")),
            spec.get("owner") or "-",
            times.age(item["metadata"]["creationTimestamp"], at),
        ]
        more = [
            str(status.get("queuedRuns", "-")),
            str(status.get("missed", "-")),
            str(len(spec.get("tasks") or [])),
            one_line(status.get("waitingFor") or status.get("message") or "") or "-",
            one_line(spec.get("description") or "")[:60],
        ]
        rows.append([*row, *more] if wide else row)
    return [*header, *(["QUEUED", "MISSED", "TASKS", "MESSAGE", "DESCRIPTION"] if wide else [])], rows


def _when(schedule: Body) -> str:
    """When a Workflow runs by itself, as its schedule says it."""
    cron, after = schedule.get("cron"), schedule.get("after") or {}
    if cron:
        return one_line(cron if isinstance(cron, str) else ", ".join(map(str, cron)))
    told = [
        str(source.get("asset") or source.get("workflow"))
        for source in (*(after.get("all") or ()), *(after.get("any") or ()))
    ]
    return one_line(f"after {(' and ' if after.get('all') else ' or ').join(told)}") if told else "-"


def _pool_rows(found: list[Body], at: datetime) -> tuple[list[str], list[list[str]]]:
    rows = []
    for item in found:
        status = item.get("status") or {}
        first = next(iter(status.get("next") or []), None)
        told = f"{first['run']}/{first['task']}, for {times.age(first['since'], at)}" if first is not None else "-"
        figures = [str(status[key]) if key in status else "-" for key in ("used", "free", "waiting")]
        rows.append([item["metadata"]["name"], str(item["spec"].get("slots", "-")), *figures, plain(told)])
    return ["NAME", "SLOTS", "USED", "FREE", "WAITING", "NEXT"], rows
