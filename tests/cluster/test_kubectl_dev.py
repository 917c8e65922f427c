"""The real kubectl works on the development API server, with no flags but the kubeconfig."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from support.conformance_definitions import DEFINITIONS
from windlass.dev.api.logs import LogRequest
from windlass.dev.api.server import DevApi
from windlass.resources import PODS

pytestmark = pytest.mark.cluster
Kubectl = Callable[..., Awaitable[tuple[int, str, str]]]

OBJECTS = """
{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}},
  {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"x": "1"}},
   "spec": {"containers": [{"name": "main", "image": "busybox:1"}]}},
  {"apiVersion": "conformance.windlass.dev/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}}]}
"""


async def log(request: LogRequest) -> AsyncIterator[bytes]:
    yield b"first\n"
    if request.follow:
        await asyncio.sleep(0.1)
        yield b"last\n"


@pytest.fixture
async def api() -> AsyncIterator[DevApi]:
    async with DevApi(log_provider=log) as api:
        yield api


@pytest.fixture
def kubectl(api: DevApi, tmp_path: Path) -> Kubectl:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(api.kubeconfig()))

    async def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            "kubectl", f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}", *words,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await asyncio.wait_for(process.communicate(stdin.encode()), 20)
        assert process.returncode is not None
        return process.returncode, out.decode(), error.decode()

    return run


async def done(kubectl: Kubectl, *words: str, stdin: str = "") -> str:
    status, out, error = await kubectl(*words, stdin=stdin)
    assert status == 0, error
    return out


async def test_what_users_do(api: DevApi, kubectl: Kubectl) -> None:
    for definition in DEFINITIONS:
        assert "created" in await done(kubectl, "apply", "-f", "-", stdin=json.dumps(definition))
    await done(kubectl, "wait", "--for=condition=Established", "crd/widgets.conformance.windlass.dev")
    made = await done(kubectl, "apply", "-f", "-", stdin=OBJECTS)
    assert made.splitlines() == [
        "configmap/c created",
        "pod/p created",
        "widget.conformance.windlass.dev/w created",
    ]
    again = await done(kubectl, "apply", "-f", "-", stdin=OBJECTS.replace('"size": 3', '"size": 4'))
    assert again.splitlines() == [
        "configmap/c unchanged",
        "pod/p unchanged",
        "widget.conformance.windlass.dev/w configured",
    ]
    assert (await done(kubectl, "get", "widgets")).split()[:3] == ["NAME", "SIZE", "PHASE"]
    assert "pod/p" in await done(kubectl, "get", "all", "-o", "name")
    assert "Service Account:  default" in await done(kubectl, "describe", "pod", "p")
    assert "Size:" in await done(kubectl, "describe", "widget", "w")
    assert "configmaps" in await done(kubectl, "api-resources")
    assert "size\t<integer> -required-" in await done(kubectl, "explain", "widget.spec")
    await done(kubectl, "patch", "widget", "w", "--type=merge", "-p", '{"spec":{"size":5}}')
    await done(
        kubectl, "patch", "widget", "w", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Done"}}'
    )
    await done(kubectl, "wait", "widget/w", "--for=jsonpath={.status.phase}=Done", "--timeout=5s")
    await done(kubectl, "label", "pod", "p", "y=2")
    await done(kubectl, "create", "namespace", "n")
    await done(kubectl, "-n", "n", "create", "secret", "generic", "s", "--from-literal=k=v")
    assert await done(kubectl, "-n", "n", "get", "secret", "s", "-o", "jsonpath={.data.k}") == "dg=="
    assert (await done(kubectl, "auth", "can-i", "create", "pods")).strip() == "yes"
    await done(kubectl, "delete", "namespace", "n")
    await done(kubectl, "delete", "-f", "-", stdin=OBJECTS)
    assert await done(kubectl, "get", "pods,configmaps,widgets", "-o", "name") == ""


async def test_a_misspelt_field_is_named(api: DevApi, kubectl: Kubectl) -> None:
    wrong = OBJECTS.replace('"image"', '"imag"')
    _, _, error = await kubectl("apply", "-f", "-", stdin=wrong)
    assert 'unknown field "spec.containers[0].imag"' in error


async def test_logs_and_watches_follow(api: DevApi, kubectl: Kubectl) -> None:
    pod = json.loads(OBJECTS)["items"][1]
    api.store.create(PODS, {**pod, "metadata": {"name": "p", "namespace": "default"}})
    api.store.patch(PODS, "default", "p", {"spec": {"nodeName": "dev"}}, subresource="binding")
    states = [{"name": "main", "state": {"running": {}}}]
    status = {"status": {"phase": "Running", "containerStatuses": states}}
    api.store.patch(PODS, "default", "p", status, subresource="status")
    assert await done(kubectl, "logs", "-f", "p") == "first\nlast\n"

    def end() -> None:
        api.store.delete(PODS, "default", "p", grace=0)

    asyncio.get_running_loop().call_later(0.7, end)
    assert "deleted" not in await done(kubectl, "get", "pods", "p")
    await done(kubectl, "wait", "pod/p", "--for=delete", "--timeout=5s")
