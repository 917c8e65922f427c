"""Lookouts, and requests as service accounts, over a store; whom it refuses is a set that the test fills."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from windlass.dev.api.store import Store
from windlass.engine.questions import Changed, Place
from windlass.errors import Forbidden, NotFound
from windlass.plan.sights import ObjectQuestion, Sight, SightKind, selects
from windlass.resources import Resource


class StoreLookouts:
    """Opens lookouts on kinds that the test has named."""

    def __init__(self, store: Store, kinds: Mapping[str, Resource]) -> None:
        self.store = store
        self.kinds = dict(kinds)
        self.refused: set[str] = set()
        """Service accounts that may see nothing."""
        self.opened: list[Place] = []
        self.closed: list[Place] = []

    def open(self, place: Place, changed: Changed) -> StoreLookout:
        self.opened.append(place)
        return StoreLookout(self, place, changed)


class StoreLookout:
    def __init__(self, owner: StoreLookouts, place: Place, changed: Changed) -> None:
        self._owner = owner
        self._place = place
        self._changed = changed
        self._synced = False
        self._task = asyncio.create_task(self._watch())

    def want(self, question: ObjectQuestion) -> None: ...

    def leave(self, question: ObjectQuestion) -> None: ...

    def close(self) -> None:
        self._owner.closed.append(self._place)
        self._task.cancel()

    def sight(self, question: ObjectQuestion) -> Sight | None:
        if not self._synced:
            return None
        place = self._place
        if place.kind not in self._owner.kinds:
            return Sight(SightKind.REFUSED, message=f"the cluster knows no {place.kind}")
        if place.service_account in self._owner.refused:
            return Sight(SightKind.REFUSED, message=f"{place.service_account} may not list {place.kind}")
        found = self._owner.store.list(self._owner.kinds[place.kind], place.namespace)
        return Sight(SightKind.SEEN, tuple(obj for obj in found if _meant(obj, question)))

    async def _watch(self) -> None:
        await asyncio.sleep(0)
        self._synced = True
        self._changed(None, {})
        if self._place.kind not in self._owner.kinds:
            return
        async for _, body in self._owner.store.watch(self._owner.kinds[self._place.kind]):
            metadata: dict[str, Any] = body["metadata"]
            self._changed(metadata["name"], metadata.get("labels") or {})


def _meant(obj: Mapping[str, Any], question: ObjectQuestion) -> bool:
    metadata = obj["metadata"]
    if question.name is not None:
        return bool(metadata["name"] == question.name)
    return selects(question.selector, metadata.get("labels") or {})


class StoreGuests:
    """Requests as service accounts, over a store. Accounts in `refused` may make nothing."""

    def __init__(self, store: Store, kinds: Mapping[str, Resource]) -> None:
        self.store = store
        self.kinds = dict(kinds)
        self.refused: set[str] = set()

    async def client(self, namespace: str, service_account: str) -> StoreGuest:
        return StoreGuest(self, service_account)

    async def kind(self, namespace: str, service_account: str, api_version: str, kind: str) -> Resource:
        if kind not in self.kinds:
            raise NotFound(f"the cluster knows no {kind} of {api_version}", 404)
        return self.kinds[kind]


class StoreGuest:
    def __init__(self, owner: StoreGuests, account: str) -> None:
        self._owner = owner
        self._account = account

    def _permit(self, verb: str, resource: Resource) -> None:
        if self._account in self._owner.refused:
            raise Forbidden(f"{self._account} cannot {verb} {resource.plural}", 403)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any]:
        self._permit("get", resource)
        return self._owner.store.get(resource, namespace, name)

    async def create(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self._permit("create", resource)
        return self._owner.store.create(resource, obj)

    async def apply(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        self._permit("patch", resource)
        metadata = obj["metadata"]
        try:
            return self._owner.store.patch(resource, metadata["namespace"], metadata["name"], obj)
        except NotFound:
            return self._owner.store.create(resource, obj)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> dict[str, Any]:
        self._permit("delete", resource)
        return self._owner.store.delete(resource, namespace, name, uid=uid)
