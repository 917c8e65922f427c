"""The examples of the concepts page can be applied as they stand, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from windlass.models.findings import Finding
from windlass.models.parse import check, read_workflow
from windlass.models.run import FailureClass, Stop
from windlass.models.task import TriggerRule
from windlass.plan.checks import check_spec

PAGE = (Path(__file__).parents[3] / "docs" / "concepts.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def findings(example: Any) -> list[Finding]:
    """What lint says of an example: of tasks alone, as the tasks of a Workflow, or as its `finally`."""
    if isinstance(example, dict) and example["kind"] == "WorkflowRun":
        return check(example)
    if isinstance(example, dict):
        return check(example) or check_spec(read_workflow(example))
    last = "run.outcome" in str(example)
    spec = {"tasks": [{"name": "first"}], "finally": example} if last else {"tasks": example}
    return findings(
        {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_lint_finds_nothing(example: Any) -> None:
    assert [str(found) for found in findings(example)] == []


def test_there_are_examples_of_each_shape() -> None:
    assert {example["kind"] if isinstance(example, dict) else "tasks" for example in EXAMPLES} == {
        "Workflow",
        "WorkflowRun",
        "tasks",
    }


@pytest.mark.parametrize("words", [TriggerRule, Stop], ids=["trigger rules", "stop"])
def test_all_values_are_explained(words: type[TriggerRule] | type[Stop]) -> None:
    assert [word for word in words if f"| `{word}` |" not in PAGE] == []


def test_all_failure_classes_are_explained() -> None:
    assert [word for word in FailureClass if f"| {word} |" not in PAGE] == []


def test_links_lead_to_pages_that_there_are() -> None:
    pages = re.findall(r"\]\(([a-z-]+\.md)\)", PAGE)
    docs = Path(__file__).parents[3] / "docs"
    assert pages
    assert [page for page in pages if not (docs / page).exists()] == []
