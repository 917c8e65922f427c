"""Threads hand items to a loop: each is taken once, in order, in the loop, and with few wake-ups."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from windlass.controller.handover import AT_A_TIME, Handover


async def until(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("nothing came of it")


async def test_all_are_taken_in_order_in_the_loop() -> None:
    taken: list[tuple[int, int]] = []
    here = threading.get_ident()
    handover: Handover[int] = Handover(
        asyncio.get_running_loop(), lambda item: taken.append((item, threading.get_ident()))
    )
    count = 20_000
    thread = threading.Thread(target=lambda: [handover.put(number) for number in range(count)])
    thread.start()
    await until(lambda: len(taken) == count)
    thread.join()
    assert taken == [(number, here) for number in range(count)]


async def test_what_comes_together_wakes_the_loop_once() -> None:
    loop, taken = asyncio.get_running_loop(), list[int]()
    woken = 0

    class Counted:
        def call_soon_threadsafe(self, call: Callable[[], Any]) -> None:
            nonlocal woken
            woken += 1
            loop.call_soon_threadsafe(call)

        def __getattr__(self, name: str) -> Any:
            return getattr(loop, name)

    handover: Handover[int] = Handover(Counted(), taken.append)  # type: ignore[arg-type]  # as much of a loop as is used
    for number in range(AT_A_TIME * 3):
        handover.put(number)
    await until(lambda: len(taken) == AT_A_TIME * 3)
    assert woken == 1
    handover.put(-1)
    await until(lambda: taken[-1] == -1)
    assert woken == 2


async def test_many_leave_the_loop_its_turns() -> None:
    loop, taken = asyncio.get_running_loop(), list[int]()
    handover: Handover[int] = Handover(loop, taken.append)
    for number in range(AT_A_TIME * 2):
        handover.put(number)
    seen: list[int] = []
    loop.call_soon(lambda: seen.append(len(taken)))
    await until(lambda: len(taken) == AT_A_TIME * 2)
    assert seen == [AT_A_TIME]


async def test_one_that_fails_keeps_no_other() -> None:
    loop, taken, told = asyncio.get_running_loop(), list[int](), list[str]()
    loop.set_exception_handler(lambda _, about: told.append(str(about["exception"])))

    def take(number: int) -> None:
        if number == 1:
            raise ValueError("one")
        taken.append(number)

    handover: Handover[int] = Handover(loop, take)
    for number in range(3):
        handover.put(number)
    await until(lambda: len(taken) == 2)
    assert (taken, told) == ([0, 2], ["one"])


def test_a_loop_that_has_ended_is_no_error() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    handover: Handover[int] = Handover(loop, lambda item: None)
    handover.put(1)
