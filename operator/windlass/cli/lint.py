"""`windlass lint`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from windlass.cli.failures import FAILED, OK, USAGE
from windlass.cli.manifests import Unreadable, read_documents
from windlass.cli.output import Format, format_option
from windlass.documents import Document

if TYPE_CHECKING:
    from windlass.models.findings import Finding, Path

Body = dict[str, Any]


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@format_option(Format.JSON)
def command(files: tuple[str, ...], strict: bool, output: Format | None) -> int:
    """Check manifests without a cluster: fields, graph, templates. - is the standard input.

    \b
    Each finding is a line: file:line: path: what, and how to mend it.
    Exit codes: 0 when there is nothing to mend, 1 with findings, 2 when a file can't be read.
    Kinds that aren't Windlass's are passed over.
    """
    documents: list[Document] = []
    unreadable = False
    for file in files:
        try:
            documents += read_documents(file)
        except Unreadable as error:
            click.echo(error.format_message(), err=True)
            unreadable = True
    found = _found(documents)
    if output is not None:
        click.echo(json.dumps([_as_json(*entry) for entry in found], indent=2, ensure_ascii=False))
    else:
        for entry in found:
            click.echo(_as_line(*entry))
    if unreadable:
        return USAGE
    return FAILED if any(strict or _is_error(item) for _, _, item in found) else OK


def errors_in(documents: Sequence[Document]) -> list[str]:
    """What is wrong with the documents, a line each; no warnings."""
    return [_as_line(*entry) for entry in _found(documents) if _is_error(entry[2])]


def _found(documents: Sequence[Document]) -> list[tuple[Document, tuple[str | int, ...], Finding]]:
    """All findings, in the order of the files and their lines."""
    found = [(document, path, item) for document in documents for path, item in _findings(document, documents)]
    return sorted(found, key=lambda entry: (_place_of(entry[0], documents), entry[0].line(entry[1])))


def _place_of(wanted: Document, documents: Sequence[Document]) -> int:
    return next(place for place, document in enumerate(documents) if document is wanted)


def _findings(document: Document, others: Sequence[Document]) -> Iterator[tuple[tuple[str | int, ...], Finding]]:
    """All findings of a document, with their paths in it; the objects of a List one by one."""
    value = document.value
    if not isinstance(value, dict):
        return
    workflows = [obj for other in others for _, obj in _objects(other.value) if _is(obj, "Workflow")]
    for place, obj in _objects(value):
        said = (check_object(obj), _of_params(obj, workflows), _of_circles(obj, workflows), _of_runs(obj, workflows))
        for found in chain.from_iterable(said):
            yield (*place, *found.path), found


def _objects(value: Any) -> Iterator[tuple[Path, Body]]:
    """The objects of a document, and where they stand in it: those of a List one by one."""
    if not isinstance(value, dict):
        return
    if value.get("kind") != "List" or not isinstance(value.get("items"), list):
        yield (), value
        return
    for number, item in enumerate(value["items"]):
        if isinstance(item, dict):
            yield ("items", number), item


def _of_circles(manifest: Body, workflows: Sequence[Body]) -> Iterator[Finding]:
    """That a Workflow and others follow each other: told of the first of them."""
    from windlass.models.findings import Finding, Severity
    from windlass.plan.circles import circles

    if not _is(manifest, "Workflow") or not _follows(manifest):
        return
    for circle in circles(workflows):
        first = next(obj for obj in workflows if _follows(obj) and obj["metadata"]["name"] in circle)
        if first is manifest:
            message = f"these Workflows follow each other: {' → '.join(circle)}"
            fix = "no run leads to another run of its own Workflow, so the circle is gone round once"
            yield Finding(("spec", "schedule", "after"), message, fix, Severity.WARNING)


def _of_runs(manifest: Body, workflows: Sequence[Body]) -> Iterator[Finding]:
    """That a Workflow starts itself in the end: told of the first in the circle."""
    from windlass.models.findings import Finding, Severity
    from windlass.plan.circles import circles_of_runs

    if not _is(manifest, "Workflow"):
        return
    for start in circles_of_runs(workflows):
        if start.spec is manifest.get("spec"):
            message = f"a run can't start its own Workflow again: {' → '.join(start.circle)}"
            fix = "take the task out, or start the other run by a trigger"
            yield Finding(("spec", *start.place), message, fix, Severity.WARNING)


def _follows(manifest: Body) -> bool:
    spec = manifest.get("spec")
    schedule = spec.get("schedule") if isinstance(spec, dict) else None
    named = isinstance(manifest.get("metadata"), dict) and isinstance(manifest["metadata"].get("name"), str)
    return named and isinstance(schedule, dict) and isinstance(schedule.get("after"), dict)


def _of_params(manifest: Body, workflows: Sequence[Body]) -> Iterator[Finding]:
    """What is wrong with the parameters of a run whose definition is at hand."""
    from windlass.models.findings import Finding

    spec = manifest.get("spec")
    if not _is(manifest, "WorkflowRun") or not isinstance(spec, dict):
        return
    named = [obj.get("spec") for obj in workflows if (obj.get("metadata") or {}).get("name") == spec.get("workflow")]
    definition = spec.get("workflowSpec") or (named[0] if len(named) == 1 else None)
    given, schemas = spec.get("params") or {}, definition.get("params") or {} if isinstance(definition, dict) else None
    if not isinstance(given, dict) or not isinstance(schemas, dict):
        return
    from windlass.plan.params import check_given

    sound = {name: schema for name, schema in schemas.items() if isinstance(schema, dict)}
    for item in check_given(sound, given):
        yield Finding(("spec", "params", *item.path), item.message, item.fix)
    for name in schemas.keys() - given.keys():
        if name in sound and "default" not in sound[name]:
            yield Finding(("spec", "params"), f"the parameter {name} has no value", "give it one, it has no default")


def check_object(manifest: Body) -> list[Finding]:
    """Everything that is wrong with an object; nothing for a kind that isn't ours."""
    from windlass.models import parse
    from windlass.names import GROUP

    group = str(manifest.get("apiVersion", "")).rpartition("/")[0]
    if manifest.get("kind") not in parse.READERS or group not in ("", GROUP):
        return []
    found = parse.check(manifest)
    place: tuple[str, ...] = ("spec",) if manifest.get("kind") == "Workflow" else ("spec", "workflowSpec")
    return [*found, *_beyond_schema(found, manifest, place)]


