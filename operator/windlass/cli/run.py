"""`windlass run`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from windlass.cli.cluster import Cluster, explain, with_cluster
from windlass.cli.failures import FAILED, OK, USAGE, Failure
from windlass.cli.following import verdict
from windlass.cli.output import Format, format_option, objects, resource_name, run_name
from windlass.cli.starting import run_of, start, watch_all
from windlass.errors import ApiError
from windlass.names import GROUP

Body = dict[str, Any]


@click.command("run")
@click.argument("workflow", required=False)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    type=click.Path(allow_dash=True),
    help="Apply the objects of this file first (- is stdin).",
)
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the run.")
@click.option("--name", help="The run's name; by default the Workflow's and five random characters.")
@click.option("--logical-date", help="The moment that the run is about, such as 2025-04-01T17:00:00Z.")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Run only this task, and others given so.")
@click.option("--outputs-from", metavar="RUN", help="With --task: the run that the others' outputs come from.")
@click.option("-w", "--watch", is_flag=True, help="Show the run until it has ended; exit 1 when it didn't succeed.")
@format_option(Format.JSON, Format.YAML, Format.NAME)
@with_cluster
async def command(
    cluster: Cluster,
    workflow: str | None,
    files: tuple[str, ...],
    params: tuple[str, ...],
    name: str | None,
    logical_date: str | None,
    tasks: tuple[str, ...],
    outputs_from: str | None,
    watch: bool,
    output: Format | None,
) -> int:
    """Start a run of WORKFLOW, or of what a file holds.

    With -f the file's objects (the Workflow, Secrets, ConfigMaps…) are created or updated; then its WorkflowRuns are
    created or, when it has none, a run of its Workflow is started. What windlass lint finds wrong is told as a warning.
    """
    if workflow is None and not files:
        raise click.UsageError("say which Workflow to run, or give a file with -f")
    manifests = [run async for run in _from_files(cluster, files, workflow, told=output is None)]
    if not manifests:
        assert workflow is not None, "a file without runs names a Workflow"
        manifests = [run_of(workflow)]
    if len(manifests) > 1 and (name or params):
        raise click.UsageError(f"the files hold {len(manifests)} runs: --name and -p are for one")
    if outputs_from is not None and not tasks:
        raise click.UsageError("--outputs-from is for a run of some tasks: name them with --task")
    part = ({"tasks": [*tasks]} if tasks else {}) | ({"outputsFrom": outputs_from} if outputs_from else {})
    manifests = [{**run, "spec": {**(run.get("spec") or {}), **part}} for run in manifests]
    started: list[Body] = []
    failures = 0
    for run in manifests:
        try:
            started.append(await start(cluster, run, params, name, logical_date))
        except (ApiError, Failure) as error:
            if len(manifests) == 1:
                raise
            # As with kubectl, one that can't be created doesn't keep back those after it.
            click.echo(f"windlass: {explain(error) if isinstance(error, ApiError) else error.message}", err=True)
            failures += 1
        else:
            if output is None:
                click.echo(f"{run_name(started[-1]['metadata']['name'])} created")
    ended = await watch_all(cluster, started, shown=output is None) if watch else []
    if output is not None and started:
        click.echo(objects(ended or started, output, as_list=len(manifests) > 1))
    return FAILED if failures or any(map(verdict, ended)) else OK


async def _from_files(cluster: Cluster, files: Sequence[str], workflow: str | None, *, told: bool) -> Any:
    """Apply what is no run; then give the runs that are to be created."""
    from windlass.cli import manifests
    from windlass.cli.apply import Applier
    from windlass.cli.lint import errors_in

    documents = [document for file in files for document in manifests.read_documents(file)]
    found = manifests.objects(documents)
    # The cluster has the last word: it may be newer than this command.
    for line in errors_in(documents):
        click.echo(f"warning: {line}", err=True)
    runs = [obj for obj in found if _is(obj, "WorkflowRun")]
    workflows = [str((obj.get("metadata") or {}).get("name")) for obj in found if _is(obj, "Workflow")]
    if files and not runs and workflow is None and len(workflows) != 1:
        counted = f"{len(workflows)} Workflows ({', '.join(workflows)})" if workflows else "no Workflow and no run"
        raise Failure(f"the files hold {counted}: say which to run, windlass run WORKFLOW -f FILE", USAGE)
    applier = Applier(cluster)
    for obj in found:
        if not _is(obj, "WorkflowRun"):
            answer, done = await applier.apply(obj)
            if told:
                click.echo(f"{resource_name({**obj, 'metadata': answer['metadata']})} {done}")
    if workflow is not None:
        return
    for obj in runs or ([run_of(workflows[0])] if workflows else []):
        yield (await applier.placed(obj))[1]


def _is(obj: Body, kind: str) -> bool:
    return str(obj.get("apiVersion", "")).startswith(f"{GROUP}/") and obj.get("kind") == kind
