"""The development API server answers as a real one did: its recorded answers are the goldens.

`tests/cluster/test_conformance.py` holds the goldens to a real server, and records them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from support.conformance import Server, in_new_namespace, prepared
from support.conformance_cases import CASES
from support.conformance_definitions import DEFINITIONS
from windlass.dev.api.server import DevApi

GOLDEN = Path(__file__).parent / "golden" / "conformance.yaml"
ANSWERS = yaml.load(GOLDEN.read_text(), yaml.CSafeLoader)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with DevApi() as api:
        connector = aiohttp.TCPConnector(ssl=api.client_tls())
        headers = {"Authorization": f"Bearer {api.token}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            server = Server(api.url, session)
            await prepared(server, DEFINITIONS)
            yield server


@pytest.mark.parametrize("name", CASES)
async def test_answers_as_the_real_server(server: Server, name: str) -> None:
    assert await in_new_namespace(server, "any-namespace", CASES[name]) == ANSWERS[name]


def test_no_answer_without_its_question() -> None:
    assert set(ANSWERS) == set(CASES)
