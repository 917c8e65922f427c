"""Each injected fault, as a client meets it, and what became of its request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from support.dev_bodies import CONFIG_MAPS, CONFIGS, config
from windlass.dev.api.faults import (
    Answer,
    CutWatch,
    Delay,
    Effect,
    EndWatch,
    Late,
    Lose,
    LoseAnswer,
    Rule,
    SilenceWatch,
)
from windlass.dev.api.server import DevApi


async def create(http: aiohttp.ClientSession, name: str) -> int | str:
    """The status of the answer, or why there was none."""
    try:
        async with http.post(CONFIGS, json=config(name), timeout=aiohttp.ClientTimeout(2)) as answer:
            return answer.status
    except aiohttp.ClientError:
        return "dropped"


@dataclass(frozen=True)
class Case:
    effect: Effect
    answer: int | str
    exists: bool
    """Right after the answer."""
    exists_later: bool


CASES = {
    "refused": Case(Answer(500), 500, exists=False, exists_later=False),
    "too many": Case(Answer(429, retry_after=3), 429, exists=False, exists_later=False),
    "the request is lost": Case(Lose(), "dropped", exists=False, exists_later=False),
    "the answer is lost": Case(LoseAnswer(), "dropped", exists=True, exists_later=True),
    "carried out late": Case(Late(0.2), "dropped", exists=False, exists_later=True),
    "slow before": Case(Delay(before=0.05), 201, exists=True, exists_later=True),
    "slow after": Case(Delay(after=0.05), 201, exists=True, exists_later=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_create_meets_a_fault(api: DevApi, http: aiohttp.ClientSession, case: Case) -> None:
    api.faults.add(case.effect, verb="create", resource="configmaps", name="*")

    def exists() -> bool:
        return bool(api.store.list(CONFIG_MAPS, "default"))

    assert (await create(http, "a"), exists()) == (case.answer, case.exists)
    await asyncio.sleep(0.3)
    assert exists() == case.exists_later
    assert await create(http, "b") == 201


async def test_the_client_is_told_when_to_come_back(api: DevApi, http: aiohttp.ClientSession) -> None:
    api.faults.add(Answer(429, retry_after=3))
    async with http.get(CONFIGS) as answer:
        assert (answer.headers["Retry-After"], (await answer.json())["details"]) == ("3", {"retryAfterSeconds": 3})


async def test_a_client_that_gives_up_does_not_call_its_request_back(api: DevApi, http: aiohttp.ClientSession) -> None:
    api.faults.add(Delay(before=0.2))
    with pytest.raises(TimeoutError):
        await http.post(CONFIGS, json=config("a"), timeout=aiohttp.ClientTimeout(0.05))
    await asyncio.sleep(0.3)
    assert len(api.store.list(CONFIG_MAPS, "default")) == 1


def test_a_rule_picks_its_requests(api: DevApi) -> None:
    from windlass.dev.api.faults import Call

    rule = api.faults.add(Lose(), verb="get|list", resource="pods*", name="a-*", skip=1, times=2)
    calls = [Call("get", "pods", "n", f"a-{number}") for number in range(5)]
    others = [Call("get", "nodes", "", "a-1"), Call("create", "pods", "n", "a-1"), Call("get", "pods", "n", "b")]
    assert [api.faults.effect_on(call) for call in others] == [None, None, None]
    assert [api.faults.effect_on(call) for call in calls] == [None, Lose(), Lose(), None, None]
    assert rule.hits == 2
    assert isinstance(rule, Rule)


async def watched(api: DevApi, http: aiohttp.ClientSession, seconds: float = 0.5, **query: str) -> tuple[Any, str]:
    """The lines of a watch while two objects are made, and how it ended."""
    params = {"watch": "true", "resourceVersion": str(api.store.version), "timeoutSeconds": "5", **query}
    lines: list[bytes] = []
    try:
        async with asyncio.timeout(seconds), http.get(CONFIGS, params=params) as answer:
            for name in "abc":
                api.store.create(CONFIG_MAPS, config(name))
            while line := await answer.content.readline():
                lines.append(line)
    except aiohttp.ClientError:
        return lines, "cut"
    except TimeoutError:
        return lines, "silent"
    return lines, "closed"


WATCHES = {
    "nothing": (None, 3, "silent"),
    "cut between lines": (CutWatch(events=2), 2, "cut"),
    "silence": (SilenceWatch(events=1), 1, "silent"),
    "an error inside": (EndWatch(events=1), 2, "closed"),
}


@pytest.mark.parametrize(("effect", "count", "end"), WATCHES.values(), ids=WATCHES.keys())
async def test_a_watch_meets_a_fault(
    api: DevApi, http: aiohttp.ClientSession, effect: Effect | None, count: int, end: str
) -> None:
    if effect is not None:
        api.faults.add(effect, verb="watch")
    lines, ended = await watched(api, http)
    assert (len(lines), ended) == (count, end)
    if isinstance(effect, EndWatch):
        last = json.loads(lines[-1])
        assert (last["type"], last["object"]["code"]) == ("ERROR", 410)


async def test_a_line_is_cut(api: DevApi, http: aiohttp.ClientSession) -> None:
    api.faults.add(CutWatch(events=1, mid_line=True), verb="watch")
    seen = b""
    params = {"watch": "true", "resourceVersion": str(api.store.version)}
    with pytest.raises(aiohttp.ClientError):
        async with http.get(CONFIGS, params=params) as answer:
            for name in "ab":
                api.store.create(CONFIG_MAPS, config(name))
            async for piece in answer.content.iter_any():
                seen += piece
    assert seen.count(b"\n") == 1
    assert not seen.endswith(b"\n")


async def test_all_watches_are_dropped(api: DevApi, http: aiohttp.ClientSession) -> None:
    asyncio.get_running_loop().call_later(0.1, api.faults.drop_watches)
    assert (await watched(api, http))[1] == "cut"


async def test_bookmarks_come_to_those_who_ask(api: DevApi, http: aiohttp.ClientSession) -> None:
    lines, _ = await watched(api, http, allowWatchBookmarks="true")
    last = json.loads(lines[-1])
    assert (last["type"], last["object"]["metadata"]) == ("BOOKMARK", {"resourceVersion": str(api.store.version)})


async def test_history_can_be_forgotten(api: DevApi, http: aiohttp.ClientSession) -> None:
    version = str(api.store.version)
    api.store.create(CONFIG_MAPS, config("x"))
    api.expire()
    async with http.get(CONFIGS, params={"watch": "true", "resourceVersion": version}) as answer:
        event = json.loads(await answer.text())
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
