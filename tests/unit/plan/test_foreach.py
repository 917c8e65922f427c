"""How the instances of a repeated task count together, against the simulated cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from support.foreach import BAD, FOUR, outcome, outcome_or_none, world
from support.simulate import OK, Behaviour, World, infra_failure, workflow
from windlass.models.run import FailureClass, Stop, WorkflowRunSpec
from windlass.plan.types import PodResult, Refusal, RefusalKind

OOM = PodResult(FailureClass.OOM, "OOMKilled", 137, detail={"memoryLimit": "1Gi"})


@dataclass(frozen=True)
class Case:
    """Fields of the task, how attempts end, and what must come of it."""

    fields: dict[str, Any]
    ends: Mapping[str, Sequence[PodResult]]
    outcome: tuple[str, str, str | None, dict[str, int]]
    launches: int
    extra: dict[str, Any] = field(default_factory=dict)


ENDS = {
    "all are good": Case({}, {}, ("Succeeded", "Completed", "4 of 4 instances succeeded", {"succeeded": 4}), 4),
    "one fails": Case(
        {},
        {"load[2]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "1 of 4 instances failed: index 2; the first: exit code 3: no such file",
            {"succeeded": 3, "failed": 1},
        ),
        4,
    ),
    "one is tried again": Case(
        {"retry": {"limit": 1, "delay": "2s"}},
        {"load[2]": [BAD, OK]},
        ("Succeeded", "Completed", "4 of 4 instances succeeded", {"succeeded": 4}),
        5,
    ),
    "each has a budget of its own": Case(
        {"retry": {"limit": 1, "delay": "2s"}},
        {"load[1]": [BAD, OK], "load[2]": [BAD, OK], "load[3]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "1 of 4 instances failed: index 3; the first: exit code 3: no such file, after 1 retry",
            {"succeeded": 3, "failed": 1},
        ),
        7,
    ),
    "evictions are no failures": Case(
        {},
        {"load[0]": [infra_failure(), infra_failure(), OK], "load[3]": [infra_failure(), OK]},
        ("Succeeded", "Completed", "4 of 4 instances succeeded", {"succeeded": 4}),
        7,
    ),
    "the infra budget is of each": Case(
        {"retry": {"infraLimit": 1}},
        {"load[0]": [infra_failure()], "load[1]": [infra_failure(), OK]},
        (
            "Failed",
            "InstancesFailed",
            "1 of 4 instances failed: index 0; the first: the node was low on resource: memory, the infrastructure "
            "failed 2 times",
            {"succeeded": 3, "failed": 1},
        ),
        6,
    ),
    "enough are good": Case(
        {"forEach": {**FOUR, "minSuccess": 0.75}},
        {"load[2]": [BAD]},
        (
            "Succeeded",
            "Completed",
            "3 of 4 instances succeeded, 1 failed: index 2",
            {"succeeded": 3, "failed": 1},
        ),
        4,
    ),
    "not enough are good": Case(
        {"forEach": {**FOUR, "minSuccess": 0.75}},
        {"load[0]": [BAD], "load[2]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "2 of 4 instances failed: indices 0, 2; 3 had to succeed, and 2 did; the first: exit code 3: no such file",
            {"succeeded": 2, "failed": 2},
        ),
        4,
    ),
    "none need be good": Case(
        {"forEach": {"count": 2, "minSuccess": 0}},
        {"load[0]": [BAD], "load[1]": [BAD]},
        ("Succeeded", "Completed", "0 of 2 instances succeeded, 2 failed: indices 0, 1", {"failed": 2}),
        2,
    ),
    "the first failure stops the rest": Case(
        {"forEach": {**FOUR, "failFast": True}},
        {"load[0]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "1 of 4 instances failed: index 0; 3 were cancelled; the first: exit code 3: no such file",
            {"failed": 1, "cancelled": 3},
        ),
        4,
    ),
    "the first failure keeps others from starting": Case(
        {"forEach": {**FOUR, "failFast": True, "maxActive": 1}},
        {"load[1]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "1 of 4 instances failed: index 1; 2 were cancelled; the first: exit code 3: no such file",
            {"succeeded": 1, "failed": 1, "cancelled": 2},
        ),
        2,
    ),
    "failing fast waits until enough are lost": Case(
        {"forEach": {**FOUR, "failFast": True, "maxActive": 1, "minSuccess": 0.5}},
        {"load[0]": [BAD], "load[1]": [BAD], "load[2]": [BAD]},
        (
            "Failed",
            "InstancesFailed",
            "3 of 4 instances failed: indices 0, 1, 2; 1 were cancelled; 2 had to succeed, and 0 did; "
            "the first: exit code 3: no such file",
            {"failed": 3, "cancelled": 1},
        ),
        3,
    ),
    "failing fast waits for retries": Case(
        {"forEach": {**FOUR, "failFast": True, "maxActive": 2}, "retry": {"limit": 1, "delay": "1s"}},
        {"load[0]": [BAD, OK]},
        ("Succeeded", "Completed", "4 of 4 instances succeeded", {"succeeded": 4}),
        5,
    ),
    "when is asked for each item": Case(
        {"when": "{{ item != 'b' }}"},
        {},
        ("Succeeded", "Completed", "3 of 4 instances succeeded, 1 skipped", {"succeeded": 3, "skipped": 1}),
        3,
    ),
    "when is false for all items": Case(
        {"when": "{{ index > 7 }}"},
        {},
        ("Skipped", "WhenFalse", "when was false for each item", {"skipped": 4}),
        0,
    ),
    "skipped ones don't count": Case(
        {"when": "{{ index < 2 }}", "forEach": {**FOUR, "minSuccess": 0.5}},
        {"load[0]": [BAD]},
        (
            "Succeeded",
            "Completed",
            "1 of 4 instances succeeded, 2 skipped, 1 failed: index 0",
            {"succeeded": 1, "failed": 1, "skipped": 2},
        ),
        2,
    ),
    "a count": Case(
        {"forEach": {"count": 3}},
        {},
        ("Succeeded", "Completed", "3 of 3 instances succeeded", {"succeeded": 3}),
        3,
    ),
}


@pytest.mark.parametrize("case", ENDS.values(), ids=ENDS.keys())
def test_how_instances_count_together(case: Case) -> None:
    played = world(case.ends, **case.fields)
    played.play()
    assert outcome(played) == case.outcome
    assert len(played.launched) == case.launches
    assert played.pods == {}


def test_no_more_live_pods_than_max_active() -> None:
    played = world(forEach={"count": 9, "maxActive": 2})
    most = 0
    while not played.reconcile():
        most = max(most, sum(1 for pod in played.pods.values() if not pod.terminal))
    assert (most, outcome(played)[3]) == (2, {"succeeded": 9})


def test_no_more_live_pods_than_the_workflow_may_have() -> None:
    played = world(forEach={"count": 9})
    played.limit = 3
    most = 0
    while not played.reconcile():
        most = max(most, sum(1 for pod in played.pods.values() if not pod.terminal))
    assert (most, outcome(played)[3]) == (3, {"succeeded": 9})


def test_memory_grows_for_the_instance_that_wanted_it() -> None:
    ends = {"load[1]": [OOM, OOM, OK]}
    resources = {"limits": {"memory": "1Gi"}}
    played = world(ends, resources=resources, retry={"limit": 2, "delay": "1s", "oom": {"factor": 2}})
    played.play()
    assert [one.memory for one in played.launched if one.index == 1] == [None, "2048Mi", "4096Mi"]
    assert {one.memory for one in played.launched if one.index != 1} == {None}


def test_a_timeout_is_of_each_attempt() -> None:
    played = world(timeout="6s", retry={"limit": 0})
    played.play()
    assert outcome(played)[3] == {"succeeded": 2, "failed": 2}
    assert [why for _, why in played.endings if why == "Timeout"] == ["Timeout", "Timeout"]


def test_a_pod_that_never_starts_is_given_up() -> None:
    played = world(startTimeout="20s")
    played.script = lambda who, attempt: Behaviour(never_starts=who == "load[1]")
    played.play()
    assert outcome(played)[3] == {"succeeded": 3, "failed": 1}
    assert played.pods == {}


@pytest.mark.parametrize(("stop", "phase"), [(Stop.CANCEL, "Cancelled"), (Stop.TERMINATE, "Cancelled")])
def test_a_stopped_run_cancels_them(stop: Stop, phase: str) -> None:
    played = world(forEach={"count": 6, "maxActive": 2})
    played.play_until(lambda it: outcome_or_none(it).get("succeeded") == 2)
    played.run_spec = WorkflowRunSpec(stop=stop)
    assert played.play().phase == phase
    assert outcome(played) == ("Cancelled", "Cancelled" if stop is Stop.CANCEL else "Terminated",
                               "6/6 done, 4 cancelled", {"succeeded": 2, "cancelled": 4})  # fmt: skip


def test_nothing_new_starts_while_the_run_is_suspended() -> None:
    played = world(forEach={"count": 4, "maxActive": 1})
    played.play_until(lambda it: outcome_or_none(it).get("succeeded") == 1)
    played.run_spec = WorkflowRunSpec(suspend=True)
    before = len(played.launched)
    for _ in range(3):
        played.step()
        if all(pod.terminal for pod in played.pods.values()):
            break
        played.now = played.next_moment(None)
        played.tick()
    assert len(played.launched) == before
    played.run_spec = WorkflowRunSpec()
    played.play()
    assert outcome(played)[3] == {"succeeded": 4}


def test_a_refused_pod_fails_its_instance_only() -> None:
    played = world()
    played.refuse = lambda launch, tries: Refusal(RefusalKind.LAUNCH, "Forbidden", "no") if launch.index == 3 else None
    played.play()
    assert outcome(played) == (
        "Failed",
        "InstancesFailed",
        "1 of 4 instances failed: index 3; the first: no",
        {"succeeded": 3, "failed": 1},
    )


def test_a_quota_is_waited_for_and_not_stormed() -> None:
    played = world(forEach={"count": 600})

    def refuse(launch: Any, tries: int) -> Refusal | None:
        live = sum(1 for pod in played.pods.values() if not pod.terminal)
        if live < 10:
            return None
        retry_at = played.now + timedelta(seconds=min(60, 2**tries))
        return Refusal(RefusalKind.WAIT, "QuotaExceeded", "exceeded quota", retry_at)

    played.refuse = refuse
    played.script = lambda _who, _attempt: Behaviour(OK)
    played.play(limit=6000)
    assert outcome(played)[3] == {"succeeded": 600}
    assert sum(played.tries.values()) < 600 * 8
    assert played.events.count(("WaitingForQuota", "load[10]")) + played.events.count(("WaitingForQuota", "load")) <= 3


def test_few_failures_are_told_and_the_rest_counted() -> None:
    played = world({f"load[{index}]": [BAD] for index in range(100)}, forEach={"count": 100})
    played.play()
    assert sum(1 for reason, _ in played.events if reason == "TaskFailed") <= 12
    assert outcome(played)[2] == (
        "100 of 100 instances failed: indices 0-99; the first: exit code 3: no such file"
    )  # fmt: skip


def test_downstream_reads_one_list() -> None:
    spec = workflow(
        [
            {"name": "load", "forEach": {"count": 4}, "when": "{{ index != 2 }}"},
            {"name": "sum", "dependsOn": ["load"], "script": "echo {{ tasks.load.outputs | tojson }}"},
        ]
    )
    played = World(spec, lambda who, attempt: Behaviour(_outputs(who)))
    played.play()
    assert played.launched[-1].body.script == 'echo [{"n":0},{"n":1},null,{}]'


def _outputs(who: str) -> PodResult:
    return PodResult(None, "Completed", 0, json.dumps({"n": int(who[5:-1])})) if who in ("load[0]", "load[1]") else OK


def test_results_are_let_go_when_all_pods_have_been_made() -> None:
    """Each is safe in the status by then; until then the API has enough to do."""
    played = world(forEach={"count": 100})
    played.script = lambda _who, _attempt: Behaviour(OK, run=timedelta(0), start=timedelta(0))
    released_at: list[int] = []
    for _ in range(40):
        plan = played.step()
        released_at += [len(played.launched)] * len(plan.releases)
        played.now += timedelta(milliseconds=100)
        played.tick()
    assert (len(released_at), set(released_at)) == (100, {100})
