"""Leaders that are cut off, frozen, or not answered: nobody leads beside another, and nobody stops without need."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.clock import VirtualClock, settle
from support.leases import STOPS_AFTER, Server, world
from windlass.errors import ServerError
from windlass.kube.lease import DURATION, LOOK, RENEW, Leadership
from windlass.resources import Resource


async def test_one_renewal_that_fails_does_not_end_the_term() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(10)
        w.server.failing.add("a")
        await w.advance(RENEW + LOOK)
        w.server.failing.clear()
        await w.advance(60)
        assert (a.is_leader, w.said) == (True, ["a starts"])


@pytest.mark.parametrize("after", [0.0, 0.4, 1.9])
async def test_a_renewal_that_is_never_answered_does_not_end_the_term(after: float) -> None:
    """A connection that died without a word, from some moment after a renewal on: the next try takes another one."""
    async with world() as w:
        a = w.stand("a")
        await w.advance(10 + after, step=0.1)
        w.server.silent = 1
        await w.advance(30, step=0.1)
        assert (w.server.silent, a.is_leader, w.said) == (0, True, ["a starts"])


async def test_a_lease_that_was_answered_late_is_renewed_in_time() -> None:
    async with world() as w:
        w.server.slow = 3.0
        a = w.stand("a")
        await w.advance(3, step=0.1)
        w.server.slow = 0.0
        await w.advance(30, step=0.1)
        assert (a.is_leader, w.said) == (True, ["a starts"])


async def test_two_renewals_that_are_never_answered_do() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(10, step=0.1)
        w.server.silent = 2
        await w.advance(RENEW + STOPS_AFTER, step=0.1)
        assert (w.server.silent, a.is_leader, w.said) == (0, False, ["a starts", "a stops"])


async def test_who_was_frozen_for_long_does_not_lead_again_though_nobody_else_does() -> None:
    """What it knows is of before, and must not be sent under the number of a new term."""
    async with world() as w:
        mine = VirtualClock()
        a = w.stand("a", mine)
        await settle()
        mine._elapsed = 10 * DURATION
        await mine.advance(60)
        assert (a.is_leader, w.said, w.tasks["a"].done()) == (False, ["a starts", "a stops"], True)


async def test_a_leader_that_is_cut_off_stops_before_the_next_begins() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(1)
        b = w.stand("b")
        await w.advance(10)
        w.server.failing.add("a")
        for _ in range(60):
            await w.advance(0.5)
            assert not (a.is_leader and b.is_leader)
        assert (w.said, a.is_leader, b.is_leader) == (["a starts", "a stops", "b starts"], False, True)
        w.server.failing.clear()
        assert w.tasks["a"].done(), "it does not stand again with what it knows"
        again = w.stand("a")
        await w.advance(60)
        assert (again.is_leader, b.is_leader, again.holder) == (False, True, "b")


async def test_a_frozen_leader_knows_at_once() -> None:
    async with world() as w:
        mine = VirtualClock()
        a = w.stand("a", mine)
        await settle()
        assert a.is_leader
        mine._elapsed = STOPS_AFTER - 0.1
        assert a.is_leader
        mine._elapsed = STOPS_AFTER
        assert not a.is_leader, "before any timer has fired"
        assert w.said == ["a starts"]
        await mine.advance(0.1)
        assert w.said[:2] == ["a starts", "a stops"]


async def test_a_frozen_leader_does_not_come_back_over_another() -> None:
    async with world() as w:
        mine = VirtualClock()
        a = w.stand("a", mine)
        await settle()
        b = w.stand("b")
        await w.advance(DURATION + LOOK)
        assert b.is_leader
        await mine.advance(DURATION + LOOK)
        assert (a.is_leader, w.said) == (False, ["a starts", "b starts", "a stops"])


async def test_an_answer_that_was_lost_is_found() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(4)
        w.server.loses_answers = True
        await w.advance(RENEW)
        w.server.loses_answers = False
        await w.advance(30)
        assert (a.is_leader, w.said) == (True, ["a starts"])


async def test_a_silent_server_does_not_keep_the_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request itself hangs: the loop stops it in time, on the real clock."""
    monkeypatch.setattr("windlass.kube.lease.DURATION", 0.3)
    monkeypatch.setattr("windlass.kube.lease.MARGIN", 0.1)
    monkeypatch.setattr("windlass.kube.lease.RENEW", 0.05)
    monkeypatch.setattr("windlass.kube.lease.ANSWER", 0.05)
    monkeypatch.setattr("windlass.kube.lease.AGAIN", 0.01)
    monkeypatch.setattr("windlass.kube.lease.LOOK", 0.05)
    server, said = Server(VirtualClock()), []
    client = server.of("a")
    leadership = Leadership(
        client,
        "windlass",
        "windlass-controller",
        "a",
        on_started=lambda: said.append("starts"),
        on_stopped=lambda: said.append("stops"),
        now=VirtualClock().now,
        chance=lambda: 0.0,
    )
    task = asyncio.create_task(leadership.run())
    await asyncio.sleep(0.01)
    assert leadership.is_leader

    async def never(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise ServerError("never")

    monkeypatch.setattr(client, "replace", never)
    await asyncio.sleep(0.35)
    assert (leadership.is_leader, said) == (False, ["starts", "stops"])
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_request_that_hangs_is_overtaken_by_another(monkeypatch: pytest.MonkeyPatch, carried_out: bool) -> None:
    """Its connection is dead: whether the server has heard it or not, the one beside it renews, on the real clock."""
    for name, seconds in {"DURATION": 3.0, "MARGIN": 0.5, "RENEW": 0.1, "ANSWER": 0.1, "AGAIN": 0.02}.items():
        monkeypatch.setattr(f"windlass.kube.lease.{name}", seconds)
    server, said = Server(VirtualClock()), []
    client = server.of("a")
    leadership = Leadership(
        client,
        "windlass",
        "windlass-controller",
        "a",
        on_started=lambda: said.append("starts"),
        on_stopped=lambda: said.append("stops"),
        now=VirtualClock().now,
        chance=lambda: 0.0,
    )
    replace, hung = client.replace, asyncio.Event()

    async def hangs_once(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        if hung.is_set():
            return await replace(resource, obj)
        hung.set()
        if carried_out:
            await replace(resource, obj)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(client, "replace", hangs_once)
    task = asyncio.create_task(leadership.run())
    await hung.wait()
    version = server.version
    while server.version < version + 3:  # noqa: ASYNC110  # the server tells of nothing
        await asyncio.sleep(0.01)
    assert (leadership.is_leader, said) == (True, ["starts"])
    task.cancel()
    await asyncio.wait([task])


async def test_an_end_in_the_middle_of_a_renewal_gives_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as w:
        client = w.server.of("a")
        monkeypatch.setattr(w.server, "of", lambda name: client)
        w.stand("a")
        await w.advance(1)
        replace = client.replace

        async def carried_out_unheard(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
            await replace(resource, obj)
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr(client, "replace", carried_out_unheard)
        await w.advance(RENEW)
        monkeypatch.setattr(client, "replace", replace)
        await w.end("a")
        assert w.server.holder == ""
