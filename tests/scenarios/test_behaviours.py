"""The behaviours that must be the same everywhere, on the development cluster."""

from __future__ import annotations

import pytest

from support.behaviours import BEHAVIOURS, finish, start
from support.clusters import Cluster


@pytest.fixture(scope="module")
def started(dev_cluster: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """The cluster, on which the runs of all chosen rows have been started."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    start(dev_cluster, [str(item.callspec.params["name"]) for item in chosen])
    return dev_cluster


@pytest.mark.parametrize("name", [name for name, row in BEHAVIOURS.items() if not row.real_only])
def test_behaviour(started: Cluster, name: str) -> None:
    finish(started, name)
