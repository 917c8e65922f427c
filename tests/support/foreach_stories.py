"""Random lives of a run with a repeated task on the World, and what must hold in each of them."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.stories import Errors, errors
from support.world import NAMESPACE, World
from windlass.errors import ApiError, Conflict, QuotaExceeded, ServerError, Unreachable
from windlass.resources import PODS, RUNS

Body = dict[str, Any]
LOST = Unreachable("no answer")
FAULTS = (
    Fault(How.REFUSED, ServerError("boom", 500)),
    Fault(How.REFUSED, LOST),
    Fault(How.LOST_ANSWER, LOST),
    Fault(How.LATE, LOST, after=20),
    Fault(How.SLOW, after=2),
    Fault(How.KILLED_BEFORE),
    Fault(How.KILLED_AFTER),
)
OF_CREATES = Fault(How.REFUSED, QuotaExceeded("exceeded quota: q", 403))
OF_UPDATES = Fault(How.REFUSED, Conflict("newer", 409))
GOOD = Play(seconds=0.2, message='{"n": 1}')
PLAYS = (GOOD, GOOD, GOOD, Play(seconds=20), Play(exit_code=1), Play(exit_code=1), Play(message="no JSON"))
DISTURBING = ("delete a pod", "delete a pod by force", "strip a pod")
OVER = ("Succeeded", "Failed", "Cancelled")


class Life:
    """One run: how its instances go, and what happens to it, all drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.total = chance.randint(1, 12)
        self.plays = {
            f"t[{index}]": [chance.choice(PLAYS) for _ in range(chance.randint(1, 3))] for index in range(self.total)
        }
        for_each: Body = {"count": self.total}
        if chance.random() < 0.6:
            for_each["maxActive"] = chance.randint(1, 4)
        if chance.random() < 0.3:
            for_each |= {"failFast": True}
        if chance.random() < 0.4:
            for_each |= {"minSuccess": chance.choice([0, 0.5, 0.8])}
        self.task: Body = {
            "name": "t",
            "command": ["true"],
            "timeout": "8s",
            "forEach": for_each,
            "retry": {"limit": chance.randint(0, 2), "delay": chance.choice(["0s", "1s"])},
            "keepPods": chance.choice(["Always", "OnFailure", "Never"]),
        }
        self.spec: Body = {"tasks": [self.task, {"name": "end", "command": ["true"], "dependsOn": ["t"]}]}
        if chance.random() < 0.3:
            self.spec["concurrency"] = {"maxActiveTasks": chance.randint(1, 3)}
        self.faults = {chance.randint(0, 90): chance.choice(FAULTS) for _ in range(chance.randint(0, 8))}
        actions = ("kill", "kill", "cut watches", "suspend", *DISTURBING, "cancel")
        self.actions = sorted((chance.random() * 10, chance.choice(actions)) for _ in range(chance.randint(0, 5)))
        self.did: set[str] = set()

    def script(self, who: str, attempt: int) -> Play:
        plays = self.plays.get(who, [GOOD])
        return plays[min(attempt, len(plays)) - 1]

    def inject(self) -> Any:
        count = -1

        def inject(request: Request) -> Fault | None:
            nonlocal count
            if request.verb == "list":
                return None
            count += 1
            fault = self.faults.get(count)
            if fault is not None and fault.how is How.REFUSED and count % 2:
                return {"create": OF_CREATES, "update": OF_UPDATES}.get(request.verb, fault)
            return fault

        return inject


async def live(seed: int) -> list[str]:
    """Play a life to its end; what was broken in it."""
    life = Life(seed)
    with errors() as found:
        async with World(script=life.script) as world:
            world.api.inject = life.inject()
            world.run(**life.spec)
            for moment, action in life.actions:
                await _pass(world, max(0.0, moment - world.clock.monotonic()), 0.5)
                _act(world, life, action)
            world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"suspend": False}})
            for _ in range(150):
                if world.phase() in OVER:
                    break
                await _pass(world, 20, 2)
            broken = _judged(world, life)
            world.api.inject = lambda request: None
            world.collects_every = 60
            await _pass(world, 9000, 4500)
            if world.pods() or world.leftovers():
                broken.append(f"left: {[pod['metadata']['name'] for pod in world.pods()]}, {world.leftovers()}")
    return broken + _errors(found)


