"""The probes and the metrics, over HTTP."""

from __future__ import annotations

import aiohttp
import pytest

from windlass.telemetry.health import HealthServer


async def answers(server: HealthServer, *paths: str) -> list[tuple[int, str]]:
    url = await server.start()
    found = []
    try:
        async with aiohttp.ClientSession() as session:
            for path in paths:
                async with session.get(url + path) as answer:
                    found.append((answer.status, await answer.text()))
    finally:
        await server.stop()
    return found


def fail() -> list[str]:
    raise RuntimeError("oh")


CASES = {
    "all is well": (list, (200, "ok\n")),
    "something is not": (
        lambda: ["the pods are not synced", "no leader"],
        (503, "the pods are not synced\nno leader\n"),
    ),
    "the question itself fails": (fail, (503, "the probe itself failed: RuntimeError('oh')\n")),
}


@pytest.mark.parametrize(("complaints", "answer"), CASES.values(), ids=CASES.keys())
async def test_probes(complaints, answer: tuple[int, str]) -> None:
    good = (200, "ok\n")
    ready = HealthServer(lambda: b"", complaints, list, host="127.0.0.1")
    assert await answers(ready, "/readyz", "/healthz") == [answer, good]
    live = HealthServer(lambda: b"", list, complaints, host="127.0.0.1")
    assert await answers(live, "/readyz", "/healthz") == [good, answer]


async def test_a_remark_is_said_by_the_readiness_alone_and_only_where_all_is_well() -> None:
    remark = "standing by: a leads"
    well = HealthServer(lambda: b"", list, list, remark=lambda: remark, host="127.0.0.1")
    assert await answers(well, "/readyz", "/healthz") == [(200, f"ok: {remark}\n"), (200, "ok\n")]
    ill = HealthServer(lambda: b"", lambda: ["listing"], list, remark=lambda: remark, host="127.0.0.1")
    assert await answers(ill, "/readyz", "/healthz") == [(503, "listing\n"), (200, "ok\n")]


async def test_metrics() -> None:
    server = HealthServer(lambda: b"windlass_x 1\n", list, list, host="127.0.0.1")
    assert await answers(server, "/metrics", "/other") == [(200, "windlass_x 1\n"), (404, "404: Not Found")]


async def test_the_url_can_be_used() -> None:
    for host, shown in (("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")):
        server = HealthServer(lambda: b"", list, list, host=host)
        assert (await server.start()).startswith(shown)
        await server.stop()


async def test_a_port_that_is_taken() -> None:
    first = HealthServer(lambda: b"", list, list, host="127.0.0.1")
    port = int((await first.start()).rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await HealthServer(lambda: b"", list, list, host="127.0.0.1", port=port).start()
    await first.stop()
