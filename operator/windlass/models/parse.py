"""Reading resources: a manifest becomes a model, or everything that is wrong with it becomes findings.

Read strictly is what people write; leniently, the status that a controller of another version may have written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from windlass.models.action import RunActionSpec
from windlass.models.backfill import BackfillSpec, BackfillStatus
from windlass.models.common import OBJECT_NAME_PATTERN, READ
from windlass.models.complaints import finding
from windlass.models.findings import Finding, Path
from windlass.models.pool import PoolSpec
from windlass.models.rules import violations
from windlass.models.run import WorkflowRunSpec, WorkflowRunStatus
from windlass.models.shape import as_stored
from windlass.models.workflow import WorkflowSpec, WorkflowStatus
from windlass.names import API_VERSION

M = TypeVar("M", bound=BaseModel)
Value = Mapping[str, Any]

MAX_WORKFLOW_BYTES: Final = 1024 * 1024
"""Of a Workflow's spec as JSON, which must fit a ControllerRevision too: etcd takes 1.5 MiB an object."""
MAX_RUN_BYTES: Final = 384 * 1024
"""Of a run's spec as JSON: the run's object holds up to 1 MiB of status beside it."""


class InvalidObject(ValueError):
    """The object can't be read. `findings` say everything that is wrong with it."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(str(found) for found in findings))
        self.findings = findings


def read_workflow(manifest: Value) -> WorkflowSpec:
    """The spec of a Workflow, checked against schema and rules. InvalidObject when anything is wrong."""
    return _read(manifest, "Workflow", WorkflowSpec)


def read_run(manifest: Value) -> WorkflowRunSpec:
    """The spec of a WorkflowRun, checked against schema and rules. InvalidObject when anything is wrong."""
    return _read(manifest, "WorkflowRun", WorkflowRunSpec)


def read_pool(manifest: Value) -> PoolSpec:
    """The spec of a Pool, checked against its schema. InvalidObject when anything is wrong."""
    return _read(manifest, "Pool", PoolSpec)


def read_action(manifest: Value) -> RunActionSpec:
    """The spec of a RunAction, checked against schema and rules. InvalidObject when anything is wrong."""
    return _read(manifest, "RunAction", RunActionSpec)


def read_backfill(manifest: Value) -> BackfillSpec:
    """The spec of a Backfill, checked against schema and rules. InvalidObject when anything is wrong."""
    return _read(manifest, "Backfill", BackfillSpec)


def read_spec(spec: Value, path: Path = ("spec",)) -> WorkflowSpec:
    """A definition by itself, such as a ControllerRevision holds. InvalidObject when anything is wrong."""
    spec = as_stored(WorkflowSpec, spec)
    model, findings = _validated(WorkflowSpec, spec, path)
    findings += _of_rules("Workflow", {"spec": spec}, path)
    if model is None or findings:
        raise InvalidObject(findings)
    return model


def check(manifest: Value) -> list[Finding]:
    """Everything that schema and rules find wrong with a Workflow or WorkflowRun; nothing for another kind."""
    reader = READERS.get(str(manifest.get("kind")))
    if reader is None:
        return []
    try:
        reader(manifest)
    except InvalidObject as error:
        return error.findings
    return []


def read_status(status: Value | None) -> WorkflowRunStatus:
    """A stored status; an empty one when there is none. Fields that this version doesn't know are passed over.

    InvalidObject when what it knows can't be read: that run, and no other, is to be set aside.
    """
    return _stored(WorkflowRunStatus, status)


def read_backfill_status(status: Value | None) -> BackfillStatus:
    """The same of a Backfill."""
    return _stored(BackfillStatus, status)


def read_workflow_status(status: Value | None) -> WorkflowStatus:
    """The same of a Workflow."""
    return _stored(WorkflowStatus, status)


def _stored(model: type[M], status: Value | None) -> M:
    if status is None:
        return model()
    try:
        return model.model_validate(status, extra="ignore", context=READ, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidObject([finding(model, item, ("status",)) for item in error.errors()]) from None


def _read(manifest: Value, kind: str, model: type[M]) -> M:
    findings = [*_of_frame(manifest, kind)]
    spec = None
    if manifest.get("spec") is None:
        findings.append(Finding(("spec",), "is required"))
    else:
        manifest = {**manifest, "spec": as_stored(model, manifest["spec"])}
        spec, wrong = _validated(model, manifest["spec"], ("spec",))
        findings += wrong
    findings += _of_rules(kind, manifest, ("spec",))
    if spec is None or findings:
        raise InvalidObject(findings)
    return spec


_FRAME: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
READERS: Final[Mapping[str, Callable[[Value], BaseModel]]] = {
    "Workflow": read_workflow,
    "WorkflowRun": read_run,
    "Pool": read_pool,
    "RunAction": read_action,
    "Backfill": read_backfill,
}


def _of_frame(manifest: Value, kind: str) -> Iterator[Finding]:
    """What is wrong with apiVersion, kind, metadata and the fields beside them."""
    if manifest.get("apiVersion") != API_VERSION:
        yield Finding(("apiVersion",), f"is {manifest.get('apiVersion')!r}", f"write {API_VERSION}")
    if manifest.get("kind") != kind:
        yield Finding(("kind",), f"is {manifest.get('kind')!r}, not {kind}")
    for key in manifest:
        if key not in _FRAME:
            yield Finding((key,), f'unknown field "{key}"', "fields of the definition go under spec")
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        yield Finding(("metadata",), "is required, with a name")
        return
    name = metadata.get("name", metadata.get("generateName"))
    if not name:
        yield Finding(("metadata", "name"), "is required")
    elif not isinstance(name, str):
        yield Finding(("metadata", "name"), "must be a string", "write it in quotes")
    elif "name" in metadata and not re.fullmatch(OBJECT_NAME_PATTERN, name):
        words = "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit"
        yield Finding(("metadata", "name"), f'"{_cut(name)}" is no name of an object', words)


def _validated(model: type[M], value: Any, path: Path) -> tuple[M | None, list[Finding]]:
    """The model, or what schema and size find wrong. Types are taken as strictly as the API server does."""
    try:
        text = to_json(value)
    except PydanticSerializationError as error:
        return None, [Finding(path, f"can't be written as JSON: {error}")]
    limit = MAX_WORKFLOW_BYTES if model is WorkflowSpec else MAX_RUN_BYTES
    wrong = []
    if len(text) > limit:
        much = f"{len(text) / 1024:,.0f} KiB as JSON, and at most {limit // 1024:,} KiB can be stored"
        wrong.append(Finding(path, f"has {much}", "keep code in the source, and data outside"))
    try:
        return model.model_validate_json(text, strict=True, by_alias=True, by_name=False), wrong
    except ValidationError as error:
        return None, wrong + [finding(model, item, path) for item in error.errors(include_url=False)]


def _of_rules(kind: str, manifest: Value, path: Path) -> list[Finding]:
    """The broken rules, and the entries of lists that are there twice."""
    spec = manifest.get("spec")
    broken = [Finding(item.path, item.message) for item in violations(kind, manifest)]
    if isinstance(spec, Mapping):
        embedded = spec.get("workflowSpec") if kind == "WorkflowRun" else spec
        place: Path = ("spec", "workflowSpec") if kind == "WorkflowRun" else ("spec",)
        if isinstance(embedded, Mapping):
            broken += _doubles(embedded, place)
    return [replace(item, path=(*path, *item.path[1:])) if item.path[:1] == ("spec",) else item for item in broken]


def _doubles(spec: Value, path: Path) -> Iterator[Finding]:
    """Names that two tasks of one list have, and upstream tasks that a task names twice."""
    for part in ("tasks", "finally"):
        tasks = spec.get(part)
        first: dict[str, int] = {}
        for number, task in enumerate(tasks if isinstance(tasks, list) else []):
            if not isinstance(task, Mapping):
                continue
            name = task.get("name")
            if isinstance(name, str) and first.setdefault(name, number) != number:
                yield Finding((*path, part, number, "name"), f'"{name}" is the name of {part}[{first[name]}] too')
            seen = set()
            upstream = task.get("dependsOn")
            for place, up in enumerate(upstream if isinstance(upstream, list) else []):
                if isinstance(up, str) and up in seen:
                    yield Finding((*path, part, number, "dependsOn", place), f'"{up}" is there twice')
                seen.add(str(up))


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
