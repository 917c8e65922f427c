"""Schedules while the controller dies, requests go wrong, and two controllers act: each slot has its run, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.faults import LOST, on
from support.kubelet import Play
from support.scheduling import change, down, edit, runs, spec, status, told
from support.store_api import Fault, How, Request, StoreApi
from support.world import NAMESPACE, World
from windlass.errors import Conflict, Invalid, QuotaExceeded, ServerError, TooManyRequests
from windlass.resources import RUNS, WORKFLOWS

MINUTE, HOUR = 60.0, 3600.0
SLOTS = ["20250401t1205", "20250401t1210", "20250401t1215"]
WATCHED = {
    ("list", "workflows"),
    ("get", "workflows"),
    ("update", "workflows"),
    ("create", "workflowruns"),
    ("get", "workflowruns"),
    ("list", "workflowruns"),
    ("delete", "workflowruns"),
}
"""Requests that have to do with schedules; the rest is broken elsewhere."""


class Ledger:
    """Counts the runs that were made, by the slot that they were for."""

    def __init__(self, world: World) -> None:
        self.made: Counter[str] = Counter()
        create = world.store.create

        def counted(resource: Any, obj: Any, *rest: Any, **others: Any) -> Any:
            answer = create(resource, obj, *rest, **others)
            if resource is RUNS:
                self.made[obj["spec"]["slot"]["scheduledAt"]] += 1
            return answer

        world.store.create = counted  # type: ignore[method-assign]


KEPT = {"history": {"succeeded": 1}}


async def requests_of_three_slots() -> list[Request]:
    async with World({"work": Play(seconds=20)}) as world:
        world.api.requests.clear()
        world.workflow("etl", spec(catchUp="All", **KEPT))
        await world.clock.advance(17 * MINUTE)
        return [request for request in world.api.requests if (request.verb, request.resource) in WATCHED]


def at_request(number: int, fault: Fault) -> Any:
    count = 0

    def inject(request: Request) -> Fault | None:
        nonlocal count
        if (request.verb, request.resource) not in WATCHED:
            return None
        count += 1
        return fault if count == number + 1 else None

    return inject


async def whole(world: World, ledger: Ledger) -> None:
    await world.clock.advance(2 * MINUTE)
    assert ledger.made == {f"2025-04-01T12:{minute}:00Z": 1 for minute in ("05", "10", "15")}
    assert status(world)["lastSlot"] == "2025-04-01T12:15:00Z"
    assert status(world).get("missed") is None
    assert runs(world) == ["20250401t1215"]
    assert world.phase("etl-20250401t1215") == "Succeeded"


@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER], ids=lambda how: how.name)
async def test_killed_at_each_request_each_slot_has_one_run(how: How) -> None:
    total = len(await requests_of_three_slots())
    assert total > 12
    for number in range(total):
        async with World({"work": Play(seconds=20)}) as world:
            ledger = Ledger(world)
            world.api.inject = at_request(number, Fault(how))
            world.workflow("etl", spec(catchUp="All", **KEPT))
            for _ in range(17 * 12):
                await world.clock.advance(5)
                if world.api.killed:
                    await world.kill()
                    await world.start()
                    world.api.inject = lambda request: None
            await whole(world, ledger)


FAULTS = {
    "refused for now": Fault(How.REFUSED, ServerError("etcd has no leader", 500)),
    "too many": Fault(How.REFUSED, TooManyRequests("slowly", 429)),
    "the answer is lost": Fault(How.LOST_ANSWER, LOST),
    "carried out a minute later": Fault(How.LATE, LOST, after=60.0),
    "an old version": Fault(How.REFUSED, Conflict("the object has been modified", 409)),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_each_request_that_goes_wrong_changes_nothing_in_the_end(fault: Fault) -> None:
    asked = await requests_of_three_slots()
    for number, request in enumerate(asked):
        if isinstance(fault.error, Conflict) and request.verb != "update":
            continue
        if fault.how is How.LATE and request.verb == "delete":
            continue  # the run of another slot has gone before, as it should
        async with World({"work": Play(seconds=20)}) as world:
            ledger = Ledger(world)
            world.api.inject = at_request(number, fault)
            world.workflow("etl", spec(catchUp="All", **KEPT))
            await world.clock.advance(17 * MINUTE)
            await whole(world, ledger)


async def test_the_api_is_away_over_slots() -> None:
    for policy, made in (("None", []), ("Latest", ["1600"]), ("All", ["1300", "1400", "1500", "1600"])):
        async with World() as world:
            world.workflow("etl", spec("0 * * * *", catchUp=policy, concurrency={"maxActiveRuns": 9}))
            await world.clock.advance(30 * MINUTE)
            world.api.inject = lambda request: Fault(How.REFUSED, ServerError("away", 503))
            await world.clock.advance(4 * HOUR)
            world.api.inject = lambda request: None
            await world.clock.advance(5 * MINUTE)
            assert [name[9:] for name in runs(world)] == made, policy
            assert status(world).get("missed", 0) == 4 - len(made)


async def test_the_watch_is_silent_the_list_tells_of_new_workflows() -> None:
    async with World() as world:
        await world.kill()
        world.workflow("etl", spec())
        await world.start()
        await world.clock.advance(310)
        assert runs(world) == SLOTS[:1]


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


@pytest.mark.parametrize("moment", [0.0, 200.0, 299.9, 300.0, 300.5, 301.5, 330.0])
async def test_two_controllers_at_once_make_one_run_a_slot(moment: float) -> None:
    async with World({"work": Play(seconds=20)}) as world:
        ledger = Ledger(world)
        world.workflow("etl", spec(catchUp="All", **KEPT))
        await world.clock.advance(moment)
        async with second(world):
            await world.clock.advance(17 * MINUTE - moment)
            await whole(world, ledger)


async def test_a_leader_that_was_frozen_over_a_slot_makes_no_run_again() -> None:
    async with World({"work": Play(seconds=20)}) as world:
        ledger = Ledger(world)
        world.workflow("etl", spec(catchUp="All", **KEPT))
        await world.clock.advance(299)
        first = world.api
        wakes_at = 299.0 + 100

        def frozen(request: Request) -> Fault | None:
            now = world.clock.monotonic()
            return Fault(How.SLOW, after=wakes_at - now) if now < wakes_at else None

        first.inject = frozen
        async with second(world):
            await world.clock.advance(17 * MINUTE - 299)
            await whole(world, ledger)


async def test_a_run_that_is_refused_is_made_when_it_may_be() -> None:
    async with World() as world:
        refused = Fault(How.REFUSED, Invalid("denied by the policy no-runs", 422))
        world.workflow("etl", spec(history={"succeeded": 100}))
        world.workflow("other", spec())
        world.api.inject = on("create", "workflowruns", refused, times=10**9, name="etl")
        await world.clock.advance(HOUR)
        assert (status(world)["reason"], told(world)) == ("RunRefused", ["RunRefused"])
        assert "denied by the policy no-runs" in status(world)["message"]
        assert len(runs(world, "other")) > 8
        world.api.inject = lambda request: None
        await world.clock.advance(2 * MINUTE)
        assert runs(world)[0] == "20250401t1205", "its slots have waited"
        assert status(world)["reason"] in ("CatchingUp", "Scheduled")


async def test_a_quota_holds_runs_up_and_loses_none() -> None:
    async with World() as world:
        full = Fault(How.REFUSED, QuotaExceeded("exceeded quota", 403))
        world.api.inject = on("create", "workflowruns", full, times=5)
        world.workflow("etl", spec())
        await world.clock.advance(7 * MINUTE)
        assert runs(world) == SLOTS[:1]


async def test_a_workflow_that_is_deleted_while_nobody_looks_fires_no_more() -> None:
    async with World() as world:
        world.workflow("etl", spec())
        await world.clock.advance(310)
        await world.kill()
        world.store.delete(WORKFLOWS, NAMESPACE, "etl")
        await world.start()
        await world.clock.advance(HOUR)
        assert world.store.list(RUNS, NAMESPACE) == []


async def test_edits_at_any_moment_lose_and_double_no_slot() -> None:
    for moment in (299.0, 299.99, 300.0, 300.2, 301.0, 301.5):
        async with World({"work": Play(seconds=20)}) as world:
            ledger = Ledger(world)
            world.workflow("etl", spec(catchUp="All", **KEPT))
            await world.clock.advance(moment)
            edit(world, lambda whole: whole["spec"].update(description="another word"))
            await world.clock.advance(17 * MINUTE - moment)
            await whole(world, ledger)


async def test_ten_thousand_runs_of_the_past_slow_no_schedule() -> None:
    async with World({"work": Play(seconds=1)}) as world:
        await world.kill()
        made = world.workflow("etl", spec("* * * * *", history={"succeeded": 10000}))
        owner = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Workflow", "name": "etl", "controller": True}
        for number in range(10_000):
            body = {
                "apiVersion": "windlass.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {
                    "name": f"old-{number}",
                    "namespace": NAMESPACE,
                    "ownerReferences": [{**owner, "uid": made["metadata"]["uid"]}],
                },
                "spec": {"workflow": "etl"},
            }
            ended = {"phase": "Succeeded", "finishedAt": "2025-03-31T12:00:00Z"}
            world.store.replace(RUNS, {**world.store.create(RUNS, body), "status": ended}, "status")
        await world.start()
        await world.clock.advance(3 * MINUTE + 30)
        assert [name for name in runs(world) if not name.startswith("old")] == [
            f"20250401t120{minute}" for minute in (1, 2, 3)
        ]
        assert world.watcher.delays == [0.0] * 3


async def test_what_the_engine_remembers_of_workflows_goes_with_them() -> None:
    async with World({"work": Play(seconds=1)}) as world:
        for number in range(5):
            world.workflow(f"w{number}", spec(catchUp="All"))
        await world.clock.advance(6 * MINUTE)
        await down(world, MINUTE)
        change(world, "w0", suspend=True)
        for number in range(5):
            world.store.delete(WORKFLOWS, NAMESPACE, f"w{number}")
        await world.clock.advance(2 * HOUR)
        assert world.leftovers() == {}
        scheduler = world.engine.scheduler
        assert (len(scheduler.workflows), len(scheduler.queue), len(scheduler.queue._due)) == (0, 0, 0)
        assert len(world.engine.index) == 0
