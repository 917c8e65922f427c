"""Definitions to simulate: read from a file, or given as a manifest, and checked as admission checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from windlass.documents import documents, objects
from windlass.models.findings import Finding, errors
from windlass.models.parse import InvalidObject, read_run, read_workflow
from windlass.models.workflow import WorkflowSpec
from windlass.names import GROUP
from windlass.plan.checks import check_spec
from windlass.plan.graph import compile_program
from windlass.plan.types import Program
from windlass.testing.errors import InvalidWorkflow, SimulationError

NAMESPACE: Final = "default"
"""Of a manifest that names none."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A Workflow that was found good."""

    name: str
    namespace: str
    program: Program = field(repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    """Values of parameters that its runs are given: those of the WorkflowRun that it was read from."""

    holidays: Mapping[str, frozenset[date]] = field(default_factory=dict, repr=False)
    """The days of the ConfigMaps that its schedule's calendars name, by their `ref`: `holidays`, `holidays/korea`."""

    @property
    def spec(self) -> WorkflowSpec:
        """What it runs, and how."""
        return self.program.spec

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of its tasks as they are written, those of `finally` last."""
        return tuple(task.name for task in (*self.spec.tasks, *self.spec.finally_))


def load(path: str | Path, name: str | None = None) -> Definition:
    """The Workflow of a file; `name` says which, where it holds several. Other kinds are passed over.

    OSError when the file can't be read; NoManifest when it holds no manifests; InvalidWorkflow with everything that is
    wrong with the Workflow; SimulationError when there is none, or more than one.
    """
    path = Path(path)
    return choose(objects(documents(str(path), path.read_text(encoding="utf-8"))), str(path), name)


def choose(manifests: list[dict[str, Any]], where: str, name: str | None = None) -> Definition:
    """The one definition among these manifests, or that of this name; `where` is what messages call their file."""
    found = [manifest for manifest in manifests if _defines(manifest)]
    workflows = [manifest for manifest in found if manifest["kind"] == "Workflow"]
    found = workflows or found
    named = [manifest for manifest in found if name in (None, name_of(manifest))]
    if len(named) == 1:
        return read(named[0])
    names = ", ".join(map(name_of, found))
    if not found:
        raise SimulationError(f"{where} holds no Workflow")
    if name is not None and not named:
        raise SimulationError(f"{where} holds no Workflow {name}; there are: {names}")
    raise SimulationError(f"{where} holds {len(found)} Workflows ({names}): say which")


def read(manifest: Mapping[str, Any]) -> Definition:
    """A Workflow, or the definition that a WorkflowRun brings with it. InvalidWorkflow when anything is wrong."""
    name = name_of(manifest)
    of_run = manifest.get("kind") == "WorkflowRun"
    params: Mapping[str, Any] = {}
    try:
        if of_run:
            run = read_run(manifest)
            spec, params = run.workflow_spec, run.params
            if spec is None:
                raise SimulationError(f"the run {name} brings no definition of its own: give its Workflow")
        else:
            spec = read_workflow(manifest)
    except InvalidObject as error:
        raise InvalidWorkflow(name, error.findings) from None
    wrong: tuple[Finding, ...] = errors(check_spec(spec, ("spec", "workflowSpec") if of_run else ("spec",)))
    if wrong:
        raise InvalidWorkflow(name, wrong)
    namespace = (manifest.get("metadata") or {}).get("namespace") or NAMESPACE
    return Definition(name, str(namespace), compile_program(spec), params)


def name_of(manifest: Mapping[str, Any]) -> str:
    """What a manifest is called."""
    metadata = manifest.get("metadata") or {}
    return str(metadata.get("name") or str(metadata.get("generateName") or "workflow").rstrip("-"))


def _defines(manifest: Mapping[str, Any]) -> bool:
    if not str(manifest.get("apiVersion")).startswith(f"{GROUP}/"):
        return False
    spec = manifest.get("spec")
    is_run = manifest.get("kind") == "WorkflowRun" and isinstance(spec, Mapping) and "workflowSpec" in spec
    return manifest.get("kind") == "Workflow" or is_run
