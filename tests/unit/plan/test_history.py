"""Summaries of runs, and which runs are history that may go."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from windlass.models.common import format_time
from windlass.models.run import RunPhase, Trigger
from windlass.models.workflow import History
from windlass.plan.history import DELETE_PAUSE, LEAST_AGE, MOST_DELETES, RunSummary, summarize, superfluous
from windlass.plan.terms import Terms

NOW = datetime(2025, 4, 30, 12, tzinfo=UTC)
P = RunPhase


def body(name: str = "etl-20250401t1200", spec: Any = None, status: Any = None, **meta: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "data", "uid": f"uid-{name}", "resourceVersion": "7"}
    return {
        "metadata": {**metadata, "creationTimestamp": "2025-04-01T12:00:01Z", **meta},
        "spec": {"workflow": "etl"} if spec is None else spec,
        "status": status,
    }


def test_a_summary_holds_what_others_decide_from() -> None:
    slot = {"trigger": "Backfill", "scheduledAt": "2025-04-01T12:00:00Z", "backfill": "april"}
    spec = {"workflow": "etl", "slot": slot, "logicalDate": "2025-03-31T12:00:00Z", "priority": 5, "stop": "Cancel"}
    status = {
        "phase": "Failed",
        "startedAt": "2025-04-01T12:00:02Z",
        "finishedAt": "2025-04-01T12:00:03Z",
    }
    owners = [{"kind": "Other", "uid": "x"}, {"kind": "Workflow", "uid": "u1"}]
    at = datetime(2025, 4, 1, 12, tzinfo=UTC)
    found = summarize(body(spec=spec, status=status, ownerReferences=owners))
    assert found == RunSummary(
        namespace="data",
        name="etl-20250401t1200",
        uid="uid-etl-20250401t1200",
        version=7,
        workflow="etl",
        owner="u1",
        phase=P.FAILED,
        trigger=Trigger.BACKFILL,
        slot=at,
        logical_date=at - timedelta(days=1),
        priority=5,
        created_at=at + timedelta(seconds=1),
        started_at=at + timedelta(seconds=2),
        finished_at=at + timedelta(seconds=3),
        interval=found.interval,
        backfill="april",
        stopping=True,
    )
    assert (found.version, found.ended, found.active) == (7, True, False)


JUNK: tuple[Any, ...] = (None, 7, "x", [], {}, [{}], {"phase": 3, "finishedAt": "soon"}, {"phase": "Sleeping"})


@pytest.mark.parametrize("junk", JUNK, ids=map(repr, JUNK))
def test_what_cannot_be_read_is_as_if_it_were_not_there(junk: Any) -> None:
    found = summarize(body(status=junk))
    assert (found.workflow, found.phase, found.finished_at, found.slot) == ("etl", None, None, None)
    spoilt = summarize(body(spec={"workflow": "etl", "slot": junk, "priority": "high", "logicalDate": "noon"}))
    assert (spoilt.slot, spoilt.priority, spoilt.logical_date) == (None, None, spoilt.created_at)
    assert summarize(body(spec=junk or [], ownerReferences=junk)).workflow == ""


def test_ten_thousand_summaries_take_little_memory() -> None:
    slots = [datetime(2025, 4, 1, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(2000)]
    bodies = [
        body(
            f"a-workflow-with-a-name-{slot:%Y%m%dt%H%M}",
            {
                "workflow": "a-workflow-with-a-name",
                "logicalDate": format_time(slot),
                "slot": {"trigger": "Schedule", "scheduledAt": format_time(slot)},
            },
            {"phase": "Succeeded", "startedAt": format_time(slot), "finishedAt": format_time(slot)},
            ownerReferences=[{"kind": "Workflow", "uid": "0a1b2c3d-0000-1111-2222-333344445555"}],
        )
        for slot in slots
    ]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [summarize(one) for one in bodies]
    gc.collect()  # empties the free lists of the interpreter
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # Names and UIDs are the bodies' own here: 150 bytes more.
    assert taken / len(kept) < 450


def run(days: float, phase: RunPhase = P.SUCCEEDED, **fields: Any) -> RunSummary:
    """A run that ended so many days ago."""
    at = NOW - timedelta(days=days)
    base: dict[str, Any] = {
        "namespace": "data",
        "name": f"{phase.value.lower()}-{days}",
        "uid": str(days),
        "version": 1,
        "workflow": "etl",
        "owner": "u1",
        "phase": phase,
        "trigger": Trigger.SCHEDULE,
        "slot": at,
        "logical_date": at,
        "priority": None,
        "created_at": at,
        "started_at": at,
        "finished_at": at if phase.ended else None,
    }
    return RunSummary(**{**base, **fields})


class Case(NamedTuple):
    runs: tuple[RunSummary, ...]
    going: tuple[str, ...]
    again: datetime | None = None
    terms: Terms = Terms(history=History(succeeded=2, failed=1, ttl="10d"))
    last_slot: datetime | None = NOW


CASES = {
    "nothing": Case((), ()),
    "what is below the limits stays until its time": Case((run(1), run(2)), (), NOW + timedelta(days=8)),
    "good runs and others have limits of their own": Case(
        (run(1), run(2), run(3), run(4, P.FAILED), run(5, P.CANCELLED), run(6, P.REFUSED)),
        ("refused-6", "cancelled-5", "succeeded-3"),
        NOW + timedelta(days=6),
    ),
    "the run of a slot holds its name for two minutes": Case(
        (run(0.001), run(0.0001), run(0.0002)), (), NOW - timedelta(days=0.001) + LEAST_AGE
    ),
    "one made by hand need not": Case(
        (run(0), run(0.0001), run(0.0002, slot=None)), ("succeeded-0.0002",), NOW + timedelta(days=9.9999)
    ),
    "time": Case((run(11),), ("succeeded-11",)),
    "what has not ended is no history": Case((run(20, P.RUNNING), run(20, P.QUEUED, name="b")), ()),
    "a run beyond the last slot guards it": Case((run(1), run(2), run(3)), (), NOW + timedelta(days=8), last_slot=None),
    "one made by hand guards nothing": Case((run(11, trigger=None, slot=None),), ("succeeded-11",), last_slot=None),
    "one that goes already is left alone": Case((run(11, deleting=True),), ()),
    "somebody else needs it": Case((run(11, name="needed"),), ()),
    "dependsOnPast asks for the last slot": Case(
        (run(11), run(12)), ("succeeded-12",), terms=Terms(history=History(ttl="10d"), depends_on_past=True)
    ),
    "and for the slot before one that has not ended": Case(
        (run(11, P.QUEUED), run(12), run(12.5, P.CANCELLED, started_at=None), run(13)),
        ("succeeded-13", "cancelled-12.5"),
        terms=Terms(history=History(ttl="10d"), depends_on_past=True),
    ),
    "a few at a time": Case(
        tuple(run(20 + n) for n in range(MOST_DELETES + 5)),
        tuple(f"succeeded-{20 + n}" for n in range(MOST_DELETES + 4, 4, -1)),
        NOW + DELETE_PAUSE,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_superfluous(case: Case) -> None:
    going, again = superfluous(case.runs, case.terms, case.last_slot, lambda one: one.name == "needed", NOW)
    assert (tuple(one.name for one in going), again) == (case.going, case.again)
