"""The behaviours that must be the same everywhere, on a real API server and kubelet, in a restricted namespace."""

from __future__ import annotations

import pytest

from support.behaviours import BEHAVIOURS, play
from support.clusters import Cluster

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(cluster: Cluster, name: str) -> None:
    play(cluster, name)
