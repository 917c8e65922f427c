"""Reading and following Backfills: one by its name, one as it changes, and what can be said of it without its model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import click

from windlass.cli import following, times, tree
from windlass.cli.cluster import Cluster
from windlass.cli.failures import Failure
from windlass.cli.following import phase
from windlass.cli.output import one_line
from windlass.errors import NotFound
from windlass.names import GROUP
from windlass.resources import BACKFILLS

Body = dict[str, Any]

LINE_EVERY: Final = 5.0
"""Seconds between two lines of progress, where there is no terminal; what is news besides is told at once."""
REFRESH_EVERY: Final = 0.25
"""Seconds between two frames of the bar."""
MOST_FAILURES: Final = 10
"""Failed runs that are named at the end."""


async def read(cluster: Cluster, name: str) -> Body:
    """A backfill by its name. Failure when there is none."""
    try:
        return await cluster.client.get(BACKFILLS, cluster.namespace, name)
    except NotFound:
        raise Failure(await _no_such(cluster, name)) from None


def backfill_name(name: str) -> str:
    """A backfill as kubectl names it."""
    return f"backfill.{GROUP}/{name}"


def follow(cluster: Cluster, name: str) -> AsyncIterator[Body]:
    """A backfill as it is, and as it is after each change, until it has ended."""
    deleted = "the backfill {} was deleted: its runs go on, and no more are made"
    return following.follow(cluster, BACKFILLS, lambda: read(cluster, name), deleted)


async def watch(cluster: Cluster, name: str) -> Body:
    """Show the backfill's progress until it has ended; as it is then."""
    screen = tree.console()
    changes = follow(cluster, name)
    try:
        return await (_bar(screen, changes) if screen.is_terminal else _lines(changes, times_passed()))
    except asyncio.CancelledError:
        told = f"windlass suspend backfill/{name} would hold it, windlass cancel backfill/{name} end it"
        click.echo(f"windlass: the backfill {name} goes on; {told}", err=True)
        raise


async def wait(cluster: Cluster, name: str) -> Body:
    """The backfill as it is when it has ended; shows nothing."""
    latest: Body = {}
    async for found in follow(cluster, name):
        latest = found
    return latest


def times_passed() -> Callable[[], float]:
    """A clock that says how many seconds have passed since it was asked for."""
    began = times.now()
    return lambda: (times.now() - began).total_seconds()


async def _lines(changes: AsyncIterator[Body], clock: Callable[[], float]) -> Body:
    """A line for each thing that is news; of the progress alone one now and then."""
    told: tuple[str, ...] = ()
    due = 0.0
    found: Body = {}
    async for found in changes:
        news, line = _news(found), _line(found)
        if news != told or clock() >= due:
            if line:
                click.echo(f"{times.now():%H:%M:%S}  {line}")
            told, due = news, clock() + LINE_EVERY
    return found


def _news(backfill: Body) -> tuple[str, ...]:
    status = backfill.get("status") or {}
    return (phase(backfill), str(status.get("reason")), str(status.get("failed")), str(status.get("cancelled")))


def _line(backfill: Body) -> str:
    message = (backfill.get("status") or {}).get("message")
    return f"{phase(backfill)}: {one_line(message)}" if message else phase(backfill)


async def _bar(screen: Any, changes: AsyncIterator[Body]) -> Body:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    latest: Body = await anext(changes)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[beside]}"),
    )
    with Progress(*columns, console=screen, transient=True, refresh_per_second=1 / REFRESH_EVERY) as progress:
        bar = progress.add_task("", total=None, beside="")

        def show(found: Body) -> None:
            status = found.get("status") or {}
            beside = ", ".join(
                f"{status[figure]} {word}"
                for figure, word in (("running", "active"), ("failed", "failed"), ("cancelled", "cancelled"))
                if status.get(figure)
            )
            # Without a total the bar only shows that something goes on.
            total = status.get("total") or None
            progress.update(bar, description=phase(found), total=total, completed=status.get("done") or 0)
            progress.update(bar, beside=beside if phase(found) != "Pending" else one_line(status.get("message") or ""))

        show(latest)
        async for latest in changes:
            show(latest)
    return latest


def told_at_end(backfill: Body) -> str:
    """How it ended, and what did not succeed."""
    status = backfill.get("status") or {}
    name = backfill["metadata"]["name"]
    lines = [f"{backfill_name(name)} {phase(backfill).lower()}: {one_line(status.get('message') or '')}"]
    failures = list(status.get("failures") or [])
    lines += [f"  {one['run']}  {one.get('outcome') or ''}".rstrip() for one in failures[:MOST_FAILURES]]
    many = (status.get("failed") or 0) + (status.get("cancelled") or 0)
    if many > MOST_FAILURES:
        lines.append(f"  and {many - MOST_FAILURES} more: kubectl get workflowruns -l {GROUP}/backfill={name}")
    if failures:
        lines.append(f"see windlass status {failures[0]['run']}; then run them again with --reprocess failed")
    return "\n".join(lines)


async def _no_such(cluster: Cluster, name: str) -> str:
    from windlass.models.findings import suggestion

    known = [item["metadata"]["name"] for item in await cluster.client.list_all(BACKFILLS, cluster.namespace)]
    text = f'there is no backfill "{name}" in the namespace {cluster.namespace}'
    return f"{text}; {found}" if (found := suggestion(name, known)) else text
