"""The instances of a forEach as they are stored, and as they are read again."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.models.instances import Instances, encoded, indices, quiet, ranges
from windlass.models.parse import InvalidObject, read_status
from windlass.models.run import Attempt, FailureClass, TaskPhase, TaskStatus, WorkflowRunStatus

MOMENT = "2026-01-01T00:00:07.123456Z"


def stored(instances: Instances) -> dict[str, Any]:
    """The status of a run with such a task, as JSON, and through it."""
    status = WorkflowRunStatus(tasks=[TaskStatus(name="load", instances=instances)])
    made: dict[str, Any] = json.loads(json.dumps(status.model_dump(mode="json", by_alias=True, exclude_none=True)))
    return made


def again(instances: Instances) -> Instances:
    found = read_status(stored(instances)).tasks[0].instances
    assert found is not None
    return found


def starting(number: int = 1, **fields: Any) -> TaskStatus:
    return TaskStatus(name="x", phase=TaskPhase.STARTING, attempts=[Attempt(number=number, pod="p", **fields)])


def failed(index: int, text: str = "no such file") -> TaskStatus:
    attempt = Attempt(
        number=2, pod=f"run-load-{index}", uid=f"{index:032}", node="n", created_at=MOMENT, finished_at=MOMENT,
        class_=FailureClass.APP, reason="Error", exit_code=1, message=f"{text} {index}", hint="look at it",
    )  # fmt: skip
    return TaskStatus(
        name="x", phase=TaskPhase.FAILED, reason="Error", message=f"exit code 1: {text} {index}", dropped=1,
        app_failures=2, attempts=[attempt], finished_at=MOMENT,
    )  # fmt: skip


def retrying(index: int) -> TaskStatus:
    state = failed(index)
    moment = f"2026-01-01T00:00:{index % 60:02}.{index * 7919 % 1000000:06}Z"
    last = state.attempts[0].model_copy(update={"finished_at": moment})
    update = {"phase": TaskPhase.RETRYING, "retry_at": moment, "reason": "BackingOff", "attempts": [last]}
    return state.model_copy(update={**update, "finished_at": None})


def of(*states: TaskStatus | None) -> Instances:
    return Instances.fresh(range(len(states)), "d").with_changes(dict(enumerate(states)))


SMALL = {
    "nothing has begun": (of(None, None), {"total": 2, "digest": "d"}),
    "all kinds": (
        of(
            quiet("Succeeded", "Completed", 1),
            quiet("Succeeded", "Completed", 1),
            quiet("Succeeded", "Completed", 3),
            quiet("Skipped", "WhenFalse", 0),
            quiet("Cancelled", "FailFast", 0),
            starting(),
            starting(uid="u"),
            None,
        ),
        {
            "total": 8,
            "starting": 2,
            "succeeded": 3,
            "skipped": 1,
            "cancelled": 1,
            "digest": "d",
            "detail": '{"ended":{"Succeeded/Completed/1":"0-1","Succeeded/Completed/3":"2","Skipped/WhenFalse/0":"3",'
            '"Cancelled/FailFast/0":"4"},"launched":"5-6","seen":"6"}',
        },
    ),
    "outputs stand by their index": (
        of(None, quiet("Succeeded", "Completed", 1).model_copy(update={"outputs": {"n": 1}})),
        {
            "total": 2,
            "succeeded": 1,
            "digest": "d",
            "detail": '{"ended":{"Succeeded/Completed/1":"1"},"outputs":[null,{"n":1}]}',
        },
    ),
    "what is tried again": (
        of(starting(2, uid="u", memory="2Gi").model_copy(update={"dropped": 1, "infra_failures": 1})),
        {
            "total": 1,
            "starting": 1,
            "digest": "d",
            "detail": '{"others":{"0":{"phase":"Starting","attempts":[{"number":2,"uid":"seen","memory":"2Gi"}],'
            '"dropped":1,"infraFailures":1}}}',
        },
    ),
}


@pytest.mark.parametrize("case", SMALL.values(), ids=SMALL.keys())
def test_small_ones_can_be_read_by_people(case: tuple[Instances, dict[str, Any]]) -> None:
    instances, expected = case
    assert encoded(instances) == expected
    assert encoded(again(instances)) == expected


def test_what_is_read_again_goes_on_as_before() -> None:
    before = of(quiet("Succeeded", "Completed", 2), failed(1), retrying(2), starting(), None, starting(3, uid="u"))
    after = again(before)
    assert (after.live, after.resting, after.failed, after.counts, after.unbegun, after.digest) == (
        before.live, before.resting, before.failed, before.counts, before.unbegun, before.digest
    )  # fmt: skip
    assert after.states[2] is not None
    assert after.states[2].retry_at == retrying(2).retry_at
    assert after.states[2].attempts[0].class_ is FailureClass.APP
    assert after.states[1] == failed(1).model_copy(update={"name": ""})


LARGE = {
    "all succeeded": ([quiet("Succeeded", "Completed", 1)] * 5000, 1),
    "all failed, each with words of its own": ([failed(index) for index in range(5000)], 60),
    "all wait to be tried again": ([retrying(index) for index in range(5000)], 200),
    "all are at their second attempt": ([starting(2, uid=f"{index:036}") for index in range(5000)], 40),
    "every other one succeeded, after one attempt or two": (
        [quiet("Succeeded", "Completed", 1 + index % 2) for index in range(5000)],
        20,
    ),
    "no pod has started, for a reason": (
        [starting().model_copy(update={"reason": "ImagePullBackOff", "message": "x" * 500})] * 5000,
        60,
    ),
}


@pytest.mark.parametrize("case", LARGE.values(), ids=LARGE.keys())
def test_5000_fit(case: tuple[list[TaskStatus | None], int]) -> None:
    states, kib = case
    instances = of(*states)
    assert len(json.dumps(stored(instances))) <= kib * 1024
    after = again(instances)
    assert (after.counts, after.live, after.failed) == (instances.counts, instances.live, instances.failed)


def test_outputs_of_5000_fit() -> None:
    chance = random.Random(1)
    good = quiet("Succeeded", "Completed", 1)
    values = [{"rows": chance.randrange(10**6), "file": f"s3://bucket/part-{index}"} for index in range(5000)]
    instances = of(*[good.model_copy(update={"outputs": value}) for value in values])
    assert len(json.dumps(stored(instances))) <= 100 * 1024
    assert again(instances).outputs() == values
    assert again(instances).output_bytes == instances.output_bytes


@settings(max_examples=200)
@given(st.sets(st.integers(0, 4999), max_size=200))
def test_ranges_are_read_as_written(numbers: set[int]) -> None:
    assert list(indices(ranges(sorted(numbers)))) == sorted(numbers)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([None, quiet("Succeeded", "Completed", 1), failed(1), retrying(2), starting()])))
def test_changes_one_by_one_are_all_changes_at_once(states: list[TaskStatus | None]) -> None:
    at_once = of(*states)
    one_by_one = Instances.fresh(range(len(states)), "d")
    for index, state in enumerate(states):
        one_by_one = one_by_one.with_changes({index: failed(9)}).with_changes({index: state})
    assert one_by_one == at_once
    for name in ("live", "resting", "failed", "counts", "output_bytes", "unbegun"):
        assert getattr(one_by_one, name) == getattr(at_once, name), name


BROKEN: dict[str, dict[str, Any]] = {
    "a negative total": {"total": -1, "digest": "d"},
    "a total beyond the limit": {"total": 5001, "digest": "d"},
    "no digest": {"total": 1},
    "no base64": {"total": 1, "digest": "d", "detail": "§"},
    "no zlib": {"total": 1, "digest": "d", "detail": "aGVsbG8="},
    "a list": {"total": 1, "digest": "d", "detail": "eJyLjgUAARUAuQ=="},
    "an index too high": {"total": 1, "digest": "d", "detail": '{"launched":"3"}'},
    "no index": {"total": 1, "digest": "d", "detail": '{"launched":"x"}'},
    "a range from its end": {"total": 1, "digest": "d", "detail": '{"launched":"9-2"}'},
    "no phase": {"total": 1, "digest": "d", "detail": '{"ended":{"Nowhere//1":"0"}}'},
    "a key without parts": {"total": 1, "digest": "d", "detail": '{"ended":{"Succeeded":"0"}}'},
    "ended is a list": {"total": 1, "digest": "d", "detail": '{"ended":[]}'},
    "a state that is none": {"total": 1, "digest": "d", "detail": '{"others":{"0":{"phase":"Flying"}}}'},
    "JSON that is cut": {"total": 1, "digest": "d", "detail": '{"others":{"0":'},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_what_can_t_be_read_is_said(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidObject, match="instances"):
        read_status({"tasks": [{"name": "load", "instances": broken}]})
