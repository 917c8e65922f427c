"""Requests beyond the table of conformance: who may ask, logs, quotas, protobuf, definitions that go."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from support.dev_bodies import CONFIGS, config, pod
from windlass.dev.api.logs import LogRequest
from windlass.dev.api.protobuf import CONTENT_TYPE
from windlass.dev.api.server import DevApi
from windlass.errors import NotFound, QuotaExceeded
from windlass.resources import CRDS, PODS, Resource

LOG = "/api/v1/namespaces/default/pods/a/log"
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic abc"])
async def test_only_the_token_opens(api: DevApi, http: aiohttp.ClientSession, token: str) -> None:
    async with http.get(CONFIGS, headers={"Authorization": token}) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (401, "Unauthorized")


def running(api: DevApi) -> None:
    api.store.create(PODS, pod("a"))
    api.store.patch(PODS, "default", "a", {"spec": {"nodeName": "dev"}}, subresource="binding")
    states = [{"name": "main", "state": {"running": {}}}]
    status = {"status": {"phase": "Running", "containerStatuses": states}}
    api.store.patch(PODS, "default", "a", status, subresource="status")


async def test_logs_come_from_their_provider(api: DevApi, http: aiohttp.ClientSession) -> None:
    asked: list[LogRequest] = []

    async def provider(request: LogRequest) -> AsyncIterator[bytes]:
        asked.append(request)
        yield b"one\n"
        yield b"two\n"

    api.log_provider = provider
    running(api)
    query = {"follow": "true", "tailLines": "5", "timestamps": "true", "limitBytes": "9", "sinceSeconds": "3"}
    async with http.get(LOG, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "one\ntwo\n")
    uid = api.store.get(PODS, "default", "a")["metadata"]["uid"]
    assert asked == [LogRequest("default", "a", uid, "main", True, False, True, 5, 9, 3)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"container": "other"}, "container other is not valid for pod a"),
        ({}, "pod a does not have a host assigned"),
    ],
)
async def test_logs_that_are_not_there(
    api: DevApi, http: aiohttp.ClientSession, query: dict[str, str], message: str
) -> None:
    api.store.create(PODS, pod("a"))
    async with http.get(LOG, params=query) as answer:
        assert (answer.status, (await answer.json())["message"]) == (400, message)


async def test_a_quota_is_used_up_until_a_pod_ends(api: DevApi) -> None:
    hard = {"pods": "1", "count/pods": "2"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    quotas = Resource("", "v1", "resourcequotas", "ResourceQuota")
    api.store.create(quotas, {**quota, "spec": {"hard": hard}})
    api.store.create(PODS, pod("a"))
    with pytest.raises(QuotaExceeded) as caught:
        api.store.create(PODS, pod("b"))
    assert caught.value.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    )
    api.store.patch(PODS, "default", "a", {"status": {"phase": "Succeeded"}}, subresource="status")
    api.store.create(PODS, pod("b"))
    with pytest.raises(QuotaExceeded, match="limited: pods=1,count/pods=2"):
        api.store.create(PODS, pod("c"))


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


async def test_kubectls_protobuf_is_read(http: aiohttp.ClientSession) -> None:
    kind = field(1, b"v1") + field(2, b"ConfigMap")
    data = field(2, field(1, b"key") + field(2, b"value"))
    body = b"k8s\x00" + field(1, kind) + field(2, field(1, field(1, b"a")) + data)
    async with http.post(CONFIGS, data=body, headers={"Content-Type": CONTENT_TYPE}) as answer:
        assert (answer.status, (await answer.json())["data"]) == (201, {"key": "value"})
    async with http.post(CONFIGS, data=body[:-3], headers={"Content-Type": CONTENT_TYPE}) as answer:
        assert answer.status == 400


async def test_a_definition_takes_its_objects_with_it(api: DevApi) -> None:
    schema = {"openAPIV3Schema": {"type": "object"}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    api.store.create(CRDS, definition)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "default"}}
    api.store.create(WIDGETS, widget)
    events = api.store.watch(WIDGETS, api.store.version)
    api.store.delete(CRDS, None, "widgets.example.com")
    assert (await anext(events))[0] == "DELETED"
    with pytest.raises(NotFound):
        api.store.list(WIDGETS)
    api.store.create(CRDS, definition)
    assert api.store.list(WIDGETS) == []


async def test_pages_show_one_moment(api: DevApi, http: aiohttp.ClientSession) -> None:
    for name in "abc":
        api.store.create(Resource("", "v1", "configmaps", "ConfigMap"), config(name))
    async with http.get(CONFIGS, params={"limit": "2"}) as answer:
        first = await answer.json()
    api.store.delete(Resource("", "v1", "configmaps", "ConfigMap"), "default", "c")
    query = {"limit": "2", "continue": first["metadata"]["continue"]}
    async with http.get(CONFIGS, params=query) as answer:
        second = await answer.json()
    assert [item["metadata"]["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}
    api.expire()
    async with http.get(CONFIGS, params=query) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (410, "Expired")


async def test_validators_stand_in_for_rules() -> None:
    def no_odd_names(new, old):  # type: ignore[no-untyped-def]
        return ["metadata.name: is odd"] if "odd" in new["metadata"]["name"] else []

    async with DevApi(validators={"ConfigMap": [no_odd_names]}) as api:
        configs = Resource("", "v1", "configmaps", "ConfigMap")
        api.store.create(configs, config("even"))
        with pytest.raises(Exception, match=r"metadata\.name: Invalid value: is odd"):
            api.store.create(configs, config("odd"))
