"""`windlass graph`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from windlass.cli import dag
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import Failure
from windlass.errors import NotFound

Body = dict[str, Any]


class Notation(StrEnum):
    """What a graph is written as."""

    TEXT = "text"
    MERMAID = "mermaid"
    DOT = "dot"


def _write(found: dag.Dag, notation: Notation) -> None:
    from windlass.cli import notations

    if notation is Notation.TEXT:
        from windlass.cli import drawing

        # Colours only where they are seen.
        click.echo(drawing.draw(found, _width()))
    else:
        click.echo(notations.mermaid(found) if notation is Notation.MERMAID else notations.dot(found))


def _width() -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


@with_cluster
async def _of_cluster(cluster: Cluster, what: str, notation: str) -> int:
    _write(await _find(cluster, what), Notation(notation))
    return 0


class _FileOrCluster(click.Command):
    """Needs no cluster when it is given a file."""

    def invoke(self, ctx: click.Context) -> Any:
        what = ctx.params["what"]
        if is_file(what):
            _write(of_file(what), Notation(ctx.params["notation"]))
            return 0
        return super().invoke(ctx)


def is_file(what: str) -> bool:
    """Whether a file is meant, not a name."""
    return what == "-" or "/" in what or what.endswith((".yaml", ".yml", ".json")) or Path(what).is_file()


def of_file(file: str) -> dag.Dag:
    """The DAG of the only definition that a file holds."""
    from windlass.cli import manifests
    from windlass.names import GROUP

    found = []
    for obj in manifests.objects(manifests.read_documents(file)):
        if str(obj["apiVersion"]).startswith(f"{GROUP}/"):
            spec = obj.get("spec") or {}
            definition = spec.get("workflowSpec") if obj["kind"] == "WorkflowRun" else spec
            if obj["kind"] in ("Workflow", "WorkflowRun") and definition:
                metadata = obj.get("metadata") or {}
                found.append((str(metadata.get("name") or metadata.get("generateName") or "workflow"), definition))
    if len(found) != 1:
        names = ", ".join(name for name, _ in found)
        raise Failure(
            f"{file} holds {len(found)} definitions ({names}), not one" if found else f"{file} holds no Workflow"
        )
    return dag.read(*found[0])


async def _find(cluster: Cluster, what: str) -> dag.Dag:
    """A Workflow of that name, or a run."""
    from windlass.cli.runs import read_run, task_statuses
    from windlass.resources import REVISIONS, WORKFLOWS

    client, namespace = cluster.client, cluster.namespace
    try:
        workflow = await client.get(WORKFLOWS, namespace, what)
    except NotFound:
        try:
            run = await read_run(cluster, what)
        except Failure as error:
            raise Failure(error.message.replace("there is no run", "there is no Workflow and no run")) from None
    else:
        return dag.read(what, workflow["spec"])
    status = run.get("status") or {}
    phases = {task["name"]: str(task.get("phase") or "Waiting") for task in task_statuses(run)}
    spec = run["spec"].get("workflowSpec")
    if spec is None and status.get("revision"):
        spec = (await client.get(REVISIONS, namespace, status["revision"]))["data"]["spec"]
    if spec is None:
        spec = (await client.get(WORKFLOWS, namespace, run["spec"]["workflow"]))["spec"]
    return dag.read(run["metadata"]["name"], spec, phases)


command = click.command("graph", cls=_FileOrCluster)(
    click.argument("what", metavar="FILE|WORKFLOW|RUN", type=click.Path(allow_dash=True))(
        click.option(
            "-o",
            "--output",
            "notation",
            type=click.Choice([found.value for found in Notation]),
            default=Notation.TEXT.value,
            show_default=True,
            help="A drawing in text, or a Mermaid or Graphviz source.",
        )(_of_cluster)
    )
)
command.help = "Draw the DAG of a Workflow, a run (with the phases of its tasks) or a file."
