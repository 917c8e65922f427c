"""Which failures are repeated, when, and with how much memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.run import Attempt, FailureClass, TaskStatus
from windlass.models.task import OomGrowth, Retry, Task
from windlass.plan.memory import grown_memory, parse_quantity
from windlass.plan.retries import count_failure, decide, delay_before, next_memory

RETRY = Retry.model_validate(
    {
        "limit": 2,
        "delay": "10s",
        "factor": 2,
        "maxDelay": "15s",
        "infraLimit": 1,
        "exitCodes": {"never": [2], "always": [75]},
    }
)


@dataclass(frozen=True)
class Case:
    class_: FailureClass
    exit_code: int | None = None
    number: int = 1
    app: int = 0
    infra: int = 0
    retry: Retry | None = RETRY


CASES: dict[str, tuple[Case, tuple[bool, float, int, int]]] = {
    "the first of the task's own": (Case(FailureClass.APP, 1), (True, 10, 1, 0)),
    "the second waits longer, but for the maximum": (Case(FailureClass.APP, 1, 2, app=1), (True, 15, 2, 0)),
    "the third is one too many": (Case(FailureClass.APP, 1, 3, app=2), (False, 0, 3, 0)),
    "out of memory spends the same": (Case(FailureClass.OOM, 137, 3, app=2), (False, 0, 3, 0)),
    "so does a timeout": (Case(FailureClass.TIMEOUT, None, 1), (True, 10, 1, 0)),
    "so does a pod that does not start": (Case(FailureClass.START), (True, 10, 1, 0)),
    "the infrastructure is retried at once": (Case(FailureClass.INFRA, None, 3, app=2), (True, 0, 2, 1)),
    "until its own limit": (Case(FailureClass.INFRA, None, 2, infra=1), (False, 0, 0, 2)),
    "its failures don't lengthen the wait": (Case(FailureClass.APP, 1, 2, infra=1), (True, 10, 1, 1)),
    "an exit code that no retry mends": (Case(FailureClass.APP, 2), (False, 0, 1, 0)),
    "an exit code that spends nothing": (Case(FailureClass.APP, 75, 9, app=2), (True, 15, 2, 0)),
    "exit codes are of the task's own failures": (Case(FailureClass.INFRA, 2), (True, 0, 0, 1)),
    "no policy: no retry of its own": (Case(FailureClass.APP, 1, retry=None), (False, 0, 1, 0)),
    "no policy: five for the infrastructure": (
        Case(FailureClass.INFRA, None, 5, infra=4, retry=None),
        (True, 0, 0, 5),
    ),
    "no policy: not a sixth": (Case(FailureClass.INFRA, None, 6, infra=5, retry=None), (False, 0, 0, 6)),
    "what the API refused": (Case(FailureClass.LAUNCH), (False, 0, 1, 0)),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES.keys())
def test_decisions(case: Case, expected: tuple[bool, float, int, int]) -> None:
    status = TaskStatus(
        name="t", attempts=[Attempt(number=case.number)], app_failures=case.app, infra_failures=case.infra
    )
    failure = count_failure(status, case.retry, case.class_, case.exit_code)
    decision = decide(failure, case.retry, "seed")
    got = (decision.retry, decision.delay.total_seconds(), failure.app_failures, failure.infra_failures)
    assert got == expected


@given(st.text(), st.integers(1, 8))
def test_jitter_shortens_by_its_fraction_and_is_the_same_for_the_same_seed(seed: str, number: int) -> None:
    retry = Retry(delay="100s", factor=1, jitter=0.25)
    wait = delay_before(retry, number, seed)
    assert timedelta(seconds=75) <= wait <= timedelta(seconds=100)
    assert delay_before(retry, number, seed) == wait


def test_jitter_spreads() -> None:
    waits = {delay_before(Retry(delay="100s", jitter=1), 1, f"uid/task/{attempt}") for attempt in range(50)}
    assert len(waits) > 45
    assert min(waits) < timedelta(seconds=25) < timedelta(seconds=75) < max(waits)


DELAYS = {
    "without a policy": (Retry(), 1, 10),
    "zero": (Retry(delay="0s", factor=100), 200, 0),
    "a wait that no calendar holds": (Retry(delay="1h", factor=100), 200, 365 * 86400),
    "fractions": (Retry(delay="500ms", factor=1.5), 2, 0.75),
}


@pytest.mark.parametrize(("retry", "number", "expected"), DELAYS.values(), ids=DELAYS.keys())
def test_delays(retry: Retry, number: int, expected: float) -> None:
    assert delay_before(retry, number, "").total_seconds() == expected


QUANTITIES = {
    "512Mi": 512 * 2**20, "1Gi": 2**30, "1.5Gi": 1.5 * 2**30, "2G": 2e9, "100k": 1e5, "128974848": 128974848,
    "129e6": 129e6, "1E": 1e18, "1e3": 1000, "500m": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), QUANTITIES.items())
def test_quantities(text: str, number: float) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1X", "-1", "1 Gi Gi", "1GiB"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(text)


GROWTHS = {
    "by the factor": ("512Mi", OomGrowth(factor=1.5), "768Mi"),
    "rounded up to a mebibyte": ("1M", OomGrowth(factor=2), "2Mi"),
    "up to the maximum": ("6Gi", OomGrowth(factor=2, max="8Gi"), "8Gi"),
    "not beyond it": ("8Gi", OomGrowth(factor=2, max="8Gi"), "8Gi"),
    "never down": ("10Gi", OomGrowth(factor=2, max="8Gi"), "10Gi"),
    "a factor of one": ("512Mi", OomGrowth(factor=1), "512Mi"),
}


@pytest.mark.parametrize(("before", "growth", "after"), GROWTHS.values(), ids=GROWTHS.keys())
def test_memory_grows(before: str, growth: OomGrowth, after: str) -> None:
    assert grown_memory(before, growth) == after


GROWING = Task.model_validate(
    {"name": "t", "script": "true", "resources": {"limits": {"memory": "1Gi"}}, "retry": {"oom": {"factor": 2}}}
)
NEXT = {
    "the first attempt has the task's own": (GROWING, None, None),
    "after an OOM kill more": (GROWING, Attempt(number=1, class_=FailureClass.OOM), "2048Mi"),
    "after a second one more than that": (GROWING, Attempt(number=2, class_=FailureClass.OOM, memory="2Gi"), "4096Mi"),
    "after another failure as much as before": (
        GROWING,
        Attempt(number=2, class_=FailureClass.APP, memory="2Gi"),
        "2Gi",
    ),
    "without a limit nothing can grow": (
        GROWING.model_copy(update={"resources": None}),
        Attempt(number=1, class_=FailureClass.OOM),
        None,
    ),
    "unless asked for nothing grows": (
        GROWING.model_copy(update={"retry": None}),
        Attempt(number=1, class_=FailureClass.OOM),
        None,
    ),
}


@pytest.mark.parametrize(("task", "last", "memory"), NEXT.values(), ids=NEXT.keys())
def test_the_memory_of_the_next_attempt(task: Task, last: Attempt | None, memory: str | None) -> None:
    assert next_memory(task, last) == memory
