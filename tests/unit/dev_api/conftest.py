"""A store whose time stands still until a test moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from windlass.dev.api.collector import Collector
from windlass.dev.api.server import DevApi
from windlass.dev.api.store import Store


class Watchmaker:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock() -> Watchmaker:
    return Watchmaker()


@pytest.fixture
def store(clock: Watchmaker) -> Store:
    return Store(now=clock)


@pytest.fixture
def collector(store: Store) -> Collector:
    return Collector(store)


@pytest.fixture
async def api() -> AsyncIterator[DevApi]:
    async with DevApi(bookmark_every=0.1) as api:
        yield api


@pytest.fixture
async def http(api: DevApi) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the token, which knows the server's address."""
    connector = aiohttp.TCPConnector(ssl=api.client_tls())
    headers = {"Authorization": f"Bearer {api.token}"}
    async with aiohttp.ClientSession(api.url, connector=connector, headers=headers) as session:
        yield session
