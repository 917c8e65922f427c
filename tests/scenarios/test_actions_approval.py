"""Approvals on a virtual clock: they hold no pod, are answered once, and don't wait for ever."""

from __future__ import annotations

from typing import Any

import pytest

from support.world import World

ASK: dict[str, Any] = {"name": "ask", "approval": {"message": "Release {{ run.name }}?"}}
AFTER: dict[str, Any] = {"name": "after", "dependsOn": ["ask"], "command": ["true"]}
FORM = {"percent": {"type": "integer", "minimum": 1}, "note": {"type": "string", "default": "none"}}


def asking(**approval: Any) -> dict[str, Any]:
    return {"name": "ask", "approval": {**ASK["approval"], **approval}}


async def waiting(world: World) -> None:
    await world.until(lambda: world.phases().get("ask") == "Running")


async def test_a_yes_lets_the_run_go_on_with_the_form_s_values() -> None:
    after = {**AFTER, "command": ["go", "{{ tasks.ask.outputs.percent }}", "{{ tasks.ask.outputs.approvedBy }}"]}
    async with World() as world:
        world.run(tasks=[asking(form=FORM), after])
        await waiting(world)
        task = world.task("ask")
        assert (task["reason"], task["message"], world.pods()) == ("AwaitingApproval", "Release r1?", [])
        assert world.status()["message"] == "0 of 2 tasks done, ask waits for approval"
        answer = await world.answered(world.act("Approve", values={"percent": 10}, reason="good"))
        assert answer == ("Applied", "ask was approved by alice: good")
        assert await world.ended() == "Succeeded"
        assert world.task("ask")["outputs"] == {"percent": 10, "note": "none", "approvedBy": "alice"}
        (pod,) = world.pods()
        assert pod["spec"]["containers"][0]["command"] == ["go", "10", "alice"]


async def test_waiting_costs_nothing() -> None:
    async with World() as world:
        world.run(tasks=[asking(timeout="10m"), AFTER])
        await waiting(world)
        await world.clock.advance(2)
        world.api.requests.clear()
        await world.clock.advance(200)
        assert world.api.requests == []


async def test_a_no_fails_the_task_and_a_retry_asks_again() -> None:
    async with World() as world:
        world.run(tasks=[ASK, AFTER])
        await waiting(world)
        await world.answered(world.act("Reject", reason="too early"))
        assert await world.ended() == "Failed"
        task = world.task("ask")
        assert (task["reason"], task["message"]) == ("Rejected", "rejected by alice: too early")
        assert world.phases()["after"] == "UpstreamFailed"
        await world.answered(world.act("Retry"))
        await waiting(world)
        await world.answered(world.act("Approve", "ask"))
        assert await world.ended() == "Succeeded"


TIMEOUTS = {
    "Approve": ("Succeeded", "ApprovedByDefault", "nobody answered within 5m: approved by default", "Succeeded"),
    "Reject": ("Failed", "Rejected", "nobody answered within 5m: rejected by default", "Failed"),
    "Fail": ("Failed", "ApprovalTimeout", "nobody answered within 5m", "Failed"),
    None: ("Failed", "ApprovalTimeout", "nobody answered within 5m", "Failed"),
}


@pytest.mark.parametrize("default", TIMEOUTS)
@pytest.mark.parametrize("killed", [True, False])
async def test_nobody_s_answer(default: str | None, killed: bool) -> None:
    async with World() as world:
        approval = {"timeout": "5m", "form": FORM, **({"onTimeout": default} if default else {})}
        world.run(tasks=[asking(**approval), AFTER])
        await waiting(world)
        before = world.clock.monotonic()
        if killed:
            await world.clock.advance(100)
            await world.kill()
            await world.start()
        phase, reason, message, end = TIMEOUTS[default]
        assert await world.ended() == end
        task = world.task("ask")
        assert (task["phase"], task["reason"], task["message"]) == (phase, reason, message)
        assert 299 < world.clock.monotonic() - before < 310
        if default == "Approve":
            assert task["outputs"] == {"note": "none", "approvedBy": None}
        late = await world.answered(world.act("Approve", "ask", values={"percent": 1}))
        assert late == ("Refused", f"the run has ended already: {end}")


