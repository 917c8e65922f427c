"""Random lives of a run on the World, and what must hold in each of them.

A story is a DAG, how each attempt goes, what users do and when, and which requests go wrong. `live` plays it to the end
and says what was broken.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from support.kubelet import COMMIT, Play, outputs
from support.store_api import Fault, How, Request
from support.world import NAMESPACE, World
from windlass import names
from windlass.errors import ApiError, Conflict, NotFound, QuotaExceeded, ServerError, TooManyRequests, Unreachable
from windlass.models.task import TriggerRule
from windlass.resources import CLAIMS, PODS, RUNS, WORKFLOWS

Body = dict[str, Any]
OVER = ("Succeeded", "Failed", "UpstreamFailed", "Skipped", "Cancelled")
MOST_REQUESTS = 1500

LOST = Unreachable("no answer")
FAULTS = (
    Fault(How.REFUSED, ServerError("boom", 500)),
    Fault(How.REFUSED, TooManyRequests("slow down", 429, retry_after=3)),
    Fault(How.REFUSED, LOST),
    Fault(How.LOST_ANSWER, LOST),
    Fault(How.LATE, LOST, after=20),
    Fault(How.LATE, LOST, after=70),
    Fault(How.SLOW, after=2),
    Fault(How.KILLED_BEFORE),
    Fault(How.KILLED_AFTER),
)
ONLY_FOR = {
    "create": (Fault(How.REFUSED, QuotaExceeded("exceeded quota: q", 403)),),
    "update": (Fault(How.REFUSED, Conflict("newer", 409)),),
}
PLAYS = (
    Play(seconds=0.2),
    outputs(n=1),
    Play(seconds=30),
    Play(exit_code=1),
    Play(exit_code=137, reason="OOMKilled"),
    Play(message="no JSON"),
    Play(seconds=float("inf")),
)
ACTIONS = (
    "suspend",
    "resume",
    "cancel",
    "terminate",
    "delete the run",
    "delete a pod",
    "delete a pod by force",
    "strip a pod",
    "annotate",
    "kill",
    "cut watches",
    "silence",
    "edit the workflow",
    "delete the workflow",
)


@dataclass(frozen=True)
class Story:
    """A run's life, before it is lived."""

    spec: Body
    plays: Mapping[str, list[Play]]
    actions: tuple[tuple[float, str], ...]
    faults: Mapping[int, Fault]

    def has(self, *actions: str) -> bool:
        return any(action in actions for _, action in self.actions)

    @property
    def disturbed(self) -> bool:
        """A pod may have gone before its result could be stored, or was told to go."""
        others = ("delete the run", "delete a pod", "delete a pod by force", "strip a pod", "cancel", "terminate")
        return self.has(*others)

    @property
    def late(self) -> bool:
        return any(fault.how is How.LATE for fault in self.faults.values())

    @property
    def kills(self) -> bool:
        return self.has("kill") or any(fault.how in KILLS for fault in self.faults.values())


KILLS = (How.KILLED_BEFORE, How.KILLED_AFTER)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any story."""
    count = draw(st.integers(1, 5))
    tasks = [draw(_tasks(number)) for number in range(count)]
    spec: Body = {"tasks": tasks}
    if draw(st.booleans()):
        spec["finally"] = [{"name": "clean", "command": ["true"]}]
    if draw(st.booleans()):
        spec["workspace"] = {"size": "1Gi", "mountPath": "/data", "keep": "Never"}
    if draw(st.integers(0, 3)) == 0:
        spec["source"] = {"git": {"repo": "https://git.example.com/a.git"}}
    if draw(st.booleans()):
        spec["concurrency"] = {"maxActiveTasks": draw(st.integers(1, 2))}
    if draw(st.integers(0, 3)) == 0:
        spec["timeout"] = "20s"
    plays = {task["name"]: draw(st.lists(st.sampled_from(PLAYS), min_size=1, max_size=3)) for task in tasks}
    moments = st.integers(0, 80).map(lambda tenths: tenths / 10)
    actions = draw(st.lists(st.tuples(moments, st.sampled_from(ACTIONS)), max_size=5))
    faults = draw(st.dictionaries(st.integers(0, 60), st.sampled_from(FAULTS), max_size=6))
    return Story(spec, plays, tuple(sorted(actions)), faults)


@st.composite
def _tasks(draw: st.DrawFn, number: int) -> Body:
    upstream = draw(st.lists(st.sampled_from([f"t{i}" for i in range(number)]), unique=True)) if number else []
    task: Body = {"name": f"t{number}", "command": ["true"], "timeout": "8s"}
    if upstream:
        task["dependsOn"] = upstream
        if draw(st.booleans()):
            task["triggerRule"] = draw(st.sampled_from(list(TriggerRule))).value
    if draw(st.booleans()):
        task["retry"] = {"limit": draw(st.integers(0, 2)), "delay": "1s"}
    if draw(st.integers(0, 4)) == 0:
        task["allowFailure"] = True
    return task


class Errors(logging.Handler):
    """Notes exceptions that no request has raised."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, ApiError):
            self.found.append(f"{record.getMessage()}: {error!r}")


