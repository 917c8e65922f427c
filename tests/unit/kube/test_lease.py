"""The lease of leaders: one leads, the others wait, and terms grow."""

from __future__ import annotations

import asyncio
from copy import deepcopy

import pytest

from support.clock import START, VirtualClock, settle
from support.leases import FIRST, world
from windlass.kube.lease import DURATION, LOOK, RENEW, Leadership


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
