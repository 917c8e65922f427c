"""What is remembered of Workflows."""

from __future__ import annotations

import gc
import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any

from windlass.engine.slots import WorkflowKey
from windlass.engine.workflows import WorkflowCache, WorkflowRecord
from windlass.models.workflow import WorkflowStatus
from windlass.plan.anchor import LOST
from windlass.plan.schedule import compile_schedule
from windlass.plan.scheduling import WorkflowSeen, plan_workflow

READY = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Accepted",
            "message": "",
            "lastTransitionTime": "2025-04-01T12:00:00Z",
            "observedGeneration": 1,
        }
    ],
}
KEY = WorkflowKey("data", "etl")


def body(version: int = 5, generation: int = 1, uid: str = "u", **parts: Any) -> dict[str, Any]:
    metadata = {"name": "etl", "namespace": "data", "uid": uid, "resourceVersion": str(version)}
    metadata |= {"generation": generation, "creationTimestamp": "2025-04-01T12:00:00Z", **parts.pop("metadata", {})}
    spec = {"schedule": {"cron": "0 * * * *"}, "tasks": [{"name": "a"}]}
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": metadata,
        "spec": spec | parts.pop("spec", {}),
        **parts,
    }


def known(cache: WorkflowCache) -> WorkflowRecord:
    record = cache.get(KEY)
    assert record is not None
    record.read_spec()
    return record


def test_old_versions_are_passed_over() -> None:
    cache = WorkflowCache()
    assert [cache.seen(body(5)), cache.seen(body(5)), cache.seen(body(4)), cache.seen(body(6))] == [
        True, False, False, False,
    ]  # fmt: skip
    assert cache.seen(body(7, generation=2))


def test_a_draft_stays_when_the_spec_is_edited_and_goes_when_somebody_writes_the_status() -> None:
    cache = WorkflowCache()
    cache.seen(body(5))
    record = known(cache)
    record.draft = WorkflowStatus(last_slot="2025-04-01T13:00:00Z")
    assert cache.seen(body(6, generation=2, spec={"description": "new"}))
    assert record.draft.last_slot == "2025-04-01T13:00:00Z"
    record.writing = record.draft
    assert not cache.seen(body(7, generation=2, status={"lastSlot": "2025-04-01T13:00:00Z"})), "our own write"
    record.writing = None
    assert cache.seen(body(8, generation=2, status={"lastSlot": "2025-04-01T14:00:00Z"}))
    assert record.draft is record.stored
    assert record.stored.last_slot == "2025-04-01T14:00:00Z"


def test_one_made_again_shares_nothing_with_the_first() -> None:
    cache = WorkflowCache()
    cache.seen(body(5, status={"lastSlot": "2025-04-01T13:00:00Z"}))
    assert cache.seen(body(9, uid="v"))
    assert known(cache).stored == WorkflowStatus()
    assert not cache.gone(KEY, "u"), "the deletion of the first, told late"
    assert cache.gone(KEY, "v")


def test_a_status_that_cannot_be_read_says_nothing_of_the_past() -> None:
    cache = WorkflowCache()
    for junk in ({"lastSlot": "soon"}, {"missed": "many"}, {"conditions": {}}):
        cache.gone(KEY)
        cache.seen(body(status=junk))
        assert known(cache).stored == WorkflowStatus(digest=LOST)


def test_what_is_wrong_with_a_spec_is_said() -> None:
    cache = WorkflowCache()
    cache.seen(body(spec={"tasks": [{"name": "a", "dependsOn": ["b"]}]}))
    record = known(cache)
    assert record.problem is not None
    assert (record.terms, record.problem.reason) == (None, "SpecInvalid")
    cache.seen(body(6, generation=2))
    assert known(cache).problem is None


def test_what_was_found_good_is_not_checked_again() -> None:
    cache = WorkflowCache()
    wrong = {"tasks": [{"name": "a", "dependsOn": ["b"], "dependsOnPast": True}]}
    cache.seen(body(spec=wrong, status=READY))
    record = known(cache)
    assert record.terms is not None
    assert (record.problem, record.terms.depends_on_past) == (None, True)
    cache.seen(body(6, generation=2, spec=wrong, status=READY))
    assert known(cache).problem is not None, "but it was, in another version"


def test_the_last_edit_is_that_of_the_spec() -> None:
    cache = WorkflowCache()
    fields = [
        {"manager": "kubectl", "time": "2025-04-01T12:00:00Z"},
        {"manager": "kubectl", "time": "2025-04-02T12:00:00Z"},
        {"manager": "windlass", "time": "2025-04-03T12:00:00Z", "subresource": "status"},
        {"manager": "odd"},
    ]
    cache.seen(body(metadata={"managedFields": fields}))
    assert known(cache).edited_at == datetime(2025, 4, 2, 12, tzinfo=UTC)
    cache.seen(body(6, 2, metadata={"managedFields": [{"time": "when?"}]}))
    assert known(cache).edited_at is None


def test_ten_thousand_workflows_take_little_memory() -> None:
    text = json.dumps(body())
    many, cache = 300, WorkflowCache()

    def note(number: int) -> None:
        whole = json.loads(text)
        whole["metadata"] |= {"name": f"w-{number}", "uid": f"uid-{number}"}
        cache.seen(whole)
        record = cache.get(WorkflowKey("data", f"w-{number}"))
        assert record is not None
        record.read_spec()
        assert record.terms is not None
        assert record.terms.schedule is not None
        record.timetable = compile_schedule(record.terms.schedule, identity=f"data/w-{number}")
        seen = WorkflowSeen("data", f"w-{number}", record.uid, 1, record.created_at, record.draft, record.terms)
        record.stored = record.draft = plan_workflow(seen, datetime(2025, 4, 1, 13, tzinfo=UTC)).status

    note(-1)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(many):
        note(number)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken / many < 10_000
