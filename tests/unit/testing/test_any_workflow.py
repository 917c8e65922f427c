"""What holds of simulations of any DAG, however its tasks fail."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.testing import Simulation, read, simulate

RULES = [
    "AllSuccess", "AllFailed", "AllDone", "AllDoneMinOneSuccess", "AllSkipped", "OneSuccess", "OneFailed", "OneDone",
    "NoneFailed", "NoneFailedMinOneSuccess", "NoneSkipped", "Always",
]  # fmt: skip
KINDS = ["Error", "OOM", "Timeout", "Infra", "Start", "Launch", "75"]


@st.composite
def dags(draw: st.DrawFn) -> dict[str, Any]:
    """A Workflow whose tasks depend on earlier ones."""
    tasks: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 8))):
        task: dict[str, Any] = {"name": f"t{number}", "timeout": "10m"}
        upstream = draw(st.lists(st.sampled_from(range(number)), unique=True, max_size=3)) if number else []
        if upstream:
            task |= {"dependsOn": [f"t{other}" for other in upstream], "triggerRule": draw(st.sampled_from(RULES))}
        if draw(st.booleans()) or not upstream:
            task["script"] = "true"
            task["retry"] = {"limit": draw(st.integers(0, 2)), "delay": draw(st.sampled_from(["0s", "5m"]))}
        else:
            del task["timeout"]
        task["allowFailure"] = draw(st.booleans())
        if "script" in task:
            task |= draw(st.sampled_from([{}, {}, {"pool": "db"}, {"forEach": {"count": 3, "maxActive": 2}}]))
        if draw(st.integers(0, 9)) == 0:
            task["when"] = "false"
        tasks.append(task)
    spec: dict[str, Any] = {"tasks": tasks, "outcome": draw(st.sampled_from(["All", "Leaves"]))}
    if draw(st.booleans()):
        spec["concurrency"] = {"maxActiveTasks": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        spec["timeout"] = draw(st.sampled_from(["90s", "30m"]))
    if draw(st.booleans()):
        spec["finally"] = [{"name": "last", "script": "true"}]
    if draw(st.booleans()):
        spec["schedule"] = {"cron": "*/10 * * * *"}
    return {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "any"}, "spec": spec}


def cues(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """What attempts do."""
    kind = st.sampled_from(KINDS)
    how = st.one_of(kind, st.dictionaries(st.integers(1, 3), kind, max_size=3))
    return st.fixed_dictionaries(
        {
            "fail": st.dictionaries(st.sampled_from(names), how, max_size=4),
            "durations": st.dictionaries(st.sampled_from(names), st.sampled_from(["0s", "2m", "1h"]), max_size=4),
        }
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_simulation_is_the_same_again_and_every_task_ends(data: st.DataObject) -> None:
    manifest = data.draw(dags())
    runnable = [task["name"] for task in manifest["spec"]["tasks"] if "script" in task]
    asked = data.draw(cues(runnable))
    definition = read(manifest)
    times = {"start": "2025-04-01T00:00:00Z", "end": "2025-04-01T00:30:00Z"}
    result = simulate(definition, **times, **asked, pools={"db": 1})
    assert simulate(read(manifest), **times, **asked, pools={"db": 1}) == result
    _check(result, manifest)


def _check(result: Simulation, manifest: dict[str, Any]) -> None:
    limit = manifest["spec"].get("concurrency", {}).get("maxActiveTasks")
    assert len(result) == (3 if "schedule" in manifest["spec"] else 1)
    for run in result:
        assert run.phase.ended
        assert all(task.phase.ended for task in run.tasks)
        for task in run.tasks:
            assert all(one.finished_at is not None for one in task.tries)
            for index in {one.index for one in task.tries}:
                tries = [one for one in task.tries if one.index == index]
                assert [one.number for one in tries] == list(range(1, len(tries) + 1))
                assert all(one.finished_at <= after.created_at for one, after in pairwise(tries))  # type: ignore[operator]
    everything = {task["name"] for task in manifest["spec"]["tasks"]} | {"last"}
    sharing = {task["name"] for task in manifest["spec"]["tasks"] if "pool" in task}
    assert _most_at_once(result, sharing) <= 1
    assert limit is None or _most_at_once(result, everything) <= limit


def _most_at_once(result: Simulation, names: set[str]) -> int:
    """The most pods of these tasks that there were at once."""
    changes = []
    for run in result:
        for task in (task for task in run.tasks if task.name in names):
            for one in task.tries:
                if one.reason != "Forbidden":
                    changes += [(one.created_at, 1), (one.finished_at, -1)]
    most = now = 0
    for _, change in sorted(changes, key=lambda found: (found[0], found[1])):
        now += change
        most = max(most, now)
    return most
