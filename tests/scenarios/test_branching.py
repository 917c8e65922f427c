"""Switches, setups with their teardowns, and groups that are run again, while tasks fail and runs are stopped."""

from __future__ import annotations

from typing import Any

import pytest

from support.kubelet import Play, outputs
from support.world import NAMESPACE, Body, World
from windlass.resources import RUNS

FAILS = Play(exit_code=1)


def pod(name: str, *upstream: str, **fields: Any) -> Body:
    return {"name": name, "command": ["true"], "dependsOn": [*upstream], **fields}


def chooser(*cases: Body) -> list[Body]:
    return [
        pod("validate"),
        {"name": "choose", "dependsOn": ["validate"], "switch": [*cases]},
        pod("deploy", "choose"),
        pod("rollback", "choose"),
        pod("notify", "choose", triggerRule="Always"),
        pod("after", "deploy", "rollback", triggerRule="NoneFailedMinOneSuccess"),
    ]


GOOD = {"when": "{{ tasks.validate.outputs.accuracy > 0.9 }}", "then": ["deploy"]}
BAD = {"when": "{{ tasks.validate.outputs.accuracy < 0.5 }}", "then": ["rollback"]}
OTHERWISE = {"then": ["rollback"]}
BOTH = {"then": ["deploy", "rollback"]}
CHOICES = {
    "the first case that is true": (0.95, [GOOD, OTHERWISE], ["deploy"], "goes on with deploy"),
    "the last case without when": (0.7, [GOOD, OTHERWISE], ["rollback"], "goes on with rollback"),
    "no case is true": (0.7, [GOOD, BAD], [], "goes on with none"),
    "both, of one case": (0.7, [BOTH], ["deploy", "rollback"], "goes on with deploy, rollback"),
}  # fmt: skip


@pytest.mark.parametrize(("accuracy", "cases", "chosen", "message"), CHOICES.values(), ids=CHOICES.keys())
async def test_what_a_switch_chooses(accuracy: float, cases: list[Body], chosen: list[str], message: str) -> None:
    async with World({"validate": outputs(accuracy=accuracy)}) as world:
        world.run(tasks=chooser(*cases))
        assert await world.ended() == "Succeeded"
        named = {name for case in cases for name in case["then"]}
        assert {name: world.phases()[name] for name in ("deploy", "rollback")} == {
            name: "Succeeded" if name in chosen or name not in named else "Skipped" for name in ("deploy", "rollback")
        }
        assert world.phases()["notify"] == "Succeeded"
        decided = world.task("choose")
        assert (decided["outputs"], decided["reason"], decided["message"]) == ({"chosen": chosen}, "Switched", message)
        for name in named - {*chosen}:
            assert world.task(name)["reason"] == "NotChosen"
            assert world.task(name)["message"] == f"choose {message}"


async def test_a_case_that_can_not_be_asked_fails_the_switch() -> None:
    async with World({"validate": outputs(rows=1)}) as world:
        world.run(tasks=chooser(GOOD, OTHERWISE))
        assert await world.ended() == "Failed"
        assert world.task("choose")["reason"] == "TemplateError"
        assert world.task("choose")["message"].startswith("switch[0].when: ")


def with_setup(**teardown: Any) -> list[Body]:
    down = {"name": "down", "command": ["true"], "teardownOf": ["up"], "dependsOn": ["work"], **teardown}
    return [pod("up"), pod("work", "up"), down, pod("report", "work")]


TEARDOWNS = {
    "all is well": ({}, {}, "Succeeded", ("Succeeded", None)),
    "the work failed": ({"work": FAILS}, {}, "Failed", ("Succeeded", None)),
    "the setup failed": ({"up": FAILS}, {}, "Failed", ("UpstreamFailed", "SetupFailed")),
    "the teardown failed": ({"down": FAILS}, {}, "Succeeded", ("Failed", "Error")),
    "the teardown failed, and that counts": ({"down": FAILS}, {"allowFailure": False}, "Failed", ("Failed", "Error")),
    "the setup was skipped": ({}, {}, "Succeeded", ("Skipped", "SetupSkipped")),
}


@pytest.mark.parametrize(("plays", "fields", "outcome", "down"), TEARDOWNS.values(), ids=TEARDOWNS.keys())
async def test_a_teardown_runs_when_its_setup_succeeded(
    plays: dict[str, Play | list[Play]], fields: Body, outcome: str, down: tuple[str, str | None]
) -> None:
    async with World(plays) as world:
        tasks = with_setup(**fields)
        if down[1] == "SetupSkipped":
            tasks[0]["when"] = "{{ false }}"
        world.run(tasks=tasks)
        assert await world.ended() == outcome
        assert world.task("down")["phase"] == down[0]
        assert down[1] in (None, world.task("down").get("reason"))


