"""Tasks that make objects of other controllers, which the tests play: how they end, go, and what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from support.world import NAMESPACE, Body, World
from windlass.resources import RUNS

SPARK, EMR = World.foreign
APP = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "spec": {"type": "Python"}}


def makes(manifest: Body | None = None, **fields: Any) -> Body:
    outer = ("retry", "timeout", "serviceAccountName")
    own = {key: fields.pop(key) for key in outer if key in fields}
    return {"name": "spark", "resource": {"manifest": manifest or APP, **fields}, **own}


def after() -> Body:
    return {"name": "after", "dependsOn": ["spark"], "command": ["echo", "{{ tasks.spark.outputs.id }}"]}


def apps(world: World) -> list[Body]:
    return world.store.list(SPARK, NAMESPACE)


def say(world: World, app: Body, state: str, **status: Any) -> None:
    """What the operator of Spark would say."""
    told = {"status": {"applicationState": {"state": state}, **status}}
    world.store.patch(SPARK, NAMESPACE, app["metadata"]["name"], told, subresource="status")


async def begun(world: World) -> Body:
    await world.clock.advance(1)
    (app,) = apps(world)
    return app


async def test_an_object_that_ends_well() -> None:
    async with World() as world:
        named = {**APP, "spec": {"day": "{{ ds }}"}}
        world.run(tasks=[makes(named, outputs={"id": "{.status.sparkApplicationId}"}), after()],
                  logicalDate="2026-03-01T00:00:00Z")  # fmt: skip
        app = await begun(world)
        assert app["spec"] == {"day": "2026-03-01"}
        assert app["metadata"]["labels"]["windlass.dev/task"] == "spark"
        assert [owner["kind"] for owner in app["metadata"]["ownerReferences"]] == ["WorkflowRun"]
        assert (world.task("spark")["phase"], world.task("spark")["reason"]) == ("Running", "ResourceRunning")
        waits = "waits for {.status.applicationState.state} = COMPLETED"
        assert world.task("spark")["message"] == f"SparkApplication {app['metadata']['name']}: {waits}"
        say(world, app, "RUNNING")
        await world.clock.advance(5)
        assert world.phase() == "Running"
        say(world, app, "COMPLETED", sparkApplicationId="spark-7")
        assert await world.ended(seconds=10) == "Succeeded"
        assert world.task("spark")["outputs"] == {"id": "spark-7"}
        assert world.task("spark")["attempts"][0]["kind"] == "sparkoperator.k8s.io/v1beta2/SparkApplication"
        assert len(apps(world)) == 1


async def test_an_object_that_fails_is_made_again_under_another_name() -> None:
    async with World() as world:
        world.run(tasks=[makes(retry={"limit": 1, "delay": "1s"}, remove="WhenDone")])
        first = await begun(world)
        say(world, first, "FAILED")
        await world.clock.advance(5)
        (second,) = apps(world)
        assert second["metadata"]["name"] != first["metadata"]["name"]
        say(world, second, "FAILED")
        assert await world.ended(seconds=10) == "Failed"
        assert [(one["class"], one["reason"]) for one in world.task("spark")["attempts"]] == [
            ("App", "ResourceFailed"), ("App", "ResourceFailed"),
        ]  # fmt: skip
        await world.clock.advance(3)
        assert apps(world) == []


async def test_a_name_of_its_authors_is_free_for_the_next_attempt() -> None:
    async with World() as world:
        named = {**APP, "metadata": {"name": "nightly"}}
        world.run(tasks=[makes(named, retry={"limit": 1, "delay": "1s"})])
        first = await begun(world)
        say(world, first, "FAILED")
        await world.clock.advance(20)
        (second,) = apps(world)
        assert (second["metadata"]["name"], second["metadata"]["uid"] != first["metadata"]["uid"]) == ("nightly", True)
        say(world, second, "COMPLETED")
        assert await world.ended(seconds=10) == "Succeeded"


async def test_what_is_done_with_is_deleted_and_waited_for() -> None:
    async with World() as world:
        world.run(tasks=[makes(remove="WhenDone"), {"name": "after", "dependsOn": ["spark"], "command": ["true"]}])
        app = await begun(world)
        say(world, app, "COMPLETED")
        assert await world.ended(seconds=20) == "Succeeded"
        assert apps(world) == []
        assert "removing" not in world.task("spark")


STOPS = {"Cancel": "Cancel", "Terminate": "Terminate"}


@pytest.mark.parametrize("stop", STOPS)
async def test_stopping_a_run_deletes_what_it_has_made(stop: str) -> None:
    async with World() as world:
        world.run(tasks=[makes()])
        await begun(world)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": stop}})
        assert await world.ended(seconds=30) == "Cancelled"
        assert (apps(world), world.task("spark")["phase"]) == ([], "Cancelled")


async def test_what_is_never_removed_outlives_its_run() -> None:
    async with World() as world:
        world.run(tasks=[makes(remove="Never")])
        app = await begun(world)
        assert "ownerReferences" not in app["metadata"]
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended(seconds=30) == "Cancelled"
        world.store.delete(RUNS, NAMESPACE, "r1")
        await world.clock.advance(30)
        assert len(apps(world)) == 1


async def test_an_object_that_takes_too_long() -> None:
    async with World() as world:
        world.run(tasks=[makes(timeout="1m")])
        await begun(world)
        assert await world.ended(seconds=120) == "Failed"
        (attempt,) = world.task("spark")["attempts"]
        assert (attempt["class"], attempt["reason"], apps(world)) == ("Timeout", "DeadlineExceeded", [])


async def test_an_object_that_somebody_deletes_is_made_again() -> None:
    async with World() as world:
        world.run(tasks=[makes()])
        first = await begun(world)
        world.store.delete(SPARK, NAMESPACE, first["metadata"]["name"])
        await world.clock.advance(5)
        (second,) = apps(world)
        say(world, second, "COMPLETED")
        assert await world.ended(seconds=10) == "Succeeded"
        assert [one.get("reason") for one in world.task("spark")["attempts"]] == ["ResourceGone", None]


async def test_a_missing_right_is_said_and_waited_for() -> None:
    async with World() as world:
        world.guests.refused.add("robot")
        world.run(tasks=[makes(serviceAccountName="robot")])
        await world.clock.advance(3)
        assert (world.task("spark")["reason"], world.task("spark")["message"]) == (
            "Forbidden", "robot cannot create sparkapplications",
        )  # fmt: skip
        world.guests.refused.clear()
        await world.clock.advance(60)
        say(world, apps(world)[0], "COMPLETED")
        assert await world.ended(seconds=10) == "Succeeded"


BAD = {
    "an unknown kind": ({**APP, "kind": "Nothing"}, "NoSuchKind"),
    "another namespace": ({**APP, "metadata": {"namespace": "kube-system"}}, "ResourceInvalid"),
    "a template that fails": ({**APP, "spec": "{{ 1 / 0 }}"}, "TemplateError"),
}


@pytest.mark.parametrize(("manifest", "reason"), BAD.values(), ids=BAD.keys())
async def test_what_can_not_be_made_fails_at_once(manifest: Body, reason: str) -> None:
    async with World() as world:
        world.run(tasks=[makes(manifest, retry={"limit": 3})])
        assert await world.ended(seconds=10) == "Failed"
        assert world.task("spark")["reason"] == reason


@pytest.mark.parametrize("manifest", [{"apiVersion": "v1"}, {"apiVersion": "v1", "kind": "Secret"}])
async def test_what_is_no_object_or_a_secret_is_refused(manifest: Body) -> None:
    async with World() as world:
        world.run(tasks=[makes(manifest)])
        assert await world.ended(seconds=10) == "Refused"
        assert "resource.manifest: " in world.status()["message"]


async def test_an_object_of_somebody_else_is_left_alone() -> None:
    async with World() as world:
        theirs = {**APP, "metadata": {"name": "nightly", "namespace": NAMESPACE}}
        world.store.create(SPARK, theirs)
        world.run(tasks=[makes({**APP, "metadata": {"name": "nightly"}})])
        assert await world.ended(seconds=10) == "Failed"
        assert world.task("spark")["reason"] == "NameTaken"
        assert "labels" not in apps(world)[0]["metadata"]


async def test_tests_of_the_author_count_before_those_of_the_kind() -> None:
    async with World() as world:
        good = [{"jsonPath": "{.status.applicationState.state}", "equals": "RUNNING"}]
        world.run(tasks=[makes(successWhen=good, failureWhen=[])])
        say(world, await begun(world), "RUNNING")
        assert await world.ended(seconds=10) == "Succeeded"


async def test_controllers_die_at_each_moment_and_nothing_is_made_twice() -> None:
    for moment in range(14):
        async with World() as world:
            world.run(tasks=[makes(remove="WhenDone")])
            for _ in range(moment):
                await world.clock.advance(0.3)
                if moment > 6 and apps(world):
                    say(world, apps(world)[0], "COMPLETED")
            await world.kill()
            await world.start()
            await world.clock.advance(2)
            for app in apps(world):
                say(world, app, "COMPLETED")
            assert await world.ended(seconds=30) == "Succeeded"
            assert len(world.task("spark")["attempts"]) == 1
            assert apps(world) == []


def deletes(name: str = "old", **fields: Any) -> Body:
    return makes({**APP, "metadata": {"name": name}}, make="Delete", **fields)


def an_app(world: World, name: str = "old", *finalizers: str) -> None:
    metadata = {"name": name, "namespace": NAMESPACE, "finalizers": list(finalizers)}
    world.store.create(SPARK, {**APP, "metadata": metadata})


async def test_an_object_is_deleted_and_the_task_waits_until_it_is_gone() -> None:
    async with World() as world:
        an_app(world, "old", "example.com/hold")
        world.run(tasks=[deletes()])
        await world.clock.advance(5)
        assert (world.task("spark")["phase"], world.task("spark")["reason"]) == ("Running", "Removing")
        assert "deletionTimestamp" in apps(world)[0]["metadata"]
        world.store.patch(SPARK, NAMESPACE, "old", {"metadata": {"finalizers": None}})
        assert await world.ended(seconds=5) == "Succeeded"
        assert apps(world) == []


async def test_what_is_not_there_need_not_be_deleted() -> None:
    async with World() as world:
        an_app(world, "another")
        world.run(tasks=[deletes()])
        assert await world.ended(seconds=5) == "Succeeded"
        assert len(apps(world)) == 1


REFUSALS = {
    "what is to be deleted": deletes(serviceAccountName="robot"),
    "what was made": makes(serviceAccountName="robot"),
}


@pytest.mark.parametrize("task", REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_right_to_delete_that_is_missing_is_said_and_waited_for(task: Body) -> None:
    async with World() as world:
        an_app(world)
        world.run(tasks=[task])
        world.guests.refused.add("robot") if "make" in task["resource"] else None
        await world.clock.advance(3)
        world.guests.refused.add("robot")
        if "make" not in task["resource"]:
            world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
            await world.clock.advance(3)
        assert world.task("spark")["message"] == "robot cannot delete sparkapplications"
        world.guests.refused.clear()
        assert await world.ended(seconds=120) == ("Succeeded" if "make" in task["resource"] else "Cancelled")
        assert [app["metadata"]["name"] for app in apps(world)] == ([] if "make" in task["resource"] else ["old"])


async def test_a_run_that_is_stopped_while_it_deletes() -> None:
    async with World() as world:
        an_app(world, "old", "example.com/hold")
        world.run(tasks=[deletes()])
        await world.clock.advance(5)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended(seconds=5) == "Cancelled"


JUNK: dict[str, Body] = {
    "a status that is a list": {"status": ["COMPLETED"]},
    "a status that is a text": {"status": "COMPLETED"},
    "conditions of nothing": {
        "status": {"conditions": [None, 7, "Ready", {"type": 5}, {"type": "Bad", "status": None}]}
    },
    "conditions that are an object": {"status": {"conditions": {"type": "Good"}}},
    "no labels": {"metadata": {"labels": None, "annotations": None}},
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
async def test_an_object_that_says_nonsense_disturbs_nobody(junk: Body) -> None:
    """Its status may be anything: other controllers write it."""
    async with World() as world:
        ends = {"successWhen": [{"condition": "Good"}], "failureWhen": [{"condition": "Bad"}]}
        world.run("r1", tasks=[makes(**ends, outputs={"id": "{.status.id}"})])
        world.run("r2", tasks=[{"name": "w", "waitFor": {"object": {
            "apiVersion": APP["apiVersion"], "kind": APP["kind"], "selector": {"windlass.dev/task": "spark"},
            "condition": "Good", "failsWhen": {"jsonPath": "{.status.conditions[?(@.type=='Bad')].status}",
                                               "equals": "True"},
        }}}])  # fmt: skip
        app = await begun(world)
        world.store.patch(SPARK, NAMESPACE, app["metadata"]["name"], junk)
        world.store.patch(SPARK, NAMESPACE, app["metadata"]["name"], junk, subresource="status")
        await world.clock.advance(10)
        assert [world.phase(run) for run in ("r1", "r2")] == ["Running"] * 2
        good = {"status": {"id": 7, "conditions": [None, {"type": "good", "status": "True"}]}}
        world.store.patch(SPARK, NAMESPACE, app["metadata"]["name"], good, subresource="status")
        if "metadata" in junk:
            world.store.patch(
                SPARK, NAMESPACE, app["metadata"]["name"], {"metadata": {"labels": app["metadata"]["labels"]}}
            )
        assert [await world.ended(run, 10) for run in ("r1", "r2")] == ["Succeeded"] * 2
        assert world.task("spark", "r1")["outputs"] == {"id": 7}


async def test_an_object_is_asked_for_as_soon_as_it_is_made() -> None:
    """Nothing else happens that would have the run planned again."""
    async with World() as world:
        world.run(tasks=[{"name": "first", "waitFor": {"duration": "30s"}}, {**makes(), "dependsOn": ["first"]}])
        await world.clock.advance(20)
        world.api.watches_open = False
        await world.clock.advance(13)
        assert world.task("spark")["attempts"][0]["uid"]
        say(world, apps(world)[-1], "COMPLETED")
        assert await world.ended(seconds=5) == "Succeeded"
