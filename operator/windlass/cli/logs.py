"""`windlass logs`."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from windlass.cli import following, runs
from windlass.cli.cluster import Cluster, with_cluster
from windlass.cli.failures import FAILED, OK, Failure
from windlass.errors import Invalid, NotFound, Retryable
from windlass.names import MAIN_CONTAINER, SOURCE_STEP

Body = dict[str, Any]

LOOK_AGAIN: Final = 0.5
"""Seconds between two looks at pods that have yet to start."""
PODLESS: Final = (
    "WaitingForTime", "WaitingForRun", "WaitingForObject", "WaitingForRight", "Waited", "WaitTimeout", "WaitFailed",
    "Switched", "Joined", "AwaitingApproval", "Approved", "TakenOver",
)  # fmt: skip
"""Reasons that only tasks without a pod have."""
COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


@dataclass(frozen=True, slots=True)
class Request:
    """What of the logs is wanted."""

    task: str | None
    index: int | None
    attempt: int | None
    container: str | None
    follow: bool
    tail: int | None
    timestamps: bool


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt, as the run's status tells it."""

    task: str
    number: int
    pod: str | None
    ended: bool
    message: str


@click.command("logs")
@click.argument("run")
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the task, or the run, has ended.")
@click.option("--index", type=click.IntRange(min=0), help="Of this instance of a forEach, from 0.")
@click.option("--attempt", type=click.IntRange(min=1), help="Of this attempt; by default the latest.")
@click.option("-c", "--container", help="Of this container of the pod; by default the task's own.")
@click.option("--tail", type=click.IntRange(min=0), help="Only the last lines, this many of each log.")
@click.option("--timestamps", is_flag=True, help="With the time of each line.")
@with_cluster
async def command(
    cluster: Cluster,
    run: str,
    task: str | None,
    follow: bool,
    index: int | None,
    attempt: int | None,
    container: str | None,
    tail: int | None,
    timestamps: bool,
) -> int:
    """Print the logs of a run's tasks, or of one TASK. RUN may be @latest.

    The step that fetches the source is the task `windlass-source`.
    """
    if task is None and (attempt is not None or index is not None):
        raise click.UsageError(f"--{'attempt' if index is None else 'index'} needs a TASK")
    found = await runs.read_run(cluster, run)
    wanted = Request(task, index, attempt, container, follow, tail, timestamps)
    if task is not None:
        _check_task(found, task)
    if follow:
        return await _follow(cluster, found["metadata"]["name"], wanted)
    tries = _chosen(found, wanted)
    if not tries:
        raise Failure(_nothing_yet(found, task, attempt))
    printed = [await _print(cluster, chosen, wanted, _prefix(found, chosen, wanted)) for chosen in tries]
    return OK if any(printed) else FAILED


def _statuses(run: Body) -> Iterator[Body]:
    step = ((run.get("status") or {}).get("source") or {}).get("step")
    if step:
        yield {**step, "name": SOURCE_STEP}
    yield from runs.task_statuses(run)


def _check_task(run: Body, task: str) -> None:
    names = [status["name"] for status in _statuses(run)]
    if names and task not in names:
        from windlass.models.findings import suggestion

        hint = suggestion(task, names) or f"it has {', '.join(names[:20])}"
        raise Failure(f'the run {run["metadata"]["name"]} has no task "{task}"; {hint}')


def _chosen(run: Body, wanted: Request) -> list[Try]:
    """The attempts whose logs are wanted: of each task the latest, or the one that was named."""
    found = []
    for status in _statuses(run):
        if wanted.task not in (None, status["name"]):
            continue
        if status.get("instances") or wanted.index is not None:
            found += _of_instances(run, status, wanted)
            continue
        tries = [attempt for attempt in status.get("attempts") or [] if attempt.get("pod")]
        if wanted.attempt is not None:
            tries = [attempt for attempt in tries if attempt["number"] == wanted.attempt]
        if tries:
            last = tries[-1]
            ended = bool(last.get("finishedAt") or last.get("class"))
            found.append(Try(status["name"], last["number"], last["pod"], ended, last.get("message") or ""))
    return found


def _of_instances(run: Body, status: Body, wanted: Request) -> list[Try]:
    """The attempts of the instances of a forEach whose logs are wanted."""
    from windlass.cli import instances

    if wanted.index is None and (status.get("instances") or {}).get("total", 0) > instances.MOST_AT_ONCE:
        if wanted.task is not None:
            raise Failure(instances.which(status))
        return []
    found = []
    for one in instances.chosen(status, wanted.index):
        number = wanted.attempt or one.attempts
        if number <= one.attempts:
            pod = instances.pod_of(run, status["name"], one.index, number)
            ended = one.ended or number < one.attempts
            message = one.last.get("message") or "" if number == one.attempts else ""
            found.append(Try(f"{status['name']}[{one.index}]", number, pod, ended, message))
    return found


def _nothing_yet(run: Body, task: str | None, attempt: int | None) -> str:
    name = run["metadata"]["name"]
    if task is None:
        return f"no task of the run {name} has started yet: {following.phase(run)}"
    status = next((status for status in _statuses(run) if status["name"] == task), {})
    if status.get("instances"):
        return f"no such attempt of {task} has started yet: {status.get('message') or status.get('phase')}"
    listed = [entry["number"] for entry in status.get("attempts") or []]
    if attempt is not None and listed:
        return f"the task {task} has no attempt {attempt} on record: it has {', '.join(map(str, listed))}"
    why = status.get("message") or status.get("reason")
    if podless := _podless(status):
        return podless
    return f"the task {task} has not started: {status.get('phase', 'Waiting')}{f', {why}' if why else ''}"


