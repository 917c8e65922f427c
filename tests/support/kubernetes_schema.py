"""Whether manifests are what an old Kubernetes takes, field by field, without a server.

The schemas are those of the oldest version that is supported, as its API tells them. They were taken from the
`api/openapi-spec/swagger.json` of that version's source by

    python tests/support/kubernetes_schema.py SWAGGER.JSON > tests/support/kubernetes-1.30.json
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any, Final

import jsonschema

FILE: Final = Path(__file__).with_name("kubernetes-1.30.json")
KINDS: Final = (
    "apps.v1.Deployment",
    "batch.v1.Job",
    "core.v1.ConfigMap",
    "core.v1.Pod",
    "core.v1.Service",
    "core.v1.ServiceAccount",
    "networking.v1.NetworkPolicy",
    "policy.v1.PodDisruptionBudget",
    "rbac.v1.ClusterRole",
    "rbac.v1.ClusterRoleBinding",
    "rbac.v1.Role",
    "rbac.v1.RoleBinding",
    "admissionregistration.v1.ValidatingAdmissionPolicy",
    "admissionregistration.v1.ValidatingAdmissionPolicyBinding",
)
KEPT: Final = ("$ref", "type", "format", "enum", "required", "properties", "items", "additionalProperties")


@functools.cache
def schemas() -> dict[str, Any]:
    """All schemas, by their names."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def complaints(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with a manifest of a kind that Kubernetes knows."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    name = ".".join([group.partition(".")[0] or "core", version, str(manifest["kind"])])
    if name not in schemas()["kinds"]:
        return [f"{manifest['apiVersion']} {manifest['kind']} is no kind of Kubernetes 1.30"]
    schema = {"$ref": schemas()["kinds"][name], "definitions": schemas()["definitions"]}
    found = jsonschema.Draft7Validator(schema).iter_errors(manifest)
    return [f"{manifest['kind']} {manifest['metadata']['name']}: {one.json_path}: {one.message}" for one in found]


def extract(swagger: dict[str, Any]) -> dict[str, Any]:
    """The schemas of KINDS and of all that they are made of, without words, refusing fields that there are not."""
    definitions = swagger["definitions"]
    kinds = {name: f"#/definitions/io.k8s.api.{name}" for name in KINDS}
    wanted, taken = [reference.rpartition("/")[2] for reference in kinds.values()], dict[str, Any]()
    while wanted:
        name = wanted.pop()
        if name not in taken:
            taken[name] = _strict(definitions[name])
            wanted += _references(taken[name])
    return {"kinds": kinds, "definitions": dict(sorted(taken.items()))}


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    if found.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    found.pop("format", None)
    if "properties" in found:
        found["properties"] = {name: _strict(inner) for name, inner in found["properties"].items()}
        found["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _strict(found[key])
    return found


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
        return own + [name for inner in schema.values() for name in _references(inner)]
    return []


if __name__ == "__main__":
    json.dump(extract(json.loads(Path(sys.argv[1]).read_text())), sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
