"""Who may leave Queued: the one serial place for each Workflow, which counts the runs under way and those that it let
go and has not seen under way yet.

    changed ──▶ in the line ──ask: go──▶ granted ──its status is stored──▶ held ──it ends──▶ whoever is next is woken
                     └──ask: not yet──▶ aside, until it asks again

Nothing is counted up and down: what is held follows the index of all runs, so nothing can leak, and after a restart it
is made again from a list. Who is woken is exactly who may go.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from windlass.engine.history import RunIndex
from windlass.engine.record import RunKey
from windlass.engine.slots import WorkflowKey
from windlass.models.workflow import RunPolicy, WorkflowSpec
from windlass.plan.history import RunSummary
from windlass.plan.turns import GO, Place, Standing, Turn, TurnKind, past_turn, place, turn, waits

_GONE = Turn(TurnKind.ASIDE)


@dataclass(slots=True)
class _Line:
    """The runs of a Workflow that have not ended."""

    generation: int | None = None
    """Of the Workflow, as it was last seen."""
    limit: int | None = None
    """As it was when somebody last asked."""
    policy: RunPolicy = RunPolicy.QUEUE
    priority: int = 0
    held: dict[str, RunSummary] = field(default_factory=dict)
    """Those under way, and those that were granted their turn."""
    granted: set[str] = field(default_factory=set)
    """Those among them that were not seen under way yet."""
    waiting: dict[str, RunSummary] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    """Theirs, in order."""
    asleep: list[Place] = field(default_factory=list)
    """The places of those that were told to wait; the others are about to ask."""
    aside: set[str] = field(default_factory=set)
    """Those that wait for something else than their turn."""
    stopped_for: dict[str, str] = field(default_factory=dict)
    """Runs under way that are to be stopped, and for whom."""

    @property
    def empty(self) -> bool:
        return not (self.held or self.waiting or self.aside)

    @property
    def may_go(self) -> int:
        """How many of those asleep may go, when all that are about to ask go too."""
        if self.limit is None:
            return len(self.asleep)
        return max(0, self.limit - len(self.held) - (len(self.places) - len(self.asleep)))

    def place(self, run: RunSummary) -> Place:
        return place(run, self.policy, self.priority)

    def enter(self, run: RunSummary) -> None:
        if run.name not in self.waiting:
            insort(self.places, self.place(run))
        self.waiting[run.name] = run

    def sleep(self, run: RunSummary) -> None:
        insort(self.asleep, self.place(run))

    def rouse(self, run: RunSummary) -> bool:
        """Whether it was asleep."""
        return _take_out(self.asleep, self.place(run))

    def forget(self, name: str) -> None:
        """The run waits for no turn any more, and has none."""
        run = self.waiting.pop(name, None)
        if run is not None:
            _take_out(self.places, self.place(run))
            _take_out(self.asleep, self.place(run))
        self.held.pop(name, None)
        self.granted.discard(name)
        self.aside.discard(name)
        self.stopped_for.pop(name, None)

    def hold(self, run: RunSummary, *, granted: bool) -> None:
        by = self.stopped_for.get(run.name)
        self.forget(run.name)
        self.held[run.name] = run
        if granted:
            self.granted.add(run.name)
        if by is not None:
            self.stopped_for[run.name] = by

    def set_terms(self, spec: WorkflowSpec) -> None:
        self.limit = spec.run_limit
        if (spec.run_policy, spec.priority) != (self.policy, self.priority):
            self.policy, self.priority = spec.run_policy, spec.priority
            names = {asleep[-1] for asleep in self.asleep}
            self.places = sorted(map(self.place, self.waiting.values()))
            self.asleep = [one for one in self.places if one[-1] in names]

    def standing(self, run: RunSummary, limit: int) -> Standing:
        position = bisect_left(self.places, self.place(run))
        return Standing(limit, self.policy, [*self.held.values()], position, len(self.places), self.priority)


def _take_out(places: list[Place], one: Place) -> bool:
    at = bisect_left(places, one)
    found = at < len(places) and places[at] == one
    if found:
        del places[at]
    return found


class Turns:
    """Answers runs that ask for their turn. `wake` is called with a run that may go, or has to stop."""

    def __init__(self, index: RunIndex, wake: Callable[[RunKey], None]) -> None:
        self._index = index
        self._wake_run = wake
        self._lines: dict[WorkflowKey, _Line] = {}
        self._awaiting: dict[tuple[WorkflowKey, datetime], set[str]] = {}
        """By the slot that they wait for: runs of the slots after it."""
        self._awaits: dict[RunKey, tuple[WorkflowKey, datetime]] = {}
        self._settled: set[RunKey] = set()
        """Those that were told to wait, and not woken since."""
        self._early: dict[RunKey, None] = {}
        """Runs that came before all were known."""
        self._open = False
        index.listen(self.changed)

    def opened(self) -> None:
        """All runs are known: turns can be granted."""
        self._open = True
        early, self._early = self._early, {}
        for run in early:
            self._wake(run)

    def admits(self, run: RunKey) -> bool:
        """Whether runs may ask yet; this one is woken once they may."""
        if not self._open:
            self._early[run] = None
        return self._open

    def settled(self, key: RunKey) -> bool:
        """Whether the run was told to wait, and nothing has changed about that."""
        return key in self._settled

    def ask(self, key: RunKey, uid: str, spec: WorkflowSpec, *, suspended: bool = False) -> Turn:
        """Whether the run may leave Queued, by its Workflow's definition as it is now. A turn that was granted stays so
        until the run has ended, is gone, or is put aside."""
        run = self._index.get(key)
        if run is None or run.uid != uid or not waits(run):
            return _GONE
        workflow = WorkflowKey(run.namespace, run.workflow)
        line = self._lines.setdefault(workflow, _Line())
        self._settled.discard(key)
        self._stop_awaiting(key)
        line.set_terms(spec)
        answer = self._answer(workflow, line, run, spec, suspended)
        if answer.kind in (TurnKind.ASIDE, TurnKind.END):
            self._put_aside(workflow, line, run, answer.awaits)
        elif answer.kind is TurnKind.GO and run.backfill is None:
            line.hold(run, granted=True)
        elif answer.kind is TurnKind.WAIT:
            line.sleep(run)
            self._stop(line, run, answer)
        if answer.kind in (TurnKind.WAIT, TurnKind.ASIDE):
            self._settled.add(key)
        if line.empty:
            del self._lines[workflow]
        else:
            self._wake_next(line)
        return answer

    def put_aside(self, key: RunKey) -> None:
        """The run can't go now, whatever the line says: it stands aside until it asks again."""
        run = self._index.get(key)
        if run is None or not run.workflow or not waits(run):
            return
        workflow = WorkflowKey(run.namespace, run.workflow)
        line = self._lines.setdefault(workflow, _Line())
        self._settled.discard(key)
        self._stop_awaiting(key)
        self._put_aside(workflow, line, run, None)
        self._wake_next(line)

    def stumbled(self, key: RunKey, *, for_good: bool) -> None:
        """The run's reconcile has failed, and will be tried again: others need not wait for it. A turn that was granted
        stays so, unless the API has refused what it was for: a write that nobody answered may yet be carried out."""
        run = self._index.get(key)
        line = self._lines.get(WorkflowKey(run.namespace, run.workflow)) if run is not None else None
        if line is not None and (key.name in line.waiting or (for_good and key.name in line.granted)):
            self.put_aside(key)

    def stopped_for(self, key: RunKey, workflow: str) -> str | None:
        """The run for which this one is to be stopped."""
        line = self._lines.get(WorkflowKey(key.namespace, workflow))
        return line.stopped_for.get(key.name) if line is not None else None

    def workflow_seen(self, key: WorkflowKey, generation: int) -> None:
        """The Workflow's definition may be another: then who is next asks again, and who waits for something else."""
        line = self._lines.get(key)
        if line is None or line.generation == generation:
            return
        line.generation = generation
        for name in sorted(line.aside):
            self._wake(RunKey(key.namespace, name))
        for one in line.asleep[:1]:
            self._rouse(line, one[-1])

    def changed(self, old: RunSummary | None, new: RunSummary | None) -> None:
        """Take what became of a run, from the index."""
        run = new or old
        if run is None or not run.workflow:
            return
        workflow = WorkflowKey(run.namespace, run.workflow)
        if run.slot is not None and (new is None or new.ended or (old is not None and old.ended)):
            self._wake_awaiting(workflow, run.slot)
        line = self._lines.get(workflow)
        if line is None:
            if new is None or new.ended:
                return
            line = self._lines[workflow] = _Line()
        self._take(line, run.name, new)
        if line.empty:
            del self._lines[workflow]
        else:
            self._wake_next(line)
        if new is None or not waits(new):
            self._settled.discard(RunKey(run.namespace, run.name))
            self._stop_awaiting(RunKey(run.namespace, run.name))

    def _take(self, line: _Line, name: str, new: RunSummary | None) -> None:
        if new is None or new.ended or (new.deleting and not new.active):
            line.forget(name)
        elif new.backfill is not None:
            return
        elif new.active:
            line.hold(new, granted=False)
        elif name in line.granted:
            line.held[name] = new
        elif name not in line.aside:
            if name in line.held:
                line.forget(name)
            self._enter(line, new)

    def _answer(self, workflow: WorkflowKey, line: _Line, run: RunSummary, spec: WorkflowSpec, suspended: bool) -> Turn:
        if run.name in line.granted:
            return GO
        if spec.depends_on_past:
            blocked = past_turn(run, self._index.of(workflow).values(), spec)
            if blocked is not None:
                return blocked
        if line.limit is None or run.backfill is not None:
            return GO
        line.rouse(run)
        line.aside.discard(run.name)
        self._enter(line, run)
        if suspended:
            return Turn(TurnKind.ASIDE, "Suspended", "spec.suspend is true: it waits, and others go first")
        return turn(run, line.standing(run, line.limit))

    def _enter(self, line: _Line, run: RunSummary) -> None:
        """Put a run in its place; where newer runs replace older ones, the one that it pushes out learns of it."""
        new = run.name not in line.waiting
        line.enter(run)
        if new and line.policy is RunPolicy.REPLACE and line.limit is not None and len(line.places) > line.limit:
            self._rouse(line, line.places[line.limit][-1])

    def _stop(self, line: _Line, run: RunSummary, answer: Turn) -> None:
        for name in answer.stop:
            known = line.stopped_for.get(name)
            line.stopped_for[name] = run.name
            if known is None:
                self._wake(RunKey(run.namespace, name))

    def _put_aside(self, workflow: WorkflowKey, line: _Line, run: RunSummary, awaits: datetime | None) -> None:
        line.forget(run.name)
        line.aside.add(run.name)
        if awaits is not None:
            self._awaiting.setdefault((workflow, awaits), set()).add(run.name)
            self._awaits[RunKey(run.namespace, run.name)] = (workflow, awaits)

    def _wake_next(self, line: _Line) -> None:
        """Wake as many as may go."""
        for one in line.asleep[: line.may_go]:
            self._rouse(line, one[-1])

    def _rouse(self, line: _Line, name: str) -> None:
        run = line.waiting[name]
        if line.rouse(run):
            self._wake(RunKey(run.namespace, name))

    def _wake_awaiting(self, workflow: WorkflowKey, slot: datetime) -> None:
        for name in sorted(self._awaiting.get((workflow, slot), ())):
            self._wake(RunKey(workflow.namespace, name))

    def _wake(self, key: RunKey) -> None:
        self._settled.discard(key)
        self._wake_run(key)

    def _stop_awaiting(self, key: RunKey) -> None:
        awaited = self._awaits.pop(key, None)
        if awaited is None:
            return
        names = self._awaiting[awaited]
        names.discard(key.name)
        if not names:
            del self._awaiting[awaited]
