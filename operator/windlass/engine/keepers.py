"""The kinds beside runs and pods: each has a keeper, which takes its objects as a watch or a list gives them.

The keepers of all kinds are fed in one place, so that a kind more is one line more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from windlass.engine.ports import Api, Body
from windlass.errors import Forbidden, NotFound
from windlass.resources import Resource

logger = logging.getLogger(__name__)


class ObjectKey(NamedTuple):
    """An object of a namespace, by where it is."""

    namespace: str
    name: str

    @classmethod
    def of(cls, body: Body) -> ObjectKey:
        return cls(body["metadata"]["namespace"], body["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Keeper(Protocol):
    """Who takes the objects of one kind. Old versions and what was taken before are passed over."""

    def seen(self, body: Body) -> None:
        """An object was made, changed or listed."""
        ...

    def gone(self, body: Body) -> None:
        """An object was deleted."""
        ...

    def listed(self, bodies: Mapping[ObjectKey, Body], namespace: str | None) -> None:
        """These are all objects, of a namespace or of the cluster: what is not among them is gone."""
        ...

    async def stop(self) -> None:
        """Finish what is under way."""
        ...


async def sweep(api: Api, keepers: Mapping[Resource, Keeper], namespaces: Sequence[str | None]) -> None:
    """List the objects of all kinds, and have each keeper take its own. One that can't be listed is left as it is."""
    for resource, keeper in keepers.items():
        for namespace in namespaces:
            found: dict[ObjectKey, Body] = {}
            try:
                async for page in api.pages(resource, namespace):
                    found |= {ObjectKey.of(body): body for body in page}
            except (Forbidden, NotFound) as error:
                where = f" of namespace {namespace}" if namespace is not None else ""
                logger.warning("%s%s can't be listed: %s", resource.plural, where, error)
                continue
            keeper.listed(found, namespace)
