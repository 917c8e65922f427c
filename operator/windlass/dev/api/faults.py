"""What a test wants to go wrong between the API server and its clients.

A `Rule` says which requests (by verb, resource, name) and which of them (after `skip`, for `times`), and what happens:

    Answer        refuse, without carrying it out
    Lose          the request never arrives: the connection drops
    LoseAnswer    it is carried out, the connection drops instead of the answer
    Late          the connection drops, and the request is carried out some time later
    Delay         it waits before it is carried out, or before it is answered
    CutWatch      a watch ends after some events, in the middle of a line if so wanted
    SilenceWatch  a watch stays open after some events and says nothing more
    EndWatch      a watch gets an ERROR event after some events
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Call:
    """A request, in the words of RBAC."""

    verb: str
    resource: str
    """The plural; with a subresource `pods/status`."""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    message: str = "injected by the test"
    retry_after: int | None = None
    reason: str = ""
    """The status' own reason, if empty."""


@dataclass(frozen=True, slots=True)
class Lose:
    pass


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    pass


@dataclass(frozen=True, slots=True)
class Late:
    seconds: float


@dataclass(frozen=True, slots=True)
class Delay:
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class CutWatch:
    events: int = 0
    mid_line: bool = False


@dataclass(frozen=True, slots=True)
class SilenceWatch:
    events: int = 0


@dataclass(frozen=True, slots=True)
class EndWatch:
    events: int = 0
    status: int = 410


Effect = Answer | Lose | LoseAnswer | Late | Delay | CutWatch | SilenceWatch | EndWatch
WATCH_EFFECTS = (CutWatch, SilenceWatch, EndWatch)


@dataclass(slots=True)
class Rule:
    """Which requests, and what happens to them. The texts are patterns (`*`), separated by `|`."""

    effect: Effect
    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"
    skip: int = 0
    """Let so many pass first."""
    times: int | None = 1
    """Then hit so many; None for all."""
    hits: int = field(default=0, init=False)

    def matches(self, call: Call) -> bool:
        pairs = (
            (self.verb, call.verb),
            (self.resource, call.resource),
            (self.namespace, call.namespace),
            (self.name, call.name),
        )
        return all(any(fnmatchcase(got, one) for one in wanted.split("|")) for wanted, got in pairs)


class Faults:
    """The rules of now, and the requests so far."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.calls: deque[Call] = deque(maxlen=100_000)
        """Every request for an object or a collection, in the order of arrival."""
        self._open_watches: set[Callable[[], None]] = set()

    def add(self, effect: Effect, **which: str | int | None) -> Rule:
        """Let `effect` happen to the requests that `which` (the fields of Rule) describes. Rules are tried in order."""
        rule = Rule(effect, **which)  # type: ignore[arg-type]  # the names and types are those of Rule
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def count(self, verb: str = "*", resource: str = "*") -> int:
        """How many requests of this form came."""
        pattern = Rule(Lose(), verb, resource)
        return sum(1 for call in self.calls if pattern.matches(call))

    def effect_on(self, call: Call) -> Effect | None:
        """Note the request, and say what is to happen to it."""
        self.calls.append(call)
        for rule in self.rules:
            if not rule.matches(call):
                continue
            if rule.skip > 0:
                rule.skip -= 1
            elif rule.times is None or rule.hits < rule.times:
                rule.hits += 1
                return rule.effect
        return None

    def drop_watches(self) -> None:
        """Cut the connection of every watch that is open."""
        for drop in list(self._open_watches):
            drop()

    def watch_opened(self, drop: Callable[[], None]) -> Callable[[], None]:
        """Remember how to cut a watch; returns what to call when it has ended."""
        self._open_watches.add(drop)
        return lambda: self._open_watches.discard(drop)
