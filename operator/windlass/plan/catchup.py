"""Which slots are due, and which of them are run though they are late. Pure.

    last slot dealt with ─────┬──────┬──────┬──────┬─────▶ now
                            missed  late   late  on time

A slot is on time for a minute: no restart, takeover or burst of work loses it. Of those that are later, `catchUp` says
which are run, and `startingDeadline` how late they may be.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from windlass.models.common import delta
from windlass.models.schedule import CatchUp, Schedule
from windlass.plan.schedule import Timetable

ON_TIME: Final = timedelta(minutes=1)
"""A slot no later than this is run, whatever `catchUp` says."""
TOLERANCE: Final = timedelta(minutes=10)
"""With `catchUp: None` and no `startingDeadline` the last slot is run when it is no later than this: long enough for a
controller to come back on another node."""
LEAST_DEADLINE: Final = timedelta(seconds=10)
"""A shorter `startingDeadline` would lose slots to the time that it takes to make a run."""
MOST_COUNTED: Final = 1000
"""Missed slots that are counted one by one; of more it is only said that there are."""


@dataclass(frozen=True, slots=True)
class Due:
    """The slots since the last one that was dealt with."""

    slots: tuple[datetime, ...] = ()
    """Those to run, in order."""
    through: datetime | None = None
    """The last slot that is due; None when none is."""
    missed: int = 0
    """How many are not run and are to be counted."""
    first_missed: datetime | None = None
    last_missed: datetime | None = None
    uncounted: bool = False
    """There are more that were missed."""


NOTHING: Final = Due()


def due_slots(
    timetable: Timetable,
    schedule: Schedule,
    after: datetime,
    now: datetime,
    *,
    promised: datetime,
    resumed: bool = False,
    held: bool = False,
    made: Container[datetime] = (),
) -> Due:
    """The slots later than `after` and not later than `now`. Those in `made` have their run, and are not missed.

    Slots up to `promised`, the Workflow's creation, are no loss when they aren't run. `resumed`: the schedule was
    suspended until now, so that with `catchUp: None` nothing of that time is run, and nothing was missed. `held`: it
    could not fire until now for no fault of its own, so that its slots have waited, and all are run.
    """
    if resumed and schedule.catch_up is CatchUp.NONE:
        through = _last_until(timetable, now)
        return Due(through=through) if through is not None and through > after else NOTHING
    if held:
        schedule = schedule.model_copy(update={"catch_up": CatchUp.ALL})
    limit = schedule.catch_up_limit if schedule.catch_up is CatchUp.ALL else 1
    run: list[datetime] = []
    missed: list[datetime] = []
    uncounted = False
    through = slot = _last_until(timetable, now)
    while slot is not None and slot > after:
        if _is_run(schedule, now - slot, len(run), limit):
            run.append(slot)
        elif slot <= promised or resumed:
            break  # nor is any that is older
        elif len(missed) == MOST_COUNTED:
            uncounted = True
            break
        elif slot not in made:
            missed.append(slot)
        slot = timetable.previous_before(slot)
    if through is None or through <= after:
        return NOTHING
    return Due(
        slots=tuple(reversed(run)),
        through=through,
        missed=len(missed),
        first_missed=missed[-1] if missed else None,
        last_missed=missed[0] if missed else None,
        uncounted=uncounted,
    )


def _last_until(timetable: Timetable, now: datetime) -> datetime | None:
    """The last slot that is not later than `now`."""
    return timetable.previous_before(now.replace(microsecond=0) + timedelta(seconds=1))


def _is_run(schedule: Schedule, late: timedelta, chosen: int, limit: int) -> bool:
    """Whether a slot is run that is so late, when `chosen` later ones are run."""
    deadline = delta(schedule.starting_deadline) if schedule.starting_deadline is not None else None
    if deadline is not None and late > max(deadline, LEAST_DEADLINE):
        return False
    if late <= ON_TIME:
        return True
    if schedule.catch_up is CatchUp.NONE:
        return chosen == 0 and (deadline is not None or late <= TOLERANCE)
    return chosen < limit