def _beyond_schema(found: Sequence[Finding], manifest: Body, place: tuple[str, ...]) -> Iterator[Finding]:
    """What schedule, graph and templates say of a definition that may have findings already."""
    from windlass.cli.salvage import salvage
    from windlass.plan.admission import check_spec
    from windlass.plan.schedule import check_schedule

    salvaged = salvage(manifest, found, place)
    if salvaged is None:
        return
    spec, doubtful = salvaged
    said = {item.path for item in found}
    schedule = [] if spec.schedule is None else check_schedule(spec.schedule, (*place, "schedule"))
    for item in (*schedule, *check_spec(spec, place)):
        if item.path not in said and not _is_doubtful(item.path, doubtful, len(place) + 2):
            yield item


def _is_doubtful(path: Path, doubtful: set[Path], depth: int) -> bool:
    """Whether a finding may come of what was cut out: at its place, or about the task that lost it as a whole."""
    if any(path[: len(cut)] == cut for cut in doubtful):
        return True
    return len(path) <= depth and any(cut[:depth] == path for cut in doubtful)


def _is(manifest: Body, kind: str) -> bool:
    from windlass.names import GROUP

    return manifest.get("kind") == kind and str(manifest.get("apiVersion")).startswith(f"{GROUP}/")


def _is_error(found: Finding) -> bool:
    from windlass.models.findings import Severity

    return found.severity is Severity.ERROR


def _as_line(document: Document, path: tuple[str | int, ...], found: Finding) -> str:
    from dataclasses import replace

    return (
        f"{document.file}:{document.line(path)}: {'' if _is_error(found) else 'warning: '}{replace(found, path=path)}"
    )


def _as_json(document: Document, path: tuple[str | int, ...], found: Finding) -> Body:
    from windlass.models.findings import format_path

    return {
        "file": document.file,
        "line": document.line(path),
        "path": format_path(path),
        "severity": found.severity.value,
        "message": found.message,
        "fix": found.fix,
    }
