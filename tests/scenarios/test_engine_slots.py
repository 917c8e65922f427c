"""`concurrency.maxActiveTasks` over several runs while requests go wrong: no slot is lost, none is given twice."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults import LOST, on
from support.kubelet import Play
from support.store_api import Fault, How
from support.world import NAMESPACE, World
from windlass.errors import Conflict, Invalid, QuotaExceeded, ServerError
from windlass.resources import RUNS

ONE_SLOT = {"concurrency": {"maxActiveTasks": 1}}
ONE = [{"name": "a", "command": ["true"]}]
TWO = [*ONE, {"name": "b", "command": ["true"]}]


def etl(world: World, runs: int, tasks: list[dict[str, Any]], **spec: Any) -> list[str]:
    world.workflow("etl", {**ONE_SLOT, "tasks": tasks, **spec})
    names = [f"etl-{number}" for number in range(1, runs + 1)]
    for name in names:
        world.run(name, workflow="etl")
    return names


BEFORE_THE_PODS = {
    "the first write met a conflict": ("update", "workflowruns", Fault(How.REFUSED, Conflict("newer", 409))),
    "the first write met an ill server": ("update", "workflowruns", Fault(How.REFUSED, ServerError("boom", 500))),
    "the first write was carried out without an answer": ("update", "workflowruns", Fault(How.LOST_ANSWER, LOST)),
    "the create met an ill server": ("create", "pods", Fault(How.REFUSED, ServerError("boom", 500))),
    "the create met a used up quota": ("create", "pods", Fault(How.REFUSED, QuotaExceeded("exceeded quota", 403))),
    "the create was carried out without an answer": ("create", "pods", Fault(How.LOST_ANSWER, LOST)),
    "the create was carried out late": ("create", "pods", Fault(How.LATE, LOST, after=40)),
    "the create met what no create should": ("create", "pods", Fault(How.REFUSED, Conflict("quota is updated", 409))),
    "the claim met an ill server": ("create", "persistentvolumeclaims", Fault(How.REFUSED, ServerError("boom", 500))),
}


@pytest.mark.parametrize("fault", BEFORE_THE_PODS.values(), ids=BEFORE_THE_PODS.keys())
@pytest.mark.parametrize("times", [1, 3])
async def test_a_slot_that_was_granted_in_vain_is_free_again(fault: tuple[str, str, Fault], times: int) -> None:
    async with World() as world:
        world.api.inject = on(*fault, times=times)
        runs = etl(world, 2, TWO, workspace={"size": "1Gi", "mountPath": "/data"})
        for run in runs:
            assert await world.ended(run) == "Succeeded"
        assert world.kubelet.most_live == 1
        assert len(world.kubelet.launched) == 4


async def test_a_pod_refused_for_good_gives_its_slot_to_the_run_that_waits() -> None:
    async with World() as world:
        world.api.inject = on("create", "pods", Fault(How.REFUSED, Invalid("no such field", 422)))
        runs = etl(world, 2, ONE)
        assert sorted([await world.ended(run) for run in runs]) == ["Failed", "Succeeded"]


@pytest.mark.parametrize("stop", ["Cancel", "Terminate", "delete"])
async def test_a_run_that_goes_while_its_pod_is_put_off_gives_its_slot_to_the_run_that_waits(stop: str) -> None:
    async with World() as world:
        world.api.inject = on("create", "pods", Fault(How.REFUSED, QuotaExceeded("exceeded quota", 403)), times=1)
        etl(world, 2, ONE)
        await world.clock.advance(0.1)
        (put_off,) = (name for name in ("etl-1", "etl-2") if world.task("a", name).get("reason") != "MaxActiveTasks")
        other = "etl-2" if put_off == "etl-1" else "etl-1"
        if stop == "delete":
            world.store.delete(RUNS, NAMESPACE, put_off)
        else:
            world.store.patch(RUNS, NAMESPACE, put_off, {"spec": {"stop": stop}})
        assert await world.ended(other, seconds=30) == "Succeeded"


@pytest.mark.parametrize("stop", ["Cancel", "delete"])
async def test_a_create_never_heard_of_holds_its_slot_no_longer_than_it_is_wanted(stop: str) -> None:
    async with World() as world:
        world.api.inject = on("create", "pods", Fault(How.REFUSED, LOST), times=1)
        etl(world, 2, ONE, **{"finally": [{"name": "clean", "command": ["true"]}]})
        await world.clock.advance(0.1)
        (unheard,) = (name for name in ("etl-1", "etl-2") if world.task("a", name).get("reason") != "MaxActiveTasks")
        other = "etl-2" if unheard == "etl-1" else "etl-1"
        if stop == "delete":
            world.store.delete(RUNS, NAMESPACE, unheard)
        else:
            world.store.patch(RUNS, NAMESPACE, unheard, {"spec": {"stop": "Cancel"}})
            assert await world.ended(unheard, seconds=60) == "Cancelled"
            assert world.task("clean", unheard)["phase"] == "Succeeded"
        assert await world.ended(other, seconds=60) == "Succeeded"


async def test_a_create_that_may_yet_be_carried_out_is_counted() -> None:
    """The other task must not take the slot of the first, whose pod appears only later."""
    async with World({"a": Play(seconds=300), "b": Play(seconds=300)}) as world:
        world.api.inject = on("create", "pods", Fault(How.LATE, LOST, after=0.2))
        (run,) = etl(world, 1, TWO)
        assert await world.ended(run) == "Succeeded"
        assert world.kubelet.most_live == 1


async def test_slots_of_runs_that_are_over_leave_nothing_behind() -> None:
    async with World() as world:
        for number in range(5):
            world.run(f"alone-{number}", tasks=ONE, **ONE_SLOT)
        runs = etl(world, 5, TWO)
        for run in runs:
            await world.ended(run)
        await world.clock.advance(5000)
        assert world.leftovers() == {}
