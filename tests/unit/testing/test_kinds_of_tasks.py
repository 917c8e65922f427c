"""Tasks that are more than a pod: repeated ones, approvals, runs of other Workflows; and what they share."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from windlass.testing import Run, WrongCue, load, simulate

START = "2025-04-01T00:00:00Z"


def workflow(*tasks: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "windlass.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"tasks": list(tasks), **spec},
    }


def seconds(run: Run, task: str) -> list[tuple[int | None, int, int, int]]:
    """Of each attempt: its instance, its number, and when it started and ended, in seconds from the run's start."""

    def since(moment: Any) -> int:
        return round((moment - run.started_at) / timedelta(seconds=1))

    return [(one.index, one.number, since(one.started_at), since(one.finished_at)) for one in run.task(task).tries]


EACH = {"name": "each", "script": "load {{ item }}", "forEach": {"items": ["a", "b", "c"]}, "retry": {"limit": 1}}


def test_a_task_that_is_repeated() -> None:
    run = simulate(workflow(EACH), start=START).runs[0]
    assert run.task("each").instances == ("Succeeded", "Succeeded", "Succeeded")
    assert seconds(run, "each") == [(0, 1, 1, 61), (1, 1, 1, 61), (2, 1, 1, 61)]
    assert [(one.index, one.script) for one in run.launches("each")] == [(0, "load a"), (1, "load b"), (2, "load c")]
    assert run.launches("each")[1].environment["WINDLASS_INDEX"] == "1"


def test_an_instance_that_fails_once() -> None:
    run = simulate(workflow(EACH), start=START, fail="each[1]:1").runs[0]
    assert (run.phase, run.task("each").instances) == ("Succeeded", ("Succeeded",) * 3)
    assert seconds(run, "each") == [(0, 1, 1, 61), (1, 1, 1, 61), (1, 2, 72, 132), (2, 1, 1, 61)]


def test_instances_that_fail_for_good() -> None:
    run = simulate(workflow(EACH), start=START, fail=["each[0]=OOM", "each[2]:2"]).runs[0]
    assert (run.phase, run.task("each").phase) == ("Failed", "Failed")
    assert [(one.index, one.number, one.failure) for one in run.task("each").tries] == [
        (0, 1, "OOM"),
        (0, 2, "OOM"),
        (1, 1, None),
        (2, 1, None),
    ]


def test_a_limit_of_instances_at_once() -> None:
    each = {**EACH, "forEach": {"items": "{{ params.files }}", "maxActive": 2}}
    definition = workflow(each, params={"files": {"type": "array"}})
    run = simulate(definition, start=START, params={"files": ["x", "y", "z"]}).runs[0]
    assert seconds(run, "each") == [(0, 1, 1, 61), (1, 1, 1, 61), (2, 1, 62, 122)]


def test_outputs_of_instances() -> None:
    after = {
        "name": "after",
        "dependsOn": ["each"],
        "script": "{{ tasks.each.outputs | map(attribute='file') | join }}",
    }
    outputs = {"each": lambda one: {"file": f"{one.item}{one.index}"}}
    run = simulate(workflow(EACH, after), outputs=outputs).runs[0]
    assert run.task("each").outputs == [{"file": "a0"}, {"file": "b1"}, {"file": "c2"}]
    assert run.launches("after")[0].script == "a0b1c2"


ASK = {
    "name": "ask",
    "approval": {"message": "Load {{ ds }}?", "form": {"region": {"type": "string", "default": "eu"}}},
}
GO = {"name": "go", "dependsOn": ["ask"], "script": "go {{ tasks.ask.outputs.region }}"}


def test_an_approval_is_approved_at_once() -> None:
    run = simulate(workflow(ASK, GO), start=START).runs[0]
    assert (run.phase, run.task("ask").reason, run.launches("go")[0].script) == ("Succeeded", "Approved", "go eu")
    assert run.duration == timedelta(seconds=61)


def test_the_values_of_a_form_and_how_long_people_take() -> None:
    run = simulate(workflow(ASK, GO), outputs={"ask": {"region": "us"}}, durations={"ask": "2h"}).runs[0]
    assert (run.launches("go")[0].script, run.duration) == ("go us", timedelta(hours=2, seconds=61))


