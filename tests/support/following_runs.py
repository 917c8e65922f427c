"""Runs that others follow, on the pretended cluster."""

from __future__ import annotations

from support.kubelet import Play
from support.world import World

FAILS = {"tasks": [{"name": "fails", "command": ["false"]}]}
BAD = {"fails": Play(exit_code=1)}


async def ran(world: World, name: str, workflow: str = "a", seconds: float = 10) -> None:
    """Have a run, and let it end, and what follows it."""
    world.run(name, workflow=workflow)
    await world.clock.advance(seconds)
