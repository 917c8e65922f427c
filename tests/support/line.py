"""What must be the same wherever pods run, of several runs of one Workflow: turns, policies, and the slot before."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from support.clusters import Cluster, task

Spec = dict[str, Any]


def _workflow(name: str, script: str, **spec: Any) -> Spec:
    tasks = [{"name": "a", "script": script, "terminationGracePeriod": "1s"}]
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"tasks": tasks, **spec},
    }


def _slot(workflow: str, hour: int) -> Spec:
    due, before = (f"2025-04-01T{at:02}:00:00Z" for at in (hour, hour - 1))
    slot = {"trigger": "Schedule", "scheduledAt": due, "intervalStart": before, "intervalEnd": due, "previous": before}
    return {"workflow": workflow, "logicalDate": due, "slot": slot}


def _moments(status: Spec) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(status["startedAt"]), datetime.fromisoformat(status["finishedAt"])


def one_after_the_other(cluster: Cluster) -> None:
    """Runs that wait go by priority, one at a time."""
    script = '[ "$WINDLASS_RUN" != in-line-1 ] || sleep 600'
    cluster.apply(_workflow("in-line", script, concurrency={"maxActiveRuns": 1}))
    cluster.start_all({"in-line-1": {"workflow": "in-line"}})
    cluster.until("in-line-1", lambda status: status.get("phase") == "Running")
    cluster.start_all(
        {"in-line-2": {"workflow": "in-line"}, "in-line-3": {"workflow": "in-line", "priority": 5}},
    )
    waiting = cluster.until("in-line-2", lambda status: status.get("phase") == "Queued")
    assert waiting["reason"] == "MaxActiveRuns"
    assert "in-line-1" in waiting["message"]
    cluster.until("in-line-3", lambda status: status.get("phase") == "Queued")
    said = cluster.windlass("mark-success", "in-line-1", "a")
    assert said.code == 0, said.all
    ends = [_moments(cluster.ended(f"in-line-{number}")) for number in (1, 3, 2)]
    assert ends[0][1] <= ends[1][0]
    assert ends[1][1] <= ends[2][0]


def the_newest_replaces(cluster: Cluster) -> None:
    """With Replace, a newer run takes the place of the one under way."""
    script = 'test "$WINDLASS_RUN" = newest-2 || sleep 600'
    cluster.apply(_workflow("newest", script, concurrency={"maxActiveRuns": 1, "policy": "Replace"}))
    cluster.start_all({"newest-1": {"workflow": "newest"}})
    cluster.until("newest-1", lambda status: "a" in {one["name"] for one in status.get("tasks") or ()}
                  and task(status, "a")["phase"] == "Running")  # fmt: skip
    cluster.start_all({"newest-2": {"workflow": "newest"}})
    first, second = cluster.ended("newest-1"), cluster.ended("newest-2")
    assert (first["phase"], first["reason"], second["phase"]) == ("Cancelled", "Replaced", "Succeeded"), first
    assert _moments(first)[1] <= _moments(second)[0]


def a_slot_waits_for_the_one_before(cluster: Cluster) -> None:
    """A slot waits for the success of the slot before it, which comes by a retry, and is told of it."""
    script = (
        '[ "$WINDLASS_RUN" = past-2 ] || [ "$WINDLASS_ATTEMPT" = 2 ] || exit 3\n'
        'printf \'{"before": %s, "ds": "%s", "from": "%s"}\' "$WINDLASS_PREV_SUCCESS" "$WINDLASS_DS" '
        '"$WINDLASS_DATA_INTERVAL_START" > "$WINDLASS_OUTPUTS"'
    )
    cluster.apply(_workflow("past", script, dependsOnPast=True))
    cluster.start_all({"past-1": _slot("past", 9), "past-2": _slot("past", 10)})
    assert cluster.ended("past-1")["phase"] == "Failed"
    waiting = cluster.until("past-2", lambda status: "has failed" in (status.get("message") or ""))
    assert (waiting["phase"], waiting["reason"]) == ("Queued", "DependsOnPast")
    said = cluster.windlass("retry", "past-1")
    assert said.code == 0, said.all
    status = cluster.ended("past-2")
    assert status["phase"] == "Succeeded", json.dumps(status, indent=1)
    assert task(status, "a")["outputs"] == {
        "before": {
            "run": "past-1",
            "logical_date": "2025-04-01T09:00:00Z",
            "data_interval_start": "2025-04-01T08:00:00Z",
            "data_interval_end": "2025-04-01T09:00:00Z",
        },
        "ds": "2025-04-01",
        "from": "2025-04-01T09:00:00Z",
    }


LINES = {
    "one after the other": one_after_the_other,
    "the newest replaces": the_newest_replaces,
    "a slot waits for the one before": a_slot_waits_for_the_one_before,
}
