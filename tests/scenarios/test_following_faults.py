"""Following while the controller dies, requests go wrong, and two controllers act: each set of events makes one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.faults import LOST, on
from support.following import SOURCE, answered, follows, producing
from support.kubelet import Play, outputs
from support.scheduling import status
from support.store_api import Fault, How, Request, StoreApi
from support.world import World
from windlass.errors import Conflict, ServerError
from windlass.resources import RUNS

PLAYS = {"work": outputs(rows=5)}
EVENTS = (("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b"))
EVERY, END = 15.0, 80.0


def is_watched(request: Request) -> bool:
    """Whether the request has to do with following; the rest is broken elsewhere."""
    if request.resource == "workflows":
        return request.verb == "list" or (request.verb in ("get", "update") and request.name in ("all", "any"))
    return request.resource == "workflowruns" and request.verb in ("create", "get", "delete", "list")


class Ledger:
    """Notes what each run answers that was made to follow, by its Workflow."""

    def __init__(self, world: World) -> None:
        self.made: dict[str, list[str]] = {}
        create = world.store.create

        def noted(resource: Any, obj: Any, *rest: Any, **others: Any) -> Any:
            answer = create(resource, obj, *rest, **others)
            if resource is RUNS and "slot" in obj["spec"]:
                self.made.setdefault(obj["spec"]["workflow"], []).append(answered(obj))
            return answer

        world.store.create = noted  # type: ignore[method-assign]


def set_up(world: World) -> Ledger:
    """Sources whose history is short, one that follows all of them, one that follows any, and one that follows that."""
    ledger = Ledger(world)
    world.workflow("a", {**SOURCE, "history": {"succeeded": 0}})
    world.workflow("b", producing("sales/daily", history={"succeeded": 0}))
    world.workflow("all", follows("a", "sales/daily", how="all", history={"succeeded": 1}))
    world.workflow("any", follows("a", "sales/daily", history={"succeeded": 1}, concurrency={"maxActiveRuns": 9}))
    return ledger


async def live(world: World, tick: float = 5.0) -> None:
    """The time in which everything happens; a controller that was killed is started again."""
    due = list(enumerate(EVENTS))
    while world.clock.monotonic() < END:
        while due and due[0][0] * EVERY + 5 <= world.clock.monotonic():
            name, workflow = due.pop(0)[1]
            world.run(name, workflow=workflow)
        await world.clock.advance(tick)
        if world.api.killed:
            await world.kill()
            await world.start()
            world.api.inject = lambda request: None


async def check(world: World, ledger: Ledger, *, exactly: bool = True) -> None:
    await world.clock.advance(240)
    assert Counter(ledger.made["any"]) == Counter(name for name, _ in EVENTS), world.told()
    sets = ledger.made["all"]
    used = [name for one in sets for name in one.split("+")]
    assert len(used) == len(set(used)), f"an event made two runs: {sets}"
    assert all(one[0] == "a" and one.split("+")[1][0] == "b" for one in sets)
    assert {"a2", "b2"} <= set(used), f"the newest were not used: {sets}"
    if exactly:
        assert sets == ["a1+b1", "a2+b2"]
    assert status(world, "all")["waitingFor"] == "waits for a (Succeeded) and asset sales/daily"
    left = {run["metadata"]["name"] for run in world.store.list(RUNS)}
    assert not left & {name for name, _ in EVENTS}, "history has taken what was dealt with"
    assert len(left) == 2


async def requests() -> list[Request]:
    async with World(PLAYS) as world:
        world.api.requests.clear()
        ledger = set_up(world)
        await live(world)
        asked = [request for request in world.api.requests if is_watched(request)]
        await check(world, ledger)
        return asked


def at_request(number: int, fault: Fault) -> Any:
    count = 0

    def inject(request: Request) -> Fault | None:
        nonlocal count
        if not is_watched(request):
            return None
        count += 1
        return fault if count == number + 1 else None

    return inject


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER], ids=lambda how: how.name)
async def test_killed_at_each_request_each_set_makes_one_run(how: How) -> None:
    total = len(await requests())
    assert total > 20
    for number in range(total):
        async with World(PLAYS) as world:
            ledger = set_up(world)
            world.api.inject = at_request(number, Fault(how))
            await live(world)
            await check(world, ledger)


FAULTS = {
    "refused for now": (Fault(How.REFUSED, ServerError("etcd has no leader", 500)), "create get update delete list"),
    "the answer is lost": (Fault(How.LOST_ANSWER, LOST), "create update delete"),
    "carried out a minute later": (Fault(How.LATE, LOST, after=60.0), "create update"),
    "an old version": (Fault(How.REFUSED, Conflict("the object has been modified", 409)), "update"),
}


@pytest.mark.parametrize(("fault", "verbs"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_request_that_goes_wrong_changes_nothing_in_the_end(fault: Fault, verbs: str) -> None:
    for number, request in enumerate(await requests()):
        if request.verb not in verbs.split():
            continue
        async with World(PLAYS) as world:
            ledger = set_up(world)
            world.api.inject = at_request(number, fault)
            await live(world)
            await check(world, ledger, exactly=False)


@asynccontextmanager
async def second(world: World) -> AsyncIterator[StoreApi]:
    """Another controller, beside the one that there is, while the block lasts; the first one's API."""
    api, engine = world.api, world.engine
    world.api = StoreApi(world.store, world.clock)
    await world.start()
    try:
        yield api
    finally:
        api.killed = True
        world.end_engine(engine)


