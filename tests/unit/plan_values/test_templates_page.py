"""docs/templates.md: its examples give what it says, and it names all that there is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from windlass.plan import template_syntax as syntax
from windlass.plan import template_values as values
from windlass.plan.scope import OF_RUN, OF_TIME
from windlass.plan.template_filters import FILTERS, FUNCTIONS, TESTS
from windlass.plan.templates import moments, render

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text()
ROWS = re.findall(r"^\| `(.+)` \| `(.+)` \|$", PAGE.partition("## Filters")[2], re.MULTILINE)
CONTEXT = {
    **moments(datetime(2025, 4, 1, 17, 30, tzinfo=UTC)),
    "params": {"names": ["b", "a", "b"], "files": [{"n": "x", "s": 2}, {"n": "y", "s": 3}]},
}


@pytest.mark.parametrize(("expression", "gives"), ROWS, ids=[expression for expression, _ in ROWS])
def test_example(expression: str, gives: str) -> None:
    value = render("{{ " + expression.replace("\\|", "|") + " }}", CONTEXT)
    assert (value, type(value)) == (json.loads(gives), type(json.loads(gives)))


def test_every_filter_function_and_test_is_named() -> None:
    examples = " ".join(expression for expression, _ in ROWS)
    assert {name for name in FILTERS if name != "d" and not re.search(rf"\b{name}\b", examples)} == set()
    assert {name for name in FUNCTIONS if not re.search(rf"\b{name}\b", PAGE)} == set()
    assert set(
        re.findall(r"`([a-z]+)(?:\([a-z]+\))?`", PAGE.partition("## Tests")[2].partition("## Limits")[0])
    ) == set(TESTS)


def test_every_name_and_limit_is_told() -> None:
    assert [name for name in (*OF_TIME, *OF_RUN) if name not in PAGE] == []
    limits = (syntax.MAX_EXPRESSION, syntax.MAX_EXPRESSIONS, values.MAX_ITEMS, values.MAX_BITS)
    assert [limit for limit in limits if f"{limit:,}" not in PAGE] == []
    assert values.MAX_WORK == 1024 * 1024
