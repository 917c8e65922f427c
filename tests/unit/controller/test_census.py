"""What a scrape is told of what there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.bodies import run_body
from windlass.controller.census import take_census
from windlass.engine.cache import RunCache
from windlass.engine.record import RunRecord
from windlass.models.parse import read_spec
from windlass.plan.graph import compile_program
from windlass.plan.types import PodPhase, PodView
from windlass.telemetry.census import Census

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)


def record(name: str, limit: int | None, **status: Any) -> RunRecord:
    """A run of the Workflow that `run_body` names, whose definition has so many slots."""
    body = run_body(spec={"workflow": "daily"}, status=status or None)
    body["metadata"] |= {"name": name, "uid": f"uid-{name}"}
    cache = RunCache()
    cache.absorb(body, in_use=True)
    (found,) = cache
    spec = {"tasks": [{"name": "a", "script": "true"}]}
    found.program = compile_program(read_spec(spec | ({"concurrency": {"maxActiveTasks": limit}} if limit else {})))
    return found


def pod(phase: PodPhase, age: int, workflow: str = "daily", **more: Any) -> PodView:
    name = f"{phase}-{age}"
    created = NOW - timedelta(seconds=age)
    return PodView("data", name, name, 1, workflow, "r", "u", "a", 1, phase, created_at=created, **more)


WAITS = [{"name": "a", "phase": "Queued", "reason": "MaxActiveTasks"}, {"name": "b", "phase": "Succeeded"}]
CASES: dict[str, tuple[list[RunRecord], list[PodView], Census]] = {
    "nothing": ([], [], Census()),
    "a run that was not looked at": ([record("r1", None)], [], Census(runs={"Pending": 1})),
    "tasks by reason, without those that ended": (
        [record("r1", None, phase="Running", tasks=WAITS), record("r2", None, phase="Running", tasks=WAITS)],
        [],
        Census(runs={"Running": 2}, tasks={("Queued", "MaxActiveTasks"): 2}),
    ),
    "a run that has ended": ([record("r1", 3, phase="Failed", tasks=WAITS)], [], Census()),
    "slots, used by live pods": (
        [record("r1", 3, phase="Running"), record("r2", 5, phase="Running")],
        [
            pod(PodPhase.RUNNING, 9),
            pod(PodPhase.ENDED, 50),
            pod(PodPhase.STARTING, 2),
            pod(PodPhase.RUNNING, 3, "other"),
        ],
        Census(
            runs={"Running": 2},
            pods={"Running": 2, "Ended": 1, "Starting": 1},
            oldest_pending=2,
            slots={("data", "daily"): (5, 2)},
        ),
    ),
    "the oldest that has not started, and is not being deleted": (
        [],
        [pod(PodPhase.UNSCHEDULED, 700), pod(PodPhase.STARTING, 60), pod(PodPhase.STARTING, 900, deleting_since=NOW)],
        Census(pods={"Unscheduled": 1, "Starting": 2}, oldest_pending=700),
    ),
}


@pytest.mark.parametrize(("runs", "pods", "census"), CASES.values(), ids=CASES.keys())
def test_census(runs: list[RunRecord], pods: list[PodView], census: Census) -> None:
    assert take_census(runs, pods, NOW) == census
