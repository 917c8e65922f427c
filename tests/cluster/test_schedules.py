"""Schedules on a real API server and kubelet."""

from __future__ import annotations

import pytest

from support.clusters import Cluster
from support.schedule_behaviours import BEHAVIOURS, play

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", BEHAVIOURS)
async def test_schedules(cluster: Cluster, name: str) -> None:
    await play(cluster, BEHAVIOURS[name])
