"""What a Workflow follows in a simulation: the events of runs that other simulations have played before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from windlass.models.run import TriggerSource
from windlass.models.schedule import After
from windlass.plan.following import sources_of
from windlass.plan.history import summarize
from windlass.plan.scheduling import RunRequest
from windlass.plan.sources import SourceEvent, events_of
from windlass.testing.results import Run, Simulation


@dataclass(frozen=True, slots=True)
class Followed:
    """Everything that ever happens to the sources of a Workflow."""

    events: tuple[tuple[SourceEvent, ...], ...]
    """Of each source, in the order of the sources."""
    runs: dict[str, Run]
    """Those that they are about, by name."""

    def until(self, now: datetime) -> tuple[tuple[SourceEvent, ...], ...]:
        """What has happened by then."""
        return tuple(tuple(event for event in its if event.at <= now) for its in self.events)

    def moments(self) -> Iterator[datetime]:
        """When something happens."""
        for its in self.events:
            for event in its:
                yield event.at

    def with_fields(self, request: RunRequest) -> RunRequest:
        """The request with what the tasks that produced its assets have put out."""
        return request.with_sources([self._with_fields(source) for source in request.slot.sources])

    def _with_fields(self, source: TriggerSource) -> TriggerSource:
        for made in self.runs[source.run].status.assets or ():
            if made.name == source.asset and made.finished_at == source.finished_at:
                return source.model_copy(update={"fields": made.fields or {}})
        return source


def followed(after: After, simulations: Sequence[Simulation]) -> Followed:
    """What a Workflow that follows these sources sees of these simulations."""
    runs = {run.name: run for simulation in simulations for run in simulation.runs}
    known = [summarize(run.manifest) for run in runs.values()]
    events = tuple(
        tuple(events_of(source, [one for one in known if source.asset is not None or one.workflow == source.workflow]))
        for source in sources_of(after)
    )
    return Followed(events, runs)
