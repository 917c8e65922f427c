"""What the engine's client sends: nothing unless its process leads, and no pod that a policy refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from support.policy_cases import usual_pod, with_field
from support.scripted_api import TokenCredentials, answer_json, answer_refusal, login, scripted_api
from windlass import errors
from windlass.build.policy import Policy, read_policies
from windlass.controller.leading import LeaderClient
from windlass.kube.lease import Leadership
from windlass.resources import PODS, RUNS

POD = usual_pod()
RUN = {"metadata": {"namespace": "data", "name": "r", "resourceVersion": "3"}}


class Leads(Leadership):
    """A leadership that is what the test says."""

    def __init__(self, term: int = 7) -> None:
        self.identity, self.term, self.now = "c-1", term, True

    @property
    def is_leader(self) -> bool:
        return self.now


def client(url: str, leads: Leads, *policies: Policy, concurrency: int = 4) -> LeaderClient:
    return LeaderClient(TokenCredentials(login(url)), leads, policies=policies, concurrency=concurrency)


def policy(**values: Any) -> Policy:
    return read_policies({"policies": [{"name": "p", **values}]})[0]


async def test_a_pod_says_who_made_it_in_which_term() -> None:
    forged = with_field(POD, "metadata.annotations", {"windlass.dev/term": "99", "mine": "x"})
    async with scripted_api(answer_json(POD)) as api, client(api.url, Leads()) as it:
        await it.create(PODS, forged)
        sent = api.asked[0].body["metadata"]["annotations"]
    assert sent == {"windlass.dev/term": "7", "windlass.dev/leader": "c-1", "mine": "x"}
    assert forged["metadata"]["annotations"]["windlass.dev/term"] == "99", "the manifest of the caller is as it was"


WRITES = {
    "create": lambda it: it.create(PODS, POD),
    "replace of a status": lambda it: it.replace_status(RUNS, RUN),
    "patch": lambda it: it.patch(PODS, "data", "a", {}),
    "delete": lambda it: it.delete(PODS, "data", "a"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_who_does_not_lead_writes_nothing(write: Any) -> None:
    leads = Leads()
    leads.now = False
    async with scripted_api(answer_json(POD)) as api, client(api.url, leads) as it:
        with pytest.raises(errors.NotLeading):
            await write(it)
        assert api.asked == []
        await it.get(PODS, "data", "a")
        assert len(api.asked) == 1, "to read does no harm"


async def test_what_has_waited_for_its_turn_is_held_back_too() -> None:
    """A process that is frozen while requests wait for a connection wakes up with them."""
    leads, arrived, first = Leads(), asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await first.wait()
        return web.json_response(POD)

    async with scripted_api(slow) as api, client(api.url, leads, concurrency=1) as it:
        creates = [asyncio.ensure_future(it.create(PODS, POD)) for _ in range(3)]
        await arrived.wait()
        leads.now = False
        first.set()
        answers = await asyncio.gather(*creates, return_exceptions=True)
        assert [type(answer) for answer in answers] == [dict, errors.NotLeading, errors.NotLeading]
        assert len(api.asked) == 1


async def test_a_pod_that_a_policy_refuses_is_not_sent() -> None:
    pod = with_field(POD, "spec.hostNetwork", True)
    async with scripted_api(answer_json(POD)) as api, client(api.url, Leads(), policy()) as it:
        with pytest.raises(errors.Forbidden) as caught:
            await it.create(PODS, pod)
        assert (caught.value.message, caught.value.reason, api.asked) == (
            'the admin\'s policy "p" refuses hostNetwork: its rule hostNamespaces does not allow it',
            "Forbidden",
            [],
        )
        await it.create(PODS, POD)
        assert len(api.asked) == 1


async def test_a_policy_is_for_the_namespaces_that_it_selects() -> None:
    strict = policy(namespaceSelector={"matchLabels": {"team": "data"}})
    pod = with_field(POD, "spec.hostNetwork", True)
    for labels, refused in (({"team": "data"}, True), ({"team": "ops"}, False)):
        namespace = {"metadata": {"name": "data", "labels": labels}}
        async with scripted_api(answer_json(namespace)) as api, client(api.url, Leads(), strict) as it:
            answers = await asyncio.gather(*(it.create(PODS, pod) for _ in range(4)), return_exceptions=True)
            assert [isinstance(answer, errors.Forbidden) for answer in answers] == [refused] * 4
            assert sum(asked.method == "GET" for asked in api.asked) == 1, "the labels are read now and then"


async def test_labels_that_may_not_be_read_keep_the_pod_waiting() -> None:
    strict = policy(namespaceSelector={"matchLabels": {"team": "data"}})
    refusal = answer_refusal(403, "Forbidden")
    async with scripted_api(refusal) as api, client(api.url, Leads(), strict) as it:
        with pytest.raises(errors.Retryable, match="which policies namespace data has can't be read"):
            await it.create(PODS, POD)
        assert [asked.method for asked in api.asked] == ["GET"]
