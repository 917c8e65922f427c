"""Clients that act as a service account of users, so that the users' own RBAC decides; and what kinds there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

from windlass.errors import Forbidden, NotFound
from windlass.kube.client import KubeClient
from windlass.kube.credentials import Credentials
from windlass.kube.discovery import discover
from windlass.kube.transport import RequestHook
from windlass.resources import Resource

SECRETS: Final = "Secrets are neither read nor made by tasks: a pod can mount them"


class Guests:
    """Gives clients that impersonate service accounts. The controller needs the right to `impersonate` them.

    `refusal` says of a namespace and a service account why tasks may not act as it, None when they may.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        on_request: RequestHook | None = None,
        may_write: Callable[[], bool] | None = None,
        refusal: Callable[[str, str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._credentials = credentials
        self._on_request = on_request
        self._may_write = may_write
        self._refusal = refusal
        self._clients: dict[tuple[str, str], KubeClient] = {}
        self._kinds: dict[str, Mapping[str, Resource]] = {}
        self._lock = asyncio.Lock()

    async def client(self, namespace: str, service_account: str) -> KubeClient:
        """A client whose requests are those of this service account. Forbidden when an admin's policy refuses it."""
        if self._refusal is not None and (why := await self._refusal(namespace, service_account)) is not None:
            raise Forbidden(why, 403, "Forbidden")
        key = (namespace, service_account)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = KubeClient(
                self._credentials,
                concurrency=16,
                on_request=self._on_request,
                may_write=self._may_write,
                impersonate=f"system:serviceaccount:{namespace}:{service_account}",
            )
        return client

    async def kind(self, namespace: str, service_account: str, api_version: str, kind: str) -> Resource:
        """The resource of a kind, asked for as this service account."""
        return await self.resource(await self.client(namespace, service_account), api_version, kind)

    async def resource(self, client: KubeClient, api_version: str, kind: str) -> Resource:
        """The resource of a kind. NotFound when the cluster has none; a kind that was missing is looked for again.
        Forbidden for Secrets, whatever the service account may do."""
        if kind == "Secret" and not api_version.rpartition("/")[0]:
            raise Forbidden(SECRETS, 403, "Forbidden")
        async with self._lock:
            known = self._kinds.get(api_version, {})
            if kind not in known:
                known = self._kinds[api_version] = await discover(client, api_version)
        if kind not in known:
            raise NotFound(f"the cluster knows no {kind} of {api_version}", 404, "NotFound")
        return known[kind]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()
