"""The gap between two tasks of a chain: 10-task chains that start two a second, so 20 pods a second."""

from __future__ import annotations

from cases._chains import Chains
from figures import Figure

from cluster import Setting


async def measure(setting: Setting) -> list[Figure]:
    chains = Chains(length=10, per_second=2.0, runs=setting.size(60))
    return await chains.measure(setting, must=(40, 150), aim=(15, 40))
