"""A DAG drawn with lines of text, layer by layer from left to right; as a list where a drawing would mislead.

    read-shopping ──▶ fill-missing ──┬─▶ join ──▶ report ──▶ mail
    read-factors ────────────────────┘

Between two layers each set of tasks with the same successors has a vertical line of its own, and each arrow belongs
to one such line: where lines cross without meeting, the vertical one is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from windlass.cli.dag import Dag

SYMBOLS: Final[Mapping[str, str]] = {
    "Succeeded": "✔", "Failed": "✖", "UpstreamFailed": "⊘", "Running": "●", "Starting": "◔", "Queued": "◌",
    "Retrying": "↻", "Skipped": "–", "Cancelled": "■", "Waiting": "○",
}  # fmt: skip


def draw(dag: Dag, width: int | None = None) -> str:
    """The DAG in at most `width` columns: as a drawing where that fits, else as a list."""
    return as_list(dag)


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
