"""Where the tasks of a DAG go in a drawing: a column for each layer, rows within, and the lines between two columns.

A task whose successor is more than one layer away is carried on by a line through the layers between. Between two
layers, tasks with the same successors share one vertical line, a bus:

    a ──┬─▶ c       a and b have the successors c and d: one bus, from rows 0 and 1 to rows 0 and 1
    b ──┴─▶ d

A task that several buses lead to takes a row for each, so that each arrow belongs to one bus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SWEEPS: Final = 4
MOST_SHIFTS: Final = 200
THROUGH: Final = "\0"
"""Ends the name of a line through a layer, which begins with the name of the task that it comes from."""


class Untidy(Exception):
    """The lines between two layers can't be drawn without one hiding another."""


@dataclass(frozen=True, slots=True)
class Bus:
    """The rows of tasks with the same successors, and the rows of the arrows to these."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    track: int | None = None
    """The place of its vertical line among the others, from the left; None when it is a straight line."""

    @property
    def rows(self) -> range:
        both = (*self.sources, *self.targets)
        return range(min(both), max(both) + 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing's plan."""

    rows: tuple[Mapping[str, int], ...]
    """For each layer what stands in it, and on which row."""
    heights: tuple[Mapping[str, int], ...]
    """How many rows that takes."""
    buses: tuple[tuple[Bus, ...], ...]
    """Between each layer and the next one."""


Edges = dict[str, tuple[str, ...]]
Group = tuple[tuple[str, ...], tuple[str, ...]]


def lay_out(layers: Sequence[Sequence[str]], upstream: Mapping[str, Sequence[str]]) -> Layout:
    """The plan of a drawing. Untidy when there is none."""
    spots, edges = _with_lines_through(layers, upstream)
    for _ in range(SWEEPS):
        _order(spots, edges)
    groups = [_groups(gap) for gap in edges]
    heights = [_heights(layer, groups[number - 1] if number else []) for number, layer in enumerate(spots)]
    rows: list[dict[str, int]] = [_stack(spots[0], heights[0], {})]
    buses: list[tuple[Bus, ...]] = []
    for number, gap in enumerate(groups):
        placed, found = _next_layer(rows[-1], spots[number + 1], heights[number + 1], gap)
        rows.append(placed)
        buses.append(found)
    return Layout(tuple(rows), tuple(heights), tuple(buses))


def _with_lines_through(
    layers: Sequence[Sequence[str]], upstream: Mapping[str, Sequence[str]]
) -> tuple[list[list[str]], list[Edges]]:
    level = {name: number for number, layer in enumerate(layers) for name in layer}
    successors: dict[str, list[str]] = defaultdict(list)
    for name, before in upstream.items():
        for other in before:
            successors[other].append(name)
    spots = [list(layer) for layer in layers]
    edges: list[Edges] = [{} for _ in layers[1:]]
    for name, after in successors.items():
        here = name
        for number in range(level[name], max(level[other] for other in after)):
            targets = [other for other in after if level[other] == number + 1]
            if any(level[other] > number + 1 for other in after):
                targets.append(name + THROUGH)
                spots[number + 1].append(name + THROUGH)
            edges[number][here] = tuple(targets)
            here = name + THROUGH
    return spots, edges


def _order(spots: list[list[str]], edges: Sequence[Edges]) -> None:
    """Move each spot towards the middle of what it is joined with: to the right, to the left, to the right again."""
    for number in range(1, len(spots)):
        before: dict[str, list[str]] = defaultdict(list)
        for source, targets in edges[number - 1].items():
            for target in targets:
                before[target].append(source)
        _sort(spots[number], spots[number - 1], before)
    for number in reversed(range(len(spots) - 1)):
        _sort(spots[number], spots[number + 1], edges[number])
    for number in range(1, len(spots)):
        before = defaultdict(list)
        for source, targets in edges[number - 1].items():
            for target in targets:
                before[target].append(source)
        _sort(spots[number], spots[number - 1], before)


