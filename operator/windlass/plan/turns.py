"""Whose turn it is: which runs of a Workflow may leave Queued, and what becomes of those that may not. Pure.

         dependsOnPast? ──not yet──▶ wait, out of the line, until the run of the slot before has succeeded
              │
    maxActiveRuns reached? ──no, and nobody who waits comes first──▶ go
              │
              └── Queue: wait │ Skip: end │ Replace: stop the oldest under way, and wait for their end

Runs that are under way (Running, Suspended) take the turns. Those of Backfills take none: a Backfill has a limit of its
own. Who waits stands in a line: by priority, then by logical date; where newer runs replace older ones, newest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windlass.models.run import RunPhase
from windlass.models.workflow import RunPolicy, WorkflowSpec
from windlass.plan.history import RunSummary

Place = tuple[int, float, float, str]
"""Where a run stands in the line: the smallest is next."""


class TurnKind(StrEnum):
    """What a run may do that asks for its turn."""

    GO = "Go"
    WAIT = "Wait"
    """In the line: it is told when its turn comes."""
    ASIDE = "Aside"
    """Out of the line: others go first, until what it waits for has come."""
    END = "End"
    """It is not run at all."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to a run that asks for its turn."""

    kind: TurnKind
    reason: str = ""
    message: str = ""
    stop: tuple[str, ...] = ()
    """Runs under way that are to be stopped for it."""
    awaits: datetime | None = None
    """The slot whose runs decide about it."""


GO = Turn(TurnKind.GO)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a Workflow's runs stand, as the one sees it that asks."""

    limit: int
    policy: RunPolicy
    held: Sequence[RunSummary]
    """Those that have a turn."""
    position: int
    """How many of those that wait come before it."""
    waiting: int
    """How many wait, itself among them."""
    priority: int = 0
    """That of runs that name none: the Workflow's."""


def waits(run: RunSummary) -> bool:
    """Whether a run is yet to have its turn."""
    return not (run.active or run.ended or run.deleting)


def place(run: RunSummary, policy: RunPolicy, priority: int) -> Place:
    """Where a run stands in its Workflow's line; `priority` is the Workflow's."""
    own = run.priority if run.priority is not None else priority
    logical, created = run.logical_date.timestamp(), run.created_at.timestamp()
    if policy is RunPolicy.REPLACE:
        return (-own, -created, -logical, run.name)
    return (-own, logical, created, run.name)


def turn(run: RunSummary, standing: Standing) -> Turn:
    """Whether the run may go, as far as `maxActiveRuns` says. It doesn't count among those that have a turn."""
    free = standing.limit - len(standing.held)
    if standing.position < free or (free > 0 and standing.policy is RunPolicy.SKIP):
        return GO
    if standing.policy is RunPolicy.SKIP:
        return Turn(TurnKind.END, "SkippedByPolicy", f"{_taken(standing)}, and the policy is Skip")
    if standing.policy is RunPolicy.REPLACE:
        return _replacing(run, standing)
    return Turn(TurnKind.WAIT, "MaxActiveRuns", f"{_taken(standing)}{_before(standing)}")


def turn_among(run: RunSummary, runs: Iterable[RunSummary], spec: WorkflowSpec) -> Turn:
    """The same from all runs of the Workflow, the one that asks among them or not, and with the past."""
    others = [other for other in runs if other.uid != run.uid]
    if (blocked := past_turn(run, others, spec)) is not None:
        return blocked
    limit, policy = spec.run_limit, spec.run_policy
    if limit is None or run.backfill is not None:
        return GO
    own = place(run, policy, spec.priority)
    line = [other for other in others if other.backfill is None]
    held = [other for other in line if other.active]
    waiting = [other for other in line if waits(other) and past_turn(other, [run, *others], spec) is None]
    position = sum(place(other, policy, spec.priority) < own for other in waiting)
    return turn(run, Standing(limit, policy, held, position, len(waiting) + 1, spec.priority))


