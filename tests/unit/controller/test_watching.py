"""Kopf runs wherever the controller does."""

from __future__ import annotations

import asyncio
import getpass
import threading

import kopf
import pytest

from windlass.controller.watching import Watching


async def test_a_user_without_a_name_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the user is a number that no file gives a name."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    asked = threading.Event()

    def login() -> kopf.ConnectionInfo:
        asked.set()
        raise kopf.PermanentError("that it is asked is enough")

    monkeypatch.setattr(getpass, "getuser", nameless)
    watching = Watching(login, lambda *_: None)
    watching.start()
    try:
        assert await asyncio.to_thread(asked.wait, 10)
    finally:
        await watching.stop()
