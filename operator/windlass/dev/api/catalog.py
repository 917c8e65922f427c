"""The kinds that the server serves: built in, or defined by CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from windlass.dev.api.answers import unknown_resource
from windlass.dev.api.schema import Structural
from windlass.resources import Resource

StorageKey = tuple[str, str]
"""Group and plural: where objects are kept, whatever version they are asked for in."""

_META_FIELDS: Final = {"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, from a CustomResourceDefinition."""

    name: str
    type: str
    path: str
    description: str = ""
    format: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version, and what the server does for it."""

    resource: Resource
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=lambda: _META_FIELDS)
    """The fields that a selector may ask for, and their paths in the stored object."""
    counts_generation: bool = False
    unconditional_update: bool = True
    storage: StorageKey = ("", "")
    storage_version: str = ""
    """The apiVersion that objects are kept in."""
    schema: Structural | None = None
    columns: tuple[Column, ...] = ()
    custom: bool = False
    published: Mapping[str, Any] = field(default_factory=dict)
    """The schema for readers, as the definition has it."""

    @property
    def verbs(self) -> list[str]:
        return ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def _built_in(
    group: str,
    version: str,
    kind: str,
    *,
    plural: str = "",
    namespaced: bool = True,
    short: Iterable[str] = (),
    categories: Iterable[str] = (),
    subresources: Iterable[str] = (),
    fields: Iterable[str] = (),
    storage: StorageKey | None = None,
    **more: bool,
) -> Kind:
    plural = plural or f"{kind.lower()}s"
    resource = Resource(group, version, plural, kind, namespaced)
    return Kind(
        resource,
        kind.lower(),
        tuple(short),
        tuple(categories),
        frozenset(subresources),
        _META_FIELDS | {name: name for name in fields},
        storage=storage or (group, plural),
        storage_version=resource.api_version if storage is None else "v1",
        counts_generation=more.get("counts_generation", False),
        unconditional_update=more.get("unconditional_update", True),
    )


_POD_FIELDS: Final = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
    "status.podIP", "status.nominatedNodeName",
)  # fmt: skip
_REGARDING: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_EVENT_FIELDS: Final = tuple(f"involvedObject.{part}" for part in _REGARDING)


def _events_of_the_new_group() -> Kind:
    """events.k8s.io serves the core group's events under other names of their fields."""
    kind = _built_in("events.k8s.io", "v1", "Event", short=["ev"], storage=("", "events"))
    regarding = {f"regarding.{part}": f"involvedObject.{part}" for part in _REGARDING}
    more = {"reason": "reason", "reportingController": "reportingComponent", "type": "type"}
    return Kind(
        kind.resource, kind.singular, kind.short_names, fields=_META_FIELDS | regarding | more,
        storage=kind.storage, storage_version="v1",
    )  # fmt: skip


