"""The gap between two tasks of a chain: 5-task chains that start five a second."""

from __future__ import annotations

from cases._chains import Chains
from figures import Figure

from cluster import Setting


async def measure(setting: Setting) -> list[Figure]:
    chains = Chains(length=5, per_second=5.0, runs=setting.size(150))
    return await chains.measure(setting, must=(60, 250), aim=(20, 60))
