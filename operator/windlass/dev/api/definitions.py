"""CustomResourceDefinitions as objects: their defaults, checks and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from windlass.dev.api.answers import Cause
from windlass.dev.api.deletion import CLEANUP
from windlass.dev.api.hub import Body
from windlass.dev.api.texts import timestamp


def fill_definition(body: Body, now: datetime) -> None:
    """Defaults of the spec, and the status of a definition that is served at once."""
    spec = body.get("spec") or {}
    names = spec.get("names") or {}
    if "kind" in names:
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    finalizers = body["metadata"].get("finalizers") or []
    if CLEANUP not in finalizers and "deletionTimestamp" not in body["metadata"]:
        body["metadata"]["finalizers"] = [*finalizers, CLEANUP]
    if (body.get("status") or {}).get("acceptedNames") == names:
        return
    told = {"lastTransitionTime": timestamp(now), "status": "True"}
    body["status"] = {
        "acceptedNames": dict(names),
        "conditions": [
            {**told, "message": "no conflicts found", "reason": "NoConflicts", "type": "NamesAccepted"},
            {
                **told,
                "message": "the initial names have been accepted",
                "reason": "InitialNamesAccepted",
                "type": "Established",
            },
        ],
        "storedVersions": [entry["name"] for entry in spec.get("versions") or () if entry.get("storage")],
    }


def definition_causes(body: Body, old: Body | None) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    names = spec.get("names") or {}
    for path, value in {
        "spec.group": spec.get("group"),
        "spec.scope": spec.get("scope"),
        "spec.names.plural": names.get("plural"),
        "spec.names.kind": names.get("kind"),
    }.items():
        if not value:
            yield Cause(path, "Required value", "FieldValueRequired")
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if body["metadata"].get("name") != wanted:
        got = body["metadata"].get("name")
        yield Cause("metadata.name", f'Invalid value: "{got}": must be spec.names.plural+"."+spec.group')
    versions = spec.get("versions") or []
    if sum(1 for version in versions if version.get("storage")) != 1:
        yield Cause("spec.versions", "Invalid value: must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            said = "Required value: schemas are required"
            yield Cause(f"spec.versions[{index}].schema.openAPIV3Schema", said, "FieldValueRequired")
    if old is not None:
        for part in ("group", "scope"):
            if spec.get(part) != old["spec"].get(part):
                yield Cause(f"spec.{part}", f'Invalid value: "{spec.get(part)}": field is immutable')
