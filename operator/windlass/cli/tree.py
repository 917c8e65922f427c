"""A run as a tree of its tasks: the one view of `status`, `run --watch` and `wait`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any, Final

from rich.console import Console, Group
from rich.text import Text
from rich.tree import Tree

from windlass.cli import following, runs, times
from windlass.cli.occasion import occasion
from windlass.cli.output import one_line, plain

Body = dict[str, Any]

SYMBOLS: Final[dict[str, tuple[str, str]]] = {
    "Waiting": ("○", "dim"),
    "Queued": ("◌", "cyan"),
    "Starting": ("◔", "cyan"),
    "Pending": ("○", "dim"),
    "Suspended": ("◫", "yellow"),
    "Running": ("●", "blue"),
    "Retrying": ("↻", "yellow"),
    "Succeeded": ("✔", "green"),
    "Failed": ("✖", "red"),
    "UpstreamFailed": ("⊘", "red"),
    "Skipped": ("–", "dim"),
    "Cancelled": ("■", "magenta"),
    "Refused": ("✖", "red"),
}
"""A symbol and a colour for each phase; the word stands beside it, so neither is needed to understand."""
QUIET: Final = ("Succeeded", "Skipped", "UpstreamFailed", "Cancelled", "Waiting")
"""The phases of tasks that have nothing to say."""
ENDED: Final = frozenset({"Succeeded", "Failed", "UpstreamFailed", "Skipped", "Cancelled"})
UNSTARTED: Final = ("Queued", "Starting")
AS_USUAL: Final = ("", "ContainerCreating", "PodInitializing")
"""Reasons of a task that is starting as every task does."""
TELLING: Final = ("Approved", "ApprovedByDefault", "Switched", "MarkedSuccess", "TakenOver")
"""Reasons of a task that has succeeded, but not by a program: its message says how."""
MOST_INSTANCES: Final = 5
"""Of a forEach whose failures are shown; its message names more."""
MOST_LINES: Final = 8
"""Of what a failed attempt said."""
WIDE: Final = 10000
"""The width where lines are not to be wrapped: in a file or a pipe."""


class View(Enum):
    """How much of a run is shown."""

    WHOLE = "each task, and what went wrong on the way"
    TASKS = "each task in a line"
    LOUD = "a line for each task that has something to say; the others are counted"


def console() -> Console:
    """Where trees are printed: in colour on a terminal only, and wrapped there only."""
    probe = Console(highlight=False)
    return probe if probe.is_terminal else Console(highlight=False, width=WIDE, color_system=None)


def fitting(screen: Console, run: Body, at: datetime) -> Group:
    """As much of a run as the screen's height takes."""
    for view in View:
        shown = render(run, at, view)
        if len(screen.render_lines(shown)) < screen.height:
            break
    return shown


def render(run: Body, at: datetime, view: View = View.WHOLE) -> Group:
    """The run's head, and a tree with a branch for each task."""
    name = run["metadata"]["name"]
    root = Tree(Text.assemble((name, "bold"), "  ", _phase(following.phase(run))), guide_style="dim")
    status = run.get("status") or {}
    source = status.get("source") or {}
    if source.get("step"):
        _add_task(root, {**source["step"], "name": "source"}, at, view)
    tasks = runs.task_statuses(run)
    quiet = QUIET if view is View.LOUD else ()
    branches = _branches(root, status.get("groups") or [], tasks)
    for task in sorted(tasks, key=_together(status.get("groups") or [], tasks)):
        if task.get("phase", "Waiting") not in quiet:
            _add_task(branches(task["name"]), task, at, view)
    counts = Counter(task.get("phase", "Waiting") for task in tasks)
    if told := ", ".join(f"{counts[phase]} {phase}" for phase in quiet if counts[phase]):
        root.add(Text(f"… {told}", "dim"))
    history = _history(run) if view is View.WHOLE else ()
    return Group(*(Text(line) for line in _head(run, at)), root, *(Text(line) for line in history))


def _together(groups: list[Body], tasks: list[Body]) -> Callable[[Body], int]:
    """Where a task is shown: tasks of a group stand at the place of its first one."""
    places = {task["name"]: place for place, task in enumerate(tasks)}
    for group in groups:
        members = [name for name in group.get("tasks") or () if name in places]
        first = min((places[name] for name in members), default=0)
        places |= dict.fromkeys(members, first)
    return lambda task: places[task["name"]]


def _branches(root: Tree, groups: list[Body], tasks: list[Body]) -> Callable[[str], Tree]:
    """Which branch a task hangs from: that of its group, made when its first task is shown, or the root."""
    group_of = {name: group for group in groups for name in group.get("tasks") or ()}
    ended = {task["name"] for task in tasks if task.get("phase") in ENDED}
    made: dict[str, Tree] = {}

    def branch(name: str) -> Tree:
        group = group_of.get(name)
        if group is None:
            return root
        if group["name"] not in made:
            members = group["tasks"]
            again = f", run again {group['retries']}×" if group.get("retries") else ""
            line = Text.assemble((f"▸ {group['name']}", "bold"))
            line.append(f"  {len(ended.intersection(members))}/{len(members)}{again}", "dim")
            made[group["name"]] = root.add(line)
        return made[group["name"]]

    return branch


