"""The runs of all namespaces that are watched, handed over as they come. The engine keeps what it needs of them.

A thousand runs that are made in one second are an event each: our own informer takes one in a tenth of kopf's time,
in the loop that acts, and notices at a new list what was deleted while it did not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from windlass.kube.informer import Informer, InformerObserver, Source
from windlass.resources import RUNS

Body = dict[str, Any]
Take = Callable[[str, Body], None]
"""Called with `DELETED`, or the empty word for what is there, and the run; of a deleted one only its identity."""


@dataclass(slots=True)
class _Seen:
    """A run that is there. Its body is handed over at once, and not kept."""

    namespace: str
    name: str
    uid: str
    body: Body | None

    @classmethod
    def of(cls, body: Body) -> _Seen:
        meta = body["metadata"]
        return cls(meta["namespace"], meta["name"], meta["uid"], body)


class RunFeed:
    """Tells `take` of runs. No namespaces: those of the whole cluster."""

    def __init__(self, source: Source, namespaces: Sequence[str], take: Take, observer: InformerObserver) -> None:
        self._take = take
        self._informers = [
            Informer(source, RUNS, _Seen.of, namespace=namespace, on_change=self._changed, observer=observer)
            for namespace in namespaces or (None,)
        ]

    def __iter__(self) -> Iterator[Informer[_Seen]]:
        return iter(self._informers)

    def __len__(self) -> int:
        return sum(map(len, self._informers))

    @property
    def unreadable(self) -> int:
        """How many objects have no identity."""
        return sum(informer.unreadable for informer in self._informers)

    def staleness(self) -> float:
        """Seconds since the server last said something to the informer that has heard nothing for longest."""
        return max((one.staleness() for one in self._informers if one.synced), default=float("inf"))

    def _changed(self, old: _Seen | None, new: _Seen | None) -> None:
        if new is not None:
            body, new.body = new.body, None
            if body is not None:
                self._take("", body)
        elif old is not None:
            identity = {"namespace": old.namespace, "name": old.name, "uid": old.uid}
            self._take("DELETED", {"metadata": identity})