def _sort(layer: list[str], beside: Sequence[str], joined: Mapping[str, Sequence[str]]) -> None:
    place = {name: number for number, name in enumerate(beside)}
    middle = {
        name: sum(place[other] for other in joined[name]) / len(joined[name]) if joined.get(name) else float(number)
        for number, name in enumerate(layer)
    }
    layer.sort(key=middle.__getitem__)


def _groups(edges: Edges) -> list[Group]:
    """The sources with the same targets, together."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for source, targets in edges.items():
        found[frozenset(targets)].append(source)
    return [(tuple(sources), edges[sources[0]]) for sources in found.values()]


def _heights(layer: Sequence[str], groups: Sequence[Group]) -> dict[str, int]:
    return {name: max(1, sum(name in targets for _, targets in groups)) for name in layer}


def _stack(layer: Sequence[str], heights: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    """One below the other, none above the row that it wants."""
    rows: dict[str, int] = {}
    free = 0
    for name in layer:
        rows[name] = max(free, wanted.get(name, 0))
        free = rows[name] + heights[name]
    return rows


def _next_layer(
    before: Mapping[str, int], layer: Sequence[str], heights: Mapping[str, int], groups: Sequence[Group]
) -> tuple[dict[str, int], tuple[Bus, ...]]:
    """Rows for a layer, each task beside the first that leads to it, or further down where lines would meet."""
    wanted = {
        name: min((before[source] for sources, targets in groups if name in targets for source in sources), default=0)
        for name in layer
    }
    for _ in range(MOST_SHIFTS):
        rows = _stack(layer, heights, wanted)
        buses = _buses(before, rows, groups)
        order, stuck = _left_to_right(buses)
        if not stuck:
            return rows, _on_tracks(buses, order)
        # The lowest arrow that is in the way goes a row down, and all that stands below it.
        lowest = max(row for number in stuck for row in buses[number].targets)
        shifted = max((name for name in layer if rows[name] <= lowest), key=rows.__getitem__)
        wanted[shifted] = rows[shifted] + 1
    raise Untidy


def _buses(before: Mapping[str, int], rows: Mapping[str, int], groups: Sequence[Group]) -> list[Bus]:
    ordered = sorted(groups, key=lambda group: min(before[source] for source in group[0]))
    arrows: dict[str, int] = defaultdict(int)
    found = []
    for sources, targets in ordered:
        entries = []
        for target in targets:
            entries.append(rows[target] + arrows[target])
            arrows[target] += 1
        found.append(Bus(tuple(sorted(before[source] for source in sources)), tuple(sorted(entries))))
    return found


def _left_to_right(buses: Sequence[Bus]) -> tuple[list[int], set[int]]:
    """An order in which a bus that a row comes from is left of the one that the row goes on to; and those that can't
    be put in any."""
    left_of: dict[int, set[int]] = {number: set() for number in range(len(buses))}
    for right, bus in enumerate(buses):
        for left, other in enumerate(buses):
            if left != right and set(other.sources) & set(bus.targets):
                left_of[right].add(left)
    order: list[int] = []
    while ready := [number for number, others in left_of.items() if number not in order and others <= set(order)]:
        order += ready
    return order, set(left_of) - set(order)


def _on_tracks(buses: Sequence[Bus], order: Sequence[int]) -> tuple[Bus, ...]:
    """Each bus on the leftmost track that is right of those it must be right of, and free on its rows."""
    tracks: dict[int, int] = {}
    found = []
    for number in order:
        bus = buses[number]
        if bus.sources == bus.targets and len(bus.sources) == 1:
            found.append(bus)
            continue
        least = 0
        for other, track in tracks.items():
            beside = bool(set(buses[other].sources) & set(bus.targets))
            if beside:
                least = max(least, track + 1)
        while any(track == least and set(bus.rows) & set(buses[other].rows) for other, track in tracks.items()):
            least += 1
        tracks[number] = least
        found.append(Bus(bus.sources, bus.targets, least))
    return tuple(found)
