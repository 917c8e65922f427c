"""Lookouts on a real cluster: a watch of one kind in one namespace, as one service account.

    may list and watch? ──▶ an informer, whose changes are told at once
            └─ no ──▶ each object that is asked for is read by its name, every interval

Where the service account may do neither, the answer is the API server's own words, and is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final

from windlass.errors import ApiError, Forbidden, NotFound
from windlass.kube.client import KubeClient, Page, WatchEvent
from windlass.kube.guests import Guests
from windlass.kube.informer import Informer
from windlass.plan.sights import ObjectQuestion, Sight, SightKind, selects
from windlass.resources import Resource

logger = logging.getLogger(__name__)
Body = dict[str, Any]
Changed = Callable[[str | None, Mapping[str, str]], None]
Place = tuple[str, str, str, str]
"""Namespace, service account, apiVersion, kind."""

LOOK_AGAIN: Final = 30.0
"""Seconds before a kind that there is not, or that may not be watched, is tried again."""
LEAST_INTERVAL: Final = 5.0
_SECRETS: Final = "Secrets are not read: wait for what is made with them"


class KubeLookouts:
    """Opens lookouts."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests

    def open(self, place: Place, changed: Changed) -> KubeLookout:
        """Watch the objects of a kind."""
        return KubeLookout(self._guests, place, changed)


class KubeLookout:
    """One lookout. It works from when it is made until it is closed."""

    def __init__(self, guests: Guests, place: Place, changed: Changed) -> None:
        self._guests = guests
        self._namespace, self._account, self._api_version, self._kind = place
        self._changed = changed
        self._wanted: dict[ObjectQuestion, int] = {}
        self._read: dict[ObjectQuestion, Sight] = {}
        self._refused: Sight | None = None
        self._informer: Informer[Body] | None = None
        self._refusals = 0
        self._task = asyncio.create_task(self._run(), name=f"lookout {place}")

    def sight(self, question: ObjectQuestion) -> Sight | None:
        """What is known now; None: nothing yet."""
        informer = self._informer
        if informer is not None and informer.synced:
            if question.name is not None:
                found = informer.get(self._namespace, question.name)
                return Sight(SightKind.SEEN, () if found is None else (found,))
            return Sight(SightKind.SEEN, tuple(obj for obj in informer if _selected(obj, question.selector)))
        return self._read.get(question) or self._refused

    def want(self, question: ObjectQuestion) -> None:
        """The question will be asked."""
        self._wanted[question] = self._wanted.get(question, 0) + 1

    def leave(self, question: ObjectQuestion) -> None:
        """One who asked for it does so no more."""
        left = self._wanted.get(question, 1) - 1
        if left:
            self._wanted[question] = left
        else:
            self._wanted.pop(question, None)
            self._read.pop(question, None)

    def close(self) -> None:
        """Watch no more."""
        self._task.cancel()

    async def _run(self) -> None:
        if self._kind == "Secret" and self._api_version == "v1":
            self._refuse(_SECRETS)
            return
        while True:
            try:
                client = await self._guests.client(self._namespace, self._account)
                resource = await self._guests.resource(client, self._api_version, self._kind)
                await self._look(client, resource)
            except ApiError as error:
                self._refuse(error.message)
            except Exception:
                # A fault of ours in one lookout: the runs that wait for others must not notice, and this one tries on.
                logger.exception("the lookout for %s as %s begins anew", self._kind, self._account)
            await asyncio.sleep(LOOK_AGAIN)

    async def _look(self, client: KubeClient, resource: Resource) -> None:
        """Watch while that is allowed, else read; returns when watching is to be tried again."""
        watching = _Watching(client)
        informer: Informer[Body] = Informer(
            watching, resource, _slim, namespace=self._namespace if resource.namespaced else None, on_change=self._tell
        )
        self._informer = informer
        parts = [asyncio.create_task(work) for work in (informer.run(), self._tell_when_synced(informer))]
        try:
            await watching.forbidden.wait()
        finally:
            self._informer = None
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        await self._read_on(client, resource)

    async def _read_on(self, client: KubeClient, resource: Resource) -> None:
        """Read what is asked for, object by object, for a while: then watching may be allowed."""
        rounds = 0
        while rounds < 10:
            for question in tuple(self._wanted):
                await self._read_one(client, resource, question)
            self._changed(None, {})
            rounds += 1
            await asyncio.sleep(max(LEAST_INTERVAL, min((one.interval for one in self._wanted), default=LOOK_AGAIN)))

    async def _read_one(self, client: KubeClient, resource: Resource, question: ObjectQuestion) -> None:
        namespace = self._namespace if resource.namespaced else None
        try:
            if question.name is not None:
                found = [_slim(await client.get(resource, namespace, question.name))]
            else:
                found = [
                    _slim(obj) for obj in await client.list_all(resource, namespace, label_selector=question.selector)
                ]
        except NotFound:
            found = []
        except Forbidden as error:
            self._read[question] = Sight(SightKind.REFUSED, message=error.message)
            return
        except ApiError as error:
            logger.warning("%s as %s can't be read: %s", resource.plural, self._account, error)
            return
        self._read[question] = Sight(SightKind.SEEN, tuple(found))

    async def _tell_when_synced(self, informer: Informer[Body]) -> None:
        await informer.wait_synced()
        self._changed(None, {})

    def _tell(self, old: Body | None, new: Body | None) -> None:
        informer = self._informer
        if informer is None or not informer.synced:
            return
        for obj in (old, new):
            if obj is not None:
                self._changed(obj["metadata"]["name"], obj["metadata"].get("labels") or {})

    def _refuse(self, message: str) -> None:
        sight = Sight(SightKind.REFUSED, message=message)
        if sight != self._refused:
            self._refused = sight
            self._changed(None, {})


class _Watching:
    """A client that says when listing or watching is forbidden, and tells nobody else."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self.forbidden = asyncio.Event()

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str, limit: int, token: str
    ) -> Page:
        try:
            return await self._client.list_page(
                resource, namespace, label_selector=label_selector, limit=limit, token=token
            )
        except Forbidden:
            self.forbidden.set()
            raise

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str,
        seconds: int,
        silence: float,
    ) -> AsyncGenerator[WatchEvent, None]:
        try:
            async for event in self._client.watch(
                resource,
                namespace,
                resource_version=resource_version,
                label_selector=label_selector,
                seconds=seconds,
                silence=silence,
            ):
                yield event
        except Forbidden:
            self.forbidden.set()
            raise


def _slim(obj: Body) -> Body:
    """The object without what nobody waits for."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _selected(obj: Body, selector: str) -> bool:
    return selects(selector, obj["metadata"].get("labels") or {})
