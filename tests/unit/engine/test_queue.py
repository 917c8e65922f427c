"""The keyed queue: once is enough, never twice at a time, failures come back later."""

from __future__ import annotations

import asyncio

import pytest

from support.clock import VirtualClock, settle
from windlass.engine.queue import BACKOFF_FIRST, BACKOFF_LAST, KeyedQueue


class Quiet:
    def __init__(self) -> None:
        self.depths: list[int] = []
        self.results: list[str] = []

    def queue_changed(self, depth: int) -> None:
        self.depths.append(depth)

    def queue_waited(self, seconds: float) -> None:
        assert seconds >= 0

    def reconciled(self, seconds: float, result: str) -> None:
        self.results.append(result)


class Desk:
    """Work that takes as long as the test wants, and notes when it was done."""

    def __init__(self, concurrency: int = 64) -> None:
        self.clock = VirtualClock()
        self.seen = Quiet()
        self.started: list[tuple[str, float]] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.fails: dict[str, int] = {}
        self.took = 0.0
        self.queue: KeyedQueue[str] = KeyedQueue(
            self.work, self.clock, self.seen, concurrency=concurrency, chance=lambda: 0.5
        )

    async def work(self, key: str) -> float:
        self.started.append((key, self.clock.monotonic()))
        if key in self.gates:
            await self.gates[key].wait()
        if self.fails.get(key, 0) > 0:
            self.fails[key] -= 1
            raise RuntimeError(key)
        return self.took


async def test_a_key_added_twice_before_its_turn_is_worked_on_once() -> None:
    desk = Desk()
    desk.queue.add("a")
    desk.queue.add("a")
    await settle()
    assert desk.started == [("a", 0.0)]


async def test_a_key_added_while_it_is_worked_on_comes_again_and_never_twice_at_a_time() -> None:
    desk = Desk()
    desk.gates["a"] = asyncio.Event()
    desk.queue.add("a")
    await settle()
    desk.queue.add("a")
    desk.queue.add("a")
    await settle()
    assert desk.started == [("a", 0.0)]
    desk.gates["a"].set()
    await settle()
    assert desk.started == [("a", 0.0), ("a", 0.0)]


async def test_the_sooner_of_two_delays_counts_and_an_event_beats_both() -> None:
    desk = Desk()
    desk.queue.add("late then soon", 60)
    desk.queue.add("late then soon", 5)
    desk.queue.add("soon then late", 5)
    desk.queue.add("soon then late", 60)
    desk.queue.add("event", 60)
    desk.queue.add("event")
    await desk.clock.advance(120)
    assert desk.started == [("event", 0.0), ("late then soon", 5.0), ("soon then late", 5.0)]


async def test_failures_back_off_and_a_success_forgets_them() -> None:
    desk = Desk()
    desk.fails["a"] = 3
    desk.queue.add("a")
    await desk.clock.advance(60)
    assert [when / BACKOFF_FIRST for _, when in desk.started] == [0, 1.5, 3.5, 6.5]
    desk.fails["a"] = 1
    desk.queue.add("a")
    await desk.clock.advance(2 * BACKOFF_FIRST)
    assert desk.started[-1] == ("a", 60.0 + 1.5 * BACKOFF_FIRST)
    assert desk.seen.results == ["error"] * 3 + ["ok", "error", "ok"]


async def test_the_backoff_has_a_ceiling() -> None:
    desk = Desk()
    desk.fails["a"] = 20
    desk.queue.add("a")
    await desk.clock.advance(30 * BACKOFF_LAST)
    waits = [later[1] - sooner[1] for sooner, later in zip(desk.started, desk.started[1:], strict=False)]
    assert max(waits) == BACKOFF_FIRST + BACKOFF_LAST / 2


async def test_a_failing_key_is_not_worked_on_for_each_event_that_comes() -> None:
    desk = Desk()
    desk.fails["a"] = 100
    desk.queue.add("a")
    for _ in range(100):
        await desk.clock.advance(0.1)
        desk.queue.add("a")
    assert len(desk.started) < 10


async def test_one_failing_key_does_not_stop_another() -> None:
    desk = Desk(concurrency=1)
    desk.fails["bad"] = 10**6
    desk.queue.add("bad")
    desk.queue.add("good")
    await settle()
    assert ("good", 0.0) in desk.started


async def test_no_more_keys_at_a_time_than_asked_for() -> None:
    desk = Desk(concurrency=2)
    for key in "abc":
        desk.gates[key] = asyncio.Event()
        desk.queue.add(key)
    await settle()
    assert [key for key, _ in desk.started] == ["a", "b"]
    desk.gates["b"].set()
    await settle()
    assert [key for key, _ in desk.started] == ["a", "b", "c"]


async def test_a_key_whose_work_was_long_rests_before_the_next_event_counts() -> None:
    desk = Desk()
    desk.took = 0.02
    desk.queue.add("a")
    await settle()
    desk.queue.add("a")
    await desk.clock.advance(1)
    assert [key for key, _ in desk.started] == ["a", "a"]
    assert desk.started[1][1] == pytest.approx(0.08)


async def test_closing_waits_for_what_runs_and_takes_nothing_new() -> None:
    desk = Desk()
    desk.gates["a"] = asyncio.Event()
    desk.queue.add("a")
    await settle()
    closing = asyncio.create_task(desk.queue.close())
    await settle()
    desk.queue.add("b")
    assert not closing.done()
    desk.gates["a"].set()
    await closing
    assert [key for key, _ in desk.started] == ["a"]


async def test_a_key_that_its_own_work_forgets_leaves_nothing_behind() -> None:
    desk = Desk()
    desk.took = 1.0

    async def last(key: str) -> float:
        desk.queue.forget(key)
        return await desk.work(key)

    desk.queue._work = last
    desk.queue.add("a")
    await settle()
    assert desk.started == [("a", 0.0)]
    assert {name: value for name, value in vars(desk.queue).items() if isinstance(value, (dict, set)) and value} == {}


async def test_dates_that_were_overtaken_don_t_pile_up() -> None:
    desk = Desk()
    for number in range(10_000):
        desk.queue.add("a", 86400)
        desk.queue.add("a")
        if number % 100 == 0:
            await settle()
    desk.queue.add("a", 86400)
    assert len(desk.queue._heap) < 200
    await desk.clock.advance(86400)
    assert desk.started[-1] == ("a", 86400)
