"""The main job, end to end on a virtual clock: runs go through their DAG, and cost few requests."""

from __future__ import annotations

from collections import Counter

from support.kubelet import COMMIT, Play, outputs
from support.world import World
from windlass.names import RESULT_FINALIZER, SOURCE_STEP
from windlass.resources import RUNS

CHAIN = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"]},
    {"name": "c", "command": ["true"], "dependsOn": ["b"]},
]


async def test_a_chain_runs_in_order_to_its_end() -> None:
    async with World() as world:
        world.run(tasks=CHAIN)
        assert await world.ended() == "Succeeded"
        assert [task for _, task, _ in world.kubelet.launched] == ["a", "b", "c"]
        status = world.status()
        assert (status["progress"], status["reason"], status["trigger"]) == ("3/3", "Completed", "Manual")
        assert status["duration"]


async def test_a_one_task_run_costs_at_most_four_requests() -> None:
    async with World({"a": Play(seconds=0.3)}) as world:
        world.api.requests.clear()
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        assert await world.ended() == "Succeeded"
        await world.clock.advance(1)
        spent = Counter((request.verb, request.resource) for request in world.api.requests)
        assert spent == {("create", "pods"): 1, ("update", "workflowruns"): 2, ("patch", "pods"): 1}


async def test_a_run_that_waits_costs_nothing() -> None:
    async with World({"a": Play(seconds=250)}) as world:
        world.run(tasks=[{"name": "a", "command": ["true"]}])
        await world.clock.advance(10)
        world.api.requests.clear()
        await world.clock.advance(200)
        assert world.api.requests == []


async def test_outputs_reach_the_tasks_downstream() -> None:
    async with World({"a": outputs(rows=3, files=["x", "y"])}) as world:
        world.run(
            tasks=[
                {"name": "a", "command": ["true"]},
                {
                    "name": "b",
                    "dependsOn": ["a"],
                    "command": ["load", "{{ tasks.a.outputs.files[1] }}"],
                    "env": [{"name": "ROWS", "value": "{{ tasks.a.outputs.rows }}"}],
                },
            ]
        )
        assert await world.ended() == "Succeeded"
        pod = next(pod for pod in world.pods() if pod["metadata"]["labels"]["windlass.dev/task"] == "b")
        container = pod["spec"]["containers"][0]
        assert container["command"] == ["load", "y"]
        assert {"name": "ROWS", "value": "3"} in container["env"]


async def test_a_failure_is_retried_after_its_delay_and_told() -> None:
    async with World({"a": [Play(exit_code=1, message="no such table"), Play()]}) as world:
        world.run(tasks=[{"name": "a", "command": ["true"], "retry": {"limit": 2, "delay": "5m"}}])
        await world.until(lambda: world.phases().get("a") == "Retrying")
        before = world.clock.monotonic()
        assert await world.ended() == "Succeeded"
        assert world.clock.monotonic() - before > 299
        first = world.task("a")["attempts"][0]
        assert (first["class"], first["exitCode"], first["message"]) == ("App", 1, "no such table")
        assert ("TaskRetrying", "a") in world.watcher.events or ("Retrying", "a") in world.watcher.events


async def test_a_failed_task_fails_the_run_and_skips_nothing_that_may_still_run() -> None:
    async with World({"a": Play(exit_code=2)}) as world:
        world.run(
            tasks=[
                {"name": "a", "command": ["false"]},
                {"name": "b", "command": ["true"], "dependsOn": ["a"]},
                {"name": "c", "command": ["true"]},
            ],
            **{"finally": [{"name": "clean", "command": ["true"]}]},
        )
        assert await world.ended() == "Failed"
        assert world.phases() == {"a": "Failed", "b": "UpstreamFailed", "c": "Succeeded", "clean": "Succeeded"}


