from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.cli import FakeCluster, invoke, run, workflow
from windlass.cli import drawing
from windlass.cli.dag import Dag, read
from windlass.cli.layout import THROUGH, Untidy, lay_out


def dag(text: str) -> Dag:
    """`c: a b; …`: c depends on a and b."""
    parts = [part.partition(":") for part in text.split(";")]
    return Dag("x", {name.strip(): tuple(before.split()) for name, _, before in parts})


DRAWINGS = {
    "one task": ("a", "a"),
    "a chain": ("a; b: a; c: b", "a ─▶ b ─▶ c"),
    "a diamond": (
        "a; bb: a; c: a; d: bb c",
        """\
a ─┬─▶ bb ─┬─▶ d
   └─▶ c ──┘""",
    ),
    "the same successors share a line": (
        "a; b; c: a b; d: a b",
        """\
a ─┬─▶ c
b ─┴─▶ d""",
    ),
    "an arrow for each line": (
        "a; b; c: a; d: a b",
        """\
a ───┬─▶ c
b ─┐ └─▶ d
   └───▶ ↑""",
    ),
    "tasks are turned so that lines don't cross": (
        "a; b; c: b; d: a",
        """\
a ─▶ d
b ─▶ c""",
    ),
    "a line through a layer": (
        "a; b: a; c: b; d: c a",
        """\
a ─┬─▶ b ─▶ c ─┬─▶ d
   └───────────┘""",
    ),
    "lines that cross": (
        "a; b; c; x: a b; y: b c; z: a c",
        """\
a ─────┬─▶ x
b ─┬───│─▶ ↑
c ─│─┐ └─▶ z
   │ ├───▶ ↑
   └─│───▶ y
     └───▶ ↑""",
    ),
}


@pytest.mark.parametrize("case", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_drawing(case: tuple[str, str]) -> None:
    text, drawn = case
    assert drawing.draw(dag(text)) == drawn


def test_a_drawing_that_does_not_fit_is_a_list() -> None:
    assert drawing.draw(dag("aaa; b: aaa; c: aaa b"), width=10) == "aaa\nb    ◀── aaa\nc    ◀── aaa, b"


def test_phases_and_rules() -> None:
    found = Dag("x", {"a": (), "b": ("a",)}, rules={"b": "AllDone"}, phases={"a": "Failed", "b": "Running"})
    assert drawing.draw(found) == "✖ a ─▶ ● b (AllDone)"


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    size = draw(st.integers(1, 9))
    return Dag("x", {f"t{n}": tuple(f"t{m}" for m in range(n) if draw(st.integers(0, 2)) == 0) for n in range(size)})


@given(dags())
def test_the_lines_say_exactly_what_depends_on_what(found: Dag) -> None:
    ordered = {name: found.upstream[name] for layer in found.layers for name in layer}
    try:
        layout = lay_out(found.layers, ordered)
    except Untidy:
        return
    reached: dict[str, set[str]] = {name: set() for name in ordered}
    carried: dict[str, set[str]] = {}
    for number, buses in enumerate(layout.buses):
        left, right = layout.rows[number], layout.rows[number + 1]
        heights = layout.heights[number + 1]
        at = {row + more: name for name, row in right.items() for more in range(heights[name])}
        assert len(at) == sum(heights.values()), "two tasks on one row"
        entries = [row for bus in buses for row in bus.targets]
        assert len(entries) == len(set(entries)), "two lines to one arrow"
        carried_on: dict[str, set[str]] = {}
        for bus in buses:
            names = {name for name, row in left.items() if row in bus.sources}
            origins = set().union(*(carried[name] if name.endswith(THROUGH) else {name} for name in names))
            for row in bus.targets:
                target = at[row]
                if target.endswith(THROUGH):
                    carried_on.setdefault(target, set()).update(origins)
                else:
                    reached[target] |= origins
        carried = carried_on
        for one in buses:
            for other in buses:
                if one is not other and set(one.sources) & set(other.targets):
                    assert one.track is not None or other.track is not None
                    assert (one.track if one.track is not None else -1) < (other.track or 0)
                if one is not other and one.track is not None and one.track == other.track:
                    assert not set(one.rows) & set(other.rows), "two lines on one track"
    assert reached == {name: set(before) for name, before in ordered.items()}


SPEC: dict[str, Any] = {
    "tasks": [
        {"name": "load", "dependsOn": ["extract"], "triggerRule": "AllDone"},
        {"name": "extract"},
    ],
    "finally": [{"name": "tidy"}],
}
MERMAID = """\
graph LR
  t0["extract"]
  t1["load<br/>AllDone"]
  t2(["tidy"])
  t0 --> t1
  t1 -.-> t2
"""
DOT = """\
digraph "sales" {
  rankdir=LR; node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif"];
  "extract" [label="extract"];
  "load" [label="load\\nAllDone"];
  "tidy" [label="tidy", shape=oval];
  "extract" -> "load";
  "load" -> "tidy" [style=dashed];
}
"""
NOTATIONS = {"mermaid": MERMAID, "dot": DOT, "text": "extract ─▶ load (AllDone) ─▶ tidy\n"}


@pytest.mark.parametrize(("notation", "text"), NOTATIONS.items())
def test_notations_of_a_file(notation: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(yaml.safe_dump({**workflow("sales"), "spec": SPEC}), encoding="utf-8")
    result = invoke(None, "graph", str(file), "-o", notation)
    assert (result.exit_code, result.stdout) == (0, text)


def test_a_workflow_and_a_run() -> None:
    phases = [{"name": "extract", "phase": "Succeeded"}, {"name": "load", "phase": "Running"}, {"name": "tidy"}]
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "sales-1f"},
        "data": {"spec": SPEC},
    }
    cluster = FakeCluster().add(
        {**workflow("sales"), "spec": {"tasks": [{"name": "newer"}]}},
        revision,
        run("sales-1", "Running", phases, workflow="sales", revision="sales-1f"),
    )
    assert invoke(cluster, "graph", "sales").stdout == "newer\n"
    assert invoke(cluster, "graph", "sales-1").stdout == "✔ extract ─▶ ● load (AllDone) ─▶ ○ tidy\n"
    assert "class t1 Running" in invoke(cluster, "graph", "sales-1", "-o", "mermaid").stdout


