"""Requests whose answers a development API server must give as a real one does: the table, and how it is run.

Each case is a conversation in a namespace of its own. `$n.path` in a query or body is what answer n (from 1) had there.
Of an answer the status, warnings and body count, with what differs from run to run (uids, versions, times) replaced by
words that keep who equals whom.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

Body = dict[str, Any]

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


@dataclass(frozen=True)
class Ask:
    """One request. `path` is below the case's namespace unless it begins with a slash."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    type: str = "application/json"
    accept: str = "application/json"
    unlike: Sequence[str] = ()
    """Fields of the answer in which the development server may differ, as dotted paths."""


@dataclass(frozen=True)
class Server:
    """An API server that can be asked."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, list[str], Any]:
        """Status, warnings and body of an answer; a watch's body is the list of its events."""
        async with self.session.request(method, self.url + path, **how) as answer:
            text = await answer.text()
            warnings = answer.headers.getall("Warning", [])
            return answer.status, list(warnings), _parsed(text)


def _parsed(text: str) -> Any:
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        found = [json.loads(line) for line in lines]
    except json.JSONDecodeError:
        return text
    if len(found) == 1 and "type" in found[0] and "object" in found[0]:
        return found
    return found[0] if len(found) == 1 else found


async def converse(server: Server, namespace: str, case: Sequence[Ask]) -> list[Any]:
    """The answers to a case, made comparable."""
    answers: list[Any] = []
    seen: list[Any] = []
    plain = Plain(namespace)
    for ask in case:
        base = ask.path if ask.path.startswith("/") else f"/api/v1/namespaces/{namespace}/{ask.path}"
        path = base.replace("NAMESPACE", namespace)
        body = None if ask.body is None else _filled(ask.body, seen, namespace)
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        headers = {"Content-Type": ask.type, "Accept": ask.accept}
        query = _filled(dict(ask.query), seen, namespace)
        status, warnings, got = await server.ask(ask.method, path, params=query, data=data, headers=headers)
        seen.append(got)
        answers.append({"status": status, "warnings": warnings, "body": _without(plain(got), ask.unlike)})
    return answers


def _filled(value: Any, answers: Sequence[Any], namespace: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, answers, namespace) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, answers, namespace) for item in value]
    if isinstance(value, str):
        found = re.fullmatch(r"\$(\d+)\.(\S+)", value)
        if found:
            got = answers[int(found[1]) - 1]
            for step in found[2].split("."):
                got = got[int(step)] if isinstance(got, list) else got[step]
            return got
        return value.replace("NAMESPACE", namespace)
    return value


class Plain:
    """Replaces what differs from run to run by words, the same word for the same thing within a conversation."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._words: dict[tuple[str, str], str] = {}

    def __call__(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            if "items" in value or value.get("kind") == "Table":
                # What else happens in the cluster shows in the version of a list.
                meta = {name: item for name, item in value["metadata"].items() if name != "resourceVersion"}
                value = {**value, "metadata": meta}
            return {name: self(item, name) for name, item in value.items() if name not in {"managedFields"}}
        if isinstance(value, list) and key == "causes":
            return sorted((self(item, key) for item in value), key=lambda cause: str(cause.get("field")))
        if isinstance(value, list):
            return [self(item, key) for item in value if not _is_plain_bookmark(item)]
        if not isinstance(value, str):
            return value
        if key in {"resourceVersion", "uid", "continue"} and value not in {"", "0"}:
            return self._word(key, value)
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
            return "<time>"
        return self._text(value)

    def _text(self, value: str) -> str:
        value = value.replace(self._namespace, "<namespace>")
        value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>", value)
        value = re.sub(r"\b(made-)[a-z0-9]{5}\b", r"\1<suffix>", value)
        return re.sub(r"^\d+s$", "<age>", value)

    def _word(self, key: str, value: str) -> str:
        count = sum(1 for kind, _ in self._words if kind == key)
        return self._words.setdefault((key, value), f"<{key} {count + 1}>")


def _is_plain_bookmark(event: Any) -> bool:
    """A bookmark that may come or not; the one at the end of initial events must."""
    if not isinstance(event, dict) or event.get("type") != "BOOKMARK":
        return False
    return "annotations" not in event["object"]["metadata"]


def _without(value: Any, paths: Sequence[str]) -> Any:
    for path in paths:
        value = _dropped(value, path.split("."))
    return value


def _dropped(value: Any, steps: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_dropped(item, steps) for item in value]
    if not isinstance(value, dict) or steps[0] not in value:
        return value
    if len(steps) == 1:
        return {key: item for key, item in value.items() if key != steps[0]}
    return {**value, steps[0]: _dropped(value[steps[0]], steps[1:])}


async def prepared(server: Server, definitions: Sequence[Body]) -> None:
    """Define the custom resources of the table, and wait until they are served."""
    for definition in definitions:
        await server.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=definition)
    for definition in definitions:
        spec = definition["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        await until(server, path)


async def in_new_namespace(server: Server, namespace: str, case: Sequence[Ask]) -> list[Any]:
    """The answers to a case in a namespace made for it."""
    await server.ask("POST", "/api/v1/namespaces", json={"metadata": {"name": namespace}})
    await until(server, f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    try:
        return await converse(server, namespace, case)
    finally:
        await server.ask("DELETE", f"/api/v1/namespaces/{namespace}")


async def until(server: Server, path: str) -> None:
    """Wait for what another part of the cluster makes."""
    async with asyncio.timeout(20):
        while (await server.ask("GET", path))[0] != 200:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
