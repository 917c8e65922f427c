"""A cache that survives what servers and networks do to a watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.scripted_api import (
    Answer,
    answer_hang_up,
    answer_json,
    answer_lines,
    answer_never,
    answer_refusal,
    client_of,
    line,
    pod,
    refusal,
    scripted_api,
)
from windlass.kube.informer import Informer
from windlass.resources import PODS

MARK = {"kind": "Pod", "metadata": {"resourceVersion": "90"}}


def listed(version: int, *items: dict[str, Any], token: str = "") -> Answer:
    return answer_json({"metadata": {"resourceVersion": str(version), "continue": token}, "items": list(items)})


def name_of(obj: dict[str, Any]) -> str:
    return obj["metadata"]["name"]


@dataclass
class Heard:
    """What an informer said."""

    changes: list[tuple[str | None, str | None]] = field(default_factory=list)
    relists: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def relisted(self, resource: str, why: str) -> None:
        self.relists.append(why)

    def watch_failed(self, resource: str, why: str) -> None:
        self.failures.append(why)

    def changed(self, old: str | None, new: str | None) -> None:
        self.changes.append((old, new))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def informing(*answers: Answer, **options: Any) -> AsyncIterator[tuple[Informer[str], Heard, list[str]]]:
    """An informer at work on a server that gives these answers; the versions it watched from, or `list`."""
    heard = Heard()
    async with scripted_api(*answers) as api, client_of(api) as client:
        informer = Informer(
            client,
            PODS,
            name_of,
            label_selector="x=y",
            on_change=heard.changed,
            observer=heard,
            silence=0.1,
            chance=lambda: 0.5,
            sleep=heard.sleep,
            **options,
        )
        work = asyncio.create_task(informer.run())
        asked: list[str] = _Asked(api.asked)
        try:
            yield informer, heard, asked
        finally:
            work.cancel()
            await asyncio.wait([work])


class _Asked(list[str]):
    def __init__(self, asked: list[Any]) -> None:
        self._asked = asked

    def now(self) -> list[str]:
        return [request.query.get("resourceVersion", "list") for request in self._asked]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110 - it waits for what a server was asked
            await asyncio.sleep(0.002)


CASES = {
    "the watch ends in order": (
        [listed(5, pod("a", 5)), answer_lines(line("ADDED", pod("b", 6))), answer_never()],
        ["list", "5", "6"],
        ["a", "b"],
        ["Start"],
    ),
    "a bookmark moves the version on": (
        [listed(5, pod("a", 5)), answer_lines(line("BOOKMARK", MARK)), answer_never()],
        ["list", "5", "90"],
        ["a"],
        ["Start"],
    ),
    "a cut line: the watch goes on after the last whole one": (
        [
            listed(5),
            answer_lines(line("ADDED", pod("a", 6)), line("ADDED", pod("b", 7))[:30]),
            answer_lines(line("ADDED", pod("b", 7))),
            answer_never(),
        ],
        ["list", "5", "6", "7"],
        ["a", "b"],
        ["Start"],
    ),
    "silence: the watch is opened anew": (
        [listed(5), answer_lines(line("ADDED", pod("a", 6)), 5.0), answer_never()],
        ["list", "5", "6"],
        ["a"],
        ["Start"],
    ),
    "the connection breaks": (
        [listed(5), answer_hang_up(), answer_hang_up(), answer_lines(line("ADDED", pod("a", 6))), answer_never()],
        ["list", "5", "5", "5", "6"],
        ["a"],
        ["Start"],
    ),
    "410 with a deletion in the gap": (
        [
            listed(5, pod("a", 5), pod("b", 4)),
            answer_lines(line("ERROR", refusal(410, "Expired"))),
            listed(9, pod("b", 4), pod("c", 8)),
            answer_never(),
        ],
        ["list", "5", "list", "9"],
        ["b", "c"],
        ["Start", "Gone"],
    ),
    "410 instead of a watch": (
        [listed(5, pod("a", 5)), answer_refusal(410, "Expired"), listed(9), answer_never()],
        ["list", "5", "list", "9"],
        [],
        ["Start", "Gone"],
    ),
    "an error in the stream": (
        [
            listed(5, pod("a", 5)),
            answer_lines(line("ERROR", refusal(403, "Forbidden"))),
            listed(9, pod("b", 9)),
            answer_never(),
        ],
        ["list", "5", "list", "9"],
        ["b"],
        ["Start", "WatchError"],
    ),
    "watches that always break": (
        [listed(5, pod("a", 5)), *[answer_refusal(500, "InternalError")] * 3, listed(9, pod("b", 9)), answer_never()],
        ["list", "5", "5", "5", "list", "9"],
        ["b"],
        ["Start", "BrokenWatches"],
    ),
    "a list in pages": (
        [listed(5, pod("a", 5), token="t1"), listed(5, pod("b", 5)), answer_never()],
        ["list", "list", "5"],
        ["a", "b"],
        ["Start"],
    ),
    "a list that grew old is read again, whole": (
        [listed(5, pod("a", 5), token="t1"), answer_refusal(410, "Expired"), listed(9, pod("b", 9)), answer_never()],
        ["list", "list", "list", "9"],
        ["b"],
        ["Start"],
    ),
    "a list that is refused for a while": (
        [answer_refusal(403, "Forbidden"), answer_refusal(403, "Forbidden"), listed(5, pod("a", 5)), answer_never()],
        ["list", "list", "list", "5"],
        ["a"],
        ["Start"],
    ),
    "a list that is none": (
        [answer_json({"items": [1, 2]})] * 3 + [answer_json([])] * 3 + [listed(5, pod("a", 5)), answer_never()],
        ["list"] * 7 + ["5"],
        ["a"],
        ["Start"],
    ),
    "events that are none": (
        [
            listed(5),
            answer_lines(
                line("ADDED", {}),
                line("ADDED", {"metadata": None}),
                line("NEWTYPE", pod("x", 6)),
                line("ADDED", pod("a", 7)),
            ),
            answer_never(),
        ],
        ["list", "5", "7"],
        ["a"],
        ["Start"],
    ),
}


@pytest.mark.parametrize(("answers", "asked", "known", "relists"), CASES.values(), ids=CASES.keys())
async def test_informer(answers: list[Answer], asked: list[str], known: list[str], relists: list[str]) -> None:
    async with informing(*answers) as (informer, heard, requests):
        await until(lambda: len(requests.now()) >= len(asked))
        assert (requests.now()[: len(asked)], sorted(informer), heard.relists) == (asked, known, relists)
        assert informer.synced


async def test_what_vanished_is_told() -> None:
    answers, *_ = CASES["410 with a deletion in the gap"]
    async with informing(*answers) as (_, heard, _asked):
        await until(lambda: len(heard.relists) == 2)
        assert heard.changes == [(None, "a"), (None, "b"), (None, "c"), ("a", None)]


async def test_a_server_that_always_forgets_is_not_run_over() -> None:
    def answer(request: Any) -> Any:
        return (answer_refusal(410, "Expired") if "watch" in request.query else listed(5))(request)

    async with informing(answer) as (_, heard, _asked):
        await until(lambda: len(heard.relists) > 8)
        assert heard.waits[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


async def test_the_wait_that_was_asked_for_is_kept() -> None:
    refused = answer_refusal(429, "TooManyRequests", headers={"Retry-After": "60"})
    async with informing(refused, listed(5), refused, answer_never()) as (informer, heard, requests):
        await until(lambda: len(requests.now()) == 4)
        assert (heard.waits, heard.failures) == ([60.25, 60.25], ["TooManyRequests"] * 2)
        assert informer.synced


async def test_staleness() -> None:
    now = 100.0
    async with informing(answer_never(), monotonic=lambda: now) as (informer, _, _asked):
        assert (informer.synced, informer.staleness()) == (False, float("inf"))
    async with informing(listed(5), answer_never(), monotonic=lambda: now) as (informer, _, _asked):
        await informer.wait_synced()
        now = 130.0
        assert informer.staleness() == 30.0


async def test_answers_and_404s_are_taken() -> None:
    async with informing(listed(5), answer_never()) as (informer, heard, _asked):
        await informer.wait_synced()
        informer.note({"kind": "Status", "metadata": {}, "status": "Success"})
        informer.note(pod("a", 7))
        assert informer.get("data", "a") == "a"
        informer.forget("data", "a", "uid-a")
        assert (list(informer), heard.changes) == ([], [(None, "a"), ("a", None)])
