"""Objects that can't be read are set aside with a word that says why; the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from support.bodies import run_body
from support.kubelet import Play
from support.world import NAMESPACE, World
from windlass.resources import PODS, RUNS

ONE = [{"name": "a", "command": ["true"]}]


async def test_a_run_whose_status_was_made_garbage_is_set_aside_and_others_go_on() -> None:
    async with World({"a": Play(seconds=20)}) as world:
        world.run("bad", tasks=ONE)
        world.run("good", tasks=ONE)
        await world.until(lambda: world.phases("bad").get("a") == "Running")
        storage, key = (RUNS.group, RUNS.plural), (NAMESPACE, "bad")
        stored = world.store.find(storage, key)
        assert stored is not None
        world.store.put(storage, key, stored.body | {"status": {"phase": "Perhaps"}})
        await world.kill()
        await world.start()
        assert await world.ended("good") == "Succeeded"
        assert world.watcher.errors == 0
        await world.clock.advance(400)
        assert ("StatusUnreadable", None) in world.watcher.events
        assert len([pod for pod in world.pods() if pod["metadata"]["labels"]["windlass.dev/run"] == "bad"]) == 1


MALFORMED: dict[str, dict[str, Any]] = {
    "no attempt": {"windlass.dev/task": "a", "windlass.dev/run": "r1"},
    "an attempt that is no number": {"windlass.dev/task": "a", "windlass.dev/run": "r1", "windlass.dev/attempt": "x"},
    "a task that does not exist": {"windlass.dev/task": "zz", "windlass.dev/run": "r1", "windlass.dev/attempt": "1"},
    "no run": {"windlass.dev/task": "a", "windlass.dev/attempt": "1"},
    "nothing": {},
}


@pytest.mark.parametrize("labels", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_pod_with_labels_of_ours_that_make_no_sense_disturbs_nobody(labels: dict[str, Any]) -> None:
    async with World({"a": Play(seconds=5)}) as world:
        run = world.run(tasks=ONE)
        world.kubelet._known.add("stranger")
        owner = {
            "apiVersion": "windlass.dev/v1alpha1",
            "kind": "WorkflowRun",
            "name": "r1",
            "uid": run["metadata"]["uid"],
            "controller": True,
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "stranger",
                "namespace": NAMESPACE,
                "labels": {"app.kubernetes.io/managed-by": "windlass", **labels},
                "ownerReferences": [owner],
            },
            "spec": {"containers": [{"name": "main", "image": "x"}]},
        }
        world.informer.note(pod | {"metadata": pod["metadata"] | {"uid": "stranger", "resourceVersion": "9999999"}})
        assert await world.ended() == "Succeeded"
        assert world.watcher.errors == 0


async def test_a_spec_that_another_client_made_unreadable_is_refused_with_its_reason() -> None:
    async with World() as world:
        world.run(tasks=ONE)
        world.engine.run_seen(run_body("r2", uid="uid-2", version=10**6, spec={"workflowSpec": {"tasks": "none"}}))
        assert await world.ended() == "Succeeded"
        assert world.store.list(PODS, NAMESPACE)[0]["metadata"]["labels"]["windlass.dev/run"] == "r1"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a cycle": (
        {
            "tasks": [
                {"name": "a", "command": ["x"], "dependsOn": ["b"]},
                {"name": "b", "command": ["x"], "dependsOn": ["a"]},
            ]
        },
        "a → b → a",
    ),
    "an unknown dependency": ({"tasks": [{"name": "a", "command": ["x"], "dependsOn": ["ghost"]}]}, "ghost"),
    "a bad template": ({"tasks": [{"name": "a", "command": ["{{ params. }}"]}]}, "params."),
    "a template that names what does not exist": ({"tasks": [{"name": "a", "command": ["{{ params.no }}"]}]}, "no"),
    "a template that reads a task that is not upstream": (
        {"tasks": [{"name": "a", "command": ["x"]}, {"name": "b", "command": ["{{ tasks.a.outputs.x }}"]}]},
        "add it to dependsOn",
    ),
}


@pytest.mark.parametrize(("spec", "word"), BAD.values(), ids=BAD.keys())
async def test_a_definition_that_can_not_work_is_refused_and_says_why(spec: dict[str, Any], word: str) -> None:
    async with World() as world:
        world.run(**spec)
        assert await world.ended() == "Refused"
        assert word in world.status()["message"]
        assert world.kubelet.launched == []


async def test_a_wrong_parameter_is_refused_and_says_why() -> None:
    async with World() as world:
        world.workflow("etl", {"params": {"limit": {"type": "integer"}}, "tasks": ONE})
        world.run("etl-1", workflow="etl", params={"limit": "ten"})
        assert await world.ended("etl-1") == "Refused"
        assert "limit" in world.status("etl-1")["message"]


OUTPUTS = {
    "no JSON": (Play(message="rows=3"), "OutputsInvalid"),
    "a list": (Play(message="[1]"), "OutputsInvalid"),
    "cut at the limit": (Play(message='{"x": "' + "y" * 4089), "OutputsTooLarge"),
}


@pytest.mark.parametrize(("play", "reason"), OUTPUTS.values(), ids=OUTPUTS.keys())
async def test_outputs_that_can_not_be_read_fail_their_task(play: Play, reason: str) -> None:
    async with World({"a": play}) as world:
        world.run(tasks=ONE)
        assert await world.ended() == "Failed"
        assert world.task("a")["attempts"][0]["reason"] == reason


async def test_a_template_that_names_a_missing_output_fails_its_task_alone() -> None:
    async with World() as world:
        world.run(
            tasks=[
                *ONE,
                {"name": "b", "dependsOn": ["a"], "command": ["{{ tasks.a.outputs.rows }}"]},
                {"name": "c", "dependsOn": ["a"], "command": ["true"]},
            ]
        )
        assert await world.ended() == "Failed"
        assert world.phases() == {"a": "Succeeded", "b": "Failed", "c": "Succeeded"}
        assert world.task("b")["reason"] == "TemplateError"
