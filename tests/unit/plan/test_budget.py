"""What a status may hold, and what goes first when it is too much."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.run import Attempt, FailureClass, TaskPhase, TaskStatus
from windlass.plan.budget import MAX_MESSAGE, MAX_STATUS, cut, cut_log, fit

CUTS = {
    "what fits stays": ("abc", 8, "abc", "abc"),
    "the beginning of a text, the end of a log": ("0123456789", 8, "01234…", "…56789"),
    "no half characters": ("ääääää", 8, "ää…", "…ää"),
}


@pytest.mark.parametrize(("text", "limit", "first", "last"), CUTS.values(), ids=CUTS.keys())
def test_cutting(text: str, limit: int, first: str, last: str) -> None:
    assert (cut(text, limit), cut_log(text, limit)) == (first, last)


@given(st.text(max_size=3000))
def test_cut_texts_have_at_most_a_kibibyte(text: str) -> None:
    assert len(cut(text).encode()) <= MAX_MESSAGE
    assert len(cut_log(text).encode()) <= MAX_MESSAGE


def task(
    number: int, attempts: int = 3, message: str = "x" * 1024, outputs: dict[str, str] | None = None
) -> TaskStatus:
    time = "2025-04-01T17:00:00.123456Z"
    return TaskStatus(
        name=f"a-task-with-a-long-name-{number:039}",
        phase=TaskPhase.FAILED,
        reason="Error",
        message=message[:512],
        ready_at=time,
        started_at=time,
        finished_at=time,
        outputs=outputs,
        attempts=[
            Attempt(
                number=one + 1,
                pod="p" * 63,
                uid="0a1b2c3d-0000-0000-0000-000000000001",
                node="ip-10-0-12-123.eu-central-1.compute.internal",
                created_at=time,
                started_at=time,
                finished_at=time,
                class_=FailureClass.APP,
                reason="Error",
                exit_code=1,
                message=message,
                hint="what to do about it" * 10,
            )
            for one in range(attempts)
        ],
    )


def size(tasks: list[TaskStatus]) -> int:
    return len(orjson.dumps([one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in tasks]))


@pytest.mark.parametrize(
    "message", ["x" * 1024, 'a "quoted"\n' * 93, "ä" * 512, "\x00" * 1024], ids=["plain", "quotes", "umlauts", "zeros"]
)
@pytest.mark.parametrize("count", [41, 300, 1000])
def test_a_status_fits_whatever_its_tasks_say(count: int, message: str) -> None:
    tasks = [task(number, message=message) for number in range(count)]
    fitted = list(fit(tasks))
    assert size(fitted) < MAX_STATUS
    assert [one.name for one in fitted] == [one.name for one in tasks]
    again = fit(fitted)
    assert all(a is b for a, b in zip(fitted, again, strict=True))


def test_it_fits_with_all_outputs_that_there_may_be() -> None:
    tasks = [task(number, outputs={"x": "y" * 500}) for number in range(1000)]
    assert size(list(fit(tasks))) < MAX_STATUS


def test_the_past_goes_first_and_is_counted() -> None:
    fitted = fit([task(number) for number in range(300)])
    assert {(len(one.attempts), one.attempts[0].number, one.dropped) for one in fitted} == {(1, 3, 2)}
    assert {len(one.attempts[0].message or "") for one in fitted} == {1024}


def test_a_status_that_fits_is_left_alone() -> None:
    tasks = [task(number, attempts=1, message="short") for number in range(500)]
    assert fit(tasks) is tasks
