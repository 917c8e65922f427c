"""The API server is away, refuses for good, or a namespace goes with all that is in it: nothing else notices."""

from __future__ import annotations

from collections import Counter

import pytest

from support.bodies import run_body
from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.errors import Invalid, ServerError, Unauthorized, Unreachable
from windlass.resources import NAMESPACES, PODS, RUNS

CHAIN = [{"name": "a", "command": ["true"]}, {"name": "b", "command": ["true"], "dependsOn": ["a"]}]
AWAY = {
    "nobody answers": Unreachable("connection refused"),
    "it is ill": ServerError("etcd leader changed", 503),
    "the token has expired": Unauthorized("the token has expired", 401),
}


@pytest.mark.parametrize("error", AWAY.values(), ids=AWAY.keys())
@pytest.mark.parametrize("begins", [0.0, 0.7, 3.0])
async def test_an_api_server_that_is_away_for_two_minutes_costs_time_only(error: Exception, begins: float) -> None:
    async with World({"a": Play(seconds=2, message=outputs(n=7).message)}) as world:
        world.run(tasks=CHAIN)
        await world.clock.advance(begins)
        world.api.inject = lambda request: Fault(How.REFUSED, error)  # type: ignore[arg-type]  # all of them are ApiErrors
        world.api.cut_watches()
        await world.clock.advance(120)
        world.api.inject = lambda request: None
        assert await world.ended() == "Succeeded"
        assert world.task("a")["outputs"] == {"n": 7}
        assert Counter((task, attempt) for _, task, attempt in world.kubelet.launched) == {("a", 1): 1, ("b", 1): 1}


async def test_an_outage_is_not_met_with_a_storm_of_requests() -> None:
    async with World({"a": Play(seconds=2)}) as world:
        for number in range(20):
            world.run(f"r{number}", tasks=CHAIN)
        await world.clock.advance(1)
        asked: list[Request] = []

        def away(request: Request) -> Fault:
            asked.append(request)
            return Fault(How.REFUSED, Unreachable("connection refused"))

        world.api.inject = away
        await world.clock.advance(120)
        assert len(asked) < 20 * 15


async def test_a_namespace_deleted_while_its_runs_are_going_takes_them_and_no_others() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        world.store.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
        world.run(tasks=CHAIN)
        world.store.create(RUNS, run_body("r2", namespace="other", spec={"workflowSpec": {"tasks": CHAIN}}))
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.delete(NAMESPACES, None, NAMESPACE)
        await world.clock.advance(120)
        assert world.store.list(PODS, NAMESPACE) == []
        assert [record.key.namespace for record in world.engine.runs] == ["other"]
        launched = Counter(task for _, task, _ in world.kubelet.launched)
        assert launched == {"a": 2, "b": 1}
        assert world.watcher.errors == 0


async def test_a_status_that_the_api_never_takes_is_told_and_holds_up_nobody() -> None:
    async with World() as world:
        world.run("bad", tasks=CHAIN)
        world.run("good", tasks=CHAIN)

        def inject(request: Request) -> Fault | None:
            if (request.verb, request.resource, request.name) != ("update", "workflowruns", "bad"):
                return None
            return Fault(How.REFUSED, Invalid("the object is too large", 413))

        world.api.inject = inject
        assert await world.ended("good") == "Succeeded"
        assert ("StatusRefused", None) in world.watcher.events
        assert world.status("bad") == {}
        world.api.inject = lambda request: None
        assert await world.ended("bad") == "Succeeded"
