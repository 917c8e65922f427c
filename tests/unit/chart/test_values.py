"""The chart's values: each documented once, and a wrong one refused with its name."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
import yaml

from support.chart import CHART, OLDEST, RELEASE, helm

SPEC = importlib.util.spec_from_file_location("document", CHART.parent / "document.py")
assert SPEC is not None
assert SPEC.loader is not None
document = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(document)

TEXT = (CHART / "values.yaml").read_text()
VALUES: dict[str, Any] = yaml.safe_load(TEXT)
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all values that the schema knows."""
    if "properties" not in schema or "description" in schema:
        return [path]
    return [leaf for name, inner in schema["properties"].items() for leaf in leaves(inner, (*path, name))]


def test_the_readme_and_the_schema_say_what_the_comments_say() -> None:
    for path, text in document.generated().items():
        assert path.read_text() == text, f"{path}: make generate"


def test_every_value_is_documented_and_has_a_default() -> None:
    known = [path for path in leaves(SCHEMA) if path != ("global",)]
    assert sorted(known) == sorted(document.documented(TEXT))


def test_comments_that_do_not_document_are_left_out() -> None:
    text = "# -- One,\n# two.\na:\n  # no\n  b: 1\n  # -- Three.\n  c: 2\nd: 3\n"
    assert document.documented(text) == {("a",): "One, two.", ("a", "c"): "Three."}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a value that does not exist": ({"replicaCount": 3}, "additional properties 'replicaCount' not allowed"),
    "a misspelt value": ({"image": {"tog": "1"}}, "'/image': additional properties 'tog' not allowed"),
    "a misspelt choice": ({"log": {"format": "yaml"}}, "'/log/format': value must be one of 'json', 'text'"),
    "a misspelt level": ({"log": {"level": "verbose"}}, "'/log/level': 'verbose' does not match"),
    "a level without its module": ({"log": {"level": "info,=debug"}}, "'/log/level': 'info,=debug' does not match"),
    "a digest that is none": ({"image": {"digest": "latest"}}, "'/image/digest': 'latest' does not match"),
    "a text for a number": ({"replicas": "two"}, "'/replicas': got string, want integer"),
    "one namespace for a list of them": ({"watchNamespaces": "a"}, "'/watchNamespaces': got string, want array"),
    "a namespace that is no name": ({"watchNamespaces": ["A_b"]}, "'/watchNamespaces/0': 'A_b' does not match"),
    "an address that is no range": (
        {"networkPolicy": {"apiServerCIDRs": ["10.0.0.1"]}},
        "'/networkPolicy/apiServerCIDRs/0': '10.0.0.1' does not match",
    ),
    "a number where a text must be quoted": (
        {"podAnnotations": {"a": 1}},
        "'/podAnnotations/a': got number, want string",
    ),
    "resources in the wrong place": (
        {"resources": {"memory": "1Gi"}},
        "'/resources': additional properties 'memory' not allowed",
    ),
    "a length of time without unit": ({"uninstall": {"timeout": "60"}}, "'/uninstall/timeout': '60' does not match"),
}


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(values: dict[str, Any], message: str) -> None:
    done = helm("template", RELEASE, str(CHART), "--kube-version", OLDEST, values=values)
    assert done.returncode != 0
    assert message in done.stderr
