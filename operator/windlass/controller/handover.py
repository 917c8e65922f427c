"""From one thread to the loop of another: what comes while the loop is busy is taken with one wake-up, not one each.

A wake-up is a system call, for which a thread lets go of the interpreter and then waits to get it back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, TypeVar

T = TypeVar("T")
AT_A_TIME: Final = 16
"""So many are taken before the loop has its turn again."""


class Handover(Generic[T]):
    """A queue from any thread to `take`, which is called in the loop, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[T], None]) -> None:
        self._loop = loop
        self._take = take
        self._items: deque[T] = deque()
        self._woken = False

    def put(self, item: T) -> None:
        """Hand `item` over. Called in any thread."""
        self._items.append(item)
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended: so has who would take it
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        # Before looking: what is put after the last look wakes the loop again.
        self._woken = False
        for _ in range(min(AT_A_TIME, len(self._items))):
            self._take_next()
        if self._items and not self._woken:
            self._woken = True
            self._loop.call_soon(self._drain)

    def _take_next(self) -> None:
        item = self._items.popleft()
        try:
            self._take(item)
        except Exception as error:
            # One that can't be taken keeps no other from being taken.
            self._loop.call_exception_handler({"message": "what was handed over was not taken", "exception": error})
