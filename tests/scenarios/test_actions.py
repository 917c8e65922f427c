"""RunActions on a virtual clock: applied once, answered, whatever dies in between."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass.engine.trust import REFUSAL, ActionSettings
from windlass.errors import Conflict, ServerError, Unreachable
from windlass.resources import ACTIONS, CLAIMS, RUNS

FOREVER = Play(seconds=float("inf"))
CHAIN = [
    {"name": "a", "command": ["true"]},
    {"name": "b", "command": ["true"], "dependsOn": ["a"]},
    {"name": "c", "command": ["true"], "dependsOn": ["b"]},
]
FINALLY = {"finally": [{"name": "clean", "command": ["true"]}]}


def launched(world: World) -> list[tuple[str, int]]:
    return [(task, attempt) for _, task, attempt in world.kubelet.launched]


async def test_retry_goes_on_where_it_failed() -> None:
    async with World({"b": [Play(exit_code=1), Play()]}) as world:
        world.run(tasks=CHAIN, **FINALLY)
        assert await world.ended() == "Failed"
        first = world.status()
        action = world.act("Retry", reason="the table is there now")
        assert await world.answered(action) == ("Applied", "runs again: 3 tasks: b, c, clean")
        assert await world.ended() == "Succeeded"
        status = world.status()
        assert launched(world) == [("a", 1), ("b", 1), ("clean", 1), ("b", 2), ("c", 1), ("clean", 2)]
        assert (status["attempt"], status["startedAt"]) == (2, first["startedAt"])
        assert [attempt["number"] for attempt in world.task("b")["attempts"]] == [1, 2]
        (record,) = status["actions"]
        assert (record["verb"], record["by"], record["reason"]) == ("Retry", "alice", "the table is there now")


async def test_a_retried_run_knows_its_attempt() -> None:
    script = {"name": "a", "command": ["echo", "{{ run.attempt }}"]}
    async with World({"a": [Play(exit_code=1), Play()]}) as world:
        world.run(tasks=[script])
        await world.ended()
        world.act("Retry")
        await world.until(lambda: world.phase() == "Succeeded")
        commands = [pod["spec"]["containers"][0]["command"] for pod in world.pods()]
        assert sorted(commands) == [["echo", "1"], ["echo", "2"]]


async def test_retries_have_fresh_budgets() -> None:
    async with World({"a": Play(exit_code=1)}) as world:
        world.run(tasks=[{"name": "a", "command": ["false"], "retry": {"limit": 1, "delay": "10s"}}])
        await world.ended()
        before = world.clock.monotonic()
        await world.answered(world.act("Retry"))
        assert await world.ended() == "Failed"
        assert launched(world) == [("a", number) for number in (1, 2, 3, 4)]
        assert 10 <= world.clock.monotonic() - before < 15


async def test_clear_runs_a_task_and_what_is_after_it_again() -> None:
    async with World({"a": [outputs(n=1), outputs(n=2)]}) as world:
        world.run(tasks=CHAIN)
        assert await world.ended() == "Succeeded"
        assert await world.answered(world.act("Clear", "b", downstream=True)) == (
            "Applied",
            "runs again: 2 tasks: b, c",
        )
        assert await world.ended() == "Succeeded"
        assert launched(world) == [("a", 1), ("b", 1), ("c", 1), ("b", 2), ("c", 2)]


async def test_clear_ends_what_runs_before_it_runs_again() -> None:
    async with World({"a": [FOREVER, Play()]}) as world:
        world.run(tasks=CHAIN)
        await world.until(lambda: world.phases().get("a") == "Running")
        await world.answered(world.act("Clear", "a"))
        assert await world.ended() == "Succeeded"
        assert launched(world) == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
        assert world.kubelet.most_running == 1
        first = world.task("a")["attempts"][0]
        assert (first["reason"], first.get("class")) == ("Cancelled", None)


@pytest.mark.parametrize(
    ("verb", "fields", "phase", "end", "after"),
    [
        ("Skip", {}, "Skipped", "Succeeded", "Skipped"),
        ("MarkSuccess", {}, "Succeeded", "Succeeded", "Succeeded"),
        ("MarkFailed", {"reason": "the data is wrong"}, "Failed", "Failed", "UpstreamFailed"),
    ],
)
@pytest.mark.parametrize("running", [True, False])
async def test_a_task_is_given_its_end(
    verb: str, fields: dict[str, Any], phase: str, end: str, after: str, running: bool
) -> None:
    async with World({"a": Play(seconds=3), "b": FOREVER}) as world:
        world.run(tasks=CHAIN)
        await world.until(lambda: world.phases().get("b" if running else "a") == "Running")
        assert (await world.answered(world.act(verb, "b", **fields)))[0] == "Applied"
        assert await world.ended() == end
        assert world.phases() == {"a": "Succeeded", "b": phase, "c": after}
        assert ("b", 2) not in launched(world)


async def test_suspend_and_resume() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        world.run(tasks=CHAIN)
        await world.until(lambda: world.phases().get("a") == "Running")
        await world.answered(world.act("Suspend"))
        await world.clock.advance(60)
        assert (world.phase(), world.phases()["b"]) == ("Suspended", "Queued")
        await world.answered(world.act("Resume"))
        assert await world.ended() == "Succeeded"


async def test_the_later_word_on_suspending_counts() -> None:
    async with World() as world:
        world.run(tasks=CHAIN, suspend=True)
        await world.until(lambda: world.phase() == "Suspended")
        await world.answered(world.act("Resume"))
        assert await world.ended() == "Succeeded"


async def test_cancel_lets_finally_run_and_terminate_nothing() -> None:
    for verb, clean in (("Cancel", "Succeeded"), ("Terminate", "Cancelled")):
        async with World({"a": FOREVER}) as world:
            world.run(tasks=CHAIN, **FINALLY)
            await world.until(lambda world=world: world.phases().get("a") == "Running")
            await world.answered(world.act(verb))
            assert await world.ended() == "Cancelled"
            assert world.phases() == {"a": "Cancelled", "b": "Cancelled", "c": "Cancelled", "clean": clean}


async def test_a_run_that_was_stopped_by_its_spec_can_be_retried_and_stopped_again() -> None:
    async with World({"a": [FOREVER, FOREVER]}) as world:
        world.run(tasks=CHAIN)
        await world.until(lambda: world.phases().get("a") == "Running")
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended() == "Cancelled"
        await world.answered(world.act("Retry"))
        await world.until(lambda: world.phases().get("a") == "Running")
        await world.answered(world.act("Cancel"))
        assert await world.ended() == "Cancelled"
        assert world.status()["actions"][-1]["verb"] == "Cancel"


async def test_a_workspace_that_was_deleted_is_made_anew() -> None:
    workspace = {"workspace": {"size": "1Gi", "mountPath": "/data", "keep": "Never"}}
    async with World() as world:
        world.run(tasks=CHAIN, **workspace)
        await world.ended()
        await world.clock.advance(900)
        assert (len(world.engine.runs), world.store.list(CLAIMS, NAMESPACE)) == (0, [])
        _, message = await world.answered(world.act("Clear", "c"))
        assert "its workspace was deleted, so it gets a new and empty one" in message
        await world.until(lambda: world.task("c")["phase"] == "Running")
        assert len(world.store.list(CLAIMS, NAMESPACE)) == 1
        await world.ended()
        await world.clock.advance(900)
        assert (world.store.list(CLAIMS, NAMESPACE), world.leftovers()) == ([], {})


async def test_a_run_that_is_not_there_is_waited_for() -> None:
    async with World({"a": FOREVER}) as world:
        action = world.act("Cancel")
        await world.clock.advance(30)
        assert world.answer(action) == (None, "")
        world.run(tasks=CHAIN)
        assert (await world.answered(action))[0] == "Applied"
        assert await world.ended() == "Cancelled"
        late = world.act("Cancel", run="never")
        assert await world.answered(late, 90) == ("Refused", "there is no run never in the namespace data")


async def test_an_answered_action_is_removed_after_an_hour() -> None:
    async with World() as world:
        world.run(tasks=CHAIN)
        await world.ended()
        await world.answered(world.act("Cancel"))
        await world.clock.advance(3000)
        assert len(world.store.list(ACTIONS, NAMESPACE)) == 1
        await world.clock.advance(1200)
        assert world.store.list(ACTIONS, NAMESPACE) == []
        assert world.leftovers() == {}


async def test_what_nobody_vouches_for_is_refused() -> None:
    async with World({"a": FOREVER}) as world:
        await world.kill()
        world.actions = ActionSettings()
        await world.start()
        world.run(tasks=CHAIN)
        assert await world.answered(world.act("Cancel")) == ("Refused", REFUSAL)
        assert world.phase() == "Running"


FAULTS = {
    "killed before": Fault(How.KILLED_BEFORE),
    "killed after": Fault(How.KILLED_AFTER),
    "no answer": Fault(How.LOST_ANSWER, Unreachable("no answer")),
    "conflict": Fault(How.REFUSED, Conflict("newer", 409)),
    "an error": Fault(How.REFUSED, ServerError("boom", 500)),
}


async def alive(world: World) -> None:
    if world.api.killed:
        await world.kill()
        world.api.inject = lambda request: None
        await world.start()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(7))
async def test_a_retry_is_applied_once_whatever_goes_wrong(number: int, fault: str) -> None:
    """The number-th request after the action was made goes wrong; the end is the same."""
    async with World({"b": [Play(exit_code=1), Play()]}) as world:
        world.run(tasks=CHAIN)
        assert await world.ended() == "Failed"
        await world.clock.advance(600)
        count = -1

        def inject(request: Request) -> Fault | None:
            nonlocal count
            count += 1
            return FAULTS[fault] if count == number else None

        world.api.inject = inject
        action = world.act("Retry")
        for _ in range(200):
            await world.clock.advance(1)
            await alive(world)
            if world.phase() == "Succeeded" and world.answer(action)[0] == "Applied":
                break
        assert (world.phase(), world.answer(action)[0]) == ("Succeeded", "Applied")
        assert launched(world) == [("a", 1), ("b", 1), ("b", 2), ("c", 1)]
        assert (world.status()["attempt"], len(world.status()["actions"])) == (2, 1)


ONCE: dict[str, tuple[str, dict[str, Any], str, dict[str, str]]] = {
    "skip": (
        "Skip",
        {"tasks": ["b"]},
        "Succeeded",
        {"a": "Succeeded", "b": "Skipped", "c": "Skipped", "clean": "Succeeded"},
    ),
    "clear": ("Clear", {"tasks": ["b"]}, "Succeeded", dict.fromkeys(("a", "b", "c", "clean"), "Succeeded")),
    "cancel": (
        "Cancel",
        {},
        "Cancelled",
        {"a": "Succeeded", "b": "Cancelled", "c": "Cancelled", "clean": "Succeeded"},
    ),
}


@pytest.mark.parametrize("fault", ["killed before", "killed after"])
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("case", ONCE.values(), ids=ONCE.keys())
async def test_killed_at_each_request_an_action_on_a_task_that_runs_counts_once(
    case: tuple[str, dict[str, Any], str, dict[str, str]], number: int, fault: str
) -> None:
    verb, fields, end, phases = case
    async with World({"b": [FOREVER, Play()]}) as world:
        world.run(tasks=CHAIN, **FINALLY)
        await world.until(lambda: world.phases().get("b") == "Running")
        await world.clock.advance(5)
        count = -1

        def inject(request: Request) -> Fault | None:
            nonlocal count
            count += 1
            return FAULTS[fault] if count == number else None

        world.api.inject = inject
        action = world.act(verb, **fields)
        for _ in range(200):
            await world.clock.advance(1)
            await alive(world)
            if world.phase() == end and world.answer(action)[0] == "Applied":
                break
        assert (world.phase(), world.answer(action)[0], world.phases()) == (end, "Applied", phases)
        assert len(world.status()["actions"]) == 1
        assert len(set(world.kubelet.launched)) == len(world.kubelet.launched)
        assert world.kubelet.most_running == 1


@pytest.mark.parametrize("first", ["Cancel", "Retry"])
async def test_cancel_and_retry_at_once_are_taken_in_their_order(first: str) -> None:
    async with World({"a": Play(exit_code=1), "other": FOREVER}) as world:
        world.run(tasks=[*CHAIN, {"name": "other", "command": ["true"]}])
        await world.until(lambda: world.phases().get("a") == "Failed")
        verbs = [first, "Retry" if first == "Cancel" else "Cancel"]
        actions = {verb: world.act(verb) for verb in verbs}
        answers = {verb: await world.answered(action) for verb, action in actions.items()}
        assert answers["Cancel"][0] == "Applied"
        assert answers["Retry"] == (
            ("Refused", "the run is being stopped: wait until it has ended, then act on it")
            if first == "Cancel"
            else ("Applied", "runs again: 3 tasks: a, b, c")
        )
        assert await world.ended() == "Cancelled"


async def test_an_action_that_is_deleted_before_it_was_applied_is_withdrawn() -> None:
    async with World({"a": Play(seconds=5)}) as world:
        action = world.act("Cancel")
        await world.clock.advance(5)
        world.store.delete(ACTIONS, NAMESPACE, action)
        world.run(tasks=CHAIN)
        assert await world.ended() == "Succeeded"


EACH: dict[str, Any] = {"name": "each", "command": ["do", "{{ item }}"], "forEach": {"items": ["x", "y", "z"]}}


def of_instances(world: World) -> list[tuple[int, int]]:
    """Index and attempt of each pod that was made for an instance."""
    labels = [pod["metadata"]["labels"] for pod in world.pods()]
    return sorted(
        (int(label["windlass.dev/index"]), int(label["windlass.dev/attempt"]))
        for label in labels
        if "windlass.dev/index" in label
    )


async def test_a_retry_runs_only_the_instances_again_that_failed() -> None:
    each = {**EACH, "keepPods": "Always"}
    async with World(script=lambda task, attempt: Play(exit_code=attempt == 1)) as world:
        world.run(tasks=[each, {"name": "after", "command": ["true"], "dependsOn": ["each"], "retry": {"limit": 1}}])
        assert await world.ended() == "Failed"
        assert world.task("each")["instances"]["failedIndices"] == "0-2"
        action = world.act("Clear", "each", indices=[1])
        assert await world.answered(action) == ("Applied", "runs again: 2 tasks: each, index 1, after")
        assert await world.ended() == "Failed"
        assert world.task("each")["instances"]["failedIndices"] == "0,2"
        assert (await world.answered(world.act("Retry")))[0] == "Applied"
        assert await world.ended() == "Succeeded"
        assert of_instances(world) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]


async def test_a_retry_by_index_is_for_instances_that_failed() -> None:
    async with World(script=lambda task, attempt: Play(exit_code=attempt == 1)) as world:
        world.run(tasks=[{**EACH, "keepPods": "Always"}])
        assert await world.ended() == "Failed"
        assert (await world.answered(world.act("Retry", "each", indices=[1])))[0] == "Applied"
        assert await world.ended() == "Failed"
        said = await world.answered(world.act("Retry", "each", indices=[1, 2]))
        words = "index 1 of each has not failed: Clear runs an instance again whatever its end"
        assert said == ("Refused", words)
        assert of_instances(world) == [(0, 1), (1, 1), (1, 2), (2, 1)]


async def test_a_clear_ends_all_instances_first() -> None:
    async with World(script=lambda task, attempt: FOREVER if attempt == 1 else Play()) as world:
        world.run(tasks=[{**EACH, "keepPods": "Always"}])
        await world.until(lambda: world.kubelet.most_running == 3)
        await world.answered(world.act("Clear", "each"))
        assert await world.ended() == "Succeeded"
        assert of_instances(world) == [(index, attempt) for index in range(3) for attempt in (1, 2)]


async def test_a_repeated_task_is_skipped_while_it_runs() -> None:
    async with World(script=lambda task, attempt: FOREVER) as world:
        world.run(tasks=[EACH])
        await world.until(lambda: len(of_instances(world)) == 3)
        await world.answered(world.act("Skip", "each"))
        assert await world.ended() == "Succeeded"
        assert world.phases() == {"each": "Skipped"}
