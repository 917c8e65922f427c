"""`simulate`: a Workflow through the real planner, on a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from windlass.models.common import format_time, parse_time
from windlass.models.pool import PoolSpec
from windlass.models.run import WorkflowRunSpec
from windlass.testing.clockwork import clockwork
from windlass.testing.cues import DURATION, STARTUP, Fail, Length, Outputs, make_cues
from windlass.testing.definition import Definition, read
from windlass.testing.errors import SimulationError
from windlass.testing.results import Event, Simulation
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
    reject: Sequence[str] = (),
    durations: Mapping[str, Length] | None = None,
    outputs: Mapping[str, Outputs] | None = None,
    duration: Length = DURATION,
    startup: Length = STARTUP,
    outages: Sequence[tuple[Moment, Moment]] = (),
    pools: Mapping[str, int] | None = None,
    after: Sequence[Simulation] = (),
) -> Simulation:
    """Play the Workflow's runs through the controller's own planner; nothing is run, and nothing is waited for.

    A Workflow with a schedule has a run for each slot later than `start` and not later than `end`, or for the first
    slot when there is no `end`. Another has one run, made at `start`: by default 2025-01-01T00:00:00Z.

    One that follows others (`schedule.after`) has the runs that their runs lead to: `after` are simulations of these.
    Without them it has one run, as by hand.

    In `outages` nobody plans, as when the controller is away: pods go on, and slots are late or missed.

    Attempts succeed after `duration` (1m) unless `fail` and `durations` say else; a pod takes `startup` (1s) to start.
    Approvals are answered at once, with yes, unless `reject` names them; `outputs` gives the values of their forms.
    A pool has room for all, unless `pools` says how many slots it has, or it stands in the file of the Workflow.

    SimulationError says what can't be played. Equal arguments give equal results.
    """
    definition = workflow if isinstance(workflow, Definition) else read(workflow)
    cues = make_cues(
        definition.tasks,
        fail=fail,
        reject=reject,
        durations=durations,
        outputs=outputs,
        duration=duration,
        startup=startup,
    )
    begins = _instant(start, "start") if start is not None else min((one.start for one in after), default=START)
    ends = _instant(end, "end") if end is not None else None
    if ends is not None and ends < begins:
        raise SimulationError(f"end {format_time(ends)} is before start {format_time(begins)}")
    if after and (definition.spec.schedule is None or definition.spec.schedule.after is None):
        raise SimulationError(f"after: {definition.name} follows nothing, it has no schedule.after: leave it out")
    given = {**definition.params, **(params or {})}
    schedule = clockwork(definition, begins, ends, after)
    slots = {name: PoolSpec(slots=count) for name, count in (pools or {}).items()}
    world = World(definition, cues, begins, schedule, given, _spans(outages), {**definition.pools, **slots})
    if schedule is None:
        world.create(f"{definition.name}-1", WorkflowRunSpec(workflow=definition.name, params=given), begins)
    runs = world.play()
    last = max((run.finished_at for run in runs if run.finished_at is not None), default=begins)
    return Simulation(
        workflow=definition.name,
        start=begins,
        end=max(last, ends or begins),
        runs=runs,
        status=schedule.status if schedule is not None else None,
        events=tuple(Event(at, notice.reason, notice.note) for at, notice in world.notices),
        waits_for=schedule.waits_for if schedule is not None else None,
    )


def _spans(outages: Sequence[tuple[Moment, Moment]]) -> list[tuple[datetime, datetime]]:
    spans = [(_instant(begin, "an outage"), _instant(end, "an outage")) for begin, end in outages]
    for begin, end in spans:
        if end < begin:
            raise SimulationError(f"an outage ends at {format_time(end)}, before it begins, at {format_time(begin)}")
    return spans


def _instant(moment: Moment, what: str) -> datetime:
    if isinstance(moment, str):
        try:
            return parse_time(moment)
        except ValueError as error:
            timed = "T" in moment and "time zone" in str(error)
            told = str(error) if timed else f"{moment!r} is no instant: write 2025-04-01T00:00:00Z"
            raise SimulationError(f"{what}: {told}") from None
    if moment.tzinfo is None:
        raise SimulationError(f"{what}: {moment} has no time zone: write tzinfo=UTC")
    return moment.astimezone(UTC)
