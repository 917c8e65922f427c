"""The examples of the API reference are what they claim to be."""

from __future__ import annotations

import pytest
import yaml

from windlass.models import action, approval, backfill, run, schedule, task, workflow
from windlass.models.examples import EXAMPLES
from windlass.models.parse import check

MODELS = {
    name: thing
    for module in (action, approval, backfill, run, schedule, task, workflow)
    for name, thing in vars(module).items()
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_read_as_what_they_show(name: str) -> None:
    value = yaml.safe_load(EXAMPLES[name])
    MODELS[name].model_validate(value, by_alias=True, by_name=False)
    assert check(value) == []
