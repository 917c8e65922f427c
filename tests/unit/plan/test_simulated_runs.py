"""Whole runs, drawn at random and played against a simulated cluster, with crashes at any point.

The simulation itself refuses what must never happen: a create after the run's end, a result released before it is
stored.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.simulate import OK, Behaviour, World, app_failure, infra_failure, workflow
from windlass.models.run import FailureClass, Stop, WorkflowRunSpec, WorkflowRunStatus
from windlass.models.task import TriggerRule
from windlass.names import SOURCE_STEP
from windlass.plan.reasons import entry
from windlass.plan.types import Launch, PodResult, Refusal, RefusalKind

SEEDS = st.integers(0, 2**32)
RESULTS = [
    OK,
    OK,
    OK,
    app_failure(),
    app_failure(75),
    infra_failure(),
    PodResult(FailureClass.OOM, "OOMKilled", 137),
    PodResult(None, "Completed", 0, '{"rows": 3}'),
    PodResult(None, "Completed", 0, "no json"),
]


def behaviour(chance: Random, *, losses: bool) -> Behaviour:
    lost = losses and chance.random() < 0.2
    return Behaviour(
        result=chance.choice(RESULTS),
        run=timedelta(seconds=chance.choice([0, 1, 5, 40])),
        start=timedelta(seconds=chance.choice([1, 7] if lost else [0, 1, 7])),
        lost=lost,
        never_starts=chance.random() < 0.1,
    )


def some_tasks(chance: Random) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number in range(chance.randint(1, 6)):
        names = [task["name"] for task in made]
        task: dict[str, Any] = {
            "name": f"t{number}",
            "dependsOn": chance.sample(names, k=min(len(names), chance.randint(0, 3))),
            "triggerRule": chance.choice([*TriggerRule, *[TriggerRule.ALL_SUCCESS] * 6]).value,
            "retry": {"limit": chance.randint(0, 2), "delay": chance.choice(["0s", "3s"]), "infraLimit": 2},
            "startTimeout": "20s",
            "allowFailure": chance.random() < 0.4,
            "keepPods": chance.choice(["Always", "OnFailure", "Never"]),
            "keepPodsFor": "3m",
        }
        if chance.random() < 0.2:
            task["when"] = chance.choice(["{{ 1 == 2 }}", "{{ params.missing }}"])
        if chance.random() < 0.3:
            task["timeout"] = "10s"
        if chance.random() < 0.2:
            task["join"] = True
        made.append(task)
    return made


def draw_world(seed: int, *, losses: bool) -> dict[str, Any]:
    """A definition and all that happens to it; a small seed stands for it, so that a failure can be had again."""
    chance = Random(seed)
    main = some_tasks(chance)
    fields: dict[str, Any] = {}
    if chance.random() < 0.5:
        fields["finally"] = [{"name": "z", "script": "echo {{ run.outcome }}", "startTimeout": "20s"}]
    if chance.random() < 0.3:
        fields["timeout"] = "30s"
    if chance.random() < 0.3:
        fields["workspace"] = {"keep": chance.choice(["Never", "OnFailure", "Always"])}
    if chance.random() < 0.3:
        fields["source"] = {"git": {"repo": "https://git.example.com/a.git"}}
    names = [task["name"] for task in main] + ["z", SOURCE_STEP]
    plan = {(name, number): behaviour(chance, losses=losses) for name in names for number in range(1, 5)}
    for number in range(1, 5):
        resolved = PodResult(None, "Completed", 0, '{"commit": "%s"}' % ("3f" * 20))
        plan[SOURCE_STEP, number] = Behaviour(chance.choice([resolved, resolved, app_failure(128)]))
    return {
        "spec": (main, fields),
        "plan": plan,
        # With a timeout too, chance would decide who still gets a pod in time.
        "limit": None if "timeout" in fields else chance.choice([None, None, 1, 2]),
        "stop": chance.choice([None, None, None, Stop.CANCEL, Stop.TERMINATE]),
        "stop_at": chance.randint(0, 12),
        "quota": set() if "timeout" in fields else set(chance.sample(names, k=min(len(names), chance.randint(0, 2)))),
        "refused": chance.choice([None, None, None, *names]),
    }


def make(drawn: dict[str, Any]) -> World:
    plan = drawn["plan"]
    main, fields = drawn["spec"]
    world = World(
        workflow(main, **dict(fields)),
        script=lambda task, attempt: plan.get((task, attempt), Behaviour()),
        limit=drawn["limit"],
        run_spec=WorkflowRunSpec(),
    )

    def refuse(launch: Launch, tries: int) -> Refusal | None:
        if launch.task == drawn["refused"]:
            return Refusal(RefusalKind.LAUNCH, "Forbidden", "violates PodSecurity")
        if launch.task in drawn["quota"] and tries == 1:
            later = world.now + timedelta(seconds=2)
            return Refusal(RefusalKind.WAIT, "QuotaExceeded", "exceeded quota: pods=10", later)
        return None

    world.refuse = refuse
    return world


def summary(status: WorkflowRunStatus) -> dict[str, Any]:
    """What must be the same however often the controller was killed, and whenever it looked."""
    return {
        "phase": status.phase,
        "reason": status.reason,
        "message": status.message,
        "progress": status.progress,
        "tasks": {
            task.name: (
                task.phase,
                task.reason,
                task.message,
                task.outputs,
                task.app_failures,
                task.infra_failures,
                [(attempt.number, attempt.class_, attempt.reason, attempt.pod) for attempt in task.attempts],
            )
            for task in status.tasks
        },
        "commit": status.source.commit if status.source else None,
    }


def check_end(world: World) -> None:
    status = world.stored
    assert status.phase is not None and status.phase.ended
    assert all(task.phase.ended for task in status.tasks)
    assert status.progress == f"{len(status.tasks)}/{len(status.tasks)}"
    assert world.pods == {}
    assert {state for state in world.reasons if state[0] is None or entry(*state) is None} == set()


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_run_always_ends_and_makes_each_pod_once(seed: int) -> None:
    drawn = draw_world(seed, losses=True)
    world = make(drawn)
    stop = drawn["stop"]
    for number in range(2000):
        if stop is not None and number == drawn["stop_at"]:
            world.run_spec = WorkflowRunSpec(stop=stop)
        if world.reconcile() or world.forgotten:
            break
    check_end(world)
    assert set(world.created.values()) <= {1}


@settings(max_examples=250, deadline=None)
@given(SEEDS, st.dictionaries(st.integers(0, 40), st.integers(0, 6), max_size=6))
def test_crashes_change_nothing(seed: int, crashes: dict[int, int]) -> None:
    # What is lost by force between a create and its record can't be told from what was never made.
    drawn = draw_world(seed, losses=False)
    calm, shaken = make(drawn), make(drawn)
    calm.play()
    shaken.play(crashes)
    check_end(shaken)
    assert set(shaken.created.values()) <= {1}
    assert summary(shaken.stored) == summary(calm.stored)
    assert shaken.workspace == calm.workspace
