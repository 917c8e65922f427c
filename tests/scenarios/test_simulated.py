"""A simulation says what the controller does: the same Workflow, played by both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass import names
from windlass.models.common import format_time, parse_time
from windlass.resources import RUNS
from windlass.testing import Simulation, simulate

Body = dict[str, Any]
GOOD, BAD = Play(seconds=60), Play(seconds=60, exit_code=1)


@dataclass(frozen=True)
class Case:
    """A Workflow, how its attempts go in the cluster, and the same for the simulation."""

    spec: Body
    plays: dict[str, Any] = field(default_factory=dict)
    fail: Any = None
    minutes: float = 60
    seconds: float = 0.5
    """How far moments may lie apart, for each task that comes one after the other: writes are put together."""


CHAIN = [
    {"name": "extract", "command": ["extract", "{{ ds }}"]},
    {"name": "load", "script": "load", "dependsOn": ["extract"], "retry": {"limit": 2, "delay": "30s"}},
    {"name": "tell", "script": "tell {{ task.attempt }}", "dependsOn": ["load"], "triggerRule": "AllDone"},
]
TENTHS = {"cron": "*/10 * * * *"}
CASES = {
    "all is well": Case({"tasks": CHAIN}),
    "a retry": Case({"tasks": CHAIN}, {"load": [BAD, GOOD]}, {"load": [1]}),
    "a failure": Case({"tasks": CHAIN, "finally": [{"name": "tidy", "script": "t"}]}, {"load": BAD}, "load"),
    "an end for want of memory": Case(
        {"tasks": CHAIN}, {"load": [Play(seconds=60, exit_code=137, reason="OOMKilled"), GOOD]}, "load:1=OOM"
    ),
    "a timeout": Case(
        {"tasks": [{"name": "a", "script": "x", "timeout": "5m"}]}, {"a": Play(seconds=float("inf"))}, "a=Timeout"
    ),
    "a limit of tasks": Case(
        {"tasks": [{"name": name, "script": "x"} for name in "abc"], "concurrency": {"maxActiveTasks": 2}}
    ),
    "a repeated task": Case(
        {
            "tasks": [
                {"name": "each", "script": "x {{ item }}", "forEach": {"items": [1, 2, 3]}, "retry": {"limit": 1}},
                CHAIN[0] | {"dependsOn": ["each"]},
            ]
        },
        {"each[1]": [BAD, GOOD]},
        "each[1]:1",
    ),
    "slots": Case({"tasks": CHAIN, "schedule": TENTHS}, {"load": [BAD, GOOD]}, "load:1"),
    "slots that overlap": Case(
        {"tasks": CHAIN, "schedule": {"cron": "*/2 * * * *"}, "concurrency": {"policy": "Skip"}}, minutes=11
    ),
    "slots that wait": Case({"tasks": CHAIN, "schedule": {"cron": "*/2 * * * *"}}, minutes=11, seconds=4),
    "newer slots first": Case(
        {"tasks": CHAIN, "schedule": {"cron": "*/2 * * * *"}, "concurrency": {"policy": "Replace"}},
        minutes=7,
        seconds=2,
    ),
    "the past": Case({"tasks": CHAIN, "schedule": TENTHS, "dependsOnPast": True}, {"load": BAD}, "load", 35),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_simulation_is_what_happens(case: Case) -> None:
    end = START + timedelta(minutes=case.minutes)
    world = World({"*": GOOD, **dict.fromkeys(_tasks(case.spec), GOOD), **case.plays})
    world.kubelet.start_delay = 1.0
    async with world:
        scheduled = "schedule" in case.spec
        world.workflow("w", case.spec)
        if not scheduled:
            world.run("w-1", workflow="w")
        await world.clock.advance(case.minutes * 60 - 0.001)
        happened = {run["metadata"]["name"]: run for run in world.store.list(RUNS, NAMESPACE)}
    manifest = {
        "apiVersion": names.API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": "w", "namespace": NAMESPACE},
        "spec": case.spec | {"history": {"succeeded": 100}},
    }
    result = simulate(manifest, start=START, end=end - timedelta(seconds=1) if scheduled else None, fail=case.fail)
    assert happened.keys() == {run.name for run in result}
    assert any(run.phase.ended for run in result)
    _compare(happened, result, end, case.seconds)


def _tasks(spec: Body) -> list[str]:
    return [task["name"] for task in (*spec["tasks"], *spec.get("finally", ()))]


def _compare(happened: dict[str, Body], result: Simulation, end: Any, seconds: float) -> None:
    """The phases, attempts and moments of those that have ended in time, and what others wait for."""
    for run in result:
        status = happened[run.name].get("status") or {}
        if run.finished_at is None or run.finished_at < end - timedelta(seconds=10):
            assert (status["phase"], status["reason"]) == (run.phase, run.reason)
            assert {task["name"]: (task["phase"], task.get("reason")) for task in status.get("tasks", ())} == {
                task.name: (task.phase, task.reason) for task in run.tasks
            }
            for stored in status.get("tasks", ()):
                task = run.task(stored["name"])
                if "instances" not in stored:
                    assert len(stored.get("attempts", ())) == min(3, task.attempts)
                _near(stored.get("startedAt"), task.started_at, seconds * len(run.tasks))
                _near(stored.get("finishedAt"), task.finished_at, seconds * len(run.tasks))


def _near(stored: str | None, moment: Any, seconds: float) -> None:
    if stored is None or moment is None:
        assert (stored, moment) == (None, None)
        return
    apart = abs(parse_time(stored) - moment)
    assert apart <= timedelta(seconds=seconds), f"{stored} is not {format_time(moment)}"
