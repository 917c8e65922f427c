"""Leadership: one at a time, whatever clocks and networks do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest

from support.clock import START, VirtualClock, settle
from windlass.errors import AlreadyExists, Conflict, NotFound, ServerError, Unreachable
from windlass.kube.lease import ANSWER, DURATION, LOOK, MARGIN, RENEW, Leadership
from windlass.resources import Resource

STOPS_AFTER = DURATION - MARGIN
FIRST = 29_058_480
"""The term that begins at the clock's start: the minutes since 1970."""


class Server:
    """A lease, with optimistic locking, and the ways in which requests fail."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.failing: set[str] = set()
        self.loses_answers = False
        self.silent = 0
        """So many writes are never answered: who asks gives up."""
        self.slow = 0.0
        """Seconds that a create takes."""
        self.requests = 0

    @property
    def holder(self) -> str | None:
        return self.lease and self.lease["spec"].get("holderIdentity")

    def of(self, client: str) -> Client:
        return Client(self, client)

    def ask(self, client: str) -> None:
        self.requests += 1
        if client in self.failing:
            raise Unreachable("gone")

    def store(self, lease: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = deepcopy(lease)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        if self.loses_answers:
            raise Unreachable("the answer was lost")
        return deepcopy(self.lease)


class Client:
    """What one process sees of it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    async def get(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.lease is None:
            raise NotFound("no lease", 404)
        return deepcopy(self.server.lease)

    async def create(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.slow:
            await self.server.clock.sleep(self.server.slow)
        if self.server.lease is not None:
            raise AlreadyExists("there is one", 409)
        return self.server.store(obj)

    async def replace(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self.server.ask(self.name)
        if self.server.silent:
            self.server.silent -= 1
            await self.server.clock.sleep(ANSWER)
            raise TimeoutError
        if self.server.lease is None:
            raise NotFound("no lease", 404)
        if obj["metadata"]["resourceVersion"] != self.server.lease["metadata"]["resourceVersion"]:
            raise Conflict("outdated", 409)
        return self.server.store(obj)


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.server = Server(self.clock)
        self.said: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def stand(self, name: str, clock: VirtualClock | None = None) -> Leadership:
        clock = clock or self.clock
        leadership = Leadership(
            self.server.of(name),
            "windlass",
            "windlass-controller",
            name,
            on_started=lambda: self.said.append(f"{name} starts"),
            on_stopped=lambda: self.said.append(f"{name} stops"),
            now=clock.now,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
            chance=lambda: 0.0,
        )
        self.tasks[name] = asyncio.create_task(leadership.run())
        return leadership

    async def end(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name]])

    async def advance(self, seconds: float, step: float = 0.5) -> None:
        await settle()
        for _ in range(int(seconds / step)):
            await self.clock.advance(step)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    it = World()
    try:
        yield it
    finally:
        for name in it.tasks:
            await it.end(name)


async def test_the_first_leads_and_renews() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(60)
        assert (a.is_leader, a.holder, a.term, w.said) == (True, "a", FIRST, ["a starts"])
        assert w.server.lease is not None
        assert w.server.lease["spec"] == {
            "holderIdentity": "a",
            "acquireTime": "2025-04-01T12:00:00.000000Z",
            "renewTime": "2025-04-01T12:01:00.000000Z",
            "leaseDurationSeconds": 8,
            "leaseTransitions": FIRST,
        }
        assert w.server.requests == 2 + 60 / RENEW, "a renewal is one request"


async def test_the_second_waits() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(1)
        b = w.stand("b")
        await w.advance(60)
        assert (a.is_leader, b.is_leader, b.holder) == (True, False, "a")


async def test_given_back_at_an_orderly_end() -> None:
    async with world() as w:
        w.stand("a")
        await w.advance(1)
        b = w.stand("b")
        await w.advance(5)
        await w.end("a")
        assert w.server.holder == ""
        await w.advance(LOOK)
        assert (b.is_leader, b.term) == (True, FIRST + 1)
        assert w.said == ["a starts", "a stops", "b starts"]


async def test_a_killed_leader_is_followed_in_time() -> None:
    for moment in (0.0, 0.5, 1.0, 1.5):  # of its death, after a renewal
        async with world() as w:
            w.stand("a")
            await w.advance(0.5)
            b = w.stand("b")
            await w.advance(9.5 + moment)
            w.server.failing.add("a")
            await w.advance(DURATION + LOOK)
            assert b.is_leader


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


async def test_terms_grow_whatever_becomes_of_the_lease() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(1)
        b = w.stand("b")
        await w.advance(1)
        await w.end("a")
        await w.advance(LOOK)
        assert (b.is_leader, b.term) == (True, a.term + 1)
        c = w.stand("c")
        await w.advance(1)
        w.server.lease = None
        await w.advance(RENEW)
        assert (b.is_leader, c.is_leader) != (True, True)
        assert [one.term for one in (b, c) if one.is_leader] == [b.term if b.is_leader else b.term + 1]


async def test_terms_grow_though_the_lease_comes_out_of_a_backup() -> None:
    async with world() as w:
        w.stand("a")
        await w.advance(1)
        backup = deepcopy(w.server.lease)
        await w.advance(3600, step=60)
        await w.end("a")
        b = w.stand("b")
        await w.advance(DURATION)
        later = b.term
        await w.end("b")
        assert backup is not None
        w.server.store(backup)
        await w.advance(120, step=60)  # nobody restores a cluster in less
        c = w.stand("c")
        await w.advance(30)
        assert (c.is_leader, c.term > later) == (True, True)


@pytest.mark.parametrize("year", [1970, 2000, 9999])
async def test_a_clock_that_is_far_off_makes_terms_that_grow(year: int) -> None:
    async with world() as w:
        w.stand("a")
        await w.advance(1)
        await w.end("a")
        far = VirtualClock(START.replace(year=year))
        b = w.stand("b", far)
        await far.advance(1)
        assert b.is_leader
        assert FIRST < b.term < 2**31 - 1
        await w.end("b")
        c = w.stand("c")
        await w.advance(1)
        assert (c.is_leader, c.term) == (True, b.term + 1)


async def test_a_process_of_the_same_name_begins_a_term_of_its_own() -> None:
    async with world() as w:
        first = w.stand("a")
        await w.advance(1)
        w.tasks["a"].cancel()
        w.server.failing.add("a")  # it was killed: the lease is not given back
        await settle()
        w.server.failing.clear()
        again = w.stand("a")
        await w.advance(1)
        assert (again.is_leader, again.term) == (True, first.term + 1)


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


async def test_a_clock_that_is_wrong_does_no_harm() -> None:
    async with world() as w:
        w.stand("a")
        await w.advance(1)
        assert w.server.lease is not None
        ahead = w.clock
        b = Leadership(
            w.server.of("b"),
            "windlass",
            "windlass-controller",
            "b",
            on_started=lambda: w.said.append("b starts"),
            on_stopped=lambda: None,
            now=lambda: ahead.now().replace(year=2031),
            monotonic=ahead.monotonic,
            sleep=ahead.sleep,
            chance=lambda: 0.0,
        )
        w.tasks["b"] = asyncio.create_task(b.run())
        await w.advance(60)
        assert (b.is_leader, w.said) == (False, ["a starts"])


async def test_an_answer_that_was_lost_is_found() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(4)
        w.server.loses_answers = True
        await w.advance(RENEW)
        w.server.loses_answers = False
        await w.advance(30)
        assert (a.is_leader, w.said) == (True, ["a starts"])


async def test_a_lease_that_was_deleted_is_made_again() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(4)
        w.server.lease = None
        await w.advance(RENEW)
        assert (a.is_leader, w.server.holder, w.said) == (True, "a", ["a starts"])


async def test_a_lease_that_was_taken_by_hand_is_left() -> None:
    async with world() as w:
        a = w.stand("a")
        await w.advance(4)
        assert w.server.lease is not None
        w.server.lease["spec"]["holderIdentity"] = "admin"
        w.server.store(w.server.lease)
        await w.advance(RENEW)
        assert (a.is_leader, w.said) == (False, ["a starts", "a stops"])
        again = w.stand("a")
        await w.advance(DURATION + LOOK)
        assert (a.is_leader, again.is_leader, again.term) == (False, True, FIRST + 1)


async def test_two_at_once_and_one_wins() -> None:
    async with world() as w:
        a, b = w.stand("a"), w.stand("b")
        await w.advance(10)
        assert sorted([a.is_leader, b.is_leader]) == [False, True]
        assert len(w.said) == 1


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
