"""A task that is repeated, against the simulated cluster."""

from __future__ import annotations

from typing import Any

from support.simulate import OK, Behaviour, World, app_failure, infra_failure, workflow
from windlass.models.run import TaskStatus, WorkflowRunSpec
from windlass.plan.types import PodResult


def world(ends: dict[str, list[PodResult]] | None = None, params: dict[str, Any] | None = None, **fields: Any) -> World:
    """A run of one repeated task. `ends` says how attempts end, by `load[7]`; the last is repeated, all else succeeds."""
    spec = workflow([{"name": "load", "forEach": {"items": ["a", "b", "c", "d"]}, **fields}])

    def script(who: str, attempt: int) -> Behaviour:
        known = (ends or {}).get(who, [OK])
        return Behaviour(known[min(attempt, len(known)) - 1])

    return World(spec, script, WorkflowRunSpec(params=params or {}))


def task(played: World, name: str = "load") -> TaskStatus:
    return next(task for task in played.stored.tasks if task.name == name)


def told(played: World) -> tuple[str, str | None, str | None, dict[str, int]]:
    status = task(played)
    assert status.instances is not None
    return status.phase.value, status.reason, status.message, dict(status.instances.counts)


def test_each_item_gets_a_pod() -> None:
    played = world(script="echo {{ item }} {{ index }}")
    played.play()
    assert told(played) == ("Succeeded", "Completed", "4 of 4 instances succeeded", {"succeeded": 4})
    found = [(one.index, one.body.script, one.environment["WINDLASS_ITEM"]) for one in played.launched]
    assert found == [(0, "echo a 0", '"a"'), (1, "echo b 1", '"b"'), (2, "echo c 2", '"c"'), (3, "echo d 3", '"d"')]


def test_a_failed_instance_fails_the_task_and_is_named() -> None:
    played = world({"load[2]": [app_failure(3, "no such file")]})
    played.play()
    message = "1 of 4 instances failed: index 2; the first: exit code 3: no such file"
    assert told(played) == ("Failed", "InstancesFailed", message, {"succeeded": 3, "failed": 1})


def test_an_eviction_is_no_failure() -> None:
    played = world({"load[2]": [infra_failure(), infra_failure(), OK]})
    played.play()
    assert told(played)[3] == {"succeeded": 4}
    assert len(played.launched) == 6