def past_turn(run: RunSummary, others: Iterable[RunSummary], spec: WorkflowSpec) -> Turn | None:
    """What a run waits for by the Workflow's `dependsOnPast`; None: nothing."""
    if not spec.depends_on_past:
        return None
    before = runs_before(run, others)
    if not before or any(other.phase is RunPhase.SUCCEEDED for other in before):
        return None
    found = next((other for other in before if not other.ended), before[-1])
    message = f"waits for the success of {found.name}, which {_stands(found)}"
    return Turn(TurnKind.ASIDE, "DependsOnPast", message, awaits=found.slot)


def runs_before(run: RunSummary, others: Iterable[RunSummary]) -> list[RunSummary]:
    """The runs of the latest slot before that of `run`, in the order of their creation; none for a first slot, and for
    a run without a slot. A run that was cancelled before it started stands for no slot."""
    if run.slot is None:
        return []
    found: list[RunSummary] = []
    latest: datetime | None = None
    for other in others:
        if other.slot is None or other.slot >= run.slot or not _counts(other, run):
            continue
        if latest is None or other.slot > latest:
            found, latest = [other], other.slot
        elif other.slot == latest:
            found.append(other)
    return sorted(found, key=lambda other: (other.created_at, other.name))


def last_success(run: RunSummary, others: Iterable[RunSummary]) -> RunSummary | None:
    """The good run with the latest logical date before that of `run`; of several, the one that ended last."""
    good = (
        other
        for other in others
        if other.phase is RunPhase.SUCCEEDED and other.logical_date < run.logical_date and not _strangers(other, run)
    )
    return max(good, key=lambda other: (other.logical_date, other.finished_at or other.created_at), default=None)


def _counts(other: RunSummary, run: RunSummary) -> bool:
    never_ran = other.phase is RunPhase.CANCELLED and other.started_at is None
    return other.uid != run.uid and not never_ran and not _strangers(other, run)


def _strangers(one: RunSummary, other: RunSummary) -> bool:
    """They belong to two Workflows that had one name after the other."""
    return one.owner is not None and other.owner is not None and one.owner != other.owner


def _replacing(run: RunSummary, standing: Standing) -> Turn:
    own = run.priority if run.priority is not None else standing.priority
    if standing.position >= standing.limit:
        message = f"newer runs take the place of this one: maxActiveRuns is {standing.limit}, and the policy is Replace"
        return Turn(TurnKind.END, "Replaced", message)
    lesser = [other for other in standing.held if _priority(other, standing) <= own]
    oldest = sorted(lesser, key=lambda other: (other.created_at, other.logical_date, other.name))
    needed = len(standing.held) + min(standing.waiting, standing.limit) - standing.limit
    stop = tuple(other.name for other in oldest[:needed])
    if not stop:
        return Turn(TurnKind.WAIT, "MaxActiveRuns", f"{_taken(standing)}, of higher priority")
    return Turn(TurnKind.WAIT, "Replacing", f"waits for the end of {_named(stop)}, for which it is run instead", stop)


def _priority(run: RunSummary, standing: Standing) -> int:
    return run.priority if run.priority is not None else standing.priority


def _taken(standing: Standing) -> str:
    names = [run.name for run in standing.held]
    verb = "is" if len(names) == 1 else "are"
    return f"maxActiveRuns is {standing.limit}: {_named(names)} {verb} under way" if names else "others go first"


def _before(standing: Standing) -> str:
    if standing.position == 0:
        return "; it is next"
    return f"; {standing.position + 1}. in the line when it came"


def _named(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} more"


def _stands(run: RunSummary) -> str:
    if not run.ended:
        return "has not ended"
    if run.phase is RunPhase.REFUSED:
        return "was refused: delete it, and run its slot again by a backfill"
    ended = "was cancelled" if run.phase is RunPhase.CANCELLED else "has failed"
    return f"{ended}: retry it, or mark what failed as succeeded"