def test_an_approval_is_rejected() -> None:
    for asked in ({"reject": ["ask"]}, {"reject": "ask"}, {"fail": "ask"}):
        run = simulate(workflow(ASK, GO), **asked).runs[0]
        assert (run.phase, run.task("ask").reason, run.task("go").phase) == ("Failed", "Rejected", "UpstreamFailed")


def test_an_approval_for_certain_people() -> None:
    approval = {**ASK["approval"], "approvers": {"groups": ["leads"]}}
    assert simulate(workflow({**ASK, "approval": approval}, GO)).succeeded


def test_an_approval_that_nobody_answers() -> None:
    ask = {**ASK, "approval": {**ASK["approval"], "timeout": "1h"}}
    run = simulate(workflow(ask, GO), fail="ask=Timeout").runs[0]
    assert (run.task("ask").reason, run.duration) == ("ApprovalTimeout", timedelta(hours=1))


CHILD = {"name": "sub", "run": {"workflow": "other", "params": {"day": "{{ ds }}"}}, "retry": {"limit": 1}}
READS = {"name": "after", "dependsOn": ["sub"], "script": "{{ tasks.sub.outputs.tasks.extract.rows }}"}


def test_a_run_of_another_workflow() -> None:
    outputs = {"sub": {"extract": {"rows": 3}}}
    run = simulate(workflow(CHILD, READS), start=START, outputs=outputs, fail="sub:1", durations={"sub": "5m"}).runs[0]
    assert seconds(run, "sub") == [(None, 1, 0, 300), (None, 2, 310, 610)]
    assert run.launches("after")[0].script == "3"


def test_a_run_of_another_workflow_is_stopped_with_its_parent() -> None:
    run = simulate(workflow(CHILD, timeout="90s"), start=START, durations={"sub": "5m"}).runs[0]
    assert (run.phase, run.reason, run.task("sub").phase) == ("Failed", "TimedOut", "Cancelled")
    assert run.duration == timedelta(seconds=90)


def pool_tasks(*extra: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "script": "true", "pool": "db"} | more for name, more in zip("abc", extra, strict=False)]


def test_a_pool_has_room_for_all_unless_it_is_said() -> None:
    definition = workflow(*pool_tasks({}, {}, {}))
    run = simulate(definition, start=START).runs[0]
    assert [seconds(run, name) for name in "abc"] == [[(None, 1, 1, 61)]] * 3
    run = simulate(definition, start=START, pools={"db": 2}).runs[0]
    assert [seconds(run, name)[0][2] for name in "abc"] == [1, 1, 62]


def test_who_is_next_in_a_pool() -> None:
    definition = workflow(*pool_tasks({}, {"slots": 2}, {"priority": 1}))
    run = simulate(definition, start=START, pools={"db": 2}).runs[0]
    assert [seconds(run, name)[0][2] for name in "abc"] == [1, 62, 1]


def test_runs_share_a_pool() -> None:
    definition = workflow(*pool_tasks({}), schedule={"cron": "* * * * *"}, concurrency={"maxActiveRuns": 5})
    result = simulate(definition, start=START, end="2025-04-01T00:03:00Z", duration="2m", pools={"db": 1})
    assert [f"{run.task('a').started_at:%H:%M:%S}" for run in result] == ["00:01:01", "00:03:02", "00:05:03"]


def test_a_pool_that_is_too_small() -> None:
    run = simulate(workflow(*pool_tasks({"slots": 3})), pools={"db": 2}).runs[0]
    assert (run.phase, run.task("a").phase, run.task("a").reason) == ("Running", "Queued", "PoolTooSmall")


