"""Pods into which a mesh or an agent puts containers: they end with the task, after its result is stored."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import World
from windlass.errors import Unreachable
from windlass.names import RESULT_FINALIZER

PROXY = {"spec": {"containers": [{"name": "proxy", "image": "mesh:1"}]}}


def meshed(name: str, *after: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "command": ["true"], "podTemplate": PROXY, "dependsOn": list(after), **fields}


async def test_what_was_injected_ends_with_the_task_and_nothing_is_lost() -> None:
    async with World({"a": outputs(n=1)}) as world:
        world.run(tasks=[meshed("a"), meshed("b", "a")])
        assert await world.ended(seconds=60) == "Succeeded"
        await world.clock.advance(2)
        assert world.task("a")["outputs"] == {"n": 1}
        assert [len(world.task(name)["attempts"]) for name in "ab"] == [1, 1]
        pods = world.pods()
        assert [pod["status"]["phase"] for pod in pods] == ["Failed", "Failed"]
        assert [pod["status"]["reason"] for pod in pods] == ["DeadlineExceeded", "DeadlineExceeded"]
        assert not any(RESULT_FINALIZER in (pod["metadata"].get("finalizers") or ()) for pod in pods)
        await world.clock.advance(600)
        assert world.pods() == []


async def test_a_failure_is_the_tasks_own() -> None:
    async with World({"a": [Play(exit_code=3, message="no table"), Play()]}) as world:
        world.run(tasks=[meshed("a", retry={"limit": 1, "delay": "1s"})])
        assert await world.ended(seconds=60) == "Succeeded"
        first = world.task("a")["attempts"][0]
        assert (first["class"], first["exitCode"], first["message"]) == ("App", 3, "no table")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("how", [How.KILLED_BEFORE, How.KILLED_AFTER, How.LOST_ANSWER])
async def test_the_end_is_told_only_after_the_result_is_stored(how: How, number: int) -> None:
    """Else a crash in between would make a Timeout of a success."""
    async with World({"a": outputs(n=1)}) as world:
        writes = 0

        def inject(request: Request) -> Fault | None:
            nonlocal writes
            if (request.verb, request.resource) != ("update", "workflowruns"):
                return None
            writes += 1
            return Fault(how, Unreachable("no answer")) if writes == number else None

        world.api.inject = inject
        world.run(tasks=[meshed("a")])
        for _ in range(60):
            await world.clock.advance(1)
            if world.api.killed:
                await world.kill()
                await world.start()
        assert (world.phase(), world.task("a")["outputs"], len(world.task("a")["attempts"])) == (
            "Succeeded",
            {"n": 1},
            1,
        )
        assert [pod["status"]["phase"] for pod in world.pods()] == ["Failed"]