@pytest.mark.parametrize("moment", [0.0, 6.4, 6.5, 21.5, 21.6, 22.5, 60.0])
async def test_two_controllers_at_once_make_one_run_a_set(moment: float) -> None:
    async with World(PLAYS) as world:
        ledger = set_up(world)
        await world.clock.advance(moment)
        async with second(world):
            await live(world)
            await check(world, ledger)


@pytest.mark.parametrize("moment", [21.4, 21.5, 21.6, 51.5])
async def test_a_leader_that_was_frozen_makes_no_run_again(moment: float) -> None:
    async with World(PLAYS) as world:
        ledger = set_up(world)
        first = world.api

        def frozen(request: Request) -> Fault | None:
            now = world.clock.monotonic()
            return Fault(How.SLOW, after=moment + 30 - now) if moment <= now < moment + 30 else None

        first.inject = frozen
        async with second(world):
            await live(world)
            await check(world, ledger)


async def test_a_late_create_and_another_event_make_no_two_runs_of_one() -> None:
    async with World({"work": Play()}) as world:
        ledger = Ledger(world)
        world.workflow("a", SOURCE)
        world.workflow("b", SOURCE)
        world.workflow("c", follows("a", "b", how="all"))
        world.run("a1", workflow="a")
        await world.clock.advance(10)
        late = Fault(How.LATE, LOST, after=60.0)
        world.api.inject = lambda request: late if request.name.startswith("c-1-") else None
        world.run("b1", workflow="b")
        await world.clock.advance(1.6)
        await world.kill()
        world.run("a2", workflow="a")
        await world.start()
        world.api.inject = lambda request: None
        await world.clock.advance(300)
        assert len(ledger.made["c"]) == 1, ledger.made


async def test_a_run_that_is_met_by_its_name_and_answers_less_leaves_the_rest() -> None:
    tasks = [{"name": "quick", "command": ["x"], "produces": ["x/a"]}, {"name": "slow", "command": ["x"]}]
    async with World({"quick": Play(seconds=1.9), "work": Play(seconds=2), "slow": Play(seconds=100)}) as world:
        ledger = Ledger(world)
        world.workflow("a", {"tasks": tasks})
        world.workflow("b", SOURCE)
        world.workflow("c", follows("x/a", "b", how="all"))
        world.run("a1", workflow="a")
        await world.clock.advance(10)
        world.api.inject = on("create", "workflowruns", Fault(How.LOST_ANSWER, LOST), name="c-1-")
        take = world.engine.run_seen
        world.engine.run_seen = lambda body: None if "c-1-" in body["metadata"]["name"] else take(body)  # type: ignore[method-assign]
        for name, workflow in (("a2", "a"), ("b1", "b")):
            world.run(name, workflow=workflow)
        # The asset of a2 is a little older than the end of b1, and is heard of a little later.
        await world.clock.advance(20)
        assert ledger.made["c"] == ["a1+b1"]
        assert status(world, "c")["waitingFor"] == "waits for b (Succeeded); has asset x/a of run a2"
