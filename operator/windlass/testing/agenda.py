"""The clock of a simulation: what is still to happen, and when."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from windlass.testing.errors import Endless
from windlass.testing.work import RunInWork

MOST_AT_ONCE: Final = 10_000
"""Rounds of events at one instant."""


@dataclass(order=True, slots=True)
class Event:
    """Something that happens to a run or, without one, to the Workflow."""

    at: datetime
    number: int
    run: RunInWork | None = field(compare=False, default=None)
    happen: Callable[[], bool] | None = field(compare=False, default=None)
    """Makes the change; False when there is nothing to change any more. None: only time has passed."""
    quiet: bool = field(compare=False, default=False)
    """No plan depends on it."""


@dataclass(slots=True)
class Agenda:
    """Events in their order; those of one instant in the order in which they were noted."""

    now: datetime
    _events: list[Event] = field(default_factory=list)
    _count: int = 0
    _rounds: int = 0

    def note(
        self,
        at: datetime,
        run: RunInWork | None = None,
        happen: Callable[[], bool] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Have something happen at this instant, or now if that is over."""
        self._count += 1
        heapq.heappush(self._events, Event(max(at, self.now), self._count, run, happen, quiet))

    def take(self) -> list[Event]:
        """Let time pass to the next instant, and take what is noted for it; nothing when nothing is left. What would
        have happened to runs that have ended meanwhile is dropped."""
        while self._events and (run := self._events[0].run) is not None and run.ended:
            heapq.heappop(self._events)
        if not self._events:
            return []
        at = self._events[0].at
        self._rounds = self._rounds + 1 if at == self.now else 0
        if self._rounds > MOST_AT_ONCE:
            raise Endless(f"the simulation stands still at {at}: what is planned there never comes to an end")
        self.now = at
        taken = []
        while self._events and self._events[0].at == at:
            taken.append(heapq.heappop(self._events))
        return taken
