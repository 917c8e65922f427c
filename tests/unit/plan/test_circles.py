"""Workflows that follow each other, as their manifests show it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from windlass.plan.circles import circles, circles_of_runs


def workflow(name: str, *sources: str, produces: str = "", namespace: str = "") -> dict[str, Any]:
    after = {"any": [{"asset" if "/" in source else "workflow": source} for source in sources]}
    tasks = [{"name": "t", "produces": [produces] if produces else []}]
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": "Workflow", "metadata": meta, "spec": {"schedule": {"after": after}, "tasks": tasks}}


class Case(NamedTuple):
    workflows: list[dict[str, Any]]
    found: list[set[str]]


CASES = {
    "none": Case([workflow("a"), workflow("b", "a"), workflow("c", "a", "b")], []),
    "itself": Case([workflow("a", "a")], [{"a"}]),
    "its own asset": Case([workflow("a", "x/y", produces="x/y")], [{"a"}]),
    "two": Case([workflow("a", "b"), workflow("b", "a")], [{"a", "b"}]),
    "by an asset": Case([workflow("a", "x/y"), workflow("b", "a", produces="x/y")], [{"a", "b"}]),
    "two circles": Case([workflow("a", "a"), workflow("b", "c"), workflow("c", "b")], [{"a"}, {"b", "c"}]),
    "one that is not at hand": Case([workflow("a", "elsewhere")], []),
    "other namespaces": Case([workflow("a", "b", namespace="x"), workflow("b", "a", namespace="y")], []),
    "junk": Case([{}, {"metadata": 5}, {"metadata": {"name": "a"}, "spec": {"schedule": [], "tasks": {}}}], []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_circles(case: Case) -> None:
    found = [*circles(case.workflows)]
    assert [set(one) for one in found] == case.found
    assert all(one[0] == one[-1] for one in found)


def starting(name: str, *children: str, part: str = "tasks", namespace: str = "") -> dict[str, Any]:
    tasks = [{"name": f"t{number}", "run": {"workflow": child}} for number, child in enumerate(children)]
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": "Workflow", "metadata": meta, "spec": {part: tasks}}


T0, T1 = (("tasks", number, "run", "workflow") for number in range(2))
Told = tuple[tuple[str | int, ...], tuple[str, ...]]
RUNS: dict[str, tuple[list[dict[str, Any]], list[Told]]] = {
    "none": ([starting("a", "b", "c"), starting("b", "c"), starting("c")], []),
    "itself": ([starting("a", "a")], [(T0, ("a", "a"))]),
    "itself, at its end": (
        [starting("a", "a", part="finally")], [(("finally", 0, "run", "workflow"), ("a", "a"))],
    ),
    "another that starts it": ([starting("a", "x", "b"), starting("b", "a")], [(T1, ("a", "b", "a"))]),
    "a long way": (
        [starting("a", "b"), starting("b", "c"), starting("c", "a")], [(T0, ("a", "b", "c", "a"))],
    ),
    "twice": ([starting("a", "a", "a")], [(T0, ("a", "a")), (T1, ("a", "a"))]),
    "one that is not at hand": ([starting("a", "elsewhere")], []),
    "other namespaces": ([starting("a", "b", namespace="x"), starting("b", "a", namespace="y")], []),
    "junk": ([{"metadata": {"name": "a"}, "spec": {"tasks": [5, {"run": 5}, {"run": {"workflow": 5}}]}}], []),
}  # fmt: skip


@pytest.mark.parametrize(("workflows", "told"), RUNS.values(), ids=RUNS.keys())
def test_circles_of_runs(workflows: list[dict[str, Any]], told: list[Told]) -> None:
    found = [*circles_of_runs(workflows)]
    assert [(one.place, one.circle) for one in found] == told
    assert all(any(one.spec is manifest["spec"] for manifest in workflows) for one in found)