def _podless(status: Body) -> str:
    """What a task without a pod has in place of a log; empty for others."""
    last = (status.get("attempts") or [{}])[-1]
    told = f"; {status['message']}" if status.get("message") else ""
    if last.get("run"):
        run = last["run"]
        return f"the task {status['name']} has no log of its own: it is the run {run}; see windlass logs {run}"
    if last.get("object"):
        kind = str(last.get("kind") or "object").rpartition("/")[2]
        return f"the task {status['name']} has no log: it is the {kind} {last['object']}{told}"
    if status.get("reason") in PODLESS:
        return f"the task {status['name']} has no log: it has no pod; {status.get('phase')}{told}"
    return ""


def _prefix(run: Body, chosen: Try, wanted: Request) -> str:
    """What begins each line where the logs of several tasks are printed."""
    if wanted.task == chosen.task or wanted.index is not None:
        return ""
    names = [status["name"] for status in _statuses(run)]
    place = names.index(chosen.task.partition("[")[0])
    return click.style(f"[{chosen.task}] ", fg=COLOURS[place % len(COLOURS)])


async def _print(cluster: Cluster, chosen: Try, wanted: Request, prefix: str) -> bool:
    """Print the log of an attempt, whatever container has one; whether there was any."""
    from windlass.kube.streams import split_lines
    from windlass.resources import PODS

    assert chosen.pod is not None, "only attempts with a pod are chosen"
    try:
        pod = await cluster.client.get(PODS, cluster.namespace, chosen.pod)
    except NotFound:
        _gone(chosen)
        return False
    for container in [wanted.container] if wanted.container else containers_with_logs(pod):
        chunks = cluster.client.logs(
            cluster.namespace,
            chosen.pod,
            container,
            follow=wanted.follow,
            tail_lines=wanted.tail,
            timestamps=wanted.timestamps,
        )
        try:
            async for line in split_lines(chunks):
                click.echo(prefix + line.decode(errors="replace"))
        except (Invalid, NotFound) as error:
            click.echo(f"windlass: no log of {chosen.task}: {' '.join(error.message.split())}", err=True)
            return False
    return True


def containers_with_logs(pod: Body) -> Sequence[str]:
    """The main container, or the init containers that failed before it could start."""
    status = pod.get("status") or {}
    failed = [
        state["name"]
        for state in status.get("initContainerStatuses") or []
        for ended in [(state.get("state") or {}).get("terminated") or (state.get("lastState") or {}).get("terminated")]
        if ended and ended.get("exitCode") and not state.get("started")
    ]
    return failed if failed and not _main_begun(status) else [MAIN_CONTAINER]


def _gone(chosen: Try) -> None:
    click.echo(
        f"windlass: the pod of {chosen.task}, attempt {chosen.number}, is gone, and its log with it "
        "(see the task's keepPods)" + ("; the last lines that the run's status kept:" if chosen.message else ""),
        err=True,
    )
    if chosen.message:
        click.echo(chosen.message)


async def _follow(cluster: Cluster, name: str, wanted: Request) -> int:
    """Follow each attempt from the moment that the status names its pod, until the task or the run has ended."""
    followed: dict[tuple[str, int], asyncio.Task[bool]] = {}
    over: set[tuple[str, int]] = set()
    latest: Body = {}
    async for latest in runs.follow(cluster, name):
        for chosen in _chosen(latest, wanted):
            key = (chosen.task, chosen.number)
            if chosen.ended or following.phase(latest) in following.ENDED:
                over.add(key)
            if key not in followed:
                prefix = _prefix(latest, chosen, wanted)
                followed[key] = asyncio.create_task(_follow_one(cluster, chosen, wanted, prefix, over))
        if wanted.task is not None and _task_done(latest, wanted):
            break
    over |= followed.keys()
    await asyncio.gather(*followed.values())
    if not followed:
        raise Failure(_nothing_yet(latest, wanted.task, wanted.attempt))
    return OK


async def _follow_one(
    cluster: Cluster, chosen: Try, wanted: Request, prefix: str, over: Container[tuple[str, int]]
) -> bool:
    """Wait until the pod has something to say, then print it to its end. `over` has the attempts that have ended."""
    from windlass.resources import PODS

    assert chosen.pod is not None, "only attempts with a pod are chosen"
    while True:
        # The status may name a pod a moment before it is made.
        gone_for_good = (chosen.task, chosen.number) in over
        try:
            pod = await cluster.client.get(PODS, cluster.namespace, chosen.pod)
        except NotFound:
            if gone_for_good:
                _gone(chosen)
                return False
        except Retryable:
            pass
        else:
            if _has_log(pod):
                return await _print(cluster, chosen, wanted, prefix)
        await asyncio.sleep(LOOK_AGAIN)


def _has_log(pod: Body) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return True
    return _main_begun(status)


def _main_begun(status: Body) -> bool:
    states = [found.get("state") or {} for found in status.get("containerStatuses") or [] if _is_main(found)]
    return any(state.keys() & {"running", "terminated"} for state in states)


def _is_main(container: Body) -> bool:
    return bool(container["name"] == MAIN_CONTAINER)


def _task_done(run: Body, wanted: Request) -> bool:
    status = next((status for status in _statuses(run) if status["name"] == wanted.task), {})
    if wanted.attempt is not None or wanted.index is not None:
        return any(chosen.ended for chosen in _chosen(run, wanted))
    return status.get("phase") in runs.TASK_ENDED
