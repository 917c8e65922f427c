"""`simulate`: a Workflow through the real planner, on a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.testing.cues import DURATION, STARTUP, Fail, Length, Outputs, make_cues
from windlass.testing.definition import Definition, read
from windlass.testing.errors import SimulationError
from windlass.testing.results import Simulation
from windlass.testing.slots import requests
from windlass.testing.world import World

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""When a simulation begins that is not told when."""
Moment = str | datetime
"""An instant: RFC 3339 with a zone, or an aware datetime."""


def simulate(
    workflow: Definition | Mapping[str, Any],
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    params: Mapping[str, Any] | None = None,
    fail: Fail | None = None,
    durations: Mapping[str, Length] | None = None,
    outputs: Mapping[str, Outputs] | None = None,
    duration: Length = DURATION,
    startup: Length = STARTUP,
) -> Simulation:
    """Play the Workflow's runs through the controller's own planner; nothing is run, and nothing is waited for.

    A Workflow with a schedule has a run for each slot later than `start` and not later than `end`, or for the first
    slot when there is no `end`. Another has one run, made at `start`: by default 2025-01-01T00:00:00Z.

    Attempts succeed after `duration` (1m) unless `fail` and `durations` say else; a pod takes `startup` (1s) to start.
    SimulationError says what can't be played. Equal arguments give equal results.
    """
    definition = workflow if isinstance(workflow, Definition) else read(workflow)
    cues = make_cues(
        definition.tasks, fail=fail, durations=durations, outputs=outputs, duration=duration, startup=startup
    )
    begins = _instant(start, "start") if start is not None else START
    ends = _instant(end, "end") if end is not None else None
    if ends is not None and ends < begins:
        raise SimulationError(f"end {format_time(ends)} is before start {format_time(begins)}")
    world = World(definition, cues, begins)
    for request in requests(definition, begins, ends, {**definition.params, **(params or {})}):
        world.create(request.name, request.spec, request.at)
    runs = world.play()
    return Simulation(definition.name, begins, max(world.now, ends or begins), runs)


def _instant(moment: Moment, what: str) -> datetime:
    if isinstance(moment, str):
        try:
            return parse_time(moment)
        except ValueError as error:
            raise SimulationError(f"{what}: {error}") from None
    if moment.tzinfo is None:
        raise SimulationError(f"{what}: {moment} has no time zone: write tzinfo=UTC")
    return moment.astimezone(UTC)