WRONG: dict[str, tuple[Any, str]] = {
    "a cycle": (
        {"tasks": [{"name": "a", "dependsOn": ["b"]}, {"name": "b", "dependsOn": ["a"]}]},
        "the tasks a, b wait for each other: see windlass lint",
    ),
    "a task that waits for itself": (
        {"tasks": [{"name": "a", "dependsOn": ["a"]}]},
        "the task a waits for itself: see windlass lint",
    ),
    "an unknown task": (
        {"tasks": [{"name": "a", "dependsOn": ["b"]}]},
        "the task a depends on b, which there is not: see windlass lint",
    ),
    "no tasks": ({"tasks": []}, "sales has no tasks"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_dag(case: tuple[Any, str]) -> None:
    spec, message = case
    result = invoke(FakeCluster().add({**workflow("sales"), "spec": spec}), "graph", "sales")
    assert (result.exit_code, result.stderr) == (1, f"windlass: {message}\n")


KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "a container": ({"image": "x"}, "a"),
    "an object": ({"resource": {"manifest": {"kind": "Job"}}}, "a (Job)"),
    "an object that goes": ({"resource": {"make": "Delete", "manifest": {"kind": "Job"}}}, "a (deletes Job)"),
    "a wait for an object": ({"waitFor": {"object": {"kind": "Job"}}}, "a (waits for Job)"),
    "a wait for a run": ({"waitFor": {"run": {"workflow": "etl"}}}, "a (waits for etl)"),
    "a wait for a time": ({"waitFor": {"time": "x"}}, "a (waits for time)"),
    "a run": ({"run": {"workflow": "etl"}}, "a (run of etl)"),
    "a repeated one": ({"forEach": {"count": 3}, "command": ["x"]}, "a (forEach)"),
    "a switch": ({"switch": [{"then": []}]}, "a (switch)"),
    "a rule too": ({"run": {"workflow": "etl"}, "triggerRule": "AllDone"}, "a (run of etl, AllDone)"),
    "not yet right": ({"resource": {"manifest": {"kind": 'J"]<b>'}}}, "a (Jb)"),
    "nothing in it": ({"resource": 7, "waitFor": [], "run": None}, "a"),
}


@pytest.mark.parametrize(("fields", "shown"), KINDS.values(), ids=KINDS.keys())
def test_what_a_task_is(fields: dict[str, Any], shown: str) -> None:
    assert drawing.draw(read("w", {"tasks": [{"name": "a", **fields}]})) == shown


def test_a_teardown_comes_after_its_setup() -> None:
    spec = {"tasks": [{"name": "up"}, {"name": "down", "teardownOf": ["up"]}]}
    assert drawing.draw(read("w", spec)) == "up ─▶ down (teardown)"
