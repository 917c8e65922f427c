"""Lookouts on a server that allows watching, or only reading, or nothing, or doesn't know the kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from support.scripted_api import TokenCredentials, answer_never, line, login, refusal, scripted_api
from windlass.kube import lookouts
from windlass.kube.guests import Guests
from windlass.kube.lookouts import KubeLookout, KubeLookouts
from windlass.plan.sights import ObjectQuestion, Sight, SightKind

Body = dict[str, Any]
QUESTION = ObjectQuestion("robot", "batch/v1", "Job", "x")
LABELLED = ObjectQuestion("robot", "batch/v1", "Job", selector="app=web")
PLACE = ("data", "robot", "batch/v1", "Job")
DENIED = 'jobs.batch is forbidden: User "robot" cannot list resource "jobs"'
UNREAD = 'jobs.batch "x" is forbidden: User "robot" cannot get resource "jobs"'


def job(name: str = "x", version: int = 5, **labels: str) -> Body:
    metadata = {
        "name": name,
        "namespace": "data",
        "uid": f"u-{name}",
        "resourceVersion": str(version),
        "labels": labels,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {**metadata, "managedFields": [1]}}


class Server:
    """What the server allows, and has."""

    def __init__(self) -> None:
        self.kinds = [{"name": "jobs", "kind": "Job", "namespaced": True}, {"name": "jobs/status", "kind": "Job"}]
        self.jobs: list[Body] = []
        self.verbs = {"list", "watch", "get"}
        self.users: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.users.add(request.headers.get("Impersonate-User"))
        if request.path == "/apis/batch/v1":
            return web.json_response({"resources": self.kinds})
        if request.query.get("watch"):
            return await self._watch(request) if "watch" in self.verbs else _no(DENIED)
        if request.path.endswith("/jobs"):
            if "list" not in self.verbs:
                return _no(DENIED)
            return web.json_response({"metadata": {"resourceVersion": "9"}, "items": self.jobs})
        if "get" not in self.verbs:
            return _no(UNREAD)
        found = [one for one in self.jobs if one["metadata"]["name"] == request.path.rpartition("/")[2]]
        return web.json_response(found[0]) if found else web.json_response(refusal(404, "NotFound"), status=404)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        told = len(self.jobs)
        while True:
            for one in self.jobs[told:]:
                await stream.write(line("ADDED", one))
            told = len(self.jobs)
            await asyncio.sleep(0.01)


def _no(message: str) -> web.Response:
    return web.json_response(refusal(403, "Forbidden", message), status=403)


@asynccontextmanager
async def looking(
    server: Server, place: tuple[str, str, str, str] = PLACE, question: ObjectQuestion = QUESTION
) -> AsyncIterator[tuple[KubeLookout, list[str | None]]]:
    changes: list[str | None] = []
    async with scripted_api(server.answer) as api, Guests(TokenCredentials(login(api.url))) as guests:
        lookout = KubeLookouts(guests).open(place, lambda name, labels: changes.append(name))
        lookout.want(question)
        try:
            yield lookout, changes
        finally:
            lookout.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - any state is waited for
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookouts, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(lookouts, "LEAST_INTERVAL", 0.02)


def names(sight: Sight | None) -> list[str]:
    assert sight is not None and sight.kind is SightKind.SEEN
    return [one["metadata"]["name"] for one in sight.objects]


async def test_where_watching_is_allowed_a_change_is_told_at_once() -> None:
    server = Server()
    server.jobs = [job("y", app="web")]
    async with looking(server) as (lookout, changes):
        await until(lambda: lookout.sight(QUESTION))
        assert (names(lookout.sight(QUESTION)), names(lookout.sight(LABELLED))) == ([], ["y"])
        server.jobs.append(job("x", 12))
        await until(lambda: "x" in changes)
        (seen,) = lookout.sight(QUESTION).objects  # type: ignore[union-attr]  # it has been seen
        assert "managedFields" not in seen["metadata"]
        assert server.users == {"system:serviceaccount:data:robot"}


async def test_where_it_is_not_each_object_is_read_by_its_name() -> None:
    server = Server()
    server.verbs = {"get"}
    quick_question = ObjectQuestion("robot", "batch/v1", "Job", "x", interval=0.02)
    async with looking(server, question=quick_question) as (lookout, _):
        await until(lambda: lookout.sight(quick_question))
        assert names(lookout.sight(quick_question)) == []
        server.jobs.append(job())
        await until(lambda: names(lookout.sight(quick_question)) == ["x"])
        lookout.leave(quick_question)
        assert lookout.sight(quick_question) is None


async def test_a_right_to_watch_that_is_given_later_is_found() -> None:
    server = Server()
    server.verbs = {"get"}
    asked = ObjectQuestion("robot", "batch/v1", "Job", "x", interval=0.0)
    async with looking(server, question=asked) as (lookout, changes):
        await until(lambda: lookout.sight(asked))
        server.verbs |= {"list", "watch"}
        await until(lambda: lookout._informer is not None and lookout._informer.synced)
        server.jobs.append(job())
        await until(lambda: "x" in changes)


async def test_what_is_refused_altogether_is_told_in_the_server_s_words() -> None:
    server = Server()
    server.verbs = set()
    asked = ObjectQuestion("robot", "batch/v1", "Job", "x", interval=0.02)
    async with looking(server, question=asked) as (lookout, _):
        await until(lambda: lookout.sight(asked))
        assert lookout.sight(asked) == Sight(SightKind.REFUSED, message=UNREAD)
        server.verbs = {"get"}
        await until(lambda: lookout.sight(asked) == Sight(SightKind.SEEN, ()))


async def test_a_kind_that_comes_later_is_found() -> None:
    server = Server()
    kinds, server.kinds = server.kinds, []
    async with looking(server) as (lookout, changes):
        await until(lambda: changes)
        assert lookout.sight(QUESTION) == Sight(SightKind.REFUSED, message="the cluster knows no Job of batch/v1")
        server.kinds = kinds
        await until(lambda: lookout.sight(QUESTION) == Sight(SightKind.SEEN, ()))


@pytest.mark.parametrize("version", ["v1", "/v1"])
async def test_secrets_are_never_asked_for(version: str) -> None:
    server = Server()
    secret = ObjectQuestion("robot", version, "Secret", "x")
    async with looking(server, ("data", "robot", version, "Secret"), secret) as (lookout, changes):
        await until(lambda: changes)
        sight = lookout.sight(secret)
        assert sight is not None and sight.kind is SightKind.REFUSED
        assert sight.message.startswith("Secrets are n")
        assert server.users == set()


async def test_a_server_that_is_silent_says_nothing() -> None:
    server = Server()
    server.answer = answer_never()  # type: ignore[method-assign]  # instead of all answers
    async with looking(server) as (lookout, changes):
        await asyncio.sleep(0.1)
        assert (lookout.sight(QUESTION), changes) == (None, [])
