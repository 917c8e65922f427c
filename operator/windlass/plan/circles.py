"""Workflows that follow each other in a circle, as far as a set of manifests shows it. Pure.

The controller lets no run lead to another run of its own Workflow, so a circle is no storm; but it does less than its
author thinks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from windlass.plan.graph import find_cycle


def circles(workflows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The circles among these manifests of Workflows: names, each followed by the next, the first and last the same.

    The manifests may be of any shape; those of one namespace follow each other.
    """
    by_namespace: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for manifest in workflows:
        meta, spec = _object(manifest, "metadata"), _object(manifest, "spec")
        if isinstance(meta.get("name"), str):
            by_namespace[str(meta.get("namespace", ""))][meta["name"]] = spec
    for specs in by_namespace.values():
        yield from _circles_of(specs)


def _circles_of(specs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    producers: dict[str, set[str]] = defaultdict(set)
    for name, spec in specs.items():
        for task in (*_objects(spec, "tasks"), *_objects(spec, "finally")):
            for asset in task.get("produces") or ():
                producers[str(asset)].add(name)
    follows = {name: _followed(spec, producers) & specs.keys() for name, spec in specs.items()}
    while (found := find_cycle(follows)) is not None:
        yield found[::-1]
        for name in found:
            follows.pop(name, None)


def _followed(spec: Mapping[str, Any], producers: Mapping[str, set[str]]) -> set[str]:
    after = _object(_object(spec, "schedule"), "after")
    found: set[str] = set()
    for source in (*_objects(after, "all"), *_objects(after, "any")):
        if isinstance(source.get("workflow"), str):
            found.add(source["workflow"])
        found |= producers.get(str(source.get("asset")), set())
    return found


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _objects(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = value.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
