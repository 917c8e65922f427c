"""A queue of keys: what is added twice is done once, never twice at a time, and failures come back later.

    add(key) ──▶ ready ──▶ running ──▶ (added meanwhile? ready again)
    add(key, delay) ──▶ due ──timer──▶ ready              (the sooner of two delays counts)
    running fails ──▶ due, after a backoff that grows with the failures in a row

Nothing here knows what a key stands for.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from windlass.backoff import full_jitter
from windlass.engine.ports import Clock, Timer
from windlass.errors import NotPermitted, Retryable, Unauthorized

logger = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)

REST_SHARE = 4.0
"""A key whose work took d seconds rests for this times d, so that one large run leaves the loop to others."""
LONGEST_REST = 0.25
"""Seconds: the most that a key rests."""
BACKOFF_FIRST = 0.5
"""Seconds: the least that a key waits after a failure, and the first spread on top of it."""
BACKOFF_LAST = 60.0
MOST_OVERTAKEN = 100
"""Dates that were overtaken by events and are kept in the heap, besides as many as there are others."""
LONGEST_PENALTY = 5.0
"""Seconds: the most that new events wait for a key whose work failed."""

_OF_THE_API = (Retryable, NotPermitted, Unauthorized)
"""What the API can't do, or does not let us do, now."""


class QueueObserver(Protocol):
    """Who counts."""

    def queue_changed(self, depth: int) -> None: ...

    def queue_waited(self, seconds: float) -> None: ...

    def reconciled(self, seconds: float, result: str) -> None: ...


class BesideRuns:
    """What is told of the queues beside that of the runs: their work counts, and the depth is the runs' own."""

    def __init__(self, observer: QueueObserver) -> None:
        self.queue_waited = observer.queue_waited
        self.reconciled = observer.reconciled

    def queue_changed(self, depth: int) -> None:
        """Told by no metric."""


class KeyedQueue(Generic[K]):
    """Calls `work(key)` for each key that was added, at most `concurrency` keys at a time, each key alone.

    `work` returns how many seconds of the loop it took for itself, which decides how long the key rests.
    `chance` gives numbers in [0, 1) that spread the backoffs, `fields` what lines of the log about a key bear.
    """

    def __init__(
        self,
        work: Callable[[K], Awaitable[float]],
        clock: Clock,
        observer: QueueObserver,
        *,
        concurrency: int = 64,
        chance: Callable[[], float] = lambda: 0.5,
        fields: Callable[[K], dict[str, object]] = lambda key: {},
    ) -> None:
        self._work = work
        self._fields = fields
        self._clock = clock
        self._observer = observer
        self._free = concurrency
        self._chance = chance
        self._ready: dict[K, float] = {}
        self._running: dict[K, bool] = {}
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = 0
        self._timer: Timer | None = None
        self._timer_at = float("inf")
        self._failures: dict[K, int] = {}
        self._resting: dict[K, float] = {}
        self._forgotten: set[K] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._ready) + len(self._running)

    def add(self, key: K, delay: float = 0.0) -> None:
        """Have `key` worked on in `delay` seconds, or sooner when it was due sooner."""
        if self._closed:
            return
        now = self._clock.monotonic()
        when = max(now + delay, self._resting.get(key, 0.0))
        if when > now:
            self._add_due(key, when)
            return
        self._due.pop(key, None)
        if key in self._running:
            self._running[key] = True
        elif key not in self._ready:
            self._ready[key] = now
            self._observer.queue_changed(len(self))
            self._start_ready()

    def forget(self, key: K) -> None:
        """Drop what is remembered of a key that will not come again: its failures, and when it was due."""
        self._failures.pop(key, None)
        self._due.pop(key, None)
        self._resting.pop(key, None)
        if key in self._running:
            self._forgotten.add(key)

    async def close(self) -> None:
        """Take no more keys, and wait for what is running."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _add_due(self, key: K, when: float) -> None:
        if self._due.get(key, float("inf")) <= when:
            return
        self._due[key] = when
        self._order += 1
        if len(self._heap) > MOST_OVERTAKEN + 2 * len(self._due):
            self._heap = [(due, order, other) for order, (other, due) in enumerate(self._due.items())]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (when, self._order, key))
        self._arm()

    def _arm(self) -> None:
        if not self._heap or self._heap[0][0] >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._heap[0][0]
        self._timer = self._clock.call_at(self._timer_at, self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            when, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self._resting.pop(key, None)
                self.add(key)
        self._arm()

    def _start_ready(self) -> None:
        while self._ready and self._free > 0 and not self._closed:
            key = next(iter(self._ready))
            self._observer.queue_waited(self._clock.monotonic() - self._ready.pop(key))
            self._running[key] = False
            self._free -= 1
            task = asyncio.create_task(self._run(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, key: K) -> None:
        self._running[key] = False  # what was added before the work began is seen by it
        delay = 0.0
        failed = False
        try:
            took = await self._work(key)
        except Exception as error:
            failed = True
            count = self._failures[key] = self._failures.get(key, 0) + 1
            delay = BACKOFF_FIRST + full_jitter(count, first=BACKOFF_FIRST, last=BACKOFF_LAST, chance=self._chance())
            self._resting[key] = self._clock.monotonic() + min(delay, LONGEST_PENALTY)
            # That is no fault of ours: its words say it all.
            level = logging.WARNING if isinstance(error, _OF_THE_API) else logging.ERROR
            trace = error if level == logging.ERROR else None
            fields = self._fields(key)
            logger.log(level, "work on %s failed, again in %.1f s: %s", key, delay, error, exc_info=trace, extra=fields)
            self._observer.reconciled(0.0, "error")
        else:
            self._failures.pop(key, None)
            self._observer.reconciled(took, "ok")
            rest = min(LONGEST_REST, took * REST_SHARE)
            if rest > 0.002 and key not in self._forgotten:
                self._resting[key] = self._clock.monotonic() + rest
            else:
                self._resting.pop(key, None)
        self._forgotten.discard(key)
        again = self._running.pop(key)
        self._free += 1
        if failed or again:
            self.add(key, delay)
        self._observer.queue_changed(len(self))
        self._start_ready()
