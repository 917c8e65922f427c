"""The run cache: newer is taken, older never, and what is over is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from support.bodies import run_body
from windlass.engine.cache import RunCache, Taken
from windlass.engine.record import RunKey
from windlass.engine.statuses import status_json
from windlass.models.run import RunPhase, WorkflowRunStatus

KEY = RunKey("data", "r1")
RUNNING = {"phase": "Running"}
ENDED = {"phase": "Succeeded"}


@dataclass(frozen=True)
class Case:
    first: dict[str, Any] | None
    then: dict[str, Any]
    taken: Taken
    replaced: str | None = None
    version: int | None = None
    """Of what is known afterwards; None: nothing is."""
    in_use: bool = False


CASES = {
    "a new run": Case(None, run_body(), Taken.NEW, version=1),
    "the same again": Case(run_body(), run_body(), Taken.OLD, version=1),
    "a newer version": Case(run_body(), run_body(version=2), Taken.NEW, version=2),
    "an older version": Case(run_body(version=2), run_body(version=1), Taken.OLD, version=2),
    "an older version of the end": Case(run_body(version=9, status=RUNNING), run_body(version=3), Taken.OLD, version=9),
    "made again under its name": Case(
        run_body(version=2), run_body(uid="uid-2", version=5), Taken.NEW, replaced="uid-1", version=5
    ),
    "an old event of the one before": Case(
        run_body(uid="uid-2", version=5), run_body(uid="uid-1", version=2), Taken.OLD, version=5
    ),
    "one that has ended": Case(None, run_body(status=ENDED), Taken.OVER),
    "one that has ended, with pods left": Case(None, run_body(status=ENDED), Taken.NEW, version=1, in_use=True),
    "one that has ended, with a workspace left": Case(
        None, run_body(status=ENDED | {"workspace": "r1-ws"}), Taken.NEW, version=1
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_absorb(case: Case) -> None:
    cache = RunCache()
    if case.first is not None:
        cache.absorb(case.first)
    assert cache.absorb(case.then, in_use=case.in_use) == (case.taken, case.replaced)
    record = cache.get(KEY)
    assert (record.version if record else None) == case.version


def draft_of(cache: RunCache) -> WorkflowRunStatus:
    record = cache.get(KEY)
    assert record is not None
    record.draft = record.draft.model_copy(update={"message": "planned"})
    return record.draft


def test_a_change_of_the_spec_keeps_the_draft() -> None:
    cache = RunCache()
    body = run_body(status=RUNNING)
    cache.absorb(body)
    draft = draft_of(cache)
    cache.absorb(run_body(version=2, status=RUNNING, spec=body["spec"] | {"suspend": True}))
    record = cache.get(KEY)
    assert record is not None
    assert (record.draft, record.spec.suspend) == (draft, True)


def test_a_status_that_another_has_written_drops_the_draft() -> None:
    cache = RunCache()
    cache.absorb(run_body(status=RUNNING))
    draft_of(cache)
    cache.absorb(run_body(version=2, status=ENDED))
    record = cache.get(KEY)
    assert record is not None
    assert record.draft == record.stored == WorkflowRunStatus(phase=RunPhase.SUCCEEDED)


def test_the_event_of_an_own_write_that_comes_before_its_answer_keeps_the_draft() -> None:
    cache = RunCache()
    cache.absorb(run_body(status=RUNNING))
    draft = draft_of(cache)
    record = cache.get(KEY)
    assert record is not None
    record.writing = status_json(draft)
    cache.absorb(run_body(version=2, status=record.writing))
    assert (record.draft, record.version) == (draft, 2)


UNREADABLE = {
    "a spec that is a list": (run_body() | {"spec": ["a"]}, "spec"),
    "a field that nobody knows": (run_body(spec={"workflow": "w", "taks": []}), "spec"),
    "a status of garbage": (run_body(status={"tasks": "none"}), "status"),
    "a phase that does not exist": (run_body(status={"phase": "Perhaps"}), "status"),
    "a status that is text": (run_body() | {"status": "fine"}, "status"),
}


@pytest.mark.parametrize(("body", "part"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_can_not_be_read_is_set_aside(body: dict[str, Any], part: str) -> None:
    cache = RunCache()
    assert cache.absorb(body)[0] is Taken.NEW
    assert (cache.get(KEY), cache.unreadable[KEY].part) == (None, part)


def test_a_mended_run_is_read_again() -> None:
    cache = RunCache()
    cache.absorb(run_body(spec={"workflow": "w", "taks": []}))
    cache.absorb(run_body(version=2))
    assert cache.get(KEY) is not None
    assert cache.unreadable == {}


def test_a_drop_by_uid_spares_another_run_of_that_name() -> None:
    cache = RunCache()
    cache.absorb(run_body(uid="uid-2"))
    cache.drop(KEY, "uid-1")
    assert cache.get(KEY) is not None
    cache.drop(KEY, "uid-2")
    assert cache.get(KEY) is None


def test_a_status_survives_its_way_through_json() -> None:
    status = WorkflowRunStatus.model_validate(
        {
            "phase": "Running",
            "tasks": [{"name": "a", "phase": "Succeeded", "outputs": {"x": None, "y": [1, {"z": None}]}}],
        }
    )
    assert WorkflowRunStatus.model_validate(status_json(status)) == status