def test_pools_and_holidays_of_another_file(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("""\
apiVersion: windlass.dev/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  schedule: {cron: "0 2 * * *", exclude: {configMap: {name: holidays}}}
  tasks:
  - {name: a, script: "true", pool: db}
  - {name: b, script: "true", pool: db}
""")
    beside = tmp_path / "beside.yaml"
    beside.write_text("""\
apiVersion: windlass.dev/v1alpha1
kind: Pool
metadata: {name: db}
spec: {slots: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: holidays}
data: {"2025-04-02": a day off}
""")
    result = simulate(load(file, beside), start=START, end="2025-04-04T00:00:00Z")
    assert [run.name for run in result] == ["w-20250401t0200", "w-20250403t0200"]
    assert result[0].duration == timedelta(seconds=122)


def test_a_task_that_waits_for_itself_in_the_slot_before() -> None:
    tasks = [{"name": "extract", "script": "x"}, {"name": "load", "script": "x", "dependsOn": ["extract"]}]
    tasks[1]["dependsOnPast"] = True
    definition = workflow(*tasks, schedule={"cron": "*/10 * * * *"}, concurrency={"maxActiveRuns": 3})
    given = {"start": START, "end": "2025-04-01T00:20:00Z", "durations": {"load": "15m"}}
    first, second = simulate(definition, **given).runs
    assert first.task("load").finished_at == second.task("load").tries[0].created_at
    first, second = simulate(definition, **given, fail="load@2025-04-01T00:10:00Z").runs
    assert (second.phase, second.task("load").reason) == ("Running", "DependsOnPast")


WRONG: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "an approval that times out, and can't": (
        [ASK],
        {"fail": "ask=Timeout"},
        "ask can't time out: the approval has no timeout, it would wait for ever",
    ),
    "an approval that has no memory": (
        [ASK],
        {"fail": "ask=OOM"},
        "ask is an approval: it fails with Error, a rejection, or with Timeout",
    ),
    "a value that the form does not take": (
        [ASK],
        {"outputs": {"ask": {"regoin": "eu"}}},
        "ask can't be answered so: the form has no value regoin: it has region (outputs says what the form is given)",
    ),
    "a child that has no memory": (
        [CHILD],
        {"fail": "sub=OOM"},
        "sub is a run of other: it fails with Error or Timeout",
    ),
    "a child that times out, and can't": (
        [CHILD],
        {"fail": "sub=Timeout"},
        "sub can't time out: it has no timeout, nor has its Workflow; it would run for ever",
    ),
    "no instance": ([EACH], {"fail": "each[x]"}, "'each[x]': 'x' is no instance: they are counted from 0"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_played(case: tuple[list[dict[str, Any]], dict[str, Any], str]) -> None:
    tasks, given, message = case
    with pytest.raises(WrongCue) as error:
        simulate(workflow(*tasks), **given)
    assert str(error.value) == message


def test_a_join_that_chooses() -> None:
    definition = workflow(
        {"name": "count", "script": "x"},
        {
            "name": "which",
            "dependsOn": ["count"],
            "switch": [{"when": "{{ tasks.count.outputs.rows > 9 }}", "then": ["large"]}, {"then": ["small"]}],
        },
        {"name": "large", "script": "x", "dependsOn": ["which"]},
        {"name": "small", "script": "x", "dependsOn": ["which"]},
        {"name": "tell", "script": "{{ tasks.which.outputs.chosen }}", "dependsOn": ["which"]},
    )
    run = simulate(definition, outputs={"count": {"rows": 3}}).runs[0]
    assert run.order == ("count", "small", "tell")
    assert run.launches("tell")[0].script == '["small"]'


def test_a_teardown_and_a_group_that_is_run_again() -> None:
    definition = workflow(
        {"name": "up", "script": "x"},
        {"name": "a", "script": "x", "dependsOn": ["up"], "group": "work"},
        {"name": "b", "script": "x", "dependsOn": ["a"], "group": "work"},
        {"name": "down", "script": "x", "dependsOn": ["b"], "teardownOf": ["up"]},
        groups=[{"name": "work", "retry": {"limit": 1, "delay": "1m"}}],
    )
    run = simulate(definition, start=START, fail="b:1").runs[0]
    assert (run.phase, run.task("a").attempts, run.task("b").attempts) == ("Succeeded", 2, 2)
    run = simulate(definition, start=START, fail="b").runs[0]
    assert (run.phase, run.task("down").phase) == ("Failed", "Succeeded")


def waiting(wait: dict[str, Any], **more: Any) -> dict[str, Any]:
    after = {"name": "after", "dependsOn": ["wait"], "script": "{{ tasks.wait.outputs | tojson }}"}
    return workflow({"name": "wait", "waitFor": wait, **more}, after)


JOB: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "name": "load-{{ ds }}"}
WAITS: dict[str, tuple[dict[str, Any], str]] = {
    "an object that is there": ({"object": JOB}, '{"name":"load-2025-04-01"}'),
    "a condition": ({"object": {**JOB, "condition": "Complete"}}, '{"name":"load-2025-04-01"}'),
    "a value": (
        {"object": {**JOB, "jsonPath": "{.status.phase}", "equals": "Bound"}},
        '{"name":"load-2025-04-01"}',
    ),
    "anything at a place": (
        {"object": {**JOB, "jsonPath": ".status.loadBalancer.ingress[1].ip"}},
        '{"name":"load-2025-04-01"}',
    ),
    "by labels": (
        {"object": {"apiVersion": "v1", "kind": "Pod", "selector": {"app": "db"}, "condition": "Ready=False"}},
        '{"name":"simulated"}',
    ),
    "a run": ({"run": {"workflow": "other"}}, '{"run":"other-simulated"}'),
    "a run of late": ({"run": {"workflow": "other", "end": "Ended", "within": "1h"}}, '{"run":"other-simulated"}'),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS.keys())
def test_what_is_awaited_comes(case: tuple[dict[str, Any], str]) -> None:
    wait, outputs = case
    run = simulate(waiting(wait), start=START).runs[0]
    assert (run.phase, run.duration, run.launches("after")[0].script) == ("Succeeded", timedelta(seconds=61), outputs)
    late = simulate(waiting(wait), start=START, durations={"wait": "2h"}).runs[0]
    assert late.duration == timedelta(hours=2, seconds=61)


def test_times_that_are_awaited() -> None:
    script = {"name": "after", "dependsOn": ["wait"], "script": "x"}
    for wait in ({"duration": "3h"}, {"time": "{{ logical_date | date_add(hours=3) }}"}):
        run = simulate(workflow({"name": "wait", "waitFor": wait}, script), start=START).runs[0]
        assert run.duration == timedelta(hours=3, seconds=61)


def test_what_never_comes() -> None:
    wait = {"object": JOB, "timeout": "1h"}
    run = simulate(waiting(wait), start=START, fail="wait=Timeout").runs[0]
    assert (run.task("wait").phase, run.task("wait").reason, run.duration) == (
        "Failed",
        "WaitTimeout",
        timedelta(hours=1),
    )
    run = simulate(waiting({**wait, "onTimeout": "Skip"}), start=START, durations={"wait": "2h"}).runs[0]
    assert (run.phase, run.task("wait").phase) == ("Succeeded", "Skipped")


def test_an_object_that_says_no() -> None:
    wait = {"object": {**JOB, "condition": "Complete", "failsWhen": {"condition": "Failed"}}}
    run = simulate(waiting(wait), start=START, fail="wait", durations={"wait": "5m"}).runs[0]
    assert (run.task("wait").phase, run.task("wait").reason, run.duration) == (
        "Failed",
        "WaitFailed",
        timedelta(minutes=5),
    )


def test_a_pod_that_is_asked() -> None:
    wait = {"pod": {"script": "test -e /data/done"}, "interval": "5m"}
    definition = workflow({"name": "wait", "waitFor": wait})
    run = simulate(definition, start=START, fail={"wait": {1: 75, 2: 75}}, durations={"wait": "10s"}).runs[0]
    assert (run.phase, run.task("wait").phase) == ("Succeeded", "Succeeded")
    assert run.duration is not None
    assert timedelta(minutes=10) <= run.duration <= timedelta(minutes=11)


WRONG_WAITS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "for ever": (
        {"object": JOB},
        {"fail": "wait=Timeout"},
        "wait can't time out: waitFor has no timeout, it would wait for ever",
    ),
    "no memory": (
        {"object": JOB},
        {"fail": "wait=OOM"},
        "wait waits for something: it fails with Timeout, or Error where it says failsWhen",
    ),
    "a run that fails": (
        {"run": {"workflow": "o"}},
        {"fail": "wait"},
        "wait waits for something: it fails with Timeout",
    ),
    "a path that nobody can make up": (
        {"object": {**JOB, "jsonPath": "{.status.conditions[?(@.type=='x')].status}"}},
        {},
        "wait waits for {.status.conditions[?(@.type=='x')].status}: a simulation can't make up an object for that "
        "path; it takes names and numbers, such as {.status.phase} or .status.ports[0].name",
    ),
}


@pytest.mark.parametrize("case", WRONG_WAITS.values(), ids=WRONG_WAITS.keys())
def test_waits_that_can_not_be_played(case: tuple[dict[str, Any], dict[str, Any], str]) -> None:
    wait, given, message = case
    with pytest.raises(WrongCue) as error:
        simulate(waiting(wait), **given)
    assert str(error.value) == message
