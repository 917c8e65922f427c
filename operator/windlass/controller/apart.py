"""Work in a thread and loop of its own: what keeps this loop busy delays none of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]


async def run_apart(work: Work, name: str) -> None:
    """Run `work()` in a thread called `name` until it ends; raises what it raised.

    Cancelled, it cancels the work there, and returns when that has ended. What `work` calls is called in that thread.
    """
    here = asyncio.get_running_loop()
    there = _There(work, here)
    threading.Thread(target=there.run, name=name, daemon=True).start()
    try:
        await asyncio.shield(there.ended)
    except asyncio.CancelledError:
        there.cancel()
        with suppress(asyncio.CancelledError):
            await there.ended
        raise


class _There:
    """The other thread: cancelled before its work has begun, it begins none."""

    def __init__(self, work: Work, here: asyncio.AbstractEventLoop) -> None:
        self.ended: asyncio.Future[None] = here.create_future()
        self._work = work
        self._here = here
        self._lock = threading.Lock()
        self._cancelled = False
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def run(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._begin())
        except BaseException as raised:  # handed over to who waits for it, whatever it is
            error = raised
        with suppress(RuntimeError):  # the loop has ended: so has who would wait
            self._here.call_soon_threadsafe(self._tell, error)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._task is not None:
                loop, task = self._task
                with suppress(RuntimeError):  # it has ended meanwhile
                    loop.call_soon_threadsafe(task.cancel)

    async def _begin(self) -> None:
        task = asyncio.create_task(self._work())
        with self._lock:
            self._task = asyncio.get_running_loop(), task
            if self._cancelled:
                task.cancel()
        await task

    def _tell(self, error: BaseException | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        elif isinstance(error, asyncio.CancelledError):
            self.ended.cancel()
        else:
            self.ended.set_exception(error)
