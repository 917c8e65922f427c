"""Several runs of one Workflow on the development cluster: turns, policies, and the slot before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.clusters import Cluster
from support.line import LINES


@pytest.mark.parametrize("play", LINES.values(), ids=LINES.keys())
def test_line(dev_cluster: Cluster, play: Callable[[Cluster], None]) -> None:
    play(dev_cluster)
