"""Looking at a run until it has ended: a live tree on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import click

from windlass.cli import following, runs, times, tree
from windlass.cli.cluster import Cluster
from windlass.cli.output import one_line

Body = dict[str, Any]

REFRESH_EVERY: Final = 0.25
"""Seconds between two frames of the live tree, whose durations go on without a change of the run."""


async def watch_run(cluster: Cluster, name: str) -> Body:
    """Show the run until it has ended; as it is then."""
    screen = tree.console()
    changes = runs.follow(cluster, name)
    try:
        if screen.is_terminal:
            return await _live(screen, changes)
        last = await _lines(changes)
    except asyncio.CancelledError:
        click.echo(f"windlass: the run {name} goes on; windlass cancel {name} would stop it", err=True)
        raise
    screen.print(tree.render(last, times.now()))
    return last


async def await_run(cluster: Cluster, name: str) -> Body:
    """The run as it is when it has ended; shows nothing."""
    latest: Body = {}
    async for run in runs.follow(cluster, name):
        latest = run
    return latest


async def _live(screen: Any, changes: AsyncIterator[Body]) -> Body:
    from rich.live import Live

    latest: Body = await anext(changes)
    try:
        with Live(console=screen, auto_refresh=False, transient=True) as live:

            async def animate() -> None:
                while True:
                    live.update(tree.fitting(screen, latest, times.now()), refresh=True)
                    await asyncio.sleep(REFRESH_EVERY)

            drawing = asyncio.create_task(animate())
            try:
                async for run in changes:
                    latest = run
            finally:
                drawing.cancel()
    finally:
        # Also of an interrupted look something should stay on the screen.
        screen.print(tree.render(latest, times.now()))
    return latest


async def _lines(changes: AsyncIterator[Body]) -> Body:
    before: dict[str, str] = {}
    run: Body = {}
    async for run in changes:
        for subject, said in described(run).items():
            if before.get(subject) != said:
                click.echo(f"{times.now():%H:%M:%S}  {subject}  {said}")
                before[subject] = said
    return run


def described(run: Body) -> dict[str, str]:
    """What can change of a run, in words, by the name of what changes."""
    said = {run["metadata"]["name"]: _words(following.phase(run), run.get("status") or {})}
    step = ((run.get("status") or {}).get("source") or {}).get("step")
    if step:
        said["source"] = _words(step.get("phase", "Waiting"), step)
    for task in runs.task_statuses(run):
        if task.get("phase", "Waiting") != "Waiting":
            said[task["name"]] = _words(task["phase"], task)
    return said


def _words(phase: str, status: Body) -> str:
    message = status.get("message") if phase not in ("Succeeded", "Running") else None
    return f"{phase}: {one_line(message)}" if message else phase
