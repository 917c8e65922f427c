"""Streams of events, whole and broken."""

from __future__ import annotations

import pytest

from support.scripted_api import (
    Asked,
    answer_hang_up,
    answer_lines,
    answer_never,
    answer_refusal,
    client_of,
    line,
    pod,
    refusal,
    scripted_api,
)
from windlass import errors
from windlass.kube.client import KubeClient, WatchEvent
from windlass.resources import PODS

A, B = pod("a", 5), pod("b", 6)
MARK = {"kind": "Pod", "metadata": {"resourceVersion": "9"}}
GOOD = line("ADDED", A)


async def watched(client: KubeClient) -> tuple[list[WatchEvent], errors.ApiError | None]:
    """The events of one watch, and the error that ended it."""
    seen: list[WatchEvent] = []
    try:
        async for event in client.watch(PODS, "data", resource_version="4", label_selector="x=y", silence=0.2):
            seen.append(event)
    except errors.ApiError as error:
        return seen, error
    return seen, None


WHOLE = {
    "events and a bookmark": (
        (GOOD, line("DELETED", B), line("BOOKMARK", MARK)),
        [WatchEvent("ADDED", A), WatchEvent("DELETED", B), WatchEvent("BOOKMARK", MARK)],
    ),
    "an event in many pieces": (
        tuple(part for byte in GOOD for part in (bytes([byte]), 0.0)),
        [WatchEvent("ADDED", A)],
    ),
    "two events in a piece, and a half": (
        (GOOD + line("ADDED", B)[:20], 0.02, line("ADDED", B)[20:]),
        [WatchEvent("ADDED", A), WatchEvent("ADDED", B)],
    ),
    "empty lines": ((b"\n", GOOD, b"\n"), [WatchEvent("ADDED", A)]),
    "nothing": ((), []),
}


@pytest.mark.parametrize(("parts", "events"), WHOLE.values(), ids=WHOLE.keys())
async def test_whole(parts: tuple, events: list[WatchEvent]) -> None:
    async with scripted_api(answer_lines(*parts)) as api, client_of(api) as client:
        assert await watched(client) == (events, None)
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "300",
            "resourceVersion": "4",
            "labelSelector": "x=y",
        }
        assert api.asked == [Asked("GET", "/api/v1/namespaces/data/pods", query, None)]


async def test_a_large_event() -> None:
    large = pod("a", 5, x="y" * 1_500_000)
    async with scripted_api(answer_lines(line("ADDED", large))) as api, client_of(api) as client:
        assert await watched(client) == ([WatchEvent("ADDED", large)], None)


BROKEN = {
    "410 instead of a stream": (answer_refusal(410, "Expired"), 0, errors.Gone),
    "410 in the stream": (answer_lines(GOOD, line("ERROR", refusal(410, "Expired"))), 1, errors.Gone),
    "another error in the stream": (
        answer_lines(GOOD, line("ERROR", refusal(500, "InternalError"))),
        1,
        errors.ServerError,
    ),
    "an error without a code": (answer_lines(GOOD, line("ERROR", {})), 1, errors.ServerError),
    "a cut line": (answer_lines(GOOD, GOOD[:-20]), 1, errors.Unreachable),
    "a line that is no JSON": (answer_lines(GOOD, b"<html>\n", GOOD), 1, errors.Unreachable),
    "a line that is no event": (answer_lines(GOOD, b"[]\n", GOOD), 1, errors.Unreachable),
    "a stream that falls silent": (answer_lines(GOOD, 5.0, GOOD), 1, errors.Unreachable),
    "a host that has vanished": (answer_never(), 0, errors.Unreachable),
    "a closed connection": (answer_hang_up(), 0, errors.Unreachable),
    "not allowed": (answer_refusal(403, "Forbidden"), 0, errors.Forbidden),
}


@pytest.mark.parametrize(("answer", "events", "kind"), BROKEN.values(), ids=BROKEN.keys())
async def test_broken(answer: object, events: int, kind: type[errors.ApiError]) -> None:
    async with scripted_api(answer) as api, client_of(api) as client:
        seen, error = await watched(client)
        assert (len(seen), type(error)) == (events, kind)
