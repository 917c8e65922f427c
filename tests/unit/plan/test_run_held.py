"""Runs that are stopped, suspended, timed out, or kept waiting by limits, quotas and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.lives import chain
from support.simulate import START, UID, Behaviour, World, workflow
from windlass.models.run import Stop, WorkflowRunSpec
from windlass.names import pod_name
from windlass.plan.run import plan_run
from windlass.plan.types import EndHow, Launch, Refusal, RefusalKind

STOPS: dict[str, tuple[Stop, dict[str, str], tuple[str, str], list[str]]] = {
    "cancel lets finally run": (
        Stop.CANCEL,
        {"a": "Succeeded", "b": "Cancelled", "c": "Cancelled", "z": "Succeeded"},
        ("Cancelled", "Cancelled"),
        ["a", "b", "z"],
    ),
    "terminate lets nothing run": (
        Stop.TERMINATE,
        {"a": "Succeeded", "b": "Cancelled", "c": "Cancelled", "z": "Cancelled"},
        ("Cancelled", "Terminated"),
        ["a", "b"],
    ),
}


@pytest.mark.parametrize(("stop", "phases", "run", "launched"), STOPS.values(), ids=STOPS.keys())
def test_stops(stop: Stop, phases: dict[str, str], run: tuple[str, str], launched: list[str]) -> None:
    spec = workflow(chain("a", "b", "c", retry={"limit": 3}), **{"finally": [{"name": "z"}]})
    world = World(spec)
    world.play_until(lambda w: w.phases()["b"] == "Running")
    world.run_spec = WorkflowRunSpec(stop=stop)
    plan = plan_run(world.seen(), world.now)
    assert [(ending.how, ending.why) for ending in plan.endings if ending.why != "Retention"] == [
        (EndHow.DEADLINE, run[1])
    ]
    status = world.play()
    assert world.phases() == phases
    assert (status.phase, status.reason) == run
    assert [launch.task for launch in world.launched] == launched
    attempt = status.tasks[1].attempts[0]
    assert (attempt.class_, attempt.reason, attempt.finished_at is not None) == (None, "Cancelled", True)
    assert world.events == []


def test_a_pod_without_a_node_is_deleted_when_the_run_is_stopped() -> None:
    world = World(workflow([{"name": "a"}]), lambda _t, _n: Behaviour(never_starts=True))
    world.step()
    world.run_spec = WorkflowRunSpec(stop=Stop.CANCEL)
    assert [ending.how for ending in plan_run(world.seen(), world.now).endings] == [EndHow.DELETE]
    assert world.play().tasks[0].phase == "Cancelled"


def test_what_succeeded_before_it_could_be_stopped_has_succeeded() -> None:
    world = World(workflow([{"name": "a"}]))
    world.play_until(lambda w: w.phases()["a"] == "Running")
    world.run_spec = WorkflowRunSpec(stop=Stop.CANCEL)
    world.now += timedelta(seconds=5)
    world.tick()
    status = world.play()
    assert (status.phase, status.tasks[0].phase) == ("Cancelled", "Succeeded")


def test_a_runs_timeout_fails_it_and_leaves_finally_ten_minutes() -> None:
    spec = workflow(chain("a", "b"), timeout="1m", **{"finally": [{"name": "z"}]})
    world = World(spec, lambda task, _n: Behaviour(run=timedelta(hours=1 if task in ("a", "z") else 0)))
    status = world.play()
    assert world.phases() == {"a": "Cancelled", "b": "Cancelled", "z": "Cancelled"}
    assert (status.phase, status.reason, status.message) == (
        "Failed",
        "TimedOut",
        "the run took longer than its timeout of 1m",
    )
    times = {task.name: task.finished_at for task in status.tasks}
    assert times["a"] == "2025-04-01T17:01:00.001000Z"
    assert times["z"] == "2025-04-01T17:11:00.002000Z"


def test_a_tasks_timeout_is_counted_from_its_start_and_for_each_attempt() -> None:
    spec = workflow([{"name": "a", "timeout": "1m", "retry": {"limit": 1, "delay": "1s"}}])
    world = World(spec, lambda _t, _n: Behaviour(start=timedelta(minutes=5), run=timedelta(hours=1)))
    status = world.play()
    attempts = status.tasks[0].attempts
    assert [(attempt.class_, attempt.reason) for attempt in attempts] == [("Timeout", "DeadlineExceeded")] * 2
    assert attempts[0].finished_at == "2025-04-01T17:06:00.001000Z"
    assert status.tasks[0].message == "it ran longer than its timeout, after 1 retry"


def test_a_pod_that_does_not_start_is_given_up() -> None:
    world = World(workflow([{"name": "a", "startTimeout": "3m"}]), lambda _t, _n: Behaviour(never_starts=True))
    world.play_until(lambda w: bool(w.endings))
    assert (world.now, world.endings[0][1]) == (START + timedelta(minutes=3), "StartTimeout")
    attempt = world.play().tasks[0].attempts[0]
    assert (attempt.class_, attempt.reason, attempt.message) == (
        "Start",
        "StartTimeout",
        "the pod has not started within 3m",
    )


def test_nothing_starts_while_suspended() -> None:
    world = World(workflow(chain("a", "b")))
    world.play_until(lambda w: w.phases()["a"] == "Running")
    world.run_spec = WorkflowRunSpec(suspend=True)
    world.play_until(lambda w: w.phases()["a"] == "Succeeded")
    assert (world.draft.phase, world.draft.reason, world.phases()["b"]) == ("Suspended", "Suspended", "Queued")
    assert world.draft.tasks[1].reason == "Suspended"
    world.run_spec = WorkflowRunSpec()
    assert world.play().phase == "Succeeded"


def test_a_suspended_run_that_is_stopped_goes_on_to_its_end() -> None:
    world = World(workflow(chain("a", "b"), **{"finally": [{"name": "z"}]}), run_spec=WorkflowRunSpec(suspend=True))
    world.step()
    assert (world.draft.phase, world.phases()) == ("Suspended", {"a": "Queued", "b": "Waiting", "z": "Waiting"})
    world.run_spec = WorkflowRunSpec(suspend=True, stop=Stop.CANCEL)
    status = world.play()
    assert (status.phase, world.phases()) == ("Cancelled", {"a": "Cancelled", "b": "Cancelled", "z": "Succeeded"})


def test_a_limit_on_tasks_queues_the_others() -> None:
    world = World(workflow([{"name": "a"}, {"name": "b"}, {"name": "c"}], concurrency={"maxActiveTasks": 2}), limit=2)
    world.step()
    assert world.phases() == {"a": "Starting", "b": "Starting", "c": "Queued"}
    assert (world.draft.tasks[2].reason, world.draft.tasks[2].message) == (
        "MaxActiveTasks",
        "the workflow has 2 tasks running, its limit",
    )
    assert world.play().phase == "Succeeded"


def test_a_quota_keeps_a_task_queued_and_is_told_once() -> None:
    world = World(workflow([{"name": "a"}]))

    def refuse(_launch: Launch, tries: int) -> Refusal | None:
        later = world.now + timedelta(seconds=30)
        return Refusal(RefusalKind.WAIT, "QuotaExceeded", "exceeded quota", later) if tries < 4 else None

    world.refuse = refuse
    plan = world.step()
    task = world.draft.tasks[0]
    assert (task.phase, task.reason, task.message, task.retry_at, task.attempts) == (
        "Queued",
        "QuotaExceeded",
        "exceeded quota",
        "2025-04-01T17:00:30Z",
        [],
    )
    assert plan.wake_at == START + timedelta(seconds=30)
    status = world.play()
    assert (status.phase, world.tries, world.events) == (
        "Succeeded",
        {pod_name("sales-1", UID, "a", 1): 4},
        [("WaitingForQuota", "a")],
    )


def test_a_pod_that_the_api_refuses_fails_its_task_at_once() -> None:
    world = World(workflow([{"name": "a", "retry": {"limit": 3}}]))
    world.refuse = lambda _launch, _tries: Refusal(RefusalKind.LAUNCH, "Forbidden", "violates PodSecurity")
    task = world.play().tasks[0]
    attempt = task.attempts[0]
    assert (task.phase, task.reason, task.message) == ("Failed", "Forbidden", "violates PodSecurity")
    assert (attempt.number, attempt.class_, attempt.pod, bool(attempt.hint)) == (1, "Launch", None, True)
