"""A real API server gives the answers that the development API server is held to.

With WINDLASS_UPDATE_GOLDEN set, they are recorded anew.
"""

from __future__ import annotations

import os
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from kubernetes import client, config

from support.conformance import Server, in_new_namespace, prepared
from support.conformance_cases import CASES
from support.conformance_definitions import DEFINITIONS

pytestmark = pytest.mark.cluster
GOLDEN = Path(__file__).parents[1] / "unit" / "dev_api" / "golden" / "conformance.yaml"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    settings = client.Configuration()
    config.load_kube_config(client_configuration=settings)
    tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if settings.cert_file:
        tls.load_cert_chain(settings.cert_file, settings.key_file)
    token = settings.api_key.get("BearerToken")
    headers = {"Authorization": token} if token else {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), headers=headers) as session:
        server = Server(settings.host, session)
        await prepared(server, DEFINITIONS)
        yield server
        for definition in DEFINITIONS:
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            await server.ask("DELETE", f"{path}/{definition['metadata']['name']}")


async def test_answers_are_those_of_the_goldens(server: Server) -> None:
    answers: dict[str, Any] = {}
    for number, (name, case) in enumerate(CASES.items()):
        answers[name] = await in_new_namespace(server, f"conformance-{uuid.uuid4().hex[:6]}-{number}", case)
    if os.environ.get("WINDLASS_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(yaml.safe_dump(answers, sort_keys=True, width=120, allow_unicode=True))
    recorded = yaml.safe_load(GOLDEN.read_text())
    assert {name: answers[name] for name in answers if answers[name] != recorded.get(name)} == {}
    assert set(recorded) == set(answers)
