"""What the engine needs of the world, as protocols: tests give it fakes, the composition root the real things.

No HTTP, no kopf, no clock of the process lives in this layer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from windlass.models.backfill import BackfillStatus
from windlass.models.run import WorkflowRunStatus
from windlass.plan.backfill_types import BackfillView
from windlass.plan.types import PodView, Program, RunEvent, RunView
from windlass.resources import RUNS, Resource

Body = dict[str, Any]
"""A Kubernetes object as it came: a plain dict."""


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time. Instants are aware and in UTC; `monotonic` is in seconds from no particular moment."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    def busy(self) -> float:
        """Seconds for which this thread has had a processor: unlike a span of time, it says what work has cost."""
        ...

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Make `call` when `monotonic()` has reached `when`."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Api(Protocol):
    """The requests that the engine makes. All raise windlass.errors.ApiError."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body: ...

    def pages(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> AsyncIterator[list[Body]]:
        """All objects of a kind, a page at a time, so that ten thousand of them are never in memory at once."""
        ...

    async def create(self, resource: Resource, obj: Body) -> Body: ...

    async def replace_status(self, resource: Resource, obj: Body) -> Body: ...

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Any,
        *,
        content_type: str = "application/merge-patch+json",
        subresource: str | None = None,
    ) -> Body: ...

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period: int | None = None,
    ) -> Body: ...


class Pods(Protocol):
    """The pods of all runs, as an informer knows them."""

    @property
    def synced(self) -> bool:
        """A first full list was read."""
        ...

    def by_index(self, key: str) -> Mapping[str, PodView]:
        """The pods that a run with this UID owns, by name."""
        ...

    def note(self, obj: Body) -> None:
        """Take an answer of the API for what it is: newer than what was known of that pod."""
        ...

    def forget(self, namespace: str, name: str, uid: str) -> None:
        """The API says that this pod is gone."""
        ...


class Observer(Protocol):
    """Who counts what happened. Never fails, never waits."""

    def queue_changed(self, depth: int) -> None: ...

    def queue_waited(self, seconds: float) -> None: ...

    def reconciled(self, seconds: float, result: str) -> None: ...

    def status_stored(
        self, run: RunView, before: WorkflowRunStatus, after: WorkflowRunStatus, program: Program | None
    ) -> None:
        """A status was written; what lies between the two has happened for good."""
        ...

    def stray_removed(self, why: str) -> None: ...

    def slot_fired(self, namespace: str, workflow: str, delay: float | None) -> None:
        """A slot's run was made, so many seconds after it was due; None: it caught up."""
        ...

    def slots_passed(self, namespace: str, workflow: str, missed: int, skipped: int) -> None:
        """So many slots got no run."""
        ...

    def backfill_stored(self, backfill: BackfillView, before: BackfillStatus, after: BackfillStatus) -> None:
        """The status of a Backfill was written."""
        ...

    def event(self, run: Body, event: RunEvent, resource: Resource = RUNS, about: str = "") -> Body:
        """The Kubernetes Event that says it, of a run or an object of another kind. `about` keeps events apart that
        have the same reason."""
        ...
