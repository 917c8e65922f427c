"""The events that a schedule may follow: ends of runs, and assets that tasks have produced. Pure.

An event stands while its run does, as it was: a run that is started again takes its end back, and ends anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from windlass.models.common import format_time
from windlass.models.run import RunPhase, TriggerSource
from windlass.models.schedule import AfterSource, SourceEnd
from windlass.names import MAX_WORKFLOW_NAME
from windlass.plan.history import RunSummary, event_id

MOST_CHAIN: Final = 100
"""The most Workflows that a run may follow one after the other."""


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """Something that a Workflow follows has happened."""

    id: str
    at: datetime
    run: RunSummary
    asset: str | None = None
    has_fields: bool = False
    """What is said of the asset is to be read from the run."""

    @property
    def order(self) -> tuple[datetime, str, str]:
        """The older first; the same whoever asks."""
        return (self.at, self.run.name, self.id)

    @property
    def chain(self) -> tuple[str, ...]:
        """The Workflows that led to it, its own the last one."""
        return (*self.run.chain, self.run.workflow) if self.run.workflow else self.run.chain

    def as_source(self) -> TriggerSource:
        """As it stands in the run that follows, without the asset's fields."""
        run = self.run
        return TriggerSource(
            workflow=run.workflow or run.name[:MAX_WORKFLOW_NAME].rstrip("-."),
            run=run.name,
            uid=run.uid,
            slot=format_time(run.slot) if run.slot is not None else None,
            asset=self.asset,
            finished_at=format_time(self.at),
        )


def source_key(source: AfterSource) -> str:
    """What a source's place in the Workflow's status is called: it stays when the order of the sources changes."""
    return f"asset/{source.asset}" if source.asset is not None else f"workflow/{source.workflow}/{source.on}"


def told(source: AfterSource) -> str:
    """A source in a few words."""
    return f"asset {source.asset}" if source.asset is not None else f"{source.workflow} ({source.on})"


def events_of(source: AfterSource, runs: Iterable[RunSummary]) -> Iterator[SourceEvent]:
    """The events of a source. `runs` are those of its Workflow, or those that have produced its asset."""
    for run in runs:
        if run.deleting:
            continue
        if source.asset is None:
            if run.finished_at is not None and _counts(run, source.on):
                yield SourceEvent(event_id(run.uid, run.finished_at), run.finished_at, run)
            continue
        for made in run.assets:
            if made.asset == source.asset:
                yield SourceEvent(event_id(run.uid, made.at, made.asset), made.at, run, made.asset, made.has_fields)


def _counts(run: RunSummary, on: SourceEnd) -> bool:
    if on is SourceEnd.ENDED:
        return run.ended
    return run.phase is (RunPhase.SUCCEEDED if on is SourceEnd.SUCCEEDED else RunPhase.FAILED)
