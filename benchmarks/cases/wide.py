"""One run of 1,000 tasks side by side, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

from cases._over_bare import over_bare
from figures import Figure

from cluster import Setting, task

WITHIN = 600.0


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(1000)
    found = await over_bare(setting, "wide", [task(f"t{number}") for number in range(count)], count, WITHIN)
    return [
        Figure(f"{count} tasks side by side over bare pods", found.ratio, "×", 1.5, 1.15, details=found.details),
        Figure("CPU of the controller per pod, side by side", found.cpu, "ms", 10, 4),
        Figure("RSS after these, side by side", found.memory, "MiB", 160, 110),
    ]
