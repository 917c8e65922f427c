"""The behaviours that must be the same everywhere, on the development cluster."""

from __future__ import annotations

import pytest

from support.behaviours import BEHAVIOURS, play
from support.clusters import Cluster


@pytest.mark.parametrize("name", [name for name, row in BEHAVIOURS.items() if not row.real_only])
def test_behaviour(dev_cluster: Cluster, name: str) -> None:
    play(dev_cluster, name)
