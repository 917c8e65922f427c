"""Pods that are not as the status says: adopted, lost, made again, strays; and how long each is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.simulate import OK, START, UID, Behaviour, World, app_failure, workflow
from windlass.models.run import FailureClass, RunPhase, Stop, WorkflowRunSpec, WorkflowRunStatus
from windlass.names import pod_name, workspace_claim_name
from windlass.plan.run import plan_run
from windlass.plan.types import EndHow, PodEnding, PodPhase, PodResult, PodView

RETRY = {"limit": 2, "delay": "10s"}


def name(task: str, attempt: int = 1) -> str:
    return pod_name("sales-1", UID, task, attempt)


def one(**fields: Any) -> World:
    return World(workflow([{"name": "a", **fields}]))


def running(**fields: Any) -> World:
    world = one(**fields)
    world.play_until(lambda w: w.phases()["a"] == "Running")
    return world


def stray(task: str, attempt: int, **fields: Any) -> PodView:
    values: dict[str, Any] = {
        "namespace": "data", "name": name(task, attempt), "uid": f"stray-{attempt}", "version": 1, "workflow": "sales",
        "run": "sales-1", "run_uid": UID, "task": task, "attempt": attempt, "phase": PodPhase.RUNNING,
        "created_at": START, "started_at": START, "held": True, "node": "node-1",
    }  # fmt: skip
    return PodView(**(values | fields))


def test_a_pod_made_before_a_crash_is_adopted() -> None:
    world = one()
    world.step(crash_at=2)
    assert (list(world.pods), world.stored) == ([name("a")], WorkflowRunStatus())
    plan = world.step()
    assert (plan.launches, plan.endings, plan.releases) == ((), (), ())
    assert [(a.number, a.pod, a.uid) for a in plan.status.tasks[0].attempts] == [(1, name("a"), "pod-1")]
    assert world.play().phase == "Succeeded"
    assert world.created == {name("a"): 1}


def test_attempts_that_came_and_went_unrecorded_are_taken_in_their_order() -> None:
    world = one(retry=RETRY)
    ended = {"phase": PodPhase.ENDED, "finished_at": START, "result": app_failure()}
    world.pods = {name("a", n): stray("a", n, **ended) for n in (1, 2)} | {name("a", 3): stray("a", 3)}
    plan = plan_run(world.seen(), START)
    task = plan.status.tasks[0]
    assert [(a.number, a.class_, a.uid) for a in task.attempts] == [
        (1, "App", "stray-1"),
        (2, "App", "stray-2"),
        (3, None, "stray-3"),
    ]
    assert (task.phase, task.app_failures, plan.releases, plan.launches) == (
        "Running",
        2,
        (name("a", 1), name("a", 2)),
        (),
    )


def test_a_result_is_released_only_with_the_status_that_has_it() -> None:
    world = running()
    assert plan_run(world.seen(), world.now).releases == ()
    world.now += timedelta(seconds=5)
    world.tick()
    plan = plan_run(world.seen(), world.now)
    assert (plan.releases, plan.status.tasks[0].phase, plan.urgent) == ((name("a"),), "Succeeded", True)


def test_a_pod_that_is_missing_is_read_live_before_anything_else() -> None:
    world = running(retry=RETRY)
    world.vanish(name("a"))
    seen = world.seen()
    plan = plan_run(seen, world.now)
    assert plan.confirm == (name("a"),)
    assert plan.status is seen.run.status
    assert (plan.launches, plan.endings, plan.releases) == ((), (), ())


def test_a_pod_that_is_gone_is_a_failure_of_the_infrastructure() -> None:
    world = running()
    world.vanish(name("a"))
    plan = plan_run(world.seen(gone=[name("a")]), world.now)
    task = plan.status.tasks[0]
    assert [(a.number, a.class_, a.reason) for a in task.attempts] == [(1, "Infra", "Gone"), (2, None, None)]
    assert (task.infra_failures, task.app_failures, [launch.pod for launch in plan.launches]) == (
        1,
        None,
        [name("a", 2)],
    )
    assert plan.launches[0].recreate is False


def test_a_pod_that_nobody_has_seen_is_made_again_after_a_look() -> None:
    world = one()
    world.step()
    assert world.stored.tasks[0].attempts[0].uid is None
    world.vanish(name("a"))
    assert plan_run(world.seen(), world.now).confirm == (name("a"),)
    plan = plan_run(world.seen(gone=[name("a")]), world.now)
    assert [(launch.pod, launch.recreate) for launch in plan.launches] == [(name("a"), True)]
    assert [a.number for a in plan.status.tasks[0].attempts] == [1]


def test_another_pod_of_the_same_name_is_not_the_attempts() -> None:
    world = running()
    world.pods[name("a")] = replace(world.pods[name("a")], uid="another")
    plan = plan_run(world.seen(), world.now)
    assert [(a.number, a.reason) for a in plan.status.tasks[0].attempts] == [(1, "Gone"), (2, None)]
    assert plan.endings == (PodEnding(name("a"), "another", EndHow.DELETE, "Stray"),)


STRAYS = {
    "of a task that nobody knows": stray("nobody", 1),
    "of an attempt far ahead": stray("a", 7),
}


@pytest.mark.parametrize("pod", STRAYS.values(), ids=STRAYS.keys())
def test_strays_are_released_and_deleted_on_sight(pod: PodView) -> None:
    world = running()
    world.pods[pod.name] = pod
    plan = plan_run(world.seen(), world.now)
    assert plan.endings == (PodEnding(pod.name, pod.uid, EndHow.DELETE, "Stray"),)
    assert plan.releases == (pod.name,)
    world.pods[pod.name] = replace(pod, deleting_since=world.now, held=False)
    plan = plan_run(world.seen(), world.now)
    assert (plan.endings, plan.releases) == ((), ())


def test_a_late_create_after_the_runs_end_is_a_stray() -> None:
    world = running()
    world.play_until(lambda w: w.stored.phase == "Succeeded")
    ghost = stray("a", 2)
    world.pods[ghost.name] = ghost
    plan = plan_run(world.seen(), world.now)
    assert plan.endings == (PodEnding(ghost.name, ghost.uid, EndHow.DELETE, "Stray"),)
    assert (plan.launches, plan.status is world.draft, plan.forget) == ((), True, False)


def test_a_superseded_attempt_that_starts_late_is_a_stray() -> None:
    world = running(retry=RETRY)
    world.vanish(name("a"))
    world.draft = plan_run(world.seen(gone=[name("a")]), world.now).status
    world.pods[name("a", 2)] = stray("a", 2)
    world.pods[name("a")] = stray("a", 1)
    plan = plan_run(world.seen(), world.now)
    assert plan.endings == (PodEnding(name("a"), "stray-1", EndHow.DELETE, "Stray"),)


def test_a_pod_deleted_by_hand_before_it_had_a_node_is_retried() -> None:
    world = one()
    world.step()
    pod = world.pods[name("a")]
    world.pods[pod.name] = replace(pod, deleting_since=world.now)
    task = plan_run(world.seen(), world.now).status.tasks[0]
    assert [(a.number, a.class_, a.reason) for a in task.attempts] == [(1, "Infra", "Deleted"), (2, None, None)]


def test_a_lost_node_is_waited_for_then_given_up() -> None:
    world = running()
    pod = replace(world.pods[name("a")], node_lost=True)
    world.pods[pod.name] = pod
    lost_at = world.now
    plan = world.step()
    task = plan.status.tasks[0]
    assert (task.phase, task.reason, plan.wake_at, plan.endings) == (
        "Running",
        "NodeUnreachable",
        lost_at + timedelta(minutes=10),
        (),
    )
    seen = world.seen()
    assert plan_run(seen, lost_at + timedelta(minutes=9)).status is seen.run.status
    plan = plan_run(seen, lost_at + timedelta(minutes=10))
    assert plan.endings == (PodEnding(pod.name, pod.uid, EndHow.FORCE, "NodeLost"),)
    attempts = plan.status.tasks[0].attempts
    assert [(a.number, a.class_, a.reason, a.message) for a in attempts] == [
        (1, "Infra", "NodeLost", "node node-1 does not answer: the old process may still run there"),
        (2, None, None, None),
    ]
    assert plan.releases == (pod.name,)


def test_a_node_that_comes_back_goes_on() -> None:
    world = running()
    pod = world.pods[name("a")]
    world.pods[pod.name] = replace(pod, node_lost=True)
    world.step()
    world.pods[pod.name] = pod
    task = world.step().status.tasks[0]
    assert (task.phase, task.reason, task.retry_at) == ("Running", None, None)


def test_a_stop_does_not_wait_for_a_lost_node() -> None:
    world = running()
    pod = replace(world.pods[name("a")], node_lost=True)
    world.pods[pod.name] = pod
    world.run_spec = WorkflowRunSpec(stop=Stop.CANCEL)
    plan = plan_run(world.seen(), world.now)
    assert plan.endings == (PodEnding(pod.name, pod.uid, EndHow.FORCE, "Cancelled"),)
    assert (plan.status.phase, plan.status.tasks[0].phase) == ("Cancelled", "Cancelled")


WAITS = {
    "an image that can't be pulled is waited for": ("ImagePullBackOff", "not found", ()),
    "a name that is none is not": (
        "InvalidImageName",
        "couldn't parse",
        (PodEnding(name("a"), "pod-1", EndHow.DELETE, "StartTimeout"),),
    ),
}


@pytest.mark.parametrize(("reason", "message", "endings"), WAITS.values(), ids=WAITS.keys())
def test_why_a_pod_waits(reason: str, message: str, endings: tuple[PodEnding, ...]) -> None:
    world = one()
    world.step()
    pod = replace(
        world.pods[name("a")], phase=PodPhase.STARTING, node="n", waiting_reason=reason, waiting_message=message
    )
    world.pods[pod.name] = pod
    plan = world.step()
    task = plan.status.tasks[0]
    assert (task.phase, task.reason, task.message, plan.endings) == ("Starting", reason, message, endings)
    killed = PodResult(FailureClass.INFRA, "Deleted")
    late = START + timedelta(minutes=11)
    # With the pod's sandbox gone, the kubelet says of the container what it says of any that is new.
    torn_down = {"waiting_reason": "ContainerCreating", "waiting_message": "the network is not ready"}
    world.pods[pod.name] = replace(pod, deleting_since=late, **torn_down)
    world.now = late
    assert world.step().status.tasks[0].message == message
    world.pods[pod.name] = replace(
        pod, phase=PodPhase.ENDED, deleting_since=late, result=killed, waiting_reason="", waiting_message=""
    )
    attempt = plan_run(world.seen(), late).status.tasks[0].attempts[0]
    assert (attempt.class_, attempt.reason, attempt.message) == ("Start", reason, message)


KEEPS: dict[str, tuple[dict[str, Any], PodResult, timedelta]] = {
    "a good attempt: two minutes from its create": ({}, OK, timedelta(minutes=2)),
    "a failed one: an hour from its end": ({}, app_failure(), timedelta(hours=1, seconds=6)),
    "as long as is said": ({"keepPodsFor": "5m"}, app_failure(), timedelta(minutes=5, seconds=6)),
    "never shorter than two minutes": ({"keepPodsFor": "0s"}, app_failure(), timedelta(minutes=2)),
    "never kept": ({"keepPods": "Never"}, app_failure(), timedelta(minutes=2)),
    "always kept": ({"keepPods": "Always"}, OK, timedelta(hours=1, seconds=6)),
}


@pytest.mark.parametrize(("fields", "result", "due"), KEEPS.values(), ids=KEEPS.keys())
def test_how_long_a_pod_is_kept(fields: dict[str, Any], result: PodResult, due: timedelta) -> None:
    world = World(workflow([{"name": "a", **fields}]), lambda _t, _n: Behaviour(result))
    plan = world.play_until(lambda w: w.stored.phase is not None and w.stored.phase.ended)
    assert (plan.wake_at, plan.endings, plan.forget) == (START + due, (), False)
    seen = world.seen()
    assert plan_run(seen, START + due - timedelta(seconds=1)).endings == ()
    plan = plan_run(seen, START + due)
    assert plan.endings == (PodEnding(name("a"), "pod-1", EndHow.DELETE, "Retention"),)
    world.play()
    assert (world.forgotten, world.pods) == (True, {})


def with_proxy(result: PodResult) -> World:
    """A run whose task has ended, as its status says; a container beside it has not."""
    world = running()
    pod = world.pods[name("a")]
    world.pods[pod.name] = replace(pod, phase=PodPhase.ENDED, finished_at=world.now, result=result, lingers=True)
    return world


@pytest.mark.parametrize("result", [OK, app_failure()], ids=["good", "failed"])
def test_what_stands_beside_a_task_is_ended_with_the_status_that_has_its_result(result: PodResult) -> None:
    world = with_proxy(result)
    plan = plan_run(world.seen(), world.now)
    assert plan.status.tasks[0].phase.ended
    assert plan.releases == (name("a"),)
    assert plan.endings == (PodEnding(name("a"), "pod-1", EndHow.DEADLINE, "MainEnded"),)


def test_it_is_told_once_and_goes_with_the_pod() -> None:
    world = with_proxy(OK)
    world.draft = plan_run(world.seen(), world.now).status
    pod = world.pods[name("a")]
    world.pods[pod.name] = replace(pod, ending=True)
    assert plan_run(world.seen(), world.now).endings == ()
    world.pods[pod.name] = replace(pod, deleting_since=world.now)
    assert plan_run(world.seen(), world.now).endings == ()
    world.pods[pod.name] = pod
    late = START + timedelta(minutes=2)
    assert plan_run(world.seen(), late).endings == (PodEnding(pod.name, pod.uid, EndHow.DELETE, "Retention"),)


SUCCEEDED, FAILED = OK, app_failure()
WORKSPACES: dict[str, tuple[str, PodResult, timedelta | None]] = {
    "never kept": ("Never", FAILED, timedelta(0)),
    "kept after a failure for a day": ("OnFailure", FAILED, timedelta(hours=24)),
    "not kept after a success": ("OnFailure", SUCCEEDED, timedelta(0)),
    "always kept": ("Always", SUCCEEDED, None),
}


@pytest.mark.parametrize(("keep", "result", "due"), WORKSPACES.values(), ids=WORKSPACES.keys())
def test_the_workspace(keep: str, result: PodResult, due: timedelta | None) -> None:
    spec = workflow(
        [{"name": "a"}, {"name": "b", "dependsOn": ["a"], "triggerRule": "AllDone"}], workspace={"keep": keep}
    )
    world = World(spec, lambda _t, _n: Behaviour(result))
    plan = world.step()
    assert (plan.create_workspace, plan.status.workspace) == (True, workspace_claim_name("sales-1", UID))
    plan = world.play_until(lambda w: len(w.launched) == 2)
    assert plan.create_workspace is False
    plan = world.play_until(lambda w: w.stored.phase is not None and w.stored.phase.ended)
    ended = world.now
    assert plan.delete_workspace is (due == timedelta(0))
    world.play()
    assert world.workspace == ("made" if due is None else "deleted")
    if due is not None:
        assert world.now >= ended + due


def test_the_claim_is_made_again_when_no_pod_was_seen() -> None:
    world = World(workflow([{"name": "a"}], workspace={}))
    world.step()
    world.pods, world.draft = {}, world.stored
    plan = plan_run(world.seen(gone=[name("a")]), world.now)
    assert (plan.create_workspace, len(plan.launches)) == (True, 1)


def test_a_run_that_ended_long_ago_asks_for_nothing() -> None:
    world = World(workflow([{"name": "a"}], workspace={}))
    world.play()
    plan = plan_run(world.seen(), world.now + timedelta(days=3))
    assert (plan.forget, plan.delete_workspace, plan.endings, plan.wake_at) == (True, False, (), None)
    assert plan.status.phase is RunPhase.SUCCEEDED
