"""What a run comes to: whole lives, as tables of what happens and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from support.lives import DONE, FAIL, Ends, chain, played
from support.simulate import OK, START, UID, World, infra_failure, workflow
from windlass.models.run import FailureClass
from windlass.names import SOURCE_STEP, pod_name
from windlass.plan.run import plan_run
from windlass.plan.types import Launch, PodResult


@dataclass(frozen=True)
class Case:
    tasks: list[dict[str, Any]]
    phases: dict[str, str]
    run: tuple[str, str, str]
    """Phase, reason, message."""
    ends: Ends = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


ENDS: dict[str, Case] = {
    "a chain that goes well": Case(
        chain("a", "b", "c"), {"a": "Succeeded", "b": "Succeeded", "c": "Succeeded"}, (*DONE, "3 of 3 tasks done")
    ),
    "a failure stops what depends on it": Case(
        [*chain("a", "b", "c"), {"name": "other"}],
        {"a": "Failed", "b": "UpstreamFailed", "c": "UpstreamFailed", "other": "Succeeded"},
        ("Failed", "TasksFailed", "3 of 4 tasks failed: a, b, c"),
        {"a": [FAIL]},
    ),
    "an allowed failure fails neither the run nor those it keeps from running": Case(
        [{"name": "a", "allowFailure": True}, *chain("b", "c")[1:], {"name": "b", "dependsOn": ["a"]}],
        {"a": "Failed", "c": "UpstreamFailed", "b": "UpstreamFailed"},
        (*DONE, "3 of 3 tasks done"),
        {"a": [FAIL]},
    ),
    "a failure beside an allowed one counts": Case(
        [{"name": "a", "allowFailure": True}, {"name": "b"}, {"name": "c", "dependsOn": ["a", "b"]}],
        {"a": "Failed", "b": "Failed", "c": "UpstreamFailed"},
        ("Failed", "TasksFailed", "2 of 3 tasks failed: b, c"),
        {"a": [FAIL], "b": [FAIL]},
    ),
    "with outcome Leaves only leaves count": Case(
        [{"name": "a"}, {"name": "b", "dependsOn": ["a"], "triggerRule": "AllDone"}],
        {"a": "Failed", "b": "Succeeded"},
        (*DONE, "2 of 2 tasks done"),
        {"a": [FAIL]},
        {"outcome": "Leaves"},
    ),
    "a leaf that failed counts": Case(
        [{"name": "a"}, {"name": "b"}],
        {"a": "Failed", "b": "Succeeded"},
        ("Failed", "TasksFailed", "1 of 2 tasks failed: a"),
        {"a": [FAIL]},
        {"outcome": "Leaves"},
    ),
    "a skip goes on down": Case(
        [{"name": "a", "when": "{{ 1 > 2 }}"}, *chain("a", "b", "c")[1:]],
        {"a": "Skipped", "b": "Skipped", "c": "Skipped"},
        (*DONE, "3 of 3 tasks done"),
    ),
    "when reads outputs": Case(
        [
            {"name": "a"},
            {"name": "few", "dependsOn": ["a"], "when": "{{ tasks.a.outputs.rows < 5 }}"},
            {"name": "many", "dependsOn": ["a"], "when": "{{ tasks.a.outputs.rows >= 5 }}"},
            {"name": "end", "dependsOn": ["few", "many"], "triggerRule": "NoneFailed", "join": True},
        ],
        {"a": "Succeeded", "few": "Succeeded", "many": "Skipped", "end": "Succeeded"},
        (*DONE, "4 of 4 tasks done"),
        {"a": [PodResult(None, "Completed", 0, '{"rows": 3}')]},
    ),
    "a when that can't be told fails its task": Case(
        [{"name": "a"}, {"name": "b", "dependsOn": ["a"], "when": "{{ tasks.a.outputs.rows > 1 }}"}],
        {"a": "Succeeded", "b": "Failed"},
        ("Failed", "TasksFailed", "1 of 2 tasks failed: b"),
    ),
    "a retry mends": Case(
        [{"name": "a", "retry": {"limit": 1}}], {"a": "Succeeded"}, (*DONE, "1 of 1 tasks done"), {"a": [FAIL, OK]}
    ),
    "outputs that are none are the task's failure": Case(
        [{"name": "a"}],
        {"a": "Failed"},
        ("Failed", "TasksFailed", "1 of 1 tasks failed: a"),
        {"a": [PodResult(None, "Completed", 0, "[1]")]},
    ),
    "finally runs after a failure": Case(
        [{"name": "a"}],
        {"a": "Failed", "z": "Succeeded"},
        ("Failed", "TasksFailed", "1 of 2 tasks failed: a"),
        {"a": [FAIL]},
        {"finally": [{"name": "z"}]},
    ),
    "a finally that fails makes a good run a failed one": Case(
        [{"name": "a"}],
        {"a": "Succeeded", "z": "Failed"},
        ("Failed", "TasksFailed", "1 of 2 tasks failed: z"),
        {"z": [FAIL]},
        {"finally": [{"name": "z"}]},
    ),
    "but not where it is allowed to": Case(
        [{"name": "a"}],
        {"a": "Succeeded", "z": "Failed"},
        (*DONE, "2 of 2 tasks done"),
        {"z": [FAIL]},
        {"finally": [{"name": "z", "allowFailure": True}]},
    ),
    "finally is no leaf": Case(
        [{"name": "a"}],
        {"a": "Failed", "z": "Succeeded"},
        ("Failed", "TasksFailed", "1 of 2 tasks failed: a"),
        {"a": [FAIL]},
        {"finally": [{"name": "z"}], "outcome": "Leaves"},
    ),
}


@pytest.mark.parametrize("case", ENDS.values(), ids=ENDS.keys())
def test_how_a_run_ends(case: Case) -> None:
    world = World(workflow(case.tasks, **dict(case.fields)), played(case.ends))
    status = world.play()
    assert world.phases() == case.phases
    assert (status.phase, status.reason, status.message) == case.run
    conditions = {condition.type: condition.status for condition in status.conditions}
    good = "True" if status.phase == "Succeeded" else "False"
    assert conditions == {"Accepted": "True", "Running": "False", "Succeeded": good}


def test_the_first_plan_of_a_run() -> None:
    world = World(workflow([{"name": "a", "script": "echo {{ ds }}"}, {"name": "b", "dependsOn": ["a"]}]))
    plan = plan_run(world.seen(), START)
    pod = pod_name("sales-1", UID, "a", 1)
    assert plan.launches == (
        Launch(
            pod=pod,
            task="a",
            attempt=1,
            body=world.program.nodes["a"].task.model_copy(
                update={"script": "echo 2025-04-01", "image": "python:3.12-slim"}
            ),
            environment={
                "WINDLASS_NAMESPACE": "data",
                "WINDLASS_WORKFLOW": "sales",
                "WINDLASS_RUN": "sales-1",
                "WINDLASS_RUN_UID": UID,
                "WINDLASS_TASK": "a",
                "WINDLASS_ATTEMPT": "1",
                "WINDLASS_TRIGGER": "Manual",
                "WINDLASS_LOGICAL_DATE": "2025-04-01T17:00:00Z",
                "WINDLASS_SCHEDULED_AT": "2025-04-01T17:00:00Z",
                "WINDLASS_DATA_INTERVAL_START": "2025-04-01T17:00:00Z",
                "WINDLASS_DATA_INTERVAL_END": "2025-04-01T17:00:00Z",
                "WINDLASS_DS": "2025-04-01",
                "WINDLASS_DS_NODASH": "20250401",
                "WINDLASS_TS": "2025-04-01T17:00:00+00:00",
                "WINDLASS_TS_NODASH": "20250401T170000",
                "WINDLASS_PREV_SUCCESS": "null",
            },
        ),
    )
    assert (plan.endings, plan.releases, plan.confirm, plan.events) == ((), (), (), ())
    assert (plan.urgent, plan.forget, plan.create_workspace, plan.wake_at) == (True, False, False, None)
    status = plan.status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions"})
    assert status == {
        "phase": "Running",
        "reason": "TasksRunning",
        "message": "0 of 2 tasks done, a is starting",
        "progress": "0/2",
        "workflow": "sales",
        "started_at".replace("_a", "A"): "2025-04-01T17:00:00Z",
        "observedGeneration": 1,
        "tasks": [
            {
                "name": "a",
                "phase": "Starting",
                "readyAt": "2025-04-01T17:00:00Z",
                "attempts": [{"number": 1, "pod": pod}],
            },
            {"name": "b", "phase": "Waiting", "attempts": []},
        ],
    }


def test_equal_inputs_give_equal_plans_and_nothing_new_the_very_same_status() -> None:
    world = World(workflow([{"name": "a", "timeout": "1m"}, {"name": "b"}]))
    assert plan_run(world.seen(), START) == plan_run(world.seen(), START)
    world.play_until(lambda w: w.phases() == {"a": "Running", "b": "Running"})
    seen = world.seen()
    later = world.now + timedelta(seconds=2)
    assert plan_run(seen, later).status is seen.run.status
    assert plan_run(seen, later).wake_at == world.now + timedelta(minutes=1)


def test_the_message_says_what_goes_on() -> None:
    world = World(workflow([{"name": "a"}, {"name": "b", "dependsOn": ["a"]}, {"name": "c", "dependsOn": ["a"]}]))
    messages = []
    while not world.reconcile():
        messages.append(world.draft.message)
    assert list(dict.fromkeys(messages)) == [
        "0 of 3 tasks done, a is starting",
        "0 of 3 tasks done, a is running",
        "1 of 3 tasks done, b and c are starting",
        "1 of 3 tasks done, b and c are running",
        "3 of 3 tasks done",
    ]


def test_a_failure_is_told_with_its_retries() -> None:
    retry = {"limit": 1, "delay": "10s"}
    world = World(workflow([{"name": "a", "retry": retry}]), played({"a": [FAIL]}))
    world.play_until(lambda w: w.phases() == {"a": "Retrying"})
    task = world.draft.tasks[0]
    assert (task.reason, task.message, task.retry_at) == ("BackingOff", "Error: retry 1 of 1", "2025-04-01T17:00:16Z")
    status = world.play()
    task = status.tasks[0]
    assert (task.phase, task.reason, task.message) == (
        "Failed",
        "Error",
        "exit code 1: ValueError: no rows, after 1 retry",
    )
    assert [(a.number, a.class_, a.exit_code, a.message) for a in task.attempts] == [
        (1, "App", 1, "first line\nValueError: no rows"),
        (2, "App", 1, "first line\nValueError: no rows"),
    ]
    assert all(attempt.hint for attempt in task.attempts)
    assert world.events == [("TaskRetrying", "a"), ("TaskFailed", "a"), ("RunFailed", None)]


def test_a_run_that_goes_well_tells_nothing() -> None:
    world = World(workflow(chain("a", "b")))
    world.play()
    assert world.events == []


def test_the_last_three_attempts_are_kept() -> None:
    retry = {"limit": 5, "delay": "1s"}
    world = World(workflow([{"name": "a", "retry": retry}]), played({"a": [FAIL] * 5 + [OK]}))
    task = world.play().tasks[0]
    assert (task.phase, [a.number for a in task.attempts], task.dropped, task.app_failures) == (
        "Succeeded",
        [4, 5, 6],
        3,
        5,
    )


def test_an_eviction_is_retried_at_once() -> None:
    world = World(workflow([{"name": "a"}]), played({"a": [infra_failure(), OK]}))
    world.play_until(lambda w: len(w.launched) == 2)
    assert world.now == START + timedelta(seconds=6)
    assert world.play().tasks[0].infra_failures == 1


def test_memory_grows_after_an_oom_kill() -> None:
    retry = {"limit": 2, "delay": "0s", "oom": {"factor": 2, "max": "3Gi"}}
    killed = PodResult(FailureClass.OOM, "OOMKilled", 137, detail={"memoryLimit": "1Gi"})
    world = World(workflow([{"name": "a", "retry": retry}]), played({"a": [killed, killed, OK]}))
    world.play()
    assert [launch.memory for launch in world.launched] == [None, "2048Mi", "3Gi"]


def test_a_template_that_fails_makes_no_attempt() -> None:
    world = World(workflow([{"name": "a", "script": "echo {{ params.limit }}", "retry": {"limit": 3}}]))
    task = world.play().tasks[0]
    assert (task.phase, task.reason, task.attempts, world.launched) == ("Failed", "TemplateError", [], [])
    assert task.message is not None
    assert task.message.startswith("script: {{ params.limit }}")


def test_finally_sees_the_outcome_and_all_outputs() -> None:
    spec = workflow(
        [{"name": "a"}], **{"finally": [{"name": "z", "script": "{{ run.outcome }} {{ tasks.a.outputs.rows }}"}]}
    )
    world = World(spec, played({"a": [PodResult(None, "Completed", 0, '{"rows": 3}')]}))
    world.play()
    assert world.launched[1].body.script == "Succeeded 3"


COMMIT = "3f2a" * 10


def sourced(**fields: Any) -> dict[str, Any]:
    return {"source": {"git": {"repo": "https://git.example.com/a.git", "ref": "main"}}, **fields}


def test_the_source_is_resolved_before_any_task() -> None:
    found = PodResult(None, "Completed", 0, f'{{"commit": "{COMMIT}"}}')
    world = World(workflow([{"name": "a"}], **sourced()), played({SOURCE_STEP: [found]}))
    world.step()
    assert ([launch.task for launch in world.launched], world.phases()) == ([SOURCE_STEP], {"a": "Waiting"})
    status = world.play()
    assert status.source is not None
    assert (status.source.repo, status.source.ref, status.source.commit) == (
        "https://git.example.com/a.git",
        "main",
        COMMIT,
    )
    assert status.progress == "1/1"
    assert world.launched[1].environment["WINDLASS_COMMIT"] == COMMIT


def test_a_source_that_fails_fails_the_run_with_gits_words() -> None:
    words = PodResult(FailureClass.APP, "GitSyncFailed", 128, "fatal: couldn't find remote ref main")
    spec = workflow([{"name": "a"}], **sourced(taskDefaults={"retry": {"limit": 1}}, **{"finally": [{"name": "z"}]}))
    world = World(spec, played({SOURCE_STEP: [words]}))
    status = world.play()
    assert [launch.attempt for launch in world.launched] == [1, 2]
    assert (status.phase, status.reason) == ("Failed", "SourceFailed")
    assert status.message == "exit code 128: fatal: couldn't find remote ref main, after 1 retry"
    assert world.phases() == {"a": "Cancelled", "z": "Cancelled"}


def test_a_source_step_that_says_no_commit_fails() -> None:
    world = World(workflow([{"name": "a"}], **sourced()), played({SOURCE_STEP: [OK]}))
    assert world.play().message == "the source step has not said which commit it found"


def test_outputs_beyond_the_runs_budget_fail_their_task_at_once() -> None:
    big = PodResult(None, "Completed", 0, '{"x": "%s"}' % ("x" * 4000))
    names = [f"t{number}" for number in range(140)]
    spec = workflow([{"name": name, "retry": {"limit": 3}} for name in names])
    world = World(spec, played({name: [big] for name in names}))
    status = world.play()
    failed = [task for task in status.tasks if task.phase == "Failed"]
    assert len(failed) == 140 - 524288 // 4008
    assert {(task.reason, len(task.attempts)) for task in failed} == {("OutputsTooLarge", 1)}
    assert failed[0].message is not None
    assert "budget of 512 KiB" in failed[0].message
