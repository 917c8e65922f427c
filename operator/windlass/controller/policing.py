"""Which of the admin's policies a pod must pass: those that select its namespace, by labels read now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from windlass.build.policy import Policy
from windlass.errors import NotFound, Refused, ServerError
from windlass.resources import NAMESPACES, Resource

Body = dict[str, Any]
FRESH_FOR: Final = 10.0
"""Seconds that a namespace's labels are taken to stay as they were read."""


class NamespaceApi(Protocol):
    """The request that it takes."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body: ...


class Police:
    """Asks all policies."""

    def __init__(
        self, api: NamespaceApi, policies: Sequence[Policy], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._policies = tuple(policies)
        self._choosy = any(policy.selector for policy in policies)
        self._monotonic = monotonic
        self._labels: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._reading = asyncio.Lock()

    async def refusals(self, pod: Body) -> list[str]:
        """Why this pod may not be made; empty when it may."""
        if not self._policies:
            return []
        labels: Mapping[str, str] = {}
        if self._choosy:
            async with self._reading:  # many pods are made at once, and one answer serves them all
                labels = await self._labels_of(pod["metadata"]["namespace"])
        return [why for policy in self._policies if policy.applies_to(labels) for why in policy.refusals(pod)]

    async def account_refusal(self, namespace: str, service_account: str) -> str | None:
        """Why tasks may not act as this service account, as the policies on pods have it; None when they may."""
        pod = {
            "metadata": {"namespace": namespace, "name": service_account},
            "spec": {"serviceAccountName": service_account, "containers": []},
        }
        return "; ".join(await self.refusals(pod)) or None

    async def _labels_of(self, namespace: str) -> Mapping[str, str]:
        read_at, labels = self._labels.get(namespace, (float("-inf"), {}))
        now = self._monotonic()
        if now - read_at < FRESH_FOR:
            return labels
        try:
            found = await self._api.get(NAMESPACES, None, namespace)
        except NotFound:
            found = {"metadata": {}}
        except Refused as error:
            # Without the labels nobody knows what is allowed; the right to read them is the admin's to give.
            raise ServerError(f"which policies namespace {namespace} has can't be read: {error.message}") from error
        labels = found["metadata"].get("labels") or {}
        self._labels[namespace] = now, labels
        return labels
