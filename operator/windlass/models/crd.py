"""The custom resource definitions, made from the models."""

from __future__ import annotations

from typing import Any, Final

import yaml

from windlass.models.action import RunAction, RunActionSpec, RunActionStatus
from windlass.models.backfill import Backfill, BackfillSpec, BackfillStatus
from windlass.models.embedded import atomic, embedded_rules
from windlass.models.pool import Pool, PoolSpec, PoolStatus
from windlass.models.rules import RULES
from windlass.models.run import WorkflowRun, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.schema import Schema, described, structural
from windlass.models.workflow import Workflow, WorkflowSpec, WorkflowStatus
from windlass.names import GROUP, VERSION
from windlass.resources import ACTIONS, BACKFILLS, POOLS, RUNS, WORKFLOWS, Resource

CATEGORY: Final = "windlass"
_ROOT: Final[Schema] = {
    "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
    "kind": {"type": "string", "description": "The kind of the resource."},
    "metadata": {"type": "object"},
}


def definitions() -> dict[str, dict[str, Any]]:
    """The custom resource definitions, by the plural name of their resource. Fresh at each call."""
    return {resource.plural: build(resource) for resource, build in _BUILDERS.items()}


def render() -> str:
    """All definitions as one YAML stream: what `kubectl apply -f crds/` reads."""
    return "".join(to_yaml(definition) for definition in definitions().values())


def to_yaml(definition: dict[str, Any]) -> str:
    """One definition as a YAML document."""
    return "---\n" + yaml.safe_dump(definition, sort_keys=False, width=120, allow_unicode=True)


def _workflows(resource: Resource) -> dict[str, Any]:
    parts = {"spec": structural(WorkflowSpec), "status": structural(WorkflowStatus)}
    columns = [
        _column("Schedule", ".spec.schedule.cron"),
        _column("Zone", ".spec.schedule.timeZone"),
        _column("Suspended", ".spec.schedule.suspend", kind="boolean"),
        _column("Active", ".status.activeRuns", kind="integer"),
        _column("Last", ".status.lastSlot", kind="date"),
        _column("Next", ".status.nextSlot"),
        _column("Age", ".metadata.creationTimestamp", kind="date"),
        _column("Owner", ".spec.owner", priority=1),
        _column("Message", ".status.message", priority=1),
        _column("Description", ".spec.description", priority=1),
    ]
    return _definition(resource, "wlw", _root(described(Workflow), parts, "Workflow"), columns, {"status": {}})


def _runs(resource: Resource) -> dict[str, Any]:
    spec = structural(WorkflowRunSpec, embedded_rules())
    spec["properties"]["workflowSpec"] = atomic(spec["properties"]["workflowSpec"])
    parts = {"spec": spec, "status": structural(WorkflowRunStatus)}
    columns = [
        _column("Workflow", ".status.workflow"),
        _column("Phase", ".status.phase"),
        _column("Progress", ".status.progress"),
        _column("Started", ".status.startedAt", kind="date"),
        _column("Duration", ".status.duration"),
        _column("Slot", ".status.slot"),
        _column("Message", ".status.message", priority=1),
    ]
    return _definition(resource, "wlr", _root(described(WorkflowRun), parts, "WorkflowRun"), columns, {"status": {}})


def _pools(resource: Resource) -> dict[str, Any]:
    columns = [
        _column("Slots", ".spec.slots", kind="integer"),
        _column("Used", ".status.used", kind="integer"),
        _column("Free", ".status.free", kind="integer"),
        _column("Waiting", ".status.waiting", kind="integer"),
        _column("Age", ".metadata.creationTimestamp", kind="date"),
        _column("Message", ".status.message", priority=1),
        _column("Description", ".spec.description", priority=1),
    ]
    parts = {"spec": structural(PoolSpec), "status": structural(PoolStatus)}
    return _definition(resource, "wlp", _root(described(Pool), parts, "Pool"), columns, {"status": {}})


def _actions(resource: Resource) -> dict[str, Any]:
    parts = {"spec": structural(RunActionSpec), "status": structural(RunActionStatus)}
    columns = [
        _column("Run", ".spec.run"),
        _column("Verb", ".spec.verb"),
        _column("By", ".spec.requestedBy"),
        _column("Phase", ".status.phase"),
        _column("Age", ".metadata.creationTimestamp", kind="date"),
        _column("Message", ".status.message", priority=1),
    ]
    return _definition(resource, "wla", _root(described(RunAction), parts, "RunAction"), columns, {"status": {}})


def _backfills(resource: Resource) -> dict[str, Any]:
    parts = {"spec": structural(BackfillSpec), "status": structural(BackfillStatus)}
    columns = [
        _column("Workflow", ".spec.workflow"),
        _column("Phase", ".status.phase"),
        _column("Progress", ".status.progress"),
        _column("Failed", ".status.failed", kind="integer"),
        _column("From", ".spec.from"),
        _column("To", ".spec.to"),
        _column("Age", ".metadata.creationTimestamp", kind="date"),
        _column("Message", ".status.message", priority=1),
    ]
    return _definition(resource, "wlb", _root(described(Backfill), parts, "Backfill"), columns, {"status": {}})


_BUILDERS: Final = {WORKFLOWS: _workflows, RUNS: _runs, POOLS: _pools, ACTIONS: _actions, BACKFILLS: _backfills}


def _root(description: Schema, parts: dict[str, Schema], model: str) -> Schema:
    """The schema of a whole object."""
    rules = [rule.as_cel() for rule in RULES.get(model, ())]
    return {
        **description,
        "type": "object",
        "required": ["spec"],
        "properties": {name: dict(schema) for name, schema in _ROOT.items()} | parts,
    } | ({"x-kubernetes-validations": rules} if rules else {})


def _column(name: str, path: str, *, kind: str = "string", priority: int = 0) -> dict[str, Any]:
    """A column of `kubectl get`; with priority 1 only of `-o wide`."""
    return {"name": name, "type": kind, "jsonPath": path} | ({"priority": priority} if priority else {})


def _definition(
    resource: Resource, short: str, schema: Schema, columns: list[dict[str, Any]], subresources: dict[str, Any]
) -> dict[str, Any]:
    version: dict[str, Any] = {"name": resource.version, "served": True, "storage": True}
    version |= {"subresources": subresources} if subresources else {}
    version |= {"additionalPrinterColumns": columns, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{resource.plural}.{resource.group}",
            "labels": {"app.kubernetes.io/part-of": "windlass"},
        },
        "spec": {
            "group": resource.group,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [short],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }
