"""What the controller's log tells of runs, on a virtual clock: each event once, with its run, and no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.kubelet import Play
from support.store_api import Fault, How, Request
from support.world import World
from windlass.errors import QuotaExceeded, ServerError
from windlass.resources import RUNS, Resource
from windlass.telemetry.logs import LogFormat, set_up
from windlass.telemetry.metrics import Metrics
from windlass.telemetry.observer import EngineObserver

SECRET = "correct-horse-battery"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, as JSON."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    stream = io.StringIO()
    set_up("debug", LogFormat.JSON, stream)
    yield stream
    root.setLevel(level)
    root.handlers[:] = handlers


def observed(*arguments: Any) -> World:
    """A world whose engine tells the real observer."""
    world = World(*arguments)
    world.watcher = EngineObserver(Metrics(), world.clock.now)  # type: ignore[assignment]  # it notes nothing for the test
    return world


def broken(verb: str) -> Callable[[Request], Fault | None]:
    """Requests of this kind are refused."""
    return lambda request: Fault(How.REFUSED, ServerError("it broke", 500)) if request.verb == verb else None


def story(log: io.StringIO, *levels: str) -> list[tuple[str, ...]]:
    """The lines about runs: message, run, task and attempt."""
    events = [json.loads(line) for line in log.getvalue().splitlines()]
    return [
        tuple(event[key] for key in ("message", "run", "task", "attempt") if key in event)
        for event in events
        if event["logger"] == "windlass.runs" and event["level"] in levels
    ]


async def test_the_story_of_a_run_that_fails_after_a_retry(log: io.StringIO) -> None:
    async with observed({"load": [Play(exit_code=3), Play(exit_code=4)]}) as world:
        tasks = [{"name": "load", "command": ["x"], "retry": {"limit": 1, "delay": "1s"}}]
        world.workflow("sales", {"tasks": [{"name": "get", "command": ["x"]}, {**tasks[0], "dependsOn": ["get"]}]})
        world.run(workflow="sales")
        await world.ended()
        await world.clock.advance(5)
    run = "data/r1"
    told = [(entry[0].partition(" at ")[0], *entry[1:]) for entry in story(log, "info", "warning")]
    assert [(text.partition(" after ")[0], *rest) for text, *rest in told] == [
        ("run admitted: Workflow sales", run),
        ("attempt failed: App, Error, exit code 3, on node-1", run, "load", "1"),
        ("task is tried again", run, "load"),
        ("attempt failed: App, Error, exit code 4, on node-1", run, "load", "2"),
        ("task ended: Failed, Error", run, "load"),
        ("run ended: Failed, TasksFailed", run),
    ]
    assert [entry[0] for entry in story(log, "debug")] == [
        "pod launched",
        "attempt succeeded",
        "task ended: Succeeded, Completed",
        "pod launched",
        "pod launched",
    ]
    uid = world.store.get(*_place("r1"))["metadata"]["uid"]
    assert {json.loads(line)["uid"] for line in log.getvalue().splitlines() if "windlass.runs" in line} == {uid}


async def test_a_wait_a_refusal_and_a_stop_are_told(log: io.StringIO) -> None:
    async with observed({"a": Play(seconds=50)}) as world:
        refused = iter([Fault(How.REFUSED, QuotaExceeded("exceeded quota: pods", 403))] * 4)
        world.api.inject = lambda request: (
            next(refused, None) if (request.verb, request.resource) == ("create", "pods") else None
        )
        world.run("waits", tasks=[{"name": "a", "command": ["x"]}])
        await world.until(lambda: world.phases("waits").get("a") == "Running")
        world.store.patch(*_place("waits"), {"spec": {"stop": "Cancel"}})
        await world.ended("waits")
        world.run("odd", tasks=[{"name": "a", "command": ["x"], "dependsOn": ["nobody"]}])
        await world.ended("odd")
    said = story(log, "info", "warning")
    assert ("task waits: QuotaExceeded", "data/waits", "a") in said
    assert ("run is being stopped: Cancelled", "data/waits") in said
    assert ("run refused: SpecInvalid", "data/odd") in said


async def test_values_and_messages_stay_out_of_the_log(log: io.StringIO) -> None:
    """At debug, with everything that can go wrong at a value: templates, parameters, pods, Events."""
    text = f"could not log in as {SECRET}"
    async with observed({"leaks": Play(exit_code=1, message=text)}) as world:
        token = {"name": "TOKEN", "value": SECRET}
        world.run("leaks", tasks=[{"name": "leaks", "command": ["x", SECRET], "env": [token]}])
        world.run(
            "template",
            params={"token": SECRET},
            tasks=[{"name": "a", "command": ["x", "{{ params.token.nothing }}"]}],
        )
        world.store.create(
            RUNS,
            {
                "apiVersion": "windlass.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {"name": "param", "namespace": "data"},
                "spec": {
                    "params": {"n": SECRET},
                    "workflowSpec": {
                        "params": {"n": {"type": "integer"}},
                        "tasks": [{"name": "a", "command": ["x"]}],
                    },
                },
            },
        )
        for run in ("leaks", "template", "param"):
            await world.ended(run)
        world.api.inject = broken("create")
        world.run("later", tasks=[{"name": "leaks", "command": ["x"], "env": [token]}])
        await world.clock.advance(30)
    assert "run ended: Failed" in log.getvalue()
    assert SECRET not in log.getvalue()


async def test_a_failed_look_at_a_run_names_it(log: io.StringIO) -> None:
    async with observed() as world:
        world.api.inject = broken("update")
        world.run("r1", tasks=[{"name": "a", "command": ["x"]}])
        await world.clock.advance(3)
    failed = [json.loads(line) for line in log.getvalue().splitlines() if "work on" in line]
    assert {(event["level"], event["run"]) for event in failed} == {("warning", "data/r1")}


def _place(name: str) -> tuple[Resource, str, str]:
    return RUNS, "data", name
