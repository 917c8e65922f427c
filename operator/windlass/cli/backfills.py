"""`windlass backfills`."""

from __future__ import annotations

from typing import Any

import click

from windlass.cli import following, times
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.output import Format, format_option, objects, one_line, table
from windlass.resources import BACKFILLS

Body = dict[str, Any]
HEADER = ["NAME", "WORKFLOW", "PHASE", "PROGRESS", "ACTIVE", "FAILED", "FROM", "TO", "AGE"]


@click.command("backfills")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@click.option("--workflow", help="Only those of this Workflow.")
@format_option(Format.JSON, Format.YAML, Format.NAME, Format.WIDE)
@with_cluster
async def command(cluster: Cluster, all_namespaces: bool, workflow: str | None, output: Format | None) -> int:
    """List backfills, the newest first."""
    namespace = None if all_namespaces else cluster.namespace
    found = await cluster.client.list_all(BACKFILLS, namespace)
    found = [item for item in found if workflow in (None, item["spec"].get("workflow"))]
    found.sort(key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]), reverse=True)
    if output not in (None, Format.WIDE):
        click.echo(objects(found, output, as_list=True))
    elif not found:
        where = "any namespace" if namespace is None else f"the namespace {namespace}"
        click.echo(f"there are no backfills in {where}", err=True)
    else:
        header = [*(["NAMESPACE"] if all_namespaces else []), *HEADER, *(["MESSAGE"] if output is Format.WIDE else [])]
        click.echo(table(header, [_row(item, all_namespaces, output is Format.WIDE) for item in found]))
    return 0


def _row(item: Body, with_namespace: bool, wide: bool) -> list[str]:
    status, spec = item.get("status") or {}, item["spec"]
    row = [
        item["metadata"]["name"],
        str(spec.get("workflow")),
        following.phase(item),
        status.get("progress") or "-",
        str(status.get("running") or 0),
        str(status.get("failed") or 0),
        str(spec.get("from")),
        str(spec.get("to")),
        times.age(item["metadata"]["creationTimestamp"], times.now()),
    ]
    namespace = [item["metadata"]["namespace"]] if with_namespace else []
    return [*namespace, *row, *([one_line(status.get("message") or "")] if wide else [])]
