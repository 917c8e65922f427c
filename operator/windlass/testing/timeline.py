"""Simulations drawn with lines of text: a row for each task of a run, a row for each run of a simulation.

    hello-1  Succeeded in 2m2s
               2025-01-01 00:00:00                          00:02:02
    ✔ greet    ━━━━━━━━━━━━━━━━━━━━━━━━━                              1m
    ✔ reply                             ━━━━━━━━━━━━━━━━━━━━━━━━━     1m

━ runs, ╌ waits (for its pod, for a slot, for a retry), ✖ is the end of a failed attempt
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from windlass.models.common import format_time
from windlass.models.run import RunPhase, TaskPhase
from windlass.plan.progress import human_duration
from windlass.testing.results import Attempt, Run, Simulation, Task

WIDTH: Final = 100
SYMBOLS: Final = {
    "Succeeded": "✔", "Failed": "✖", "UpstreamFailed": "⊘", "Running": "●", "Starting": "◔", "Queued": "◌",
    "Retrying": "↻", "Skipped": "–", "Cancelled": "■", "Waiting": "○", "Pending": "○", "Suspended": "◫", "Refused": "✖",
}  # fmt: skip
MOST_DRAWN: Final = 3
"""Runs of a simulation whose tasks are drawn, unless one is asked for."""
LEAST_BAR: Final = 20
MOST_SIDE: Final = 48
"""Characters beside the bars."""
RUNS, WAITS, FAILS = "━", "╌", "✖"


def timeline(found: Simulation | Run, width: int = WIDTH) -> str:
    """A run with its tasks; or the runs of a simulation, the tasks of those that went wrong, or of a few, below."""
    if isinstance(found, Run):
        return "\n".join(_run(found, width))
    told = [f"{format_time(event.at)}  {event.reason}: {event.note}" for event in found.events]
    if not found.runs:
        none = f"no run of {found.workflow} from {format_time(found.start)} to {format_time(found.end)}"
        return "\n".join([f"{none}: it {found.waits_for}" if found.waits_for else none, *told])
    if len(found.runs) == 1:
        return "\n".join([*_run(found.runs[0], width), *told])
    bad = [run for run in found.runs if run.phase is not RunPhase.SUCCEEDED]
    shown = (bad or list(found.runs) if len(found.runs) > MOST_DRAWN else list(found.runs))[:MOST_DRAWN]
    drawn = shown if bad or len(found.runs) <= MOST_DRAWN else []
    return "\n\n".join(["\n".join([*_runs(found, width), *told]), *("\n".join(_run(run, width)) for run in drawn)])


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments to columns."""

    start: datetime
    end: datetime
    columns: int

    def column(self, moment: datetime) -> int:
        whole = (self.end - self.start) / timedelta(seconds=1)
        part = (moment - self.start) / timedelta(seconds=1)
        place = round(self.columns * part / whole) if whole else 0
        return max(0, min(self.columns - 1, place))

    def head(self) -> str:
        """The first and the last moment, above the columns."""
        first = f"{self.start:%Y-%m-%d %H:%M:%S}"
        last = f"{self.end:%H:%M:%S}" if self.end.date() == self.start.date() else f"{self.end:%Y-%m-%d %H:%M:%S}"
        return first + last.rjust(self.columns - len(first)) if self.columns > len(first) + len(last) else first


def _run(run: Run, width: int) -> Iterable[str]:
    took = f" in {human_duration(run.duration)}" if run.duration is not None else ""
    said = f"  {run.message}" if run.message and run.phase is not RunPhase.SUCCEEDED else ""
    late = ", late" if run.late else ""
    yield f"{run.name}  {run.phase}{took}{late}{said}"
    if not run.tasks:
        return
    start, end = run.started_at or run.created_at, run.finished_at or _last(run)
    labels = [f"{SYMBOLS.get(task.phase, '?')} {task.name}" for task in run.tasks]
    sides = [_side(task) for task in run.tasks]
    longest = max(map(len, labels))
    columns = max(LEAST_BAR, width - longest - 4 - min(MOST_SIDE, max(map(len, sides))))
    scale = _Scale(start, end, columns)
    yield f"{'':{longest}}  {scale.head()}"
    for task, label, side in zip(run.tasks, labels, sides, strict=True):
        told = _cut(side, max(LEAST_BAR, width - longest - 4 - columns))
        yield f"{label:<{longest}}  {_bar(task, scale):<{columns}}  {told}".rstrip()


def _bar(task: Task, scale: _Scale) -> str:
    cells = [" "] * scale.columns
    if task.ready_at is not None and task.tries:
        _fill(cells, scale, task.ready_at, task.finished_at or scale.end, WAITS)
    for attempt in task.tries:
        if attempt.started_at is not None:
            _fill(cells, scale, attempt.started_at, attempt.finished_at or scale.end, RUNS)
        if attempt.failure is not None:
            cells[scale.column(attempt.finished_at or scale.end)] = FAILS
    if not task.tries and task.finished_at is not None:
        cells[scale.column(task.finished_at)] = SYMBOLS.get(task.phase, "?")
    return "".join(cells)


def _fill(cells: list[str], scale: _Scale, start: datetime, end: datetime, character: str) -> None:
    first = scale.column(start)
    for place in range(first, max(first + 1, scale.column(end))):
        cells[place] = character


def _side(task: Task) -> str:
    """What stands beside a task's bar."""
    told = [human_duration(task.duration)] if task.duration is not None else []
    if task.attempts > 1:
        told.append(f"{task.attempts} attempts")
    if task.phase not in (TaskPhase.SUCCEEDED, TaskPhase.WAITING) and (task.message or task.reason):
        told.append(str(task.message or task.reason))
    return "  ".join(told)


def _runs(found: Simulation, width: int) -> Iterable[str]:
    start = min(run.created_at for run in found.runs)
    end = max(run.finished_at or found.end for run in found.runs)
    rows = [_of_run(run) for run in found.runs]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    columns = max(LEAST_BAR, width - sum(widths) - 6)
    scale = _Scale(start, end, columns)
    yield f"{'':{sum(widths) + 4}}  {scale.head()}"
    for run, row in zip(found.runs, rows, strict=True):
        cells = [" "] * columns
        _fill(cells, scale, run.created_at, run.started_at or run.finished_at or found.end, WAITS)
        if run.started_at is not None:
            _fill(cells, scale, run.started_at, run.finished_at or found.end, RUNS)
        if run.phase in (RunPhase.FAILED, RunPhase.REFUSED):
            cells[scale.column(run.finished_at or found.end)] = FAILS
        padded = "  ".join(f"{text:<{size}}" for text, size in zip(row, widths, strict=True))
        yield f"{padded}  {''.join(cells)}".rstrip()


def _of_run(run: Run) -> Sequence[str]:
    took = human_duration(run.duration) if run.duration is not None else ""
    took += " late" if run.late else ""
    return f"{SYMBOLS.get(run.phase, '?')} {run.name}", str(run.phase), took


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _last(run: Run) -> datetime:
    """The last moment that is known of a run that has not ended."""
    attempts: list[Attempt] = [attempt for task in run.tasks for attempt in task.tries]
    moments = [moment for one in attempts for moment in (one.created_at, one.started_at, one.finished_at) if moment]
    return max(moments, default=run.created_at)