STOPS = {
    "Cancel": ("Cancelled", "Succeeded"),
    "Terminate": ("Cancelled", "Cancelled"),
}


@pytest.mark.parametrize(("stop", "ends"), STOPS.items(), ids=STOPS.keys())
async def test_a_run_that_is_stopped_puts_away_what_it_has_set_up(stop: str, ends: tuple[str, str]) -> None:
    async with World({"work": Play(seconds=1000)}) as world:
        world.run(tasks=with_setup())
        await world.clock.advance(5)
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": stop}})
        assert (await world.ended(seconds=60), world.phases()["down"]) == ends
        assert (world.phases()["work"], world.phases()["report"]) == ("Cancelled", "Cancelled")


async def test_a_run_that_times_out_leaves_the_teardown_ten_minutes() -> None:
    async with World({"work": Play(seconds=1000), "down": Play(seconds=5000)}) as world:
        world.run(tasks=with_setup(), timeout="1m")
        assert await world.ended(seconds=900) == "Failed"
        assert (world.task("work")["reason"], world.task("down")["reason"]) == ("TimedOut", "TimedOut")
        assert 655 < world.clock.monotonic() < 700


def grouped(limit: int = 2) -> Body:
    return {
        "groups": [{"name": "load", "retry": {"limit": limit, "delay": "30s"}}],
        "tasks": [
            pod("before"),
            pod("stage", "before", group="load"),
            pod("merge", "stage", group="load"),
            pod("after", "merge"),
        ],
    }


def waits_for_its_group(world: World) -> bool:
    return any("retryAt" in group for group in world.status().get("groups") or ())


async def test_all_tasks_of_a_group_are_run_again() -> None:
    async with World({"merge": [FAILS, Play()]}) as world:
        world.run(**grouped())
        await world.until(lambda: waits_for_its_group(world))
        (group,) = world.status()["groups"]
        assert (group["name"], group["retries"], "retryAt" in group) == ("load", 0, True)
        assert world.phases()["after"] == "Waiting"
        assert await world.ended() == "Succeeded"
        counts = {task["name"]: len(task["attempts"]) for task in world.status()["tasks"]}
        assert counts == {"before": 1, "stage": 2, "merge": 2, "after": 1}
        assert world.status()["groups"] == [{"name": "load", "tasks": ["stage", "merge"], "retries": 1}]
        assert ("GroupRetrying", None) in world.watcher.events


async def test_after_its_last_retry_the_failure_of_a_group_counts() -> None:
    async with World({"merge": FAILS}) as world:
        world.run(**grouped(limit=2))
        assert await world.ended() == "Failed"
        counts = {task["name"]: len(task["attempts"]) for task in world.status()["tasks"]}
        assert counts == {"before": 1, "stage": 3, "merge": 3, "after": 0}
        assert world.phases()["after"] == "UpstreamFailed"
        assert world.status()["groups"] == [{"name": "load", "tasks": ["stage", "merge"], "retries": 2}]


async def test_a_group_that_waits_to_be_run_again_is_cancelled() -> None:
    async with World({"merge": FAILS}) as world:
        world.run(**grouped())
        await world.until(lambda: waits_for_its_group(world))
        world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"stop": "Cancel"}})
        assert await world.ended(seconds=5) == "Cancelled"
        assert (world.phases()["merge"], world.phases()["after"]) == ("Failed", "Cancelled")


async def test_a_group_goes_back_once_though_controllers_die() -> None:
    async with World({"merge": [FAILS, Play()]}) as world:
        world.run(**grouped())
        for _ in range(60):
            await world.clock.advance(0.9)
            await world.kill()
            await world.start()
        assert await world.ended() == "Succeeded"
        assert {task["name"]: len(task["attempts"]) for task in world.status()["tasks"]}["stage"] == 2
        assert len(world.kubelet.launched) == 6


async def test_a_group_is_addressed_by_its_name() -> None:
    async with World() as world:
        spec = grouped()
        world.run(tasks=spec["tasks"])
        assert await world.ended() == "Succeeded"
        action = world.act("Clear", tasks=["load"])
        assert await world.answered(action) == ("Applied", "runs again: 2 tasks: stage, merge")
        assert await world.ended() == "Succeeded"
        assert {task["name"]: len(task["attempts"]) for task in world.status()["tasks"]} == {
            "before": 1, "stage": 2, "merge": 2, "after": 1,
        }  # fmt: skip
        wrong = world.act("Clear", tasks=["laod"])
        assert await world.answered(wrong) == ("Refused", 'the run has no task laod: did you mean "load"?')
