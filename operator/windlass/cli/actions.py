"""The commands that act on a run by a RunAction: retry, clear, skip, approve and so on, one function each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.lengths import Length

COMMANDS: Final[dict[str, click.Command]] = {}
"""The commands by their names."""
_Act = Callable[..., Any]
_TIMEOUT: Final = click.option(
    "--timeout", type=Length(), default="30s", show_default=True, help="How long to wait for the answer; then exit 124."
)
_DRY_RUN: Final = click.option("--dry-run", is_flag=True, help="Only show what would happen.")
_REASON: Final = click.option("--reason", help="Why; the run remembers it.")
_AROUND: Final = (
    click.option("--downstream", is_flag=True, help="The tasks after these too."),
    click.option("--upstream", is_flag=True, help="The tasks before these too."),
)
_INDEX: Final = click.option(
    "--index", "indices", type=click.IntRange(0), multiple=True, help="An instance of the task, which is a forEach."
)


def _command(verb: str, doc: str, *parameters: Callable[[Any], Any]) -> None:
    """Add the command of a verb, with RUN, these parameters, --reason, --dry-run and --timeout."""
    from windlass.cli.asking import Asked, ask, command_of

    @with_cluster
    async def act(cluster: Cluster, run: str, **given: Any) -> int:
        if verb in ("Suspend", "Resume"):
            from windlass.cli.switching import reference, run_in, switch

            if (which := reference(run)) is not None:
                return await switch(cluster, verb, which)
            run = run_in(run)
        return await ask(cluster, Asked(verb=verb, run=run, **given))

    act.__doc__ = doc
    wrapped: Any = act
    for parameter in reversed((click.argument("run"), *parameters, _REASON, _DRY_RUN, _TIMEOUT)):
        wrapped = parameter(wrapped)
    name = command_of(verb)
    COMMANDS[name] = click.command(name, help=doc)(wrapped)


_ANY_TASKS: Final = click.argument("tasks", nargs=-1, metavar="[TASK]...")
_TASKS: Final = click.argument("tasks", nargs=-1, required=True, metavar="TASK...")

_command(
    "Retry",
    "Go on with a run from where it failed: what went wrong runs again, with fresh retries, and what waited for it. "
    "With tasks: only those. RUN may be @latest.",
    _ANY_TASKS,
    _INDEX,
)
_command("Clear", "Run tasks again, whatever their end. RUN may be @latest.", _TASKS, *_AROUND, _INDEX)
_command("Skip", "Have tasks count as skipped; what runs is ended. RUN may be @latest.", _TASKS, *_AROUND)
_command("MarkSuccess", "Have tasks count as succeeded; what runs is ended. RUN may be @latest.", _TASKS, *_AROUND)
_command("MarkFailed", "Have tasks count as failed, with a --reason. RUN may be @latest.", _TASKS, *_AROUND)
_command(
    "Approve",
    "Approve what a run waits for. RUN may be @latest; TASK is needed where several tasks wait.",
    _ANY_TASKS,
    click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="A value of the approval's form."),
)
_command("Reject", "Reject what a run waits for: the task fails. RUN may be @latest.", _ANY_TASKS)
_command(
    "Suspend",
    "Start nothing new of a run; what runs goes on. RUN may be @latest, or workflow/NAME, backfill/NAME.",
)
_command("Resume", "Let a suspended run go on. RUN may be @latest, or workflow/NAME, backfill/NAME.")
_command("Terminate", "Stop a run at once: its `finally` tasks don't run either. RUN may be @latest.")
