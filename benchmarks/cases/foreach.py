"""One forEach of 5,000 instances, over the bare cost of creating and finishing as many of the very same pods."""

from __future__ import annotations

import json

from cases._over_bare import over_bare
from figures import Figure

from cluster import Setting, task

WITHIN = 1800.0


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(5000)
    found = await over_bare(setting, "each", [{**task("each"), "forEach": {"count": count}}], count, WITHIN)
    largest = max(len(json.dumps(run, separators=(",", ":"))) for run in found.bodies)
    return [
        Figure(f"{count} instances of a forEach over bare pods", found.ratio, "×", 1.2, 1.1, details=found.details),
        Figure("CPU of the controller per pod, forEach", found.cpu, "ms", 10, 4),
        Figure("RSS after these, forEach", found.memory, "MiB", 300, 200),
        Figure(f"the run's object, {count} instances", largest / 1024, "KiB", 300, 100),
    ]
