"""What the installation guides give to be copied fits the chart, the command and the models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import CHART, helm, of, render
from windlass.cli.main import COMMANDS
from windlass.models.parse import check, read_workflow
from windlass.plan.checks import check_spec

ROOT = CHART.parents[1]
GUIDES = (
    "docs/install-kind.md",
    "docs/install-eks.md",
    "docs/upgrade.md",
    "docs/security.md",
    "helm/windlass/README.md",
)
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in GUIDES}
BLOCKS = [block for text in TEXTS.values() for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
MANIFESTS = [manifest for block in BLOCKS if (manifest := yaml.safe_load(block)) and "apiVersion" in manifest]
PARTS = [yaml.safe_load(block) for block in BLOCKS if block.startswith("# In a Workflow's spec:")]
VALUES = [values for block in BLOCKS if (values := yaml.safe_load(block)) not in MANIFESTS + PARTS]


def test_there_are_blocks_of_each_kind() -> None:
    assert (len(MANIFESTS) > 1, len(PARTS) > 1, len(VALUES) > 1) == (True, True, True)


@pytest.mark.parametrize("values", VALUES)
def test_values_are_the_charts(values: dict[str, Any]) -> None:
    assert of(render(values), "Deployment")


@pytest.mark.parametrize("manifest", [one for one in MANIFESTS if one["kind"] in ("Workflow", "WorkflowRun")])
def test_workflows_are_good(manifest: dict[str, Any]) -> None:
    assert [str(found) for found in check(manifest) or check_spec(read_workflow(manifest))] == []


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_workflows_are_good(part: dict[str, Any]) -> None:
    spec = {"tasks": [{"name": "a", "script": "true"}], **part}
    whole = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}
    assert [str(found) for found in check(whole) or check_spec(read_workflow(whole))] == []


def named_values(text: str) -> set[str]:
    """The values that a text names, in code or in --set."""
    sets = re.findall(r"--set ([\w.=,:/-]+)", text)
    found = {pair.partition("=")[0] for one in sets for pair in one.split(",")}
    roots = "|".join(yaml.safe_load((CHART / "values.yaml").read_text()))
    return found | set(re.findall(rf"`((?:{roots})(?:\.\w+)+)", text))


@pytest.mark.parametrize("guide", GUIDES)
def test_values_that_are_named_exist(guide: str) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for name in named_values(TEXTS[guide]):
        value: Any = values
        for part in name.split("."):
            assert part in value, f"{guide}: {name}"
            value = value[part]


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_that_are_named_exist(guide: str) -> None:
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", TEXTS[guide], re.DOTALL))
    assert set(re.findall(r"^windlass ([a-z]+)", shell, re.MULTILINE)) <= set(COMMANDS)
    assert "helm uninstall windlass" in TEXTS["docs/upgrade.md"]


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide: str) -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)", TEXTS[guide])
    assert [link for link in links if not ((ROOT / guide).parent / Path(link)).exists()] == []


def test_options_of_helm_exist() -> None:
    """Those that not every helm has."""
    assert "--reset-then-reuse-values" in helm("upgrade", "--help").stdout
