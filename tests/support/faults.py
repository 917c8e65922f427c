"""Faults that many scenarios inject."""

from __future__ import annotations

from collections import Counter

from support.store_api import Fault, Inject, Request
from support.world import World
from windlass.errors import Unreachable

LOST = Unreachable("no answer")


def on(verb: str, resource: str, fault: Fault, times: int = 1, name: str = "") -> Inject:
    """An injector: the first `times` such requests, on names that have `name` in them, meet the fault."""
    left = times

    def inject(request: Request) -> Fault | None:
        nonlocal left
        if (request.verb, request.resource) != (verb, resource) or name not in request.name or left == 0:
            return None
        left -= 1
        return fault

    return inject


def launches(world: World) -> Counter[tuple[str, int]]:
    """How often a pod was made for each task and attempt."""
    return Counter((task, attempt) for _, task, attempt in world.kubelet.launched)
