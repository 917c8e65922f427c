"""Whatever happens to a backfill and its runs, each slot gets one run at most, and the figures add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from support.backfills import NOW, day, plan, run, seen, started, workflow
from windlass.models.backfill import BackfillStatus
from windlass.models.common import parse_time
from windlass.models.run import RunPhase
from windlass.plan.backfill import needed_by, plan_backfill
from windlass.plan.backfill_types import BackfillPlan, BackfillView
from windlass.plan.history import RunSummary

DAYS = 12
ENDS = (RunPhase.SUCCEEDED, RunPhase.FAILED, RunPhase.CANCELLED, RunPhase.REFUSED)


@dataclass
class Life:
    """A backfill over the first days of May, the runs that exist, and every run that it ever made."""

    view: BackfillView
    runs: dict[str, RunSummary]
    made: Counter[datetime] = field(default_factory=Counter)
    most: int = 0

    def plan(self) -> BackfillPlan:
        planned = plan(self.view, workflow(), *self.runs.values())
        while planned.confirm:
            gone = frozenset(planned.confirm)
            planned = plan_backfill(seen(self.view, workflow(), *self.runs.values(), gone=gone), NOW)
        return planned

    def create(self, planned: BackfillPlan, many: int) -> None:
        """Carry out the first creates."""
        for request in planned.creates[:many]:
            assert request.name not in self.runs
            slot = parse_time(request.slot.scheduled_at)
            self.made[slot] += 1
            uid = f"own{sum(self.made.values())}"
            self.runs[request.name] = run(slot, None, name=request.name, uid=uid, backfill="b")
        active = sum(not one.ended for one in self.runs.values() if one.backfill is not None)
        self.most = max(self.most, active)

    def store(self, status: BackfillStatus) -> None:
        self.view = replace(self.view, status=status)

    def end(self, number: int, phase: RunPhase) -> None:
        active = [name for name, one in sorted(self.runs.items()) if not one.ended]
        if active:
            name = active[number % len(active)]
            self.runs[name] = replace(self.runs[name], phase=phase)

    def forget(self, number: int) -> None:
        """History deletes a run that nobody needs."""
        needed = needed_by(self.view)
        free = [name for name, one in sorted(self.runs.items()) if one.ended and not needed(one)]
        if free:
            del self.runs[free[number % len(free)]]

    def delete(self, number: int) -> None:
        """Somebody deletes a run of the backfill that its status names."""
        named = sorted(one.run for one in self.view.status.active if one.run in self.runs)
        if named:
            del self.runs[named[number % len(named)]]


STEPS = st.one_of(
    st.tuples(st.just("work"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("end"), st.integers(0, 9), st.sampled_from(ENDS)),
    st.tuples(st.just("forget"), st.integers(0, 9), st.none()),
    st.tuples(st.just("delete"), st.integers(0, 9), st.none()),
    st.tuples(st.just("suspend"), st.just(0), st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Oldest", "Newest"]),
    st.sampled_from(["None", "Failed", "All"]),
    st.integers(1, 4),
    st.dictionaries(st.integers(1, DAYS), st.sampled_from(ENDS), max_size=6),
    st.lists(STEPS, max_size=40),
)
def test_each_slot_gets_one_run_at_most(
    order: str, reprocess: str, most: int, before: dict[int, RunPhase], steps: list[tuple[str, int, object]]
) -> None:
    view = started(to=f"2025-05-{DAYS:02}", order=order, reprocess=reprocess, maxActiveRuns=most)
    there = [run(day(number), phase) for number, phase in before.items()]
    life = Life(view, {one.name: one for one in there})
    for what, number, more in steps:
        if what == "work":
            # Some creates are carried out; the status is written, or the process dies before.
            planned = life.plan()
            if more:
                life.store(planned.status)
            life.create(planned, number)
        elif what == "end" and isinstance(more, RunPhase):
            life.end(number, more)
        elif what == "forget":
            life.forget(number)
        elif what == "delete":
            life.delete(number)
        else:
            spec = life.view.spec.model_copy(update={"suspend": bool(more)})
            life.view = replace(life.view, spec=spec)
    life.view = replace(life.view, spec=life.view.spec.model_copy(update={"suspend": False}))
    for _ in range(6 * DAYS):
        planned = life.plan()
        life.store(planned.status)
        life.create(planned, 99)
        life.end(0, RunPhase.SUCCEEDED)
        life.forget(0)
    status = life.view.status
    assert status.phase is not None
    assert status.phase.ended
    assert set(life.made.values()) <= {1}
    assert life.most <= most
    assert (status.done, status.total, status.progress) == (DAYS, DAYS, f"{DAYS}/{DAYS}")
    skips = {day(number) for number, phase in before.items() if not _again(reprocess, phase)}
    assert life.made.keys() == {day(number) for number in range(1, DAYS + 1)} - skips
    assert status.skipped == len(skips)
    assert (status.succeeded or 0) + (status.failed or 0) + (status.cancelled or 0) == DAYS - len(skips)


def _again(reprocess: str, phase: RunPhase) -> bool:
    return reprocess == "All" or (reprocess == "Failed" and phase is not RunPhase.SUCCEEDED)
