"""The index of runs: never older than what was seen, and told of each change once."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.engine.history import MOST_BURIED, RunIndex
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.models.run import RunPhase

ETL = WorkflowKey("data", "etl")


def run(
    version: int, phase: str | None = None, name: str = "r", uid: str = "u", workflow: str = "etl"
) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "data", "name": name, "uid": uid, "resourceVersion": str(version)},
        "spec": {"workflow": workflow} if workflow else {"workflowSpec": {}},
        "status": {"phase": phase} if phase else {},
    }


@pytest.fixture
def told() -> list[tuple[str | None, str | None]]:
    return []


@pytest.fixture
def index(told: list[tuple[str | None, str | None]]) -> RunIndex:
    made = RunIndex()
    made.listen(lambda old, new: told.append((old and f"{old.uid} {old.phase}", new and f"{new.uid} {new.phase}")))
    return made


def test_it_never_goes_back(index: RunIndex, told: list[Any]) -> None:
    for version, phase in ((5, "Running"), (4, "Queued"), (6, "Running"), (7, "Succeeded")):
        index.seen(run(version, phase))
    assert told == [(None, "u Running"), ("u Running", "u Succeeded")]
    assert index.of(ETL)["r"].phase is RunPhase.SUCCEEDED


def test_one_made_again_is_another(index: RunIndex, told: list[Any]) -> None:
    index.seen(run(5, "Running"))
    index.seen(run(9, None, uid="v"))
    index.gone(run(6, uid="u"))
    assert told == [(None, "u Running"), ("u Running", None), (None, "v None")]
    assert [one.uid for one in index] == ["v"]


def test_what_is_gone_does_not_come_back_by_an_old_list(index: RunIndex, told: list[Any]) -> None:
    index.seen(run(5))
    index.gone(run(6))
    index.seen(run(5))
    index.gone(run(7, uid="never-seen"))
    index.seen(run(3, uid="never-seen"))
    assert (len(index), len(told)) == (0, 2)
    assert index.of(ETL) == {}


def test_a_list_tells_what_is_gone(index: RunIndex) -> None:
    index.seen(run(1, name="a", uid="1"))
    index.seen(run(2, name="b", uid="2"))
    before = [*index]
    index.seen(run(3, name="c", uid="3"))  # made while the list was read
    index.keep_only(before, {"1"}.__contains__)
    assert sorted(index.of(ETL)) == ["a", "c"]
    assert index.get(RunKey("data", "b")) is None


def test_runs_with_a_definition_of_their_own_belong_to_no_workflow(index: RunIndex) -> None:
    index.seen(run(1, name="etl", workflow=""))
    assert (len(index), index.of(ETL)) == (1, {})
    index.drop(RunKey("data", "etl"))
    assert len(index) == 0


def test_what_was_deleted_is_forgotten_in_time(index: RunIndex) -> None:
    for number in range(MOST_BURIED + 10):
        index.gone(run(1, uid=str(number)))
    assert len(index._buried) == MOST_BURIED
