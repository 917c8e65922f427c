"""Definitions to simulate: read from a file, or given as a manifest, and checked as admission checks them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from windlass.documents import documents, objects
from windlass.models.findings import Finding, Path, errors
from windlass.models.parse import InvalidObject, read_pool, read_run, read_workflow
from windlass.models.pool import PoolSpec
from windlass.models.workflow import WorkflowSpec
from windlass.names import GROUP
from windlass.plan.checks import check_spec
from windlass.plan.graph import compile_program
from windlass.plan.schedule import days_of
from windlass.plan.schedule.calendar import config_maps
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
    pools: Mapping[str, PoolSpec] = field(default_factory=dict, repr=False)
    """The Pools that stand beside it, by name."""

    @property
    def spec(self) -> WorkflowSpec:
        """What it runs, and how."""
        return self.program.spec

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of its tasks as they are written, those of `finally` last."""
        return tuple(task.name for task in (*self.spec.tasks, *self.spec.finally_))


def load(path: str | pathlib.Path, *beside: str | pathlib.Path, name: str | None = None) -> Definition:
    """The Workflow of a file; `name` says which, where there are several. Pools, and the ConfigMaps that its calendars
    name, are read too where they stand in it or in the files `beside`. Other kinds are passed over.

    OSError when a file can't be read; NoManifest when it holds no manifests; InvalidWorkflow with everything that is
    wrong with the Workflow; SimulationError when there is none, or more than one.
    """
    files = [pathlib.Path(file) for file in (path, *beside)]
    found = [one for file in files for one in documents(str(file), file.read_text(encoding="utf-8"))]
    return choose(objects(found), " ".join(map(str, files)), name)


def choose(manifests: list[dict[str, Any]], where: str, name: str | None = None) -> Definition:
    """The one definition among these manifests, or that of this name; `where` is what messages call their files."""
    found = [manifest for manifest in manifests if _defines(manifest)]
    workflows = [manifest for manifest in found if manifest["kind"] == "Workflow"]
    found = workflows or found
    named = [manifest for manifest in found if name in (None, name_of(manifest))]
    if len(named) == 1:
        return read(named[0], manifests)
    names = ", ".join(map(name_of, found))
    if not found:
        raise SimulationError(f"{where} holds no Workflow")
    if name is not None and not named:
        raise SimulationError(f"{where} holds no Workflow {name}; there are: {names}")
    raise SimulationError(f"{where} holds {len(found)} Workflows ({names}): say which")


def read(manifest: Mapping[str, Any], beside: Sequence[Mapping[str, Any]] = ()) -> Definition:
    """A Workflow, or the definition that a WorkflowRun brings with it; `beside` are objects that it refers to: Pools,
    and ConfigMaps of days. InvalidWorkflow when anything is wrong."""
    name = name_of(manifest)
    spec, params, place = _spec(manifest, name)
    wrong: tuple[Finding, ...] = errors(check_spec(spec, place))
    if wrong:
        raise InvalidWorkflow(name, wrong)
    return Definition(
        name=name,
        namespace=str((manifest.get("metadata") or {}).get("namespace") or NAMESPACE),
        program=compile_program(spec),
        params=params,
        holidays=_holidays(spec, beside, name),
        pools=dict(_pools(beside)),
    )


def _spec(manifest: Mapping[str, Any], name: str) -> tuple[WorkflowSpec, Mapping[str, Any], Path]:
    """The definition, the parameters that come with it, and where it stands in its object."""
    try:
        if manifest.get("kind") != "WorkflowRun":
            return read_workflow(manifest), {}, ("spec",)
        run = read_run(manifest)
    except InvalidObject as error:
        raise InvalidWorkflow(name, error.findings) from None
    if run.workflow_spec is None:
        raise SimulationError(f"the run {name} brings no definition of its own: give its Workflow")
    return run.workflow_spec, run.params, ("spec", "workflowSpec")


def _pools(beside: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, PoolSpec]]:
    for manifest in beside:
        if manifest.get("kind") == "Pool" and str(manifest.get("apiVersion")).startswith(f"{GROUP}/"):
            try:
                yield name_of(manifest), read_pool(manifest)
            except InvalidObject as error:
                raise SimulationError(f"the Pool {name_of(manifest)} is not valid: {error}") from None


def _holidays(spec: WorkflowSpec, beside: Sequence[Mapping[str, Any]], name: str) -> dict[str, frozenset[date]]:
    maps = {name_of(one): one.get("data") or {} for one in beside if one.get("kind") == "ConfigMap"}
    found: dict[str, frozenset[date]] = {}
    for source in config_maps(spec.schedule) if spec.schedule is not None else ():
        if source.name in maps:
            found[source.ref], wrong = days_of(source, maps[source.name])
            if wrong:
                raise InvalidWorkflow(name, wrong)
    return found


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
