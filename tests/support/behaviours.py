"""What must be the same wherever pods run: each row is a definition, what is done to its run, and what it must come to.

The development cluster's tests and those on a real Kubernetes go through the same table.
"""

from __future__ import annotations

from collections.abc import Iterable

from support.behaviour import Behaviour, Spec, Status, succeeded
from support.behaviours_of_attempts import ATTEMPTS
from support.behaviours_of_runs import RUNS
from support.clusters import Cluster, phases, task


def _cancel(cluster: Cluster, run: str) -> None:
    cluster.until(run, lambda status: phases(status).get("a") == "Running")
    said = cluster.windlass("cancel", run)
    assert said.code == 0, said.all


def _cancelled(status: Status) -> None:
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    assert phases(status) == {"a": "Cancelled", "b": "Cancelled", "clean": "Succeeded"}


ACTED_ON: Spec = {
    "tasks": [
        {"name": "long", "script": "trap '' TERM; sleep 600", "terminationGracePeriod": "1s"},
        {"name": "ask", "dependsOn": ["long"], "approval": {"message": "?", "form": {"n": {"type": "integer"}}}},
        {
            "name": "last",
            "dependsOn": ["ask"],
            "script": """printf '{"n": {{ tasks.ask.outputs.n }}}' > "$WINDLASS_OUTPUTS"; [ {{ run.attempt }} = 2 ]""",
        },
    ]
}


def _act_on(cluster: Cluster, run: str) -> None:
    cluster.until(run, lambda status: phases(status).get("long") == "Running")
    steps: list[tuple[tuple[str, ...], str]] = [
        (("mark-success", run, "long", "--reason", "it hangs"), "marked as succeeded: 1 task: long"),
        (("approve", run, "--set", "n=5"), "ask was approved by "),
        (("retry", run), "runs again: 1 task: last"),
    ]
    for command, words in steps:
        if command[0] == "approve":
            cluster.until(run, lambda status: phases(status).get("ask") == "Running")
        if command[0] == "retry":
            assert cluster.ended(run)["phase"] == "Failed"
        said = cluster.windlass(*command)
        assert (said.code, words in said.out) == (0, True), said.all


def _acted_on(status: Status) -> None:
    succeeded(status)
    assert [record["verb"] for record in status["actions"]] == ["MarkSuccess", "Approve", "Retry"]
    assert (status["attempt"], task(status, "long")["reason"]) == (2, "MarkedSuccess")
    assert [attempt["number"] for attempt in task(status, "last")["attempts"]] == [1, 2]
    assert task(status, "last")["outputs"] == {"n": 5}


ACTED: dict[str, Behaviour] = {
    "acted-on": Behaviour(ACTED_ON, _acted_on, meanwhile=_act_on),
    "cancel": Behaviour(
        {
            "tasks": [
                {"name": "a", "script": "sleep 600", "terminationGracePeriod": "1s"},
                {"name": "b", "dependsOn": ["a"], "script": "true"},
            ],
            "finally": [{"name": "clean", "script": "true"}],
        },
        _cancelled,
        meanwhile=_cancel,
    ),
}


BEHAVIOURS: dict[str, Behaviour] = {**ATTEMPTS, **RUNS, **ACTED}


def start(cluster: Cluster, names: Iterable[str]) -> None:
    """Start the runs of rows, all at once."""
    rows = {name: BEHAVIOURS[name] for name in names}
    cluster.start_all({name: {"workflowSpec": row.spec, **(row.run or {})} for name, row in rows.items()})


def finish(cluster: Cluster, name: str) -> None:
    """See the run of a row through to its end."""
    row = BEHAVIOURS[name]
    if row.meanwhile is not None:
        row.meanwhile(cluster, name)
    row.check(cluster.ended(name))
