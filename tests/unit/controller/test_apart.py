"""Work in a thread of its own goes on while this loop is busy, and ends with who waits for it."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from windlass.controller.apart import run_apart


async def test_it_goes_on_while_this_loop_is_busy() -> None:
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run_apart(beat, "beats"))
    while not beats:  # noqa: ASYNC110  # the other thread knows no event of this loop
        await asyncio.sleep(0.001)
    before = len(beats)
    time.sleep(0.5)  # noqa: ASYNC251  # this is what is meant
    assert len(beats) - before > 5
    task.cancel()
    await asyncio.wait([task])


async def test_cancelled_it_ends_in_order_before_who_waits_goes_on() -> None:
    said: list[str] = []
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            said.append("given back")

    task = asyncio.create_task(run_apart(work, "work"))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == ["given back"]


async def test_cancelled_before_it_has_begun_it_begins_nothing_that_lasts() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(run_apart(work, "early"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)


async def test_its_end_and_its_errors_are_told() -> None:
    async def fails() -> None:
        raise ValueError("no way")

    async def ends() -> None:
        await asyncio.sleep(0)

    await run_apart(ends, "ends")
    with pytest.raises(ValueError, match="no way"):
        await run_apart(fails, "fails")
