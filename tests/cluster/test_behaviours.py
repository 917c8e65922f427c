"""The behaviours that must be the same everywhere, on a real API server and kubelet, in a restricted namespace."""

from __future__ import annotations

import pytest

from support.behaviours import BEHAVIOURS, finish, start
from support.clusters import Cluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def started(cluster: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """The cluster, on which the runs of all chosen rows have been started."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    start(cluster, [str(item.callspec.params["name"]) for item in chosen])
    return cluster


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(started: Cluster, name: str) -> None:
    finish(started, name)
