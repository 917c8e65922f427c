"""A DAG as a Mermaid or Graphviz source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from windlass.cli.dag import Dag

COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "Succeeded": ("#d3f2d3", "#2e7d32"),
    "Failed": ("#f8d3d3", "#c62828"),
    "UpstreamFailed": ("#fbe3d6", "#d84315"),
    "Running": ("#d3e5fa", "#1565c0"),
    "Starting": ("#e3effb", "#1565c0"),
    "Queued": ("#e3effb", "#5c7fa3"),
    "Retrying": ("#fff1c9", "#b28704"),
    "Skipped": ("#eeeeee", "#9e9e9e"),
    "Cancelled": ("#ecd9f5", "#6a1b9a"),
    "Waiting": ("#ffffff", "#9e9e9e"),
}
"""Fill and line of each phase."""


def mermaid(dag: Dag) -> str:
    """As a Mermaid flowchart."""
    return "\n".join(_mermaid(dag))


def dot(dag: Dag) -> str:
    """As a Graphviz digraph."""
    return "\n".join(_dot(dag))


def _mermaid(dag: Dag) -> Iterator[str]:
    yield "graph LR"
    ids = {name: f"t{number}" for number, name in enumerate(dag.upstream)}
    for name, key in ids.items():
        label = f'"{_label(dag, name, "<br/>")}"'
        yield f"  {key}([{label}])" if name in dag.finals else f"  {key}[{label}]"
    for name, before in dag.upstream.items():
        for other in before:
            yield f"  {ids[other]} {'-.->' if name in dag.finals else '-->'} {ids[name]}"
    for phase in dict.fromkeys(dag.phases.values()):
        fill, line = COLOURS.get(phase, COLOURS["Waiting"])
        yield f"  classDef {phase} fill:{fill},stroke:{line},color:#222"
    for name, phase in dag.phases.items():
        if name in ids:
            yield f"  class {ids[name]} {phase}"


def _dot(dag: Dag) -> Iterator[str]:
    yield f"digraph {_quoted(dag.name)} {{"
    yield '  rankdir=LR; node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif"];'
    for name in dag.upstream:
        look = [f"label={_quoted(_label(dag, name, chr(10)))}"]
        if name in dag.finals:
            look.append("shape=oval")
        if name in dag.phases:
            fill, line = COLOURS.get(dag.phases[name], COLOURS["Waiting"])
            look += [f'fillcolor="{fill}"', f'color="{line}"']
        yield f"  {_quoted(name)} [{', '.join(look)}];"
    for name, before in dag.upstream.items():
        for other in before:
            style = " [style=dashed]" if name in dag.finals else ""
            yield f"  {_quoted(other)} -> {_quoted(name)}{style};"
    yield "}"


def _label(dag: Dag, name: str, line_break: str) -> str:
    more = [found for found in (dag.rules.get(name), dag.phases.get(name)) if found]
    return line_break.join([name, *more])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