def _errors(found: Errors) -> list[str]:
    return found.found


async def _pass(world: World, seconds: float, step: float) -> None:
    """Let time pass; a controller that was killed is started again."""
    end = world.clock.monotonic() + seconds
    while True:
        if world.api.killed:
            await world.kill()
            await world.clock.advance(1.5)
            await world.start()
        left = end - world.clock.monotonic()
        if left <= 0:
            return
        await world.clock.advance(min(step, left))


def _act(world: World, life: Life, action: str) -> None:
    life.did.add(action)
    pods = [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" not in pod["metadata"]]
    pod = life.chance.choice(pods) if pods else ""
    try:
        match action:
            case "kill":
                world.api.killed = True
            case "cut watches":
                world.api.cut_watches()
            case "suspend":
                world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"suspend": True}})
            case "cancel":
                world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
            case "delete a pod":
                world.store.delete(PODS, NAMESPACE, pod)
            case "delete a pod by force":
                world.store.delete(PODS, NAMESPACE, pod, grace=0)
            case "strip a pod":
                world.store.patch(PODS, NAMESPACE, pod, {"metadata": {"finalizers": []}})
    except ApiError:
        return


def _judged(world: World, life: Life) -> list[str]:
    if world.phase() not in OVER:
        return [f"the run has not ended: {world.told()}"]
    broken = []
    attempts = Counter((who, attempt) for _, who, attempt in world.kubelet.launched)
    late = any(fault.how is How.LATE for fault in life.faults.values())
    disturbed = bool(life.did.intersection(DISTURBING))
    if not (late and disturbed) and "strip a pod" not in life.did:
        broken += [f"{key} was launched {count} times" for key, count in attempts.items() if count > 1]
    task = world.task("t")
    counts = task.get("instances")
    if counts is None:
        return broken if task["phase"] == "Cancelled" else [*broken, f"no instances: {task}"]
    ended = sum(counts.get(key, 0) for key in ("succeeded", "failed", "skipped", "cancelled"))
    if ended != life.total or counts["total"] != life.total:
        broken.append(f"{ended} of {life.total} are counted: {counts}")
    most = min(life.task["forEach"].get("maxActive", 99), life.spec.get("concurrency", {}).get("maxActiveTasks", 99))
    kills = "kill" in life.did or any(
        fault.how in (How.KILLED_BEFORE, How.KILLED_AFTER) for fault in life.faults.values()
    )
    if not late and not kills and not disturbed and world.kubelet.most_live > most:
        broken.append(f"{world.kubelet.most_live} pods at a time, and {most} may be")
    if not disturbed and "cancel" not in life.did and not life.task["forEach"].get("failFast"):
        broken += _exact(life, counts, attempts)
    return broken


def _exact(life: Life, counts: Body, attempts: Counter[tuple[str, int]]) -> list[str]:
    """Each instance went as its plays say: whatever happened, no result was lost, and none counted twice."""
    broken, succeeded = [], 0
    for index in range(life.total):
        who = f"t[{index}]"
        limit = life.task["retry"]["limit"]
        numbers = sorted(number for one, number in attempts if one == who)
        goods = [number for number in range(1, limit + 2) if life.script(who, number) == GOOD]
        wanted = list(range(1, (goods[0] if goods else limit + 1) + 1))
        succeeded += bool(goods)
        if numbers != wanted:
            broken.append(f"{who} had the attempts {numbers}, and not {wanted}")
    if counts.get("succeeded", 0) != succeeded or counts.get("failed", 0) != life.total - succeeded:
        broken.append(f"{succeeded} of {life.total} were to succeed: {counts}")
    return broken
