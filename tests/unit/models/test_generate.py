"""What is generated is what the models say, and keeps the limits that real servers have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from windlass.models import crd
from windlass.models.action import RunAction
from windlass.models.backfill import Backfill
from windlass.models.generate import drifted, generated, main
from windlass.models.pool import Pool
from windlass.models.rules import RULES
from windlass.models.run import WorkflowRun
from windlass.models.shape import fields, plain
from windlass.models.workflow import Workflow

ROOT = Path(__file__).parents[3]
DEFINITIONS = crd.definitions()


def test_the_files_are_what_the_models_say() -> None:
    assert drifted(generated(), ROOT) == []


def test_check_fails_on_drift_and_writing_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--root", str(tmp_path), "--check"]) == 0
    (tmp_path / "crds" / "workflows.yaml").write_text("kind: Old\n")
    assert main(["--root", str(tmp_path), "--check"]) == 1
    assert "crds/workflows.yaml is not what the code says" in capsys.readouterr().err


def test_an_installed_package_renders_what_crds_holds() -> None:
    rendered = [*yaml.safe_load_all(crd.render())]
    assert rendered == [yaml.safe_load((ROOT / "crds" / f"{name}.yaml").read_text()) for name in DEFINITIONS]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_each_definition_is_below_200_kb(name: str) -> None:
    assert len((ROOT / "crds" / f"{name}.yaml").read_bytes()) < 200_000


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """All schemas in a schema."""
    yield node
    for part in [*node.get("properties", {}).values(), node.get("items"), node.get("additionalProperties")]:
        if part is not None:
            yield from schemas(part)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_schemas_are_structural(name: str) -> None:
    root = DEFINITIONS[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    allowed = {
        "description", "type", "format", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems",
        "maxItems", "maxProperties", "required", "properties", "items", "additionalProperties", "default",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations", "x-kubernetes-map-type", "x-kubernetes-int-or-string",
    }  # fmt: skip
    for schema in schemas(root):
        assert set(schema) <= allowed
        assert {"type", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"} & set(schema)
        assert not {"properties", "additionalProperties"} <= set(schema)


def models(annotation: Any, seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """All models that a type is made of."""
    annotation = plain(annotation)
    if annotation in seen:
        return seen
    if fields(annotation):
        seen.add(annotation)
    for inner in [*fields(annotation).values(), *getattr(annotation, "__args__", ())]:
        models(inner, seen)
    return seen


MODELS = models(Backfill, models(RunAction, models(Pool, models(WorkflowRun, models(Workflow, set())))))


@pytest.mark.parametrize("model", sorted(MODELS, key=lambda model: model.__name__), ids=lambda model: model.__name__)
def test_every_model_and_field_is_documented(model: type[BaseModel]) -> None:
    assert model.__doc__
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_rules_speak_of_models_that_there_are() -> None:
    assert set(RULES) <= {model.__name__ for model in MODELS}


def test_every_rule_is_in_a_definition() -> None:
    kept = {
        rule["message"]
        for definition in DEFINITIONS.values()
        for schema in schemas(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        for rule in schema.get("x-kubernetes-validations", [])
    }
    assert kept == {rule.message for rules in RULES.values() for rule in rules}
