"""A clock that stands still until it is told to move."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2025, 4, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
"""In seconds."""


class _Timer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class VirtualClock:
    """Time as the engine's port wants it; `advance` moves it, timer by timer."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._heap: list[tuple[float, int, _Timer]] = []
        self._order = 0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def busy(self) -> float:
        return self._elapsed

    def call_at(self, when: float, call: Callable[[], None]) -> _Timer:
        timer = _Timer(call)
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        rung = asyncio.get_running_loop().create_future()
        self.call_at(self._elapsed + seconds, lambda: rung.done() or rung.set_result(None))
        await rung

    @property
    def next_timer(self) -> float | None:
        """Seconds until the next timer rings; None when none is set."""
        while self._heap and self._heap[0][2].call is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] - self._elapsed if self._heap else None

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, ringing what is due on the way, and let everything that follows of it happen."""
        end = self._elapsed + seconds
        await settle()
        while self._heap and self._heap[0][0] <= end:
            when, _, timer = heapq.heappop(self._heap)
            self._elapsed = max(self._elapsed, when)
            if timer.call is not None:
                timer.call()
                await settle()
        self._elapsed = end
        await settle()


class HostClock:
    """The clock of a host, which an administrator may set: `ahead` seconds before the true time."""

    def __init__(self, true: VirtualClock) -> None:
        self._true = true
        self.ahead = 0.0
        self.monotonic = true.monotonic
        self.busy = true.busy
        self.call_at = true.call_at
        self.sleep = true.sleep

    def now(self) -> datetime:
        return self._true.now() + timedelta(seconds=self.ahead)


async def settle() -> None:
    """Let all tasks of the loop run until they wait for something."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # nothing public says whether a loop is idle
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110  # no event says that a loop is idle
        await asyncio.sleep(0)
