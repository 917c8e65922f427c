"""`windlass simulate`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from windlass.cli.failures import FAILED, OK, Failure
from windlass.cli.output import Format, format_option, structured
from windlass.cli.playing import Play

if TYPE_CHECKING:
    from windlass.documents import Document
    from windlass.testing import Definition, Event, Run, Simulation

Body = dict[str, Any]


@click.command("simulate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option("--workflow", "name", metavar="NAME", help="Which Workflow, where the files hold several.")
@click.option("--from", "start", metavar="INSTANT", help="When to begin, such as 2025-04-01T00:00:00Z.")
@click.option("--to", "end", metavar="INSTANT", help="Until when slots of the schedule are run.")
@click.option(
    "--fail",
    multiple=True,
    metavar="TASK[:ATTEMPT][@DAY][=KIND]",
    help="Attempts that fail: load, load:1, load[3] (of a forEach), load@2025-04-01, load:1=OOM. "
    "Kinds: Error, OOM, Timeout, Infra, Start, Launch, or an exit code.",
)
@click.option("--reject", multiple=True, metavar="TASK", help="An approval that is answered with no.")
@click.option(
    "--duration",
    "durations",
    multiple=True,
    metavar="[TASK=]LENGTH",
    help="How long an attempt takes: load=5m, or 5m for all that are not named. 1m by default.",
)
@click.option("--outputs", multiple=True, metavar="TASK=JSON", help="What a task puts out: extract='{\"rows\": 3}'.")
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the runs.")
@click.option(
    "--outage",
    "outages",
    multiple=True,
    metavar="FROM/TO",
    help="When the controller is away: pods go on, and slots are late or missed.",
)
@click.option("--run", "which", metavar="RUN|SLOT", help="Show this run, task by task.")
@format_option(Format.JSON, Format.YAML)
def command(
    files: tuple[str, ...],
    name: str | None,
    start: str | None,
    end: str | None,
    fail: tuple[str, ...],
    reject: tuple[str, ...],
    durations: tuple[str, ...],
    outputs: tuple[str, ...],
    params: tuple[str, ...],
    outages: tuple[str, ...],
    which: str | None,
    output: Format | None,
) -> int:
    """Play a Workflow's runs in milliseconds, without a cluster: what would start when, and how it would end.

    \b
    The controller's own planner decides; nothing is run. Attempts take 1m and succeed unless it is said otherwise.
    Pools, and the ConfigMaps that a calendar names, count where they are among the files.
    A Workflow with a schedule is played from --from to --to, each slot a run; else one run begins at --from.
    One that follows others has the runs that theirs lead to, where these are among the files; else one, as by hand.
    Exit codes: 0 when all runs succeeded, 1 when one did not.
    """
    from windlass.testing import OutputsMissing, SimulationError
    from windlass.testing.cues import DURATION

    documents = _documents(files)
    definition = _definition(documents, files, name)
    every, of_tasks = _durations(durations)
    play = Play(
        start=start,
        end=end,
        params=params,
        fail=fail,
        reject=reject,
        durations=of_tasks,
        outputs=_outputs(outputs),
        outages=_outages(outages),
        duration=every if every is not None else DURATION,
    )
    try:
        sources = play.sources(definition, documents)
        found = play.simulate(definition, sources)
        runs = found.runs if which is None else (found.run(which),)
    except OutputsMissing as error:
        told = " ".join(f"--outputs {task}='{error.shown(task)}'" for task in error.missing)
        raise Failure(f"{error.read}: say what it is, {told}") from None
    except SimulationError as error:
        raise Failure(str(error)) from None
    if output is not None:
        before = {"sources": [_as_json(one, one.runs) for one in sources]} if sources else {}
        click.echo(structured({**_as_json(found, runs), **before}, output))
    else:
        click.echo(
            "\n\n".join(
                [*(_drawn(one, one.runs, None) for one in sources if which is None), _drawn(found, runs, which)]
            )
        )
    return OK if all(run.phase == "Succeeded" for run in runs) else FAILED


def _documents(files: Sequence[str]) -> list[Document]:
    from windlass.cli.manifests import read_documents

    return [document for file in files for document in read_documents(file)]


def _definition(documents: Sequence[Document], files: Sequence[str], name: str | None) -> Definition:
    from windlass.cli.lint import errors_in
    from windlass.cli.manifests import objects
    from windlass.testing import InvalidWorkflow, SimulationError
    from windlass.testing.definition import choose

    try:
        return choose(objects(documents), " ".join(files), name)
    except InvalidWorkflow as error:
        raise Failure("\n".join(errors_in(documents)) or str(error)) from None
    except SimulationError as error:
        raise Failure(str(error)) from None


def _durations(given: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """The length of what is not named, if given, and those of tasks."""
    every, of_tasks = None, {}
    for text in given:
        task, separator, length = text.partition("=")
        if separator:
            of_tasks[task] = length
        else:
            every = text
    return every, of_tasks


def _outputs(given: Sequence[str]) -> dict[str, Body]:
    found = {}
    for text in given:
        task, separator, value = text.partition("=")
        if not separator or not task:
            raise click.UsageError(f"--outputs {text}: write --outputs task='{{\"key\": 1}}'")
        try:
            found[task] = json.loads(value)
        except ValueError as error:
            raise click.UsageError(f"--outputs {task}: {value!r} is no JSON: {error}") from None
        if not isinstance(found[task], dict):
            raise click.UsageError(f"--outputs {task}: {value} is no JSON object: write '{{\"key\": 1}}'")
    return found


def _outages(given: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in given:
        begin, separator, end = text.partition("/")
        if not separator:
            raise click.UsageError(f"--outage {text}: write FROM/TO, such as 2025-04-02T00:00:00Z/2025-04-03T12:00:00Z")
        found.append((begin, end))
    return found


def _drawn(found: Simulation, runs: Sequence[Run], which: str | None) -> str:
    from windlass.testing import timeline

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
    return timeline(runs[0] if which is not None else found, width)


def _as_json(found: Simulation, runs: Sequence[Run]) -> Body:
    from windlass.models.common import format_time

    return {
        "workflow": found.workflow,
        "from": format_time(found.start),
        "to": format_time(found.end),
        "missed": found.missed,
        "skipped": found.skipped,
        "events": _events(found.events),
        "runs": [_run(run) for run in runs],
    }


def _events(events: Sequence[Event]) -> list[Body]:
    return [{"at": _moment(event.at), "reason": event.reason, "note": event.note} for event in events]


def _run(run: Run) -> Body:
    return {
        "name": run.name,
        "trigger": run.trigger,
        "slot": _moment(run.slot),
        "logicalDate": _moment(run.logical_date),
        "phase": str(run.phase),
        "reason": run.reason,
        "message": run.message,
        "createdAt": _moment(run.created_at),
        "startedAt": _moment(run.started_at),
        "finishedAt": _moment(run.finished_at),
        "late": run.late,
        "params": dict(run.params),
        "events": _events(run.events),
        "tasks": [
            {
                "name": task.name,
                "phase": str(task.phase),
                "reason": task.reason,
                "message": task.message,
                "readyAt": _moment(task.ready_at),
                "startedAt": _moment(task.started_at),
                "finishedAt": _moment(task.finished_at),
                "outputs": task.outputs,
                "attempts": [
                    {
                        "number": one.number,
                        "index": one.index,
                        "createdAt": _moment(one.created_at),
                        "startedAt": _moment(one.started_at),
                        "finishedAt": _moment(one.finished_at),
                        "class": str(one.failure) if one.failure is not None else None,
                        "reason": one.reason,
                        "exitCode": one.exit_code,
                    }
                    for one in task.tries
                ],
            }
            for task in run.tasks
        ],
    }


def _moment(moment: Any) -> str | None:
    from windlass.models.common import format_time

    return None if moment is None else format_time(moment)
