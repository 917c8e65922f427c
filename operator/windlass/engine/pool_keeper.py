"""The Pools of the cluster as objects: read for what they grant, and told what was granted.

Their figures change with each pod, and are written no more often than every few seconds a pool: nothing is decided by
what stands in a status.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from windlass.engine.keepers import ObjectKey
from windlass.engine.pools import Pools
from windlass.engine.ports import Api, Body, Clock
from windlass.engine.queue import BesideRuns, KeyedQueue, QueueObserver
from windlass.engine.record import version_of
from windlass.errors import Conflict, NotFound
from windlass.models.common import format_time
from windlass.models.findings import summary
from windlass.models.parse import InvalidObject, read_pool
from windlass.models.pool import PoolStatus
from windlass.resources import POOLS

logger = logging.getLogger(__name__)
WRITE_EVERY: Final = 3.0
"""Seconds between two writes of a pool's status."""
MERGE: Final = "application/merge-patch+json"


class PoolKeeper:
    """Takes Pools as they are seen, and keeps their status up to date."""

    def __init__(self, api: Api, clock: Clock, observer: QueueObserver, pools: Pools) -> None:
        self._api = api
        self._clock = clock
        self._pools = pools
        self._bodies: dict[ObjectKey, Body] = {}
        self._unreadable: dict[ObjectKey, str] = {}
        self._queue: KeyedQueue[ObjectKey] = KeyedQueue(
            self._work, clock, BesideRuns(observer), concurrency=4, fields=lambda key: {"pool": str(key)}
        )

    async def stop(self) -> None:
        """Finish the writes under way."""
        await self._queue.close()

    def seen(self, body: Body) -> None:
        """Take a Pool as a watch or a list gave it."""
        key = ObjectKey.of(body)
        known = self._bodies.get(key)
        if known is not None and version_of(body) <= version_of(known):
            return
        self._bodies[key] = body
        try:
            spec = read_pool(body)
        except InvalidObject as error:
            self._unreadable[key] = summary(error.findings)
            self._pools.pool_gone(key)
            logger.warning("pool %s can't be read, and grants nothing: %s", key, self._unreadable[key])
        else:
            self._unreadable.pop(key, None)
            self._pools.pool_seen(key, spec)
        self._queue.add(key)

    def gone(self, body: Body) -> None:
        """Take a Pool's deletion."""
        self._forget(ObjectKey.of(body))

    def listed(self, bodies: Mapping[ObjectKey, Body], namespace: str | None) -> None:
        """Take all Pools, of a namespace or of the cluster: what is not among them is gone."""
        for key in [key for key in self._bodies if namespace in (None, key.namespace) and key not in bodies]:
            self._forget(key)
        for body in bodies.values():
            self.seen(body)

    def changed(self, key: ObjectKey) -> None:
        """A pool's figures have changed: they are written in a moment."""
        if key in self._bodies:
            self._queue.add(key, WRITE_EVERY)

    def _forget(self, key: ObjectKey) -> None:
        self._bodies.pop(key, None)
        self._unreadable.pop(key, None)
        self._pools.pool_gone(key)
        self._queue.forget(key)

    async def _work(self, key: ObjectKey) -> float:
        body = self._bodies.get(key)
        status = self._status(key)
        if body is None or status is None or status == _stored(body):
            return 0.0
        now = format_time(self._clock.now())
        told = status.model_copy(update={"updated_at": now}).model_dump(mode="json", by_alias=True, exclude_none=True)
        metadata = {"uid": body["metadata"]["uid"]}
        try:
            # What is left out is taken away: the list of those who wait is replaced as a whole.
            patch = {"metadata": metadata, "status": {"message": None, **told}}
            answer = await self._api.patch(POOLS, *key, patch, content_type=MERGE, subresource="status")
        except (Conflict, NotFound) as error:
            logger.debug("pool %s was deleted, or made anew: %s", key, error)
            return 0.0
        if key in self._bodies and version_of(answer) > version_of(self._bodies[key]):
            self._bodies[key] = answer
        return 0.0

    def _status(self, key: ObjectKey) -> PoolStatus | None:
        generation = self._bodies[key]["metadata"].get("generation") if key in self._bodies else None
        if key in self._unreadable:
            message = f"the pool can't be read, and grants nothing: {self._unreadable[key]}"[:1024]
            return PoolStatus(message=message, observed_generation=generation)
        figures = self._pools.status(key)
        return figures.model_copy(update={"observed_generation": generation}) if figures is not None else None


def _stored(body: Body) -> PoolStatus | None:
    """The status as it stands, but for when it was counted; None when there is none that can be read."""
    status = body.get("status")
    if not isinstance(status, dict):
        return None
    try:
        return PoolStatus.model_validate({**status, "updatedAt": None}, extra="ignore", by_alias=True, by_name=False)
    except ValueError:
        return None