async def test_results_are_released_once_stored_and_pods_of_good_tasks_go() -> None:
    async with World() as world:
        world.run(tasks=CHAIN)
        await world.ended()
        await world.clock.advance(5)
        assert [RESULT_FINALIZER in (pod["metadata"].get("finalizers") or ()) for pod in world.pods()] == [False] * 3
        await world.clock.advance(600)
        assert world.pods() == []
        assert len(world.engine.runs) == 0


async def test_the_limit_of_a_workflow_holds_over_all_its_runs() -> None:
    async with World() as world:
        tasks = [{"name": f"t{number}", "command": ["true"]} for number in range(4)]
        world.workflow("etl", {"concurrency": {"maxActiveTasks": 3}, "tasks": tasks})
        for number in range(3):
            world.run(f"etl-{number}", workflow="etl")
        for number in range(3):
            assert await world.ended(f"etl-{number}") == "Succeeded"
        assert world.kubelet.most_running <= 3
        assert len(world.kubelet.launched) == 12


async def test_suspend_starts_nothing_new_and_resume_goes_on() -> None:
    async with World() as world:
        run = world.run(tasks=CHAIN)
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.patch(RUNS, "data", "r1", {"spec": {"suspend": True}})
        await world.clock.advance(60)
        assert (world.phase(), world.phases()["b"]) == ("Suspended", "Queued")
        world.store.patch(RUNS, "data", "r1", {"spec": {"suspend": False}})
        assert await world.ended() == "Succeeded"
        assert world.store.get(RUNS, "data", "r1")["metadata"]["uid"] == run["metadata"]["uid"]


async def test_cancel_ends_what_runs_and_lets_finally_run() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        world.run(tasks=CHAIN, **{"finally": [{"name": "clean", "command": ["true"]}]})
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.patch(RUNS, "data", "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended() == "Cancelled"
        assert world.phases() == {"a": "Cancelled", "b": "Cancelled", "c": "Cancelled", "clean": "Succeeded"}


async def test_terminate_lets_nothing_run_any_more() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        world.run(tasks=CHAIN, **{"finally": [{"name": "clean", "command": ["true"]}]})
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.patch(RUNS, "data", "r1", {"spec": {"stop": "Terminate"}})
        assert await world.ended() == "Cancelled"
        assert set(world.phases().values()) == {"Cancelled"}
        assert len(world.kubelet.launched) == 1


async def test_a_task_that_takes_too_long_is_ended() -> None:
    async with World({"a": Play(seconds=float("inf"))}) as world:
        world.run(tasks=[{"name": "a", "command": ["sleep"], "timeout": "30s"}])
        assert await world.ended() == "Failed"
        assert world.task("a")["attempts"][0]["class"] == "Timeout"


async def test_the_ref_of_a_source_is_resolved_once_and_all_pods_get_that_commit() -> None:
    async with World() as world:
        world.run(source={"git": {"repo": "https://git.example.com/a.git", "ref": "main"}}, tasks=CHAIN)
        assert await world.ended() == "Succeeded"
        assert world.status()["source"]["commit"] == COMMIT
        tasks = [task for _, task, _ in world.kubelet.launched]
        assert tasks == [SOURCE_STEP, "a", "b", "c"]
        for pod in world.pods():
            if pod["metadata"]["labels"]["windlass.dev/task"] != SOURCE_STEP:
                assert any(COMMIT in argument for argument in pod["spec"]["initContainers"][0]["args"])


async def test_a_source_that_can_not_be_read_fails_the_run_with_the_words_of_git() -> None:
    bad = Play(exit_code=1, message="fatal: couldn't find remote ref nope")
    async with World({SOURCE_STEP: bad}) as world:
        world.run(source={"git": {"repo": "https://git.example.com/a.git", "ref": "nope"}}, tasks=CHAIN)
        assert await world.ended() == "Failed"
        status = world.status()
        assert (status["reason"], "couldn't find remote ref nope" in status["message"]) == ("SourceFailed", True)
        assert [task for _, task, _ in world.kubelet.launched] == [SOURCE_STEP]
