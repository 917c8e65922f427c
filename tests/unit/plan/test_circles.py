"""Workflows that follow each other, as their manifests show it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from windlass.plan.circles import circles


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