async def test_of_two_answers_the_first_counts() -> None:
    async with World() as world:
        world.run(tasks=[ASK, AFTER])
        await waiting(world)
        first, second = world.act("Approve", by="bob"), world.act("Reject", "ask", by="eve")
        assert (await world.answered(first))[0] == "Applied"
        message = "ask waits for no answer any more, it is Succeeded: approved by bob"
        assert await world.answered(second) == ("Refused", message)
        assert await world.ended() == "Succeeded"


APPROVERS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a user": ({"users": ["alice"]}, {}, True),
    "another user": ({"users": ["bob"]}, {}, False),
    "a member": ({"groups": ["ops"]}, {"requestedGroups": ["dev", "ops"]}, True),
    "no member": ({"groups": ["ops"]}, {"requestedGroups": ["dev"]}, False),
    "nobody is named": ({}, {}, True),
}


@pytest.mark.parametrize("case", APPROVERS.values(), ids=APPROVERS.keys())
@pytest.mark.parametrize("verb", ["Approve", "Reject"])
async def test_approvers(verb: str, case: tuple[dict[str, Any], dict[str, Any], bool]) -> None:
    approvers, fields, may = case
    async with World() as world:
        world.run(tasks=[asking(approvers=approvers)])
        await waiting(world)
        phase, message = await world.answered(world.act(verb, **fields))
        assert phase == ("Applied" if may else "Refused")
        if not may:
            wants = "user bob" if "users" in approvers else "group ops"
            assert message == f"alice is no approver of ask: it wants {wants}"


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({}, "the form wants a value for percent (integer)"),
    "unknown": ({"percent": 1, "x": 1}, "the form has no value x: it has note, percent"),
    "of another type": (
        {"percent": "1"},
        "the values are not as the form wants them: percent: '1' is not of type 'integer'",
    ),
    "too small": (
        {"percent": 0},
        "the values are not as the form wants them: percent: 0 is less than the minimum of 1",
    ),
}


@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES.keys())
async def test_values_that_the_form_does_not_want(case: tuple[dict[str, Any], str]) -> None:
    values, why = case
    async with World() as world:
        world.run(tasks=[asking(form=FORM)])
        await waiting(world)
        assert await world.answered(world.act("Approve", values=values)) == ("Refused", why)
        assert world.phases() == {"ask": "Running"}


async def test_a_form_that_is_not_there_takes_nothing() -> None:
    async with World() as world:
        world.run(tasks=[ASK])
        await waiting(world)
        why = "the form has no value percent: it takes none"
        assert await world.answered(world.act("Approve", values={"percent": 1})) == ("Refused", why)


async def test_two_that_wait_have_to_be_named() -> None:
    async with World() as world:
        world.run(tasks=[ASK, {**ASK, "name": "too"}])
        await world.until(lambda: world.phases() == {"ask": "Running", "too": "Running"})
        assert await world.answered(world.act("Approve")) == ("Refused", "ask, too wait for approval: name the task")
        await world.answered(world.act("Approve", "too"))
        assert world.phases() == {"ask": "Running", "too": "Succeeded"}


async def test_cancel_ends_the_waiting() -> None:
    async with World() as world:
        world.run(tasks=[ASK, AFTER])
        await waiting(world)
        await world.answered(world.act("Cancel"))
        assert await world.ended() == "Cancelled"
        assert set(world.phases().values()) == {"Cancelled"}


async def test_nobody_is_asked_while_the_run_is_suspended() -> None:
    async with World() as world:
        world.run(tasks=[asking(timeout="1m")], suspend=True)
        await world.until(lambda: world.phases().get("ask") == "Queued")
        await world.clock.advance(300)
        await world.answered(world.act("Resume"))
        await waiting(world)
        assert (await world.answered(world.act("Approve")))[0] == "Applied"


async def test_a_message_that_can_t_be_rendered_fails_the_task() -> None:
    first = {"name": "first", "command": ["true"]}
    ask = {**asking(message="{{ tasks.first.outputs.rows }}?"), "dependsOn": ["first"]}
    async with World() as world:
        world.run(tasks=[first, ask])
        assert await world.ended() == "Failed"
        assert world.task("ask")["reason"] == "TemplateError"
