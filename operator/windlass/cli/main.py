"""The root of the command line: which commands there are, and how their failures are told.

A command's module is imported when the command is called: `windlass version` shouldn't wait for what `windlass
controller` needs.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final, NoReturn

import click

from windlass import __version__
from windlass.cli.failures import FAILED, INTERRUPTED, USAGE, Failure, in_one_line

COMMANDS: Final[dict[str, str]] = {
    "run": "Start a run of a Workflow, from the cluster or a file.",
    "trigger": "Start a run of a Workflow at a logical date.",
    "backfill": "Run a Workflow for every slot of a past range.",
    "backfills": "List backfills.",
    "status": "Show how a run is doing, task by task.",
    "logs": "Print the logs of a run's tasks.",
    "wait": "Wait until a run has ended.",
    "list": "List runs, Workflows or Pools.",
    "retry": "Go on with a run from where it failed.",
    "clear": "Run tasks of a run again.",
    "skip": "Skip tasks of a run.",
    "mark-success": "Have tasks count as succeeded.",
    "mark-failed": "Have tasks count as failed.",
    "approve": "Approve what a run waits for.",
    "reject": "Reject what a run waits for.",
    "suspend": "Start nothing new of a run, a schedule or a backfill.",
    "resume": "Let what is suspended go on.",
    "cancel": "Stop a run or a backfill.",
    "terminate": "Stop a run at once.",
    "next": "Show when a Workflow will run by its schedule.",
    "graph": "Draw the DAG of a Workflow, a run or a file.",
    "lint": "Check manifests, without a cluster.",
    "simulate": "Play a Workflow's runs on a clock of its own, without a cluster.",
    "dev": "Run a development cluster on this machine.",
    "controller": "Run the controller.",
    "crds": "Print the custom resource definitions, or apply them.",
    "uninstall": "Stop the controller and free its pods, before it is uninstalled.",
    "completion": "Print the completion script of a shell.",
    "version": "Print the version.",
}
"""The commands in the order of the help. Each is the attribute `command` of the module of its name, or in `actions`."""
_ACTIONS: Final = frozenset(
    ["retry", "clear", "skip", "mark-success", "mark-failed", "approve", "reject", "suspend", "resume", "terminate"]
)


class Root(click.Group):
    """The group of all commands, which imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"windlass.cli.{'actions' if cmd_name in _ACTIONS else cmd_name}")
        command: click.Command = module.COMMANDS[cmd_name] if cmd_name in _ACTIONS else module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from windlass.models.findings import suggestion

            hint = suggestion(args[0], COMMANDS)
            ctx.fail(f'there is no command "{args[0]}"' + (f"; {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; end with its exit code, after one line on stderr when it failed."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            _end(error.format_message(), USAGE)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else (prog_name or "windlass")
            _end(f"{where}: {in_one_line_of(error)} (see {where} --help)", USAGE)
        except click.ClickException as error:
            _end(f"windlass: {error.format_message()}", error.code if isinstance(error, Failure) else error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Who read our output has gone; the interpreter must not try to flush it again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except OSError as error:
            _end(f"windlass: {in_one_line(error)}", FAILED)
        sys.exit(code if isinstance(code, int) else 0)


def in_one_line_of(error: click.UsageError) -> str:
    """The message of a usage error as a clause: no line breaks, no full stop."""
    return " ".join(error.format_message().split()).rstrip(".")


def _end(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="windlass %(version)s")
def cli() -> None:
    """Windlass runs workflows on Kubernetes: DAGs of tasks, each task a pod."""


def program_name(invoked_as: str) -> str:
    """What to call ourselves in messages, by the name that we were started with."""
    return "kubectl windlass" if PurePath(invoked_as).name.startswith("kubectl-") else "windlass"


def main() -> None:
    """The entry point of the `windlass` and `kubectl-windlass` programs."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal or a file that can't take a symbol gets a question mark, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli(prog_name=program_name(sys.argv[0]), complete_var="_WINDLASS_COMPLETE")
