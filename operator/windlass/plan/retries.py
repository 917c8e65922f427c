"""Whether a failed attempt is repeated, when, and with how much memory.

App, OOM, Timeout, Start   spend `retry.limit`, after a growing delay; exit codes may say never or always
Infra                      spends `retry.infraLimit`, at once
Launch                     is never repeated
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from windlass.models.common import seconds
from windlass.models.run import Attempt, FailureClass, TaskStatus
from windlass.models.task import Retry, Task
from windlass.plan.memory import grown_memory, memory_limit

DEFAULT_DELAY: Final = 10.0
DEFAULT_INFRA_LIMIT: Final = 5
LONGEST_DELAY: Final = 365 * 86400.0
_NO_RETRY: Final = Retry()


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt, with what has been spent, itself included."""

    class_: FailureClass
    exit_code: int | None
    number: int
    """Of the attempt, from when the task was last sent back."""
    app_failures: int
    infra_failures: int
    final: bool = False
    """No repetition can mend it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes after a failure."""

    retry: bool
    delay: timedelta
    why: str
    """For the task's message."""


def count_failure(status: TaskStatus, retry: Retry | None, class_: FailureClass, exit_code: int | None) -> Failure:
    """The failure of the latest attempt, added to what the task has spent."""
    app, infra = status.app_failures or 0, status.infra_failures or 0
    if class_ is FailureClass.INFRA:
        infra += 1
    elif not _listed(retry, "always", class_, exit_code):
        app += 1
    number = status.attempts[-1].number - (status.cleared or 0) if status.attempts else 1
    return Failure(class_, exit_code, number, app, infra)


def decide(failure: Failure, retry: Retry | None, seed: str) -> Decision:
    """Whether and when to try again. `seed` is what the jitter is drawn from."""
    policy = retry or _NO_RETRY
    for holds, decision in _RULES:
        if holds(failure, policy):
            return decision(failure, policy, seed)
    return _spent(failure, policy, seed)


def delay_before(retry: Retry, number: int, seed: str) -> timedelta:
    """The wait before retry `number` (from 1)."""
    base = seconds(retry.delay) if retry.delay is not None else DEFAULT_DELAY
    longest = min(seconds(retry.max_delay), LONGEST_DELAY) if retry.max_delay is not None else LONGEST_DELAY
    try:
        wait = min(base * (retry.factor or 1.0) ** (max(number, 1) - 1), longest)
    except OverflowError:
        wait = longest if base else 0.0
    if retry.jitter:
        wait *= 1 - retry.jitter * _fraction(seed)
    return timedelta(milliseconds=round(wait * 1000))


def next_memory(task: Task, last: Attempt | None) -> str | None:
    """The memory limit of the attempt after `last`, where it differs from the task's own."""
    if last is None:
        return None
    growth = task.retry.oom if task.retry else None
    current = last.memory or memory_limit(task)
    if growth is None or last.class_ is not FailureClass.OOM or current is None:
        return last.memory
    try:
        return grown_memory(current, growth)
    except ValueError:
        return last.memory


def _fraction(seed: str) -> float:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7]) / 2**56


def _listed(retry: Retry | None, kind: str, class_: FailureClass, exit_code: int | None) -> bool:
    if class_ is not FailureClass.APP or exit_code is None or retry is None or retry.exit_codes is None:
        return False
    return exit_code in getattr(retry.exit_codes, kind)


def _at_once(failure: Failure, policy: Retry, _: str) -> Decision:
    why = f"retry {failure.infra_failures} of {_infra_limit(policy)} after a failure of the infrastructure"
    return Decision(True, timedelta(0), why)


def _later(failure: Failure, policy: Retry, seed: str) -> Decision:
    number = failure.number - failure.infra_failures
    wait = delay_before(policy, number, seed)
    return Decision(True, wait, f"retry {failure.app_failures} of {policy.limit or 0}")


def _always(failure: Failure, policy: Retry, seed: str) -> Decision:
    wait = delay_before(policy, failure.number - failure.infra_failures, seed)
    return Decision(True, wait, f"exit code {failure.exit_code} is always retried")


def _never(failure: Failure, _policy: Retry, _seed: str) -> Decision:
    return Decision(False, timedelta(0), f"exit code {failure.exit_code} is never retried")


def _hopeless(_failure: Failure, _policy: Retry, _seed: str) -> Decision:
    return Decision(False, timedelta(0), "")


def _spent(failure: Failure, policy: Retry, _: str) -> Decision:
    if failure.class_ is FailureClass.INFRA:
        return Decision(False, timedelta(0), f"the infrastructure failed {failure.infra_failures} times")
    limit = policy.limit or 0
    return Decision(False, timedelta(0), f"after {limit} {'retry' if limit == 1 else 'retries'}" if limit else "")


def _infra_limit(policy: Retry) -> int:
    return DEFAULT_INFRA_LIMIT if policy.infra_limit is None else policy.infra_limit


_RULES: Final[tuple[tuple[Callable[[Failure, Retry], bool], Callable[[Failure, Retry, str], Decision]], ...]] = (
    (lambda f, _: f.final or f.class_ is FailureClass.LAUNCH, _hopeless),
    (lambda f, p: _listed(p, "never", f.class_, f.exit_code), _never),
    (lambda f, p: _listed(p, "always", f.class_, f.exit_code), _always),
    (lambda f, p: f.class_ is FailureClass.INFRA and f.infra_failures <= _infra_limit(p), _at_once),
    (lambda f, p: f.class_ is not FailureClass.INFRA and f.app_failures <= (p.limit or 0), _later),
)
