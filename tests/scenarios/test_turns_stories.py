"""Random lives of a Workflow's runs: whatever happens, no more are under way than may be, and nobody waits who may go.

`WINDLASS_STORIES=500 pytest tests/scenarios/test_turns_stories.py` tells more of them.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import Any

import pytest

from support.clock import START
from support.faults import LOST
from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Conflict, NotFound, ServerError
from windlass.models.common import format_time
from windlass.models.workflow import WorkflowSpec
from windlass.plan.history import summarize
from windlass.plan.turns import TurnKind, turn_among, waits
from windlass.resources import RUNS, WORKFLOWS

STORIES = int(os.environ.get("WINDLASS_STORIES", "12"))
FAULTS = (
    Fault(How.REFUSED, ServerError("boom", 500)),
    Fault(How.REFUSED, Conflict("newer", 409)),
    Fault(How.LOST_ANSWER, LOST),
    Fault(How.LATE, LOST, after=20),
    Fault(How.SLOW, after=2),
    Fault(How.KILLED_BEFORE),
    Fault(How.KILLED_AFTER),
)
PLAYS = (Play(seconds=1), Play(seconds=6), Play(exit_code=1), Play(seconds=15))


def definition(dice: random.Random) -> dict[str, Any]:
    task: dict[str, Any] = {"name": "a", "command": ["true"], "dependsOnPast": dice.random() < 0.3}
    spec: dict[str, Any] = {
        "tasks": [task],
        "concurrency": {
            "maxActiveRuns": dice.choice([1, 1, 2, 3]),
            "policy": dice.choice(["Queue", "Skip", "Replace"]),
        },
        "dependsOnPast": dice.random() < 0.4,
        "taskDefaults": {"keepPods": "Never"},
        "history": {"succeeded": 100, "failed": 100},
    }
    return spec | ({"deadline": {"after": "10s"}} if dice.random() < 0.4 else {})


def make(world: World, dice: random.Random, number: int) -> None:
    due = format_time(START + timedelta(hours=dice.randrange(8)))
    spec: dict[str, Any] = {"workflow": "etl", "logicalDate": due}
    if dice.random() < 0.6:
        spec["slot"] = {"trigger": "Schedule", "scheduledAt": due}
        if dice.random() < 0.2:
            spec["slot"] |= {"trigger": "Backfill", "backfill": "b"}
    if dice.random() < 0.3:
        spec["priority"] = dice.randint(-3, 3)
    if dice.random() < 0.15:
        spec["suspend"] = True
    world.run(f"r{number}", **spec)


def meddle(world: World, dice: random.Random) -> None:
    name = dice.choice([run["metadata"]["name"] for run in world.store.list(RUNS, NAMESPACE)] or ["none"])
    try:
        match dice.randrange(5):
            case 0:
                world.store.delete(RUNS, NAMESPACE, name)
            case 1:
                world.store.patch(RUNS, NAMESPACE, name, {"spec": {"stop": "Cancel"}})
            case 2:
                world.store.patch(RUNS, NAMESPACE, name, {"spec": {"suspend": True}})
            case 3:
                world.store.patch(RUNS, NAMESPACE, name, {"spec": {"suspend": False}})
            case _:
                world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"priority": dice.randint(-2, 2)}})
    except NotFound:
        pass


def under_way(world: World) -> int:
    runs = [summarize(body) for body in world.store.list(RUNS, NAMESPACE)]
    return sum(run.active and run.backfill is None for run in runs)


@pytest.mark.parametrize("seed", range(STORIES))
async def test_whatever_happens_turns_are_kept_and_nobody_is_forgotten(seed: int) -> None:
    dice = random.Random(seed)
    async with World(script=lambda _task, _attempt: dice.choice(PLAYS)) as world:
        spec = definition(dice)
        world.workflow("etl", spec)
        limit, troubled = spec["concurrency"]["maxActiveRuns"], True

        def inject(request: Request) -> Fault | None:
            # A controller that can't list at its start ends, and is started again by who runs it.
            hit = troubled and request.verb != "list" and dice.random() < 0.03
            return dice.choice(FAULTS) if hit else None

        world.api.inject = inject
        for number in range(14):
            make(world, dice, number)
            if dice.random() < 0.4:
                meddle(world, dice)
            for _ in range(dice.randrange(5)):
                await world.clock.advance(dice.choice([0.1, 0.5, 2]))
                assert under_way(world) <= limit, world.told()
                if world.api.killed:
                    await world.kill()
                    await world.start()
        troubled = False
        for body in world.store.list(RUNS, NAMESPACE):
            world.store.patch(RUNS, NAMESPACE, body["metadata"]["name"], {"spec": {"suspend": False}})
        for _ in range(150):
            await world.clock.advance(4)
            assert under_way(world) <= limit, world.told()
            if world.api.killed:
                await world.kill()
                await world.start()
        settled(world, spec)


def settled(world: World, spec: dict[str, Any]) -> None:
    """Nobody waits who may go; of those that go on, tasks wait for their past."""
    model = WorkflowSpec.model_validate(world.store.get(WORKFLOWS, NAMESPACE, "etl")["spec"])
    runs = [summarize(body) for body in world.store.list(RUNS, NAMESPACE)]
    for run in runs:
        if waits(run):
            assert turn_among(run, runs, model).kind is not TurnKind.GO, (run.name, world.told())
        elif run.active:
            assert world.task("a", run.name)["reason"] == "DependsOnPast", (run.name, world.told())
