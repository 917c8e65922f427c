"""A DAG drawn with lines of text, layer by layer from left to right; as a list where a drawing would not fit.

    read-shopping ──▶ fill-missing ─┬─▶ join ─▶ report ─▶ mail
    read-factors ───────────────────┘

A task that several lines lead to takes several rows: `↑` says that an arrow means the task above. Where lines cross
without meeting, the vertical one is whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag
from typing import Final

from windlass.cli.dag import Dag
from windlass.cli.layout import THROUGH, Bus, Layout, Untidy, lay_out

SYMBOLS: Final[Mapping[str, str]] = {
    "Succeeded": "✔", "Failed": "✖", "UpstreamFailed": "⊘", "Running": "●", "Starting": "◔", "Queued": "◌",
    "Retrying": "↻", "Skipped": "–", "Cancelled": "■", "Waiting": "○",
}  # fmt: skip
MOST_TASKS: Final = 60
"""In one layer of a drawing."""


class _To(IntFlag):
    UP = 1
    DOWN = 2
    LEFT = 4
    RIGHT = 8


_CHARACTERS: Final = " ??│?┘┐┤?└┌├─┴┬┼"
"""By the directions that a line goes to."""


def draw(dag: Dag, width: int | None = None) -> str:
    """The DAG in at most `width` columns: as a drawing where that fits, else as a list."""
    if max(map(len, dag.layers)) > MOST_TASKS:
        return as_list(dag)
    try:
        lines = _drawn(dag, lay_out(dag.layers, dag.upstream))
    except Untidy:
        return as_list(dag)
    return as_list(dag) if width is not None and max(map(len, lines)) > width else "\n".join(lines)


def as_list(dag: Dag) -> str:
    """A line for each task, with those that it waits for."""
    return "\n".join(_list(dag))


def label(dag: Dag, name: str) -> str:
    """A task's name, with the symbol of its phase, and its trigger rule where that is not the usual one."""
    symbol = f"{SYMBOLS.get(dag.phases[name], '?')} " if name in dag.phases else ""
    rule = f" ({dag.rules[name]})" if name in dag.rules else ""
    return f"{symbol}{name}{rule}"


def _list(dag: Dag) -> Iterator[str]:
    labels = {name: label(dag, name) for name in dag.upstream}
    longest = max(map(len, labels.values()))
    for name, before in dag.upstream.items():
        yield f"{labels[name]:<{longest}}  ◀── {', '.join(before)}" if before else labels[name]


def _drawn(dag: Dag, layout: Layout) -> list[str]:
    height = 1 + max(
        row + heights[name] - 1
        for rows, heights in zip(layout.rows, layout.heights, strict=True)
        for name, row in rows.items()
    )
    columns = []
    for number, rows in enumerate(layout.rows):
        buses = layout.buses[number] if number < len(layout.buses) else ()
        columns.append(_column(dag, rows, layout.heights[number], buses, height))
        if buses:
            arrows = {row for name, row in _arrows(layout, number + 1) if not name.endswith(THROUGH)}
            columns.append(_gap(buses, arrows, height))
    return ["".join(parts).rstrip() for parts in zip(*columns, strict=True)]


def _arrows(layout: Layout, number: int) -> Iterator[tuple[str, int]]:
    """What is led to in a layer, and on which rows."""
    for name, row in layout.rows[number].items():
        for more in range(layout.heights[number][name]):
            yield name, row + more


def _column(
    dag: Dag, rows: Mapping[str, int], heights: Mapping[str, int], buses: Sequence[Bus], height: int
) -> list[str]:
    """The tasks of a layer, each with a line to the right where something follows."""
    sources = {row for bus in buses for row in bus.sources}
    text = [""] * height
    for name, row in rows.items():
        text[row] = "" if name.endswith(THROUGH) else f"{label(dag, name)} "
        for more in range(1, heights[name]):
            text[row + more] = "↑"
    width = max(map(len, text))
    return [line.ljust(width, "─" if row in sources else " ") for row, line in enumerate(text)]


def _gap(buses: Sequence[Bus], arrows: set[int], height: int) -> list[str]:
    """The lines between two layers. A track takes two characters; the first one is for the lines to the tracks."""
    width = 1 + 2 * (1 + max((bus.track for bus in buses if bus.track is not None), default=-1))
    cells: dict[tuple[int, int], list[_To]] = defaultdict(list)
    for bus in buses:
        for place, direction in _cells(bus, width):
            cells[place].append(direction)
    entered = {row for bus in buses for row in bus.targets}
    lines = []
    for row in range(height):
        line = "".join(_character(cells.get((row, column), [])) for column in range(width))
        lines.append(line + ("▶ " if row in arrows & entered else "──" if row in entered else "  "))
    return lines


def _cells(bus: Bus, width: int) -> Iterator[tuple[tuple[int, int], _To]]:
    """What a bus puts into each place, by row and column."""
    if bus.track is None:
        yield from (((bus.sources[0], column), _To.LEFT | _To.RIGHT) for column in range(width))
        return
    at = 1 + 2 * bus.track
    for row in bus.sources:
        yield from (((row, column), _To.LEFT | _To.RIGHT) for column in range(at))
    for row in bus.targets:
        yield from (((row, column), _To.LEFT | _To.RIGHT) for column in range(at + 1, width))
    for row in bus.rows:
        direction = _To(0)
        if row > bus.rows[0]:
            direction |= _To.UP
        if row < bus.rows[-1]:
            direction |= _To.DOWN
        if row in bus.sources:
            direction |= _To.LEFT
        if row in bus.targets:
            direction |= _To.RIGHT
        yield (row, at), direction


def _character(directions: Sequence[_To]) -> str:
    if not directions:
        return " "
    # Two lines at one place cross: the vertical one is seen.
    shown = directions[0] if len(directions) == 1 else _To.UP | _To.DOWN
    return _CHARACTERS[shown]