@contextmanager
def errors() -> Iterator[Errors]:
    """The exceptions that are logged meanwhile."""
    handler, logger = Errors(), logging.getLogger("windlass")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


class History:
    """What the stored statuses said, one after the other."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._ended: dict[tuple[str, str], Body] = {}

    def take(self, run: Body) -> None:
        uid, status = run["metadata"]["uid"], run.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed", "Cancelled"):
            self._same(uid, "", {key: status.get(key) for key in ("phase", "reason", "finishedAt")})
        elif (uid, "") in self._ended:
            self.broken.append(f"the run had ended and is {status.get('phase')} again")
        for task in status.get("tasks") or ():
            name = task["name"]
            if task["phase"] in OVER:
                self._same(uid, name, {key: task.get(key) for key in ("phase", "outputs", "finishedAt")})
            elif (uid, name) in self._ended:
                self.broken.append(f"{name} had ended and is {task['phase']} again")

    def _same(self, uid: str, name: str, now: Body) -> None:
        before = self._ended.setdefault((uid, name), now)
        if before != now:
            self.broken.append(f"{name or 'the run'} had ended as {before} and is {now}")


async def live(story: Story) -> list[str]:
    """Play a story to its end; what was broken in it."""
    with errors() as found:
        async with World(script=_script(story)) as world:
            history = History()
            _watch(world, history)
            world.api.inject = _injector(story)
            await _tell(world, story)
            broken = [*_ended(world), *history.broken, *_pods(world, story), *_results(world, story)]
            world.api.inject = lambda request: None
            world.collects_every = 60
            await _pass(world, 5000, 5000)
            broken += _nothing_left(world)
            if len(world.api.requests) > MOST_REQUESTS:
                broken.append(f"{len(world.api.requests)} requests: {Counter(map(_kind, world.api.requests))}")
    return broken + found.found


def _kind(request: Request) -> str:
    return f"{request.verb} {request.resource}"


def _script(story: Story) -> Callable[[str, int], Play]:
    def play(task: str, attempt: int) -> Play:
        if task == names.SOURCE_STEP:
            return outputs(commit=COMMIT)
        plays = story.plays.get(task, [Play()])
        return plays[min(attempt, len(plays)) - 1]

    return play


def _watch(world: World, history: History) -> None:
    put = world.store.put

    def putting(storage: Any, key: Any, obj: Body) -> Any:
        answer = put(storage, key, obj)
        if storage[1] == RUNS.plural:
            history.take(json.loads(json.dumps(obj)))
        return answer

    world.store.put = putting  # type: ignore[method-assign]


def _injector(story: Story) -> Callable[[Request], Fault | None]:
    count = -1

    def inject(request: Request) -> Fault | None:
        nonlocal count
        if request.verb == "list":
            return None
        count += 1
        fault = story.faults.get(count)
        if fault is None:
            return None
        if fault.how is How.REFUSED and request.verb in ONLY_FOR and count % 3 == 0:
            return ONLY_FOR[request.verb][0]
        return fault

    return inject


async def _tell(world: World, story: Story) -> None:
    world.workflow("etl", story.spec)
    world.run("r1", workflow="etl")
    for moment, action in story.actions:
        await _pass(world, max(0.0, moment - world.clock.monotonic()), 0.5)
        await _act(world, action)
    await _pass(world, 1, 0.5)
    _quietly(lambda: world.store.patch(RUNS, NAMESPACE, "r1", {"spec": {"suspend": False}}))
    world.api.watches_open = True
    world.api.cut_watches()
    for _ in range(100):
        if _is_over(world):
            break
        await _pass(world, 30, 2)


async def _pass(world: World, seconds: float, step: float) -> None:
    """Let time pass; a controller that was killed is started again."""
    end = world.clock.monotonic() + seconds
    while True:
        if world.api.killed:
            await world.kill()
            await world.clock.advance(1.5)
            await world.start()
        left = end - world.clock.monotonic()
        if left <= 0:
            return
        await world.clock.advance(min(step, left))


async def _act(world: World, action: str) -> None:
    pods = [pod for pod in world.pods() if "deletionTimestamp" not in pod["metadata"]]
    pod = pods[-1]["metadata"]["name"] if pods else ""
    match action:
        case "suspend" | "resume":
            _patch(world, {"spec": {"suspend": action == "suspend"}})
        case "cancel" | "terminate":
            _patch(world, {"spec": {"stop": action.capitalize()}})
        case "annotate":
            _patch(world, {"metadata": {"annotations": {"at": str(world.clock.monotonic())}}})
        case "delete the run":
            _quietly(lambda: world.store.delete(RUNS, NAMESPACE, "r1"))
        case "delete a pod":
            _quietly(lambda: world.store.delete(PODS, NAMESPACE, pod))
        case "delete a pod by force":
            _quietly(lambda: world.store.delete(PODS, NAMESPACE, pod, grace=0))
        case "strip a pod":
            _quietly(lambda: world.store.patch(PODS, NAMESPACE, pod, {"metadata": {"finalizers": []}}))
        case "kill":
            world.api.killed = True
        case "cut watches":
            world.api.cut_watches()
        case "silence":
            world.api.watches_open = False
        case "edit the workflow":
            tasks = [{"name": "other", "command": ["true"]}]
            _quietly(lambda: world.store.patch(WORKFLOWS, NAMESPACE, "etl", {"spec": {"tasks": tasks}}))
        case "delete the workflow":
            _quietly(lambda: world.store.delete(WORKFLOWS, NAMESPACE, "etl"))


def _patch(world: World, patch: Body) -> None:
    _quietly(lambda: world.store.patch(RUNS, NAMESPACE, "r1", patch))


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except ApiError:
        return


def _is_over(world: World) -> bool:
    try:
        return world.phase() in ("Succeeded", "Failed", "Cancelled", "Refused")
    except NotFound:
        return True


def _ended(world: World) -> list[str]:
    return [] if _is_over(world) else [f"the run has not ended: {world.told()}"]


def _pods(world: World, story: Story) -> list[str]:
    """No attempt was launched twice, and no task had two processes at a time."""
    broken = []
    strip = story.has("strip a pod")
    if not strip and not (story.late and story.disturbed):
        twice = {key: count for key, count in Counter(world.kubelet.launched).items() if count > 1}
        broken += [f"{key} was launched {count} times" for key, count in twice.items()]
    limit = (story.spec.get("concurrency") or {}).get("maxActiveTasks")
    if limit and not story.late and not story.kills and world.kubelet.most_live > limit + strip:
        broken.append(f"{world.kubelet.most_live} pods at a time, and the limit is {limit}")
    return broken


def _results(world: World, story: Story) -> list[str]:
    """What a pod has done is in the status: no success was lost or made up."""
    if story.has("delete the run"):
        return []
    broken = []
    status = {task["name"]: task for task in world.status().get("tasks") or ()}
    for name, task in status.items():
        succeeded = task["phase"] == "Succeeded"
        plays = story.plays.get(name, [Play()])
        good = {number for number in range(1, 10) if _is_good(plays[min(number, len(plays)) - 1])}
        attempts = [attempt["number"] for attempt in task.get("attempts") or ()]
        if succeeded and (not attempts or attempts[-1] not in good):
            broken.append(f"{name} has succeeded though attempt {attempts} did not")
        if not story.disturbed and "timeout" not in story.spec and good.intersection(attempts) and not succeeded:
            broken.append(f"{name} is {task['phase']} though an attempt of {attempts} was good")
        if attempts != list(range(attempts[0], attempts[0] + len(attempts)) if attempts else []):
            broken.append(f"attempts of {name} are {attempts}")
    return broken


def _is_good(play: Play) -> bool:
    return play.exit_code == 0 and play.message != "no JSON" and play.seconds < 8


def _nothing_left(world: World) -> list[str]:
    broken = [f"pod {pod['metadata']['name']} is left" for pod in world.pods()]
    broken += [f"{what} is left: {count}" for what, count in world.leftovers().items()]
    claims = world.store.list(CLAIMS, NAMESPACE)
    return broken + [f"claim {claim['metadata']['name']} is left" for claim in claims]