BUILT_IN: Final[tuple[Kind, ...]] = (
    _built_in("", "v1", "Namespace", namespaced=False, short=["ns"], subresources=["status"], fields=["status.phase"]),
    _built_in("", "v1", "Node", namespaced=False, short=["no"], subresources=["status"], fields=["spec.unschedulable"]),
    _built_in("", "v1", "PersistentVolume", namespaced=False, short=["pv"], subresources=["status"]),
    _built_in(
        "", "v1", "Pod", short=["po"], categories=["all"], subresources=["status", "log", "binding"],
        fields=_POD_FIELDS, counts_generation=True,
    ),
    _built_in("", "v1", "ConfigMap", short=["cm"]),
    _built_in("", "v1", "Secret", fields=["type"]),
    _built_in("", "v1", "PersistentVolumeClaim", short=["pvc"], subresources=["status"]),
    _built_in("", "v1", "Service", short=["svc"], categories=["all"], subresources=["status"], fields=["spec.type"]),
    _built_in("", "v1", "ServiceAccount", short=["sa"]),
    _built_in("", "v1", "Endpoints", plural="endpoints", short=["ep"]),
    _built_in("", "v1", "LimitRange", short=["limits"]),
    _built_in("", "v1", "ResourceQuota", short=["quota"], subresources=["status"]),
    _built_in("", "v1", "Event", short=["ev"], fields=(*_EVENT_FIELDS, "reason", "reportingComponent", "type")),
    _events_of_the_new_group(),
    _built_in("apps", "v1", "ControllerRevision"),
    _built_in("coordination.k8s.io", "v1", "Lease", unconditional_update=False),
    _built_in("scheduling.k8s.io", "v1", "PriorityClass", plural="priorityclasses", namespaced=False, short=["pc"]),
    _built_in("storage.k8s.io", "v1", "StorageClass", plural="storageclasses", namespaced=False, short=["sc"]),
    _built_in("policy", "v1", "PodDisruptionBudget", short=["pdb"], subresources=["status"]),
    _built_in("rbac.authorization.k8s.io", "v1", "Role"),
    _built_in("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    _built_in("rbac.authorization.k8s.io", "v1", "ClusterRole", namespaced=False),
    _built_in("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", namespaced=False),
    _built_in(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", namespaced=False, short=["crd", "crds"],
        categories=["api-extensions"], subresources=["status"], counts_generation=True,
    ),
)  # fmt: skip


class Catalog:
    """The kinds of now; definitions come and go."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._named: dict[tuple[str, str], Kind] = {}
        for kind in BUILT_IN:
            self._add(kind)

    def _add(self, kind: Kind) -> None:
        self._kinds[self._key(kind.resource)] = kind
        self._named[kind.resource.group, kind.resource.kind] = kind

    @staticmethod
    def _key(resource: Resource) -> tuple[str, str, str]:
        return resource.group, resource.version, resource.plural

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def kind(self, resource: Resource) -> Kind:
        return self.find(resource.group, resource.version, resource.plural)

    def find(self, group: str, version: str, plural: str) -> Kind:
        found = self._kinds.get((group, version, plural))
        if found is None:
            raise unknown_resource()
        return found

    def named(self, group: str, kind: str) -> Kind | None:
        """The kind of that name in any version of the group."""
        return self._named.get((group, kind))

    def serves(self, group: str, version: str) -> bool:
        return any(kind.resource.group == group and kind.resource.version == version for kind in self)

    def of_storage(self, storage: StorageKey) -> Kind:
        """The kind that objects kept there are of, in the version that they are kept in."""
        for kind in self._kinds.values():
            if kind.storage == storage and kind.resource.api_version == kind.storage_version:
                return kind
        raise unknown_resource()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Serve what a CustomResourceDefinition says, in place of what an earlier version of it said."""
        self.undefine(definition)
        for kind in kinds_of(definition):
            self._add(kind)

    def undefine(self, definition: Mapping[str, Any]) -> None:
        storage = storage_of(definition)
        for key in [key for key, kind in self._kinds.items() if kind.custom and kind.storage == storage]:
            gone = self._kinds.pop(key)
            self._named.pop((gone.resource.group, gone.resource.kind), None)


def storage_of(definition: Mapping[str, Any]) -> StorageKey:
    spec = definition["spec"]
    return spec["group"], spec["names"]["plural"]


def kinds_of(definition: Mapping[str, Any]) -> list[Kind]:
    """The kinds that a definition describes, one for each version served."""
    spec = definition["spec"]
    names = spec["names"]
    versions = spec["versions"]
    storage_version = next(version["name"] for version in versions if version.get("storage"))
    return [
        Kind(
            Resource(spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"),
            names.get("singular") or names["kind"].lower(),
            tuple(names.get("shortNames") or ()),
            tuple(names.get("categories") or ()),
            frozenset(version.get("subresources") or {}) & {"status"},
            _META_FIELDS | _selectable(version),
            counts_generation=True,
            unconditional_update=False,
            storage=storage_of(definition),
            storage_version=f"{spec['group']}/{storage_version}",
            schema=Structural.of((version.get("schema") or {}).get("openAPIV3Schema") or {}),
            columns=tuple(_columns(version)),
            custom=True,
            published=(version.get("schema") or {}).get("openAPIV3Schema") or {},
        )
        for version in versions
        if version.get("served")
    ]


def _selectable(version: Mapping[str, Any]) -> dict[str, str]:
    paths = [entry["jsonPath"].removeprefix(".") for entry in version.get("selectableFields") or ()]
    return {path: path for path in paths}


def _columns(version: Mapping[str, Any]) -> Iterable[Column]:
    for column in version.get("additionalPrinterColumns") or ():
        yield Column(
            column["name"], column["type"], column["jsonPath"], column.get("description", ""),
            column.get("format", ""), column.get("priority", 0),
        )  # fmt: skip
