"""The pods of all namespaces that are watched: one informer for the whole cluster, or one for each namespace.

A namespace whose pods may not be listed keeps nobody waiting: what is refused is logged, and asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from windlass import names
from windlass.kube.informer import Informer, InformerObserver, Source
from windlass.plan.observe import observe
from windlass.plan.types import PodView
from windlass.resources import PODS

Body = dict[str, Any]
OnChange = Callable[[PodView | None, PodView | None], None]
SELECTOR: Final = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
_NONE: Final[Mapping[str, PodView]] = MappingProxyType({})


class _Listened:
    """Counts for one informer, and hears when it is refused for good."""

    def __init__(self, observer: InformerObserver, several: bool) -> None:
        self._observer = observer
        self._several = several
        self.settled = asyncio.Event()
        """The first list has come, or was forbidden where there are other namespaces to go on with."""

    def relisted(self, resource: str, why: str) -> None:
        self.settled.set()
        self._observer.relisted(resource, why)

    def watch_failed(self, resource: str, why: str) -> None:
        if self._several and why == "Forbidden":
            self.settled.set()
        self._observer.watch_failed(resource, why)


class PodCaches:
    """What the engine knows of pods. No namespaces: those of the whole cluster."""

    def __init__(
        self, source: Source, namespaces: Sequence[str], on_change: OnChange, observer: InformerObserver
    ) -> None:
        self._listened: list[_Listened] = []
        self._informers: dict[str | None, Informer[PodView]] = {}
        for namespace in namespaces or (None,):
            listened = _Listened(observer, len(namespaces) > 1)
            self._listened.append(listened)
            self._informers[namespace] = Informer(
                source,
                PODS,
                observe,
                namespace=namespace,
                label_selector=SELECTOR,
                index=lambda pod: pod.run_uid,
                on_change=on_change,
                observer=listened,
            )

    def __len__(self) -> int:
        return sum(len(informer) for informer in self._informers.values())

    def __iter__(self) -> Iterator[Informer[PodView]]:
        return iter(self._informers.values())

    @property
    def synced(self) -> bool:
        """A first full list was read, of every namespace that may be read."""
        return all(listened.settled.is_set() for listened in self._listened)

    async def wait_synced(self) -> None:
        """Return once that is so."""
        for listened in self._listened:
            await listened.settled.wait()

    @property
    def unreadable(self) -> int:
        """How many objects were set aside."""
        return sum(informer.unreadable for informer in self._informers.values())

    def staleness(self) -> float:
        """Seconds since the server last said something to the informer that has heard nothing for longest."""
        return max((one.staleness() for one in self._informers.values() if one.synced), default=float("inf"))

    def by_index(self, key: str) -> Mapping[str, PodView]:
        """The pods that a run with this UID owns, by name: all are in the run's namespace."""
        return next((found for one in self._informers.values() if (found := one.by_index(key))), _NONE)

    def note(self, obj: Body) -> None:
        """Take an answer of the API for what it is: newer than what was known of that pod."""
        informer = self._of((obj.get("metadata") or {}).get("namespace"))
        if informer is not None:
            informer.note(obj)

    def forget(self, namespace: str, name: str, uid: str) -> None:
        """The API says that this pod is gone."""
        informer = self._of(namespace)
        if informer is not None:
            informer.forget(namespace, name, uid)

    def _of(self, namespace: str | None) -> Informer[PodView] | None:
        return self._informers.get(None, self._informers.get(namespace))