def _head(run: Body, at: datetime) -> Iterator[str]:
    status = run.get("status") or {}
    yield f"Workflow:  {runs.workflow_of(run)}"
    if status.get("progress"):
        yield f"Progress:  {status['progress']}"
    if status.get("message"):
        yield f"Message:   {one_line(status['message'])}"
    elif following.phase(run) == "Pending" and not status:
        yield "Message:   no controller has seen this run yet: is one running?"
    yield from occasion(run, at)
    if status.get("startedAt"):
        lasted = status.get("duration") or times.between(status["startedAt"], status.get("finishedAt"), at)
        yield f"Started:   {status['startedAt']}  ({'took' if status.get('finishedAt') else 'for'} {lasted})"
    source = status.get("source") or {}
    if source.get("commit"):
        yield f"Source:    {source['repo']} at {source['ref']} = {source['commit'][:12]}"


def _history(run: Body) -> Iterator[str]:
    """The actions that were applied to the run, and who asked."""
    records = (run.get("status") or {}).get("actions") or []
    if records:
        yield "Actions:"
    for record in records:
        by = f"{record['by']} (nobody has checked this)" if record.get("unverified") else record["by"]
        why = f" “{one_line(record['reason'])}”" if record.get("reason") else ""
        yield f"  {record['at']}  {record['verb']} by {one_line(by)}{why}: {one_line(record['message'])}"


def _add_task(root: Tree, task: Body, at: datetime, view: View) -> None:
    phase = task.get("phase", "Waiting")
    attempts = task.get("attempts") or []
    line = Text.assemble(_phase(phase, task["name"]))
    lasted = _lasted(task, attempts, at)
    for part in (lasted, _tries(task, attempts)):
        if part:
            line.append(f"  {part}", "dim")
    if (wait := task.get("retryAt")) and phase == "Retrying":
        left = (at - (times.parse(wait) or at)).total_seconds()
        line.append(f"  again in {times.length(-left)}" if left < 0 else "  again now", "yellow")
    if phase == "Succeeded" and (what := _podless(attempts)):
        line.append(f"  {what}", "dim")
    tells = phase != "Succeeded" or task.get("instances") or task.get("reason") in TELLING
    if tells and (said := task.get("message") or _reason(task)):
        line.append(f"  {one_line(said)}")
    branch = root.add(line)
    if view is not View.WHOLE:
        return
    failed = [attempt for attempt in attempts if attempt.get("class")]
    # What went wrong on the way matters as long as the task is not through; then a count is enough.
    for number, attempt in enumerate(failed if phase != "Succeeded" else []):
        said_again = any(later.get("hint") == attempt.get("hint") for later in failed[number + 1 : number + 2])
        _add_attempt(branch, attempt, told=task.get("message") or "", said_again=said_again)
    if task.get("instances") and phase != "Succeeded":
        _add_instances(branch, task)
    if advice := _advice(task):
        _add_hint(branch, advice)


def _advice(task: Body) -> str:
    """What to do about a task that waits for something which may never come, or that failed without an attempt."""
    phase, reason = task.get("phase", "Waiting"), task.get("reason") or ""
    waits = (phase in UNSTARTED and reason not in AS_USUAL) or reason == "AwaitingApproval"
    if not waits and not (phase == "Failed" and not task.get("attempts")):
        return ""
    from pydantic import ValidationError

    from windlass.models.run import TaskStatus
    from windlass.plan.hints import hint_for

    try:
        return hint_for(TaskStatus.model_validate(task))
    except ValidationError:  # of a controller that is newer than this command
        return ""


def _add_instances(branch: Tree, task: Body) -> None:
    """What went wrong with the first instances of which that is known."""
    from windlass.cli import instances

    hints: set[str] = set()
    for one in islice(instances.troubled(task), MOST_INSTANCES):
        if not one.last.get("class"):
            branch.add(Text(f"[{one.index}] {one_line(one.message)}", "red"))
            continue
        hint = one.last.get("hint") or ""
        _add_attempt(branch, one.last, told="", said_again=hint in hints, of=f"[{one.index}] ")
        hints.add(hint)


def _add_attempt(branch: Tree, attempt: Body, *, told: str, said_again: bool, of: str = "") -> None:
    what = f"{of}attempt {attempt['number']}: {attempt['class']} {attempt.get('reason') or ''}".rstrip()
    if attempt.get("exitCode") is not None:
        what += f", exit code {attempt['exitCode']}"
    line = branch.add(Text(what, "red"))
    lines = plain(attempt.get("message") or "").strip().splitlines()[-MOST_LINES:]
    for text in lines if len(lines) > 1 or "".join(lines) not in told else ():
        line.add(Text(text, "dim"))
    if attempt.get("hint") and not said_again:
        _add_hint(line, attempt["hint"])


def _add_hint(branch: Tree, hint: str) -> None:
    branch.add(Text(f"→ {one_line(hint)}", "yellow"))


def _phase(phase: str, name: str | None = None) -> Text:
    symbol, style = SYMBOLS.get(phase, ("?", ""))
    text = Text.assemble((symbol, style), " ")
    if name is not None:
        text.append(name)
        text.append("  ")
    return text.append(phase, style)


def _lasted(task: Body, attempts: list[Body], at: datetime) -> str:
    start = task.get("startedAt") or (attempts[0].get("startedAt") if attempts else None)
    return times.between(start, task.get("finishedAt"), at)


def _podless(attempts: list[Body]) -> str:
    """What the last attempt was, where it had no pod: a run, or an object."""
    last = attempts[-1] if attempts else {}
    if last.get("run"):
        return f"run {one_line(last['run'])}"
    return f"{str(last.get('kind', '')).rpartition('/')[2]} {one_line(last['object'])}" if last.get("object") else ""


def _tries(task: Body, attempts: list[Body]) -> str:
    count = (task.get("dropped") or 0) + len(attempts)
    return f"{count} attempts" if count > 1 else ""


def _reason(task: Body) -> str:
    reason = task.get("reason") or ""
    return "" if reason == task.get("phase") else reason
