from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from windlass.build.quantity import grown, parse_quantity

QUANTITIES = {
    "1Gi": 2**30, "512Mi": 2**29, "1.5Gi": 3 * 2**29, "300M": 300_000_000, "1e3": 1000, "2E": 2 * 10**18,
    "1500m": Decimal("1.5"), "100": 100, ".5Ki": 512,
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), QUANTITIES.items())
def test_quantity(text: str, number: int | Decimal) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "lots", "1GB", "-1", "1 Gi", "1e", "Gi"])
def test_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(text)


GROWN: dict[str, tuple[dict[str, Any] | None, str | None, dict[str, Any] | None]] = {
    "not grown": ({"limits": {"cpu": "1"}}, None, {"limits": {"cpu": "1"}}),
    "nothing at all": (None, None, None),
    "no resources": (None, "1Gi", {"limits": {"memory": "1Gi"}}),
    "the request in proportion": (
        {"limits": {"memory": "1Gi", "cpu": "2"}, "requests": {"memory": "512Mi"}},
        "1536Mi",
        {"limits": {"memory": "1536Mi", "cpu": "2"}, "requests": {"memory": "768Mi"}},
    ),
    "a request alone": (
        {"requests": {"memory": "1Gi"}},
        "2Gi",
        {"limits": {"memory": "2Gi"}, "requests": {"memory": "2048Mi"}},
    ),
    "a request that is no whole Mi": (
        {"limits": {"memory": "3"}, "requests": {"memory": "1"}},
        "5",
        {"limits": {"memory": "5"}, "requests": {"memory": "2"}},
    ),
    "no limit before": (
        {"limits": {"memory": "0"}, "requests": {"memory": "0"}},
        "1Gi",
        {"limits": {"memory": "1Gi"}, "requests": {"memory": "0Mi"}},
    ),
}


@pytest.mark.parametrize("case", GROWN.values(), ids=GROWN.keys())
def test_grown(case: tuple[dict[str, Any] | None, str | None, dict[str, Any] | None]) -> None:
    resources, memory, wanted = case
    assert grown(resources, memory) == wanted
