"""Workflows that follow or start each other in a circle, as far as a set of manifests shows it. Pure.

The controller lets no run lead to another run of its own Workflow, so a circle is no storm; but it does less than its
author thinks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from windlass.plan.graph import find_cycle


def circles(workflows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The circles among these manifests of Workflows: names, each followed by the next, the first and last the same.

    The manifests may be of any shape; those of one namespace follow each other.
    """
    for specs in _by_namespace(workflows):
        yield from _circles_of(specs)


class Start(NamedTuple):
    """A task that begins a circle of runs."""

    spec: Mapping[str, Any]
    """The very spec that was given, of the Workflow that it is a task of."""
    place: tuple[str | int, ...]
    """Where it says so in the spec."""
    circle: tuple[str, ...]
    """Names, each starting the next by `run`, the first and last the same."""


def circles_of_runs(workflows: Sequence[Mapping[str, Any]]) -> Iterator[Start]:
    """The circles of Workflows that start each other by `run`, each told of once. The manifests may be of any shape."""
    for specs in _by_namespace(workflows):
        links = {name: {other for _, other in _started(spec)} & specs.keys() for name, spec in specs.items()}
        for circle in _found_in(links):
            spec = specs[circle[0]]
            yield from (Start(spec, place, circle) for place, other in _started(spec) if other == circle[1])


def _by_namespace(workflows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Mapping[str, Any]]]:
    """The specs by their names, of each namespace."""
    by_namespace: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for manifest in workflows:
        meta, spec = _object(manifest, "metadata"), _object(manifest, "spec")
        if isinstance(meta.get("name"), str):
            by_namespace[str(meta.get("namespace", ""))][meta["name"]] = spec
    yield from by_namespace.values()


def _circles_of(specs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    producers: dict[str, set[str]] = defaultdict(set)
    for name, spec in specs.items():
        for task in (*_objects(spec, "tasks"), *_objects(spec, "finally")):
            for asset in task.get("produces") or ():
                producers[str(asset)].add(name)
    follows = {name: _followed(spec, producers) & specs.keys() for name, spec in specs.items()}
    yield from (found[::-1] for found in _found_in(follows))


def _found_in(links: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Circles of these links that have no Workflow in common."""
    left = dict(links)
    while (found := find_cycle(left)) is not None:
        yield found
        for name in found:
            left.pop(name, None)


def _started(spec: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The Workflows that its tasks start, and where it says so."""
    for part in ("tasks", "finally"):
        tasks = spec.get(part)
        for number, task in enumerate(tasks if isinstance(tasks, list) else ()):
            child = _object(task, "run").get("workflow") if isinstance(task, Mapping) else None
            if isinstance(child, str):
                yield (part, number, "run", "workflow"), child


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
