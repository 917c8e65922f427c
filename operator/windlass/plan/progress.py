"""What a run's status says about how far it is: progress, message, conditions, durations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, Literal

from windlass.models.condition import Condition
from windlass.models.run import RunPhase, TaskPhase, TaskStatus
from windlass.plan.types import RunView

_Wanted = tuple[str, Literal["True", "False", "Unknown"], str, str]
"""Type, status, reason and message of a condition."""
ACCEPTED: Final = "Accepted"
RUNNING: Final = "Running"
SUCCEEDED: Final = "Succeeded"
_ACTIVE: Final = frozenset({TaskPhase.RUNNING, TaskPhase.STARTING})


def progress(tasks: Iterable[TaskStatus]) -> str:
    """Ended tasks of all: `3/7`."""
    ended = total = 0
    for task in tasks:
        total += 1
        ended += task.phase.ended
    return f"{ended}/{total}"


def running_message(tasks: Sequence[TaskStatus]) -> str:
    """One line for people: `3 of 7 tasks done, load is running`."""
    by_phase: dict[TaskPhase, list[str]] = {}
    asking: list[str] = []
    for task in tasks:
        asks = task.reason == "AwaitingApproval" and task.phase is TaskPhase.RUNNING
        (asking if asks else by_phase.setdefault(task.phase, [])).append(task.name)
    done = sum(len(names) for phase, names in by_phase.items() if phase.ended)
    parts = [f"{done} of {len(tasks)} tasks done"]
    for phases, word in (
        ((TaskPhase.RUNNING,), "running"),
        ((TaskPhase.STARTING,), "starting"),
        ((TaskPhase.RETRYING,), "waiting for a retry"),
        ((TaskPhase.QUEUED,), "queued"),
    ):
        names = [name for phase in phases for name in by_phase.get(phase, ())]
        if names:
            parts.append(f"{_named(names)} {'is' if len(names) == 1 else 'are'} {word}")
            break
    if asking:
        parts.append(f"{_named(asking)} {'waits' if len(asking) == 1 else 'wait'} for approval")
    return ", ".join(parts)


def _named(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


def human_duration(length: timedelta) -> str:
    """The two largest units of a length of time: `1m20s`, `2h5m`, `3d4h`, `7s`."""
    whole = max(0, round(length.total_seconds()))
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for place, (unit, size) in enumerate(units):
        if whole >= size:
            text = f"{whole // size}{unit}"
            if place + 1 < len(units):
                smaller, smaller_size = units[place + 1]
                rest = whole % size // smaller_size
                text += f"{rest}{smaller}" if rest else ""
            return text
    return "0s"


def running_conditions(old: Sequence[Condition], run: RunView, phase: RunPhase, moment: str) -> list[Condition]:
    """The conditions of a run that has not ended."""
    wanted: tuple[_Wanted, ...] = (
        (ACCEPTED, "True", "Admitted", ""),
        (RUNNING, "True", "Suspended" if phase is RunPhase.SUSPENDED else "TasksRunning", ""),
        (SUCCEEDED, "Unknown", "Running", ""),
    )
    return _conditions(old, wanted, moment, run.generation)


def ended_conditions(
    old: Sequence[Condition], phase: RunPhase, reason: str, message: str, moment: str, generation: int
) -> list[Condition]:
    """The conditions of a run that has ended."""
    good = phase is RunPhase.SUCCEEDED
    wanted: tuple[_Wanted, ...] = (
        (ACCEPTED, "True", "Admitted", ""),
        (RUNNING, "False", reason, ""),
        (SUCCEEDED, "True" if good else "False", reason, message),
    )
    return _conditions(old, wanted, moment, generation)


def _conditions(old: Sequence[Condition], wanted: Iterable[_Wanted], moment: str, generation: int) -> list[Condition]:
    """The wanted conditions; one whose status stays keeps its time, and Accepted stays as admission wrote it."""
    known = {condition.type: condition for condition in old}
    made: list[Condition] = []
    for type_, status, reason, message in wanted:
        before = known.pop(type_, None)
        if before is not None and before.status == status and (type_ == ACCEPTED or before.reason == reason):
            made.append(before)
            continue
        since = before.last_transition_time if before is not None and before.status == status else moment
        made.append(
            Condition.model_construct(
                type=type_,
                status=status,
                reason=reason,
                message=message,
                last_transition_time=since,
                observed_generation=generation,
            )
        )
    return [*made, *known.values()]
