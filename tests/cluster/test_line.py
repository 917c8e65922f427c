"""Several runs of one Workflow on a real cluster: turns, policies, and the slot before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.clusters import Cluster
from support.line import LINES

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("play", LINES.values(), ids=LINES.keys())
def test_line(cluster: Cluster, play: Callable[[Cluster], None]) -> None:
    play(cluster)
