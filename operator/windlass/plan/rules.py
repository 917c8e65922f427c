"""Trigger rules: when a task starts, by the ends of its direct upstream tasks.

A rule is a list of named predicates; the first that holds gives the verdict. Each holds only when nothing that the
remaining upstream tasks may do could let an earlier one hold: so a verdict, once given, stays, in whatever order the
upstream tasks end and whenever we look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from windlass.models.task import TriggerRule


@dataclass(frozen=True, slots=True)
class Counts:
    """How many direct upstream tasks there are, and how those that have ended did."""

    total: int
    succeeded: int = 0
    failed: int = 0
    """Cancelled ones too."""
    upstream_failed: int = 0
    skipped: int = 0

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed + self.upstream_failed + self.skipped

    @property
    def done(self) -> bool:
        return self.ended == self.total

    @property
    def bad(self) -> int:
        return self.failed + self.upstream_failed


class VerdictKind(StrEnum):
    """What a rule says about its task."""

    START = "Start"
    SKIP = "Skip"
    UPSTREAM_FAIL = "UpstreamFail"
    WAIT = "Wait"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the task, and why."""

    kind: VerdictKind
    reason: str


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition that decides, and the verdict that it gives."""

    holds: Callable[[Counts], bool]
    verdict: Verdict


def _start(reason: str, holds: Callable[[Counts], bool]) -> Predicate:
    return Predicate(holds, Verdict(VerdictKind.START, reason))


def _skip(reason: str, holds: Callable[[Counts], bool]) -> Predicate:
    return Predicate(holds, Verdict(VerdictKind.SKIP, reason))


def _fail(reason: str, holds: Callable[[Counts], bool]) -> Predicate:
    return Predicate(holds, Verdict(VerdictKind.UPSTREAM_FAIL, reason))


WAITING: Final = Verdict(VerdictKind.WAIT, "UpstreamRunning")
NO_UPSTREAM: Final = Verdict(VerdictKind.START, "NoUpstream")

_UPSTREAM_FAILED: Final = _fail("UpstreamFailed", lambda c: c.bad > 0)
_ALL_SKIPPED: Final = _skip("AllUpstreamSkipped", lambda c: c.skipped == c.total)
_ANY_SKIPPED: Final = _skip("UpstreamSkipped", lambda c: c.skipped > 0)
_DONE: Final = _start("AllUpstreamDone", lambda c: c.done)

RULES: Final[Mapping[TriggerRule, tuple[Predicate, ...]]] = {
    TriggerRule.ALL_SUCCESS: (
        _UPSTREAM_FAILED,
        _skip("UpstreamSkipped", lambda c: c.done and c.skipped > 0),
        _start("AllUpstreamSucceeded", lambda c: c.succeeded == c.total),
    ),
    TriggerRule.ALL_FAILED: (
        _skip("UpstreamNotFailed", lambda c: c.succeeded + c.skipped > 0),
        _start("AllUpstreamFailed", lambda c: c.bad == c.total),
    ),
    TriggerRule.ALL_DONE: (_DONE,),
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: (
        _fail("NoUpstreamSucceeded", lambda c: c.done and c.succeeded == 0 and c.skipped == 0),
        _ANY_SKIPPED,
        _start("AllUpstreamDone", lambda c: c.done and c.succeeded > 0),
    ),
    TriggerRule.ALL_SKIPPED: (
        _skip("UpstreamNotSkipped", lambda c: c.succeeded + c.bad > 0),
        _start("AllUpstreamSkipped", lambda c: c.skipped == c.total),
    ),
    TriggerRule.ONE_SUCCESS: (
        _start("OneUpstreamSucceeded", lambda c: c.succeeded > 0),
        _ALL_SKIPPED,
        _fail("NoUpstreamSucceeded", lambda c: c.done),
    ),
    TriggerRule.ONE_FAILED: (
        _start("OneUpstreamFailed", lambda c: c.bad > 0),
        _skip("NoUpstreamFailed", lambda c: c.done),
    ),
    TriggerRule.ONE_DONE: (
        _start("OneUpstreamDone", lambda c: c.succeeded + c.failed > 0),
        _skip("NoUpstreamRan", lambda c: c.done),
    ),
    TriggerRule.NONE_FAILED: (_UPSTREAM_FAILED, _start("NoUpstreamFailed", lambda c: c.done)),
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: (
        _UPSTREAM_FAILED,
        _ALL_SKIPPED,
        _start("NoUpstreamFailed", lambda c: c.done),
    ),
    TriggerRule.NONE_SKIPPED: (_ANY_SKIPPED, _start("NoUpstreamSkipped", lambda c: c.done)),
    TriggerRule.ALWAYS: (_start("Always", lambda _: True),),
}


def verdict(rule: TriggerRule, counts: Counts) -> Verdict:
    """What `rule` says, given how the upstream tasks stand."""
    if counts.total == 0:
        return NO_UPSTREAM
    for predicate in RULES[rule]:
        if predicate.holds(counts):
            return predicate.verdict
    return WAITING
