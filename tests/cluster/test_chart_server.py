"""A real API server takes everything that the chart makes, for every choice: it validates, and stores nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.chart import VARIANTS, render
from support.controller import Controller
from support.kubectl import kubectl

pytestmark = pytest.mark.cluster

NOT_HERE = ("ServiceMonitor", "PrometheusRule")
"""Kinds of the Prometheus operator, which the test cluster has not."""


@pytest.fixture(scope="module")
def home(controller: Controller) -> Iterator[str]:
    """A namespace for the release, beside those that the variants name."""
    name = f"chart-{uuid.uuid4().hex[:6]}"
    places = (name, "team-a", "team-b", "try")
    for place in places:
        kubectl("create", "namespace", place)
    yield name
    kubectl("delete", "namespace", *places, "--wait=false")


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_taken(home: str, values: Mapping[str, Any]) -> None:
    made = [one for one in render(values, namespace=home) if one["kind"] not in NOT_HERE]
    accounts = [one for one in made if one["kind"] == "ServiceAccount"]
    whole = {"apiVersion": "v1", "kind": "List"}
    if accounts:  # pods are refused where their account is not there
        kubectl("apply", "-f", "-", stdin=json.dumps({**whole, "items": accounts}))
    said = kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps({**whole, "items": made})
    )
    assert len(said.splitlines()) == len(made)
