"""How far a Workflow that follows others has come with each, as its status keeps it. Pure.

    status.cursors: {number: 12, sources: {workflow/a/Succeeded: {since: <time>, done: {<event>: <time>}}}}

An event is dealt with when it is older than `since` or named in `done`; events need not come in the order of their
times. `since` never moves back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from windlass.models.common import JsonObject, format_time, parse_time
from windlass.plan.sources import SourceEvent

KEPT: Final = 20
"""Events that stay named, however old."""
MOST_KEPT: Final = 300
"""Events that are named at all."""
KEPT_FOR: Final = timedelta(minutes=10)
"""So long before the newest one all are named: so late may an event be heard of, however many there are."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far it has come with one source."""

    since: datetime
    done: Mapping[str, datetime] = field(default_factory=dict)

    def knows(self, event: SourceEvent) -> bool:
        """Whether the event was dealt with."""
        return event.at < self.since or event.id in self.done

    def past(self, events: Iterable[SourceEvent]) -> Cursor:
        """The cursor once these are dealt with, and no other."""
        new = {event.id: event.at for event in events if not self.knows(event)}
        if not new:
            return self
        done = sorted({**self.done, **new}.items(), key=lambda item: (item[1], item[0]), reverse=True)
        horizon = done[0][1] - KEPT_FOR
        kept = [at for number, (_, at) in enumerate(done) if number < KEPT or (number < MOST_KEPT and at >= horizon)]
        since = max(self.since, kept[-1]) if len(kept) < len(done) else self.since
        return Cursor(since, {key: at for key, at in done if at >= since})

    def through(self, events: Iterable[SourceEvent]) -> Cursor:
        """The cursor once these are dealt with, and all that were before the newest of them."""
        new = {event.id: event.at for event in events if not self.knows(event)}
        if not new:
            return self
        since = max(self.since, *new.values())
        return Cursor(since, {key: at for key, at in {**self.done, **new}.items() if at >= since})


@dataclass(frozen=True, slots=True)
class Cursors:
    """How far it has come with all of its sources, and how many runs it has made."""

    number: int = 0
    sources: Mapping[str, Cursor] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: JsonObject | None) -> Cursors:
        """Those of a status; what can't be read is as if it were not there."""
        value = stored or {}
        number, sources = value.get("number"), value.get("sources")
        found = {
            key: cursor
            for key, one in (sources.items() if isinstance(sources, dict) else ())
            if (cursor := _read(one)) is not None
        }
        return cls(number if isinstance(number, int) else 0, found)

    def stored(self) -> JsonObject:
        """As the status keeps them."""
        return {"number": self.number, "sources": {key: _stored(one) for key, one in sorted(self.sources.items())}}

    def with_source(self, key: str, cursor: Cursor) -> Cursors:
        return self if self.sources.get(key) is cursor else replace(self, sources={**self.sources, key: cursor})


def _read(value: Any) -> Cursor | None:
    if not isinstance(value, dict):
        return None
    done = value.get("done")
    try:
        since = parse_time(value["since"])
        return Cursor(since, {str(key): parse_time(at) for key, at in (done if isinstance(done, dict) else {}).items()})
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _stored(cursor: Cursor) -> JsonObject:
    done = {key: format_time(at) for key, at in sorted(cursor.done.items())}
    return {"since": format_time(cursor.since), **({"done": done} if done else {})}
