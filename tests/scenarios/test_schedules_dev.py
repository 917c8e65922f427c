"""Schedules on the development cluster."""

from __future__ import annotations

import pytest

from support.clusters import Cluster
from support.schedule_behaviours import BEHAVIOURS, play


@pytest.mark.parametrize("name", BEHAVIOURS)
async def test_schedules(dev_cluster: Cluster, name: str) -> None:
    await play(dev_cluster, BEHAVIOURS[name])
