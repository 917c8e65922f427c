"""The client's requests, and what it makes of hard answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from support.scripted_api import (
    Asked,
    TokenCredentials,
    answer_cut_off,
    answer_hang_up,
    answer_json,
    answer_lines,
    answer_never,
    answer_refusal,
    client_of,
    login,
    pod,
    scripted_api,
)
from windlass import errors
from windlass.kube import client as client_module
from windlass.kube.client import JSON_PATCH, KubeClient
from windlass.kube.streams import split_lines
from windlass.resources import LEASES, NODES, PODS, RUNS

POD = pod("a", 7)
RUN = {"metadata": {"namespace": "data", "name": "r", "resourceVersion": "3"}, "status": {"phase": "Running"}}
PODS_PATH = "/api/v1/namespaces/data/pods"
RUNS_PATH = "/apis/windlass.dev/v1alpha1/namespaces/data/workflowruns"
OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions"}

Ask = Callable[[KubeClient], Awaitable[Any]]
REQUESTS: dict[str, tuple[Ask, Asked, str]] = {
    "get": (lambda c: c.get(PODS, "data", "a"), Asked("GET", f"{PODS_PATH}/a", {}, None), ""),
    "get of a kind without namespaces": (
        lambda c: c.get(NODES, None, "n1"),
        Asked("GET", "/api/v1/nodes/n1", {}, None),
        "",
    ),
    "list": (
        lambda c: c.list_all(PODS, label_selector="a=b,c", field_selector="spec.nodeName=n1"),
        Asked(
            "GET", "/api/v1/pods", {"limit": "500", "labelSelector": "a=b,c", "fieldSelector": "spec.nodeName=n1"}, None
        ),
        "",
    ),
    "create is strict": (
        lambda c: c.create(PODS, POD),
        Asked("POST", PODS_PATH, {"fieldValidation": "Strict"}, POD),
        "application/json",
    ),
    "replace": (lambda c: c.replace(RUNS, RUN), Asked("PUT", f"{RUNS_PATH}/r", {}, RUN), "application/json"),
    "replace of the status": (
        lambda c: c.replace_status(RUNS, RUN),
        Asked("PUT", f"{RUNS_PATH}/r/status", {}, RUN),
        "application/json",
    ),
    "merge patch of the status": (
        lambda c: c.patch(RUNS, "data", "r", {"status": {}}, subresource="status"),
        Asked("PATCH", f"{RUNS_PATH}/r/status", {}, {"status": {}}),
        "application/merge-patch+json",
    ),
    "JSON patch": (
        lambda c: c.patch(PODS, "data", "a", [{"op": "test", "path": "/x"}], content_type=JSON_PATCH),
        Asked("PATCH", f"{PODS_PATH}/a", {}, [{"op": "test", "path": "/x"}]),
        "application/json-patch+json",
    ),
    "delete": (
        lambda c: c.delete(PODS, "data", "a"),
        Asked("DELETE", f"{PODS_PATH}/a", {}, OPTIONS),
        "application/json",
    ),
    "delete of one object and no other, at once": (
        lambda c: c.delete(PODS, "data", "a", uid="u", grace_period=0, propagation="Background"),
        Asked(
            "DELETE",
            f"{PODS_PATH}/a",
            {},
            OPTIONS | {"preconditions": {"uid": "u"}, "gracePeriodSeconds": 0, "propagationPolicy": "Background"},
        ),
        "application/json",
    ),
    "a path": (lambda c: c.read_path("/version"), Asked("GET", "/version", {}, None), ""),
}


@pytest.mark.parametrize(("ask", "asked", "content_type"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_requests(ask: Ask, asked: Asked, content_type: str) -> None:
    async with scripted_api(answer_json({"kind": "Some", "items": []})) as api, client_of(api) as client:
        await ask(client)
        assert api.asked == [asked]
        headers = api.asked[0].headers
        assert headers["Authorization"] == "Bearer secret-token"
        assert headers.get("Content-Type", "") == content_type


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?x=1", "a#b", "a%2fb", "a b", "ä"])
async def test_a_name_that_is_none_reaches_no_server(name: str) -> None:
    async with scripted_api(answer_json({})) as api, client_of(api) as client:
        with pytest.raises(errors.Invalid):
            await client.get(PODS, "data", name)
        assert api.asked == []


async def test_pages_follow_each_other() -> None:
    pages = [
        {"metadata": {"resourceVersion": "9", "continue": "t1"}, "items": [{"metadata": {"name": "a"}}]},
        {"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "b"}}]},
    ]
    async with scripted_api(*map(answer_json, pages)) as api, client_of(api) as client:
        found = [items async for items in client.pages(PODS, "data", limit=1)]
        assert [asked.query for asked in api.asked] == [{"limit": "1"}, {"limit": "1", "continue": "t1"}]
    assert found == [
        [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}],
        [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}}],
    ]


async def test_a_list_that_grew_old_is_read_whole() -> None:
    first = answer_json({"metadata": {"continue": "t1"}, "items": [{"metadata": {"name": "a"}}]})
    whole = answer_json({"metadata": {}, "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]})
    async with scripted_api(first, answer_refusal(410, "Expired"), whole) as api, client_of(api) as client:
        found = await client.list_all(PODS)
        assert [item["metadata"]["name"] for item in found] == ["a", "b"]
        assert api.asked[-1].query == {}


FAILURES = {
    "429": (answer_refusal(429, "TooManyRequests", headers={"Retry-After": "1"}), errors.TooManyRequests),
    "500": (answer_refusal(500, "InternalError"), errors.ServerError),
    "an answer cut off": (answer_cut_off(), errors.Unreachable),
    "no JSON": (answer_lines(b'{"cut": '), errors.Unreachable),
}


@pytest.mark.parametrize(("answer", "kind"), FAILURES.values(), ids=FAILURES.keys())
async def test_a_read_is_repeated(answer: Any, kind: type[errors.ApiError]) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with scripted_api(answer, answer, answer_json(POD)) as api, client_of(api, sleep=sleep) as client:
        assert await client.get(PODS, "data", "a") == POD
    asked = 1.0 if kind is errors.TooManyRequests else 0.0
    assert waits == [asked + 0.1, asked + 0.2]


@pytest.mark.parametrize(("answer", "kind"), FAILURES.values(), ids=FAILURES.keys())
async def test_a_read_is_given_up(answer: Any, kind: type[errors.ApiError]) -> None:
    async with scripted_api(answer) as api, client_of(api) as client:
        with pytest.raises(kind):
            await client.get(PODS, "data", "a")


@pytest.mark.parametrize(("answer", "kind"), FAILURES.values(), ids=FAILURES.keys())
async def test_a_write_is_made_once(answer: Any, kind: type[errors.ApiError]) -> None:
    async with scripted_api(answer, answer_json(POD)) as api, client_of(api) as client:
        with pytest.raises(kind):
            await client.create(PODS, POD)
        assert len(api.asked) == 1


async def test_a_read_put_off_for_long_is_the_callers() -> None:
    answer = answer_refusal(429, "TooManyRequests", headers={"Retry-After": "60"})
    async with scripted_api(answer, answer_json(POD)) as api, client_of(api) as client:
        with pytest.raises(errors.TooManyRequests) as caught:
            await client.get(PODS, "data", "a")
        assert (caught.value.retry_after, len(api.asked)) == (60.0, 1)


async def test_a_silent_server_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "REQUEST_TIMEOUT", 0.05)
    async with scripted_api(answer_never()) as api, client_of(api) as client:
        with pytest.raises(errors.Unreachable, match="no answer in time"):
            await client.create(PODS, POD)


async def test_nobody_listens() -> None:
    async with scripted_api(answer_json({})) as api:
        url = api.url
    client = KubeClient(TokenCredentials(login(url)))
    with pytest.raises(errors.Unreachable, match=r": 127\.0\.0\.1:\d+: connection refused$"):
        await client.create(PODS, POD)
    await client.close()


async def test_a_redirect_takes_no_token_along() -> None:
    moved = answer_json({}, 302, {"Location": "http://127.0.0.1:1/elsewhere"})
    async with scripted_api(moved) as api, client_of(api) as client:
        with pytest.raises(errors.ApiError):
            await client.create(PODS, POD)
        assert len(api.asked) == 1


async def test_a_refused_token_is_asked_for_again() -> None:
    async with scripted_api(answer_refusal(401, "Unauthorized"), answer_json(POD)) as api:
        credentials = TokenCredentials(login(api.url, "old-token"), login(api.url, "new-token"))
        async with KubeClient(credentials) as client:
            assert await client.create(PODS, POD) == POD
        assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer old-token", "Bearer new-token"]


async def test_many_refusals_make_one_login() -> None:
    async with scripted_api(answer_refusal(401, "Unauthorized")) as api:
        credentials = TokenCredentials(login(api.url))
        async with KubeClient(credentials) as client:
            asks = (client.get(PODS, "data", "a") for _ in range(20))
            answers = await asyncio.gather(*asks, return_exceptions=True)
        assert {type(answer) for answer in answers} == {errors.Unauthorized}
        assert credentials.asked == 2


async def test_a_token_grows_old() -> None:
    async with scripted_api(answer_json(POD)) as api:
        credentials = TokenCredentials(login(api.url, "t1", 0.0), login(api.url, "t2", 3600.0))
        async with KubeClient(credentials) as client:
            for _ in range(3):
                await client.get(PODS, "data", "a")
        assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer t1", "Bearer t2", "Bearer t2"]


async def test_so_many_requests_at_a_time_and_streams_apart() -> None:
    now = most = 0

    async def count(request: web.Request) -> web.StreamResponse:
        nonlocal now, most
        if request.query.get("watch"):
            return await answer_never()(request)
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.json_response(POD)

    async with scripted_api(count) as api, client_of(api, concurrency=4) as client:
        watches = [asyncio.ensure_future(anext(client.watch(PODS))) for _ in range(5)]
        await asyncio.gather(*(client.get(PODS, "data", "a") for _ in range(20)))
        for watch in watches:
            watch.cancel()
        await asyncio.wait(watches)
    assert most == 4


async def test_requests_are_counted() -> None:
    counted: list[tuple[str, str, int]] = []

    def count(verb: str, resource: str, code: int, seconds: float) -> None:
        assert seconds >= 0
        counted.append((verb, resource, code))

    answers = answer_json(RUN), answer_refusal(409, "AlreadyExists"), answer_hang_up(), answer_json({"items": []})
    async with scripted_api(*answers) as api, client_of(api, on_request=count) as client:
        await client.replace_status(RUNS, RUN)
        for _ in range(2):
            with pytest.raises(errors.ApiError):
                await client.create(PODS, POD)
        await client.list_all(LEASES)
    assert counted == [
        ("update", "workflowruns/status", 200),
        ("create", "pods", 409),
        ("create", "pods", 0),
        ("list", "leases", 200),
    ]


async def test_logs() -> None:
    async with scripted_api(answer_lines(b"one\ntw", 0.01, b"o\nthree")) as api, client_of(api) as client:
        log = client.logs("data", "a", "main", follow=True, tail_lines=10, timestamps=True)
        assert [line async for line in split_lines(log)] == [b"one", b"two", b"three"]
        query = {"container": "main", "follow": "true", "tailLines": "10", "timestamps": "true"}
        assert api.asked == [Asked("GET", f"{PODS_PATH}/a/log", query, None)]


async def test_a_line_without_end_comes_in_parts() -> None:
    async def chunks():
        for _ in range(5):
            yield b"x" * 40

    assert [len(part) async for part in split_lines(chunks(), longest=100)] == [120, 80]
