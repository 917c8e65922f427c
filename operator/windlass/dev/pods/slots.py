"""How many pods run at once: as many as a node takes, the others in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque

Slot = asyncio.Future[None]
"""Done once the pod may run."""


class Slots:
    """A fixed number of places."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._queue: deque[Slot] = deque()

    def request(self) -> Slot:
        """A place, now or later; to be given back in any case."""
        slot: Slot = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            slot.set_result(None)
        else:
            self._queue.append(slot)
        return slot

    def give_back(self, slot: Slot) -> None:
        """Let the next one have the place, or leave the queue."""
        if not slot.done():
            self._queue.remove(slot)
            slot.cancel()
        elif self._queue:
            self._queue.popleft().set_result(None)
        else:
            self._free += 1
