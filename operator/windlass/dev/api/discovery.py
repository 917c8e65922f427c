"""What the server says of itself: groups, resources, version and the OpenAPI documents that kubectl asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from windlass.dev.api.catalog import Catalog, Kind
from windlass.dev.api.hub import Body
from windlass.dev.api.reviews import REVIEWS

VERSION: Final = {
    "major": "1",
    "minor": "35",
    "emulationMajor": "1",
    "emulationMinor": "35",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "34",
    "gitVersion": "v1.35.4-windlass-dev",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "cpython",
    "platform": "linux/amd64",
}
AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def api_versions(address: str) -> Body:
    """/api"""
    server = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": server}


def groups(catalog: Catalog) -> Body:
    """/apis"""
    found = [group(catalog, name) for name in _group_names(catalog)]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(catalog: Catalog, name: str) -> Body:
    """/apis/GROUP, without kind and apiVersion."""
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(catalog, name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0] if versions else None}


def resources(catalog: Catalog, group_name: str, version: str) -> Body | None:
    """/api/v1 or /apis/GROUP/VERSION."""
    kinds = _kinds(catalog, group_name, version)
    reviews = [review for review in REVIEWS if (review.group, review.version) == (group_name, version)]
    if not kinds and not reviews:
        return None
    listed = [entry for kind in kinds for entry in _entries(kind)]
    listed += [
        {
            "name": one.plural,
            "singularName": one.kind.lower(),
            "namespaced": one.namespaced,
            "kind": one.kind,
            "verbs": ["create"],
        }
        for one in reviews
    ]
    version_text = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version_text, "resources": listed}


def aggregated(catalog: Catalog, *, core: bool) -> Body:
    """/api or /apis as an APIGroupDiscoveryList: everything in one answer."""
    names = [""] if core else _group_names(catalog)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
                "versions": [
                    {"version": version, "freshness": "Current", "resources": _aggregated(catalog, name, version)}
                    for version in _versions(catalog, name)
                ],
            }
            for name in names
        ],
    }


def openapi_paths(catalog: Catalog) -> Body:
    """/openapi/v3"""
    paths = {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"}}
    for name in _group_names(catalog):
        for version in _versions(catalog, name):
            path = f"apis/{name}/{version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}"}
    return {"paths": paths}


def openapi(catalog: Catalog, group_name: str, version: str) -> Body:
    """/openapi/v3/…: enough for kubectl to know that the server validates fields, and to explain custom resources."""
    kinds = _kinds(catalog, group_name, version)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Windlass development cluster", "version": VERSION["gitVersion"]},
        "paths": {path: operations for kind in kinds for path, operations in _paths(kind)},
        "components": {"schemas": {_schema_name(kind): _schema(kind) for kind in kinds}},
    }


def _group_names(catalog: Catalog) -> list[str]:
    named = {kind.resource.group: None for kind in catalog if kind.resource.group}
    return list(named | {review.group: None for review in REVIEWS})


def _versions(catalog: Catalog, name: str) -> list[str]:
    found = [kind.resource.version for kind in catalog if kind.resource.group == name]
    found += [review.version for review in REVIEWS if review.group == name]
    return list(dict.fromkeys(found))


def _kinds(catalog: Catalog, group_name: str, version: str) -> list[Kind]:
    return [kind for kind in catalog if (kind.resource.group, kind.resource.version) == (group_name, version)]


_SUBRESOURCE_VERBS: Final = {"status": ["get", "patch", "update"], "log": ["get"], "binding": ["create"]}


def _entries(kind: Kind) -> Iterable[Body]:
    resource = kind.resource
    common = {"namespaced": resource.namespaced, "kind": resource.kind}
    entry: Body = {"name": resource.plural, "singularName": kind.singular, **common, "verbs": kind.verbs}
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for name in sorted(kind.subresources):
        verbs = _SUBRESOURCE_VERBS[name]
        yield {"name": f"{resource.plural}/{name}", "singularName": "", **common, "verbs": verbs}


def _aggregated(catalog: Catalog, group_name: str, version: str) -> list[Body]:
    found = [_aggregated_kind(kind) for kind in _kinds(catalog, group_name, version)]
    for one in REVIEWS:
        if (one.group, one.version) == (group_name, version):
            found.append(
                {
                    "resource": one.plural,
                    "responseKind": {"group": one.group, "version": one.version, "kind": one.kind},
                    "scope": "Namespaced" if one.namespaced else "Cluster",
                    "singularResource": one.kind.lower(),
                    "verbs": ["create"],
                }
            )
    return found


def _aggregated_kind(kind: Kind) -> Body:
    resource = kind.resource
    answers = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: Body = {
        "resource": resource.plural,
        "responseKind": answers,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": kind.verbs,
        "subresources": [
            {"subresource": name, "responseKind": answers, "verbs": _SUBRESOURCE_VERBS[name]}
            for name in sorted(kind.subresources)
        ],
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    return entry


def _names(kind: Kind) -> list[dict[str, str]]:
    resource = kind.resource
    return [{"group": resource.group, "version": resource.version, "kind": resource.kind}]


def _schema_name(kind: Kind) -> str:
    parts = [*reversed((kind.resource.group or "core.k8s.io").split(".")), kind.resource.version, kind.resource.kind]
    return ".".join(parts)


def _schema(kind: Kind) -> Body:
    told: Any = {"type": "object", **kind.published}
    return {**told, "x-kubernetes-group-version-kind": _names(kind)}


def _paths(kind: Kind) -> Iterable[tuple[str, Body]]:
    asked: list[Any] = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    namespace = "{namespace}" if kind.resource.namespaced else None
    told = {"parameters": asked, "x-kubernetes-group-version-kind": _names(kind)[0], "responses": {}}
    listing = {
        "get": {"x-kubernetes-action": "list", "x-kubernetes-group-version-kind": _names(kind)[0], "responses": {}}
    }
    posting = {"post": {**told, "x-kubernetes-action": "post"}}
    yield kind.resource.path(namespace), {**listing, **posting}
    yield (
        kind.resource.path(namespace, "{name}"),
        {"patch": {**told, "x-kubernetes-action": "patch"}, "put": {**told, "x-kubernetes-action": "put"}},
    )
