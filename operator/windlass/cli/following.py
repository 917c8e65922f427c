"""An object that goes through phases, a run or a backfill, as it changes until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from windlass.cli.cluster import Cluster
from windlass.cli.failures import FAILED, OK, Failure
from windlass.errors import Gone, Retryable
from windlass.resources import Resource

Body = dict[str, Any]

ENDED: Final = frozenset({"Succeeded", "Failed", "Cancelled", "Refused"})
RETRY_AFTER: Final = 1.0


def phase(body: Body) -> str:
    """The object's phase; Pending for one that no controller has seen yet."""
    return str((body.get("status") or {}).get("phase") or "Pending")


def verdict(body: Body) -> int:
    """The exit code that its end gives."""
    return OK if phase(body) == "Succeeded" else FAILED


async def follow(
    cluster: Cluster, resource: Resource, read: Callable[[], Awaitable[Body]], deleted: str
) -> AsyncIterator[Body]:
    """What `read` gives, and the object after each change, until it has ended. Failure with the words `deleted`, in
    which {} is the name, when it is deleted before."""
    while True:
        body = await read()
        yield body
        if phase(body) in ENDED:
            return
        meta = body["metadata"]
        try:
            async for event in cluster.client.watch(
                resource,
                cluster.namespace,
                resource_version=meta["resourceVersion"],
                field_selector=f"metadata.name={meta['name']}",
            ):
                if event.type == "DELETED":
                    raise Failure(deleted.format(meta["name"]))
                if event.type == "BOOKMARK":
                    continue
                yield event.obj
                if phase(event.obj) in ENDED:
                    return
        except Gone:
            continue
        except Retryable:
            await asyncio.sleep(RETRY_AFTER)
