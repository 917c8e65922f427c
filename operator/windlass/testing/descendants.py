"""Tasks that are runs of other Workflows: in a simulation each is one long step, that ends as its cues say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from windlass.models.common import format_time
from windlass.models.run import RunPhase
from windlass.names import short_hash
from windlass.plan.task_types import ChildLaunch, ChildStop, ChildView
from windlass.testing.agenda import Agenda
from windlass.testing.cues import Cues, Kind
from windlass.testing.errors import WrongCue
from windlass.testing.kubelet import try_of
from windlass.testing.work import RunInWork


class Descendants:
    """Makes the runs that tasks ask for, and notes how they end."""

    def __init__(self, agenda: Agenda, cues: Cues) -> None:
        self._agenda = agenda
        self._cues = cues

    def make(self, run: RunInWork, launch: ChildLaunch) -> None:
        """Make a child. It ends after its task's duration, and puts out what the task is said to put out, by the
        child's tasks: `outputs={"sub": {"extract": {"rows": 3}}}`."""
        one = try_of(run, launch.task, launch.attempt)
        fault = self._cues.fault(one)
        child = ChildView(
            name=launch.name,
            uid=short_hash(run.view.uid, launch.name),
            phase=RunPhase.RUNNING,
            created_at=format_time(self._agenda.now),
        )
        run.children[launch.name] = child
        self._agenda.note(self._agenda.now, run)
        if fault is not None and fault.kind is Kind.TIMEOUT:
            if run.definition.program.nodes[launch.task].timeout is None and run.definition.spec.timeout is None:
                raise WrongCue(
                    f"{launch.task} can't time out: it has no timeout, nor has its Workflow; it would run for ever"
                )
            return
        if fault is not None and fault.kind is not Kind.ERROR:
            raise WrongCue(f"{launch.task} is a run of {launch.workflow}: it fails with Error or Timeout")
        ended = replace(
            child,
            phase=RunPhase.SUCCEEDED if fault is None else RunPhase.FAILED,
            message=None if fault is None else "it failed (simulated)",
            outputs=self._cues.puts_out(one) if fault is None else {},
        )
        self._agenda.note(self._agenda.now + self._cues.lasts(launch.task), run, partial(_ended, run, ended))

    def stop(self, run: RunInWork, stop: ChildStop) -> None:
        """Stop a child: it ends at once."""
        child = run.children.get(stop.name)
        if child is not None and not _has_ended(child):
            run.children[stop.name] = replace(child, phase=RunPhase.CANCELLED, stop=stop.stop, outputs={})
            self._agenda.note(self._agenda.now, run)


def _ended(run: RunInWork, child: ChildView) -> bool:
    if _has_ended(run.children[child.name]):
        return False
    run.children[child.name] = child
    return True


def _has_ended(child: ChildView) -> bool:
    return child.phase is not None and child.phase.ended
