"""Random lives of a run on which people act, while requests go wrong and the controller dies.

What must hold in each: an action is applied once and answered, what it did is in the run's history, no attempt is
started twice, no task has two processes at a time, and the run comes to an end that leaves nothing behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from support.kubelet import Play, outputs
from support.store_api import Fault, How, Request
from support.stories import errors
from support.world import NAMESPACE, World
from windlass import names
from windlass.errors import ApiError, Conflict, ServerError, Unreachable
from windlass.models.action import Verb
from windlass.resources import ACTIONS, PODS, RUNS

Body = dict[str, Any]
ENDED = ("Succeeded", "Failed", "Cancelled")
LOST = Unreachable("no answer")
FAULTS = (
    Fault(How.REFUSED, ServerError("boom", 500)),
    Fault(How.REFUSED, LOST),
    Fault(How.LOST_ANSWER, LOST),
    Fault(How.SLOW, after=2),
    Fault(How.KILLED_BEFORE),
    Fault(How.KILLED_AFTER),
)
CONFLICT = Fault(How.REFUSED, Conflict("newer", 409))
PLAYS = (Play(seconds=0.2), outputs(n=1), Play(seconds=6), Play(exit_code=1), Play(seconds=float("inf")))
VERBS = [verb.value for verb in Verb]
DISTURBANCES = ("kill", "cut watches", "silence", "stop by the spec", "suspend by the spec", "resume by the spec")


@dataclass(frozen=True)
class Asked:
    """An action, before it is asked for."""

    verb: str
    tasks: tuple[str, ...]
    downstream: bool


@dataclass(frozen=True)
class Story:
    """A run's life, before it is lived."""

    spec: Body
    plays: Mapping[str, list[Play]]
    steps: tuple[tuple[float, Asked | str], ...]
    faults: Mapping[int, Fault]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any story."""
    count = draw(st.integers(1, 4))
    tasks = [draw(_tasks(number)) for number in range(count)]
    spec: Body = {"tasks": tasks}
    if draw(st.booleans()):
        spec["finally"] = [{"name": "clean", "command": ["true"], "timeout": "8s"}]
    if draw(st.integers(0, 2)) == 0:
        spec["workspace"] = {"size": "1Gi", "mountPath": "/data", "keep": "Never"}
    called = [task["name"] for task in tasks] + [task["name"] for task in spec.get("finally", ())]
    plays = {name: draw(st.lists(st.sampled_from(PLAYS), min_size=1, max_size=3)) for name in called}
    asked = st.builds(
        Asked,
        st.sampled_from(VERBS),
        st.lists(st.sampled_from([*called, "nobody"]), max_size=2, unique=True).map(tuple),
        st.booleans(),
    )
    moments = st.integers(0, 300).map(lambda tenths: tenths / 10)
    steps = draw(st.lists(st.tuples(moments, asked | st.sampled_from(DISTURBANCES)), min_size=1, max_size=7))
    faults = draw(st.dictionaries(st.integers(0, 60), st.sampled_from(FAULTS), max_size=6))
    return Story(spec, plays, tuple(sorted(steps, key=lambda step: step[0])), faults)


@st.composite
def _tasks(draw: st.DrawFn, number: int) -> Body:
    upstream = draw(st.lists(st.sampled_from([f"t{i}" for i in range(number)]), unique=True)) if number else []
    task: Body = {"name": f"t{number}", "dependsOn": upstream}
    if draw(st.integers(0, 4)) == 0:
        return {**task, "approval": {"message": "?", "timeout": "20s", "onTimeout": draw(_ON_TIMEOUT)}}
    task |= {"command": ["true"], "timeout": "8s"}
    if draw(st.integers(0, 3)) == 0:
        task["forEach"] = {"items": [1, 2]}
    if draw(st.booleans()):
        task["retry"] = {"limit": 1, "delay": "1s"}
    return task


_ON_TIMEOUT = st.sampled_from(["Approve", "Reject", "Fail"])


async def live(story: Story) -> list[str]:
    """Play a story to its end; what was broken in it."""
    with errors() as found:
        async with World(script=_script(story)) as world:
            processes = _Processes(world)
            world.api.inject = _injector(story)
            asked = await _tell(world, story)
            broken = [*processes.broken, *_launches(world), *_ended(world), *_answers(world, asked)]
            world.api.inject = lambda request: None
            await _pass(world, 9000, 3000)
            broken += _nothing_left(world)
    return broken + found.found


class _Processes:
    """Watches that a task has one process at a time."""

    def __init__(self, world: World) -> None:
        self.broken: list[str] = []
        self._running: dict[str, str] = {}
        self._put = world.store.put
        world.store.put = self._putting  # type: ignore[method-assign]

    def _putting(self, storage: Any, key: Any, obj: Body) -> Any:
        answer = self._put(storage, key, obj)
        if storage[1] == PODS.plural:
            self._take(obj)
        return answer

    def _take(self, pod: Body) -> None:
        labels, name = pod["metadata"]["labels"], pod["metadata"]["name"]
        task = f"{labels[names.LABEL_TASK]}[{labels.get(names.LABEL_INDEX, '')}]"
        if (pod.get("status") or {}).get("phase") != "Running":
            if self._running.get(task) == name:
                del self._running[task]
        elif self._running.setdefault(task, name) != name:
            self.broken.append(f"{name} runs beside {self._running[task]}")


def _script(story: Story) -> Callable[[str, int], Play]:
    def play(task: str, attempt: int) -> Play:
        plays = story.plays.get(task.partition("[")[0], [Play()])
        return plays[min(attempt, len(plays)) - 1]

    return play


def _injector(story: Story) -> Callable[[Request], Fault | None]:
    count = -1

    def inject(request: Request) -> Fault | None:
        nonlocal count
        if request.verb == "list":
            return None
        count += 1
        fault = story.faults.get(count)
        return CONFLICT if fault is not None and request.verb == "update" and count % 3 == 0 else fault

    return inject


async def _tell(world: World, story: Story) -> list[str]:
    world.run("r1", **story.spec)
    asked: list[str] = []
    for moment, step in story.steps:
        await _pass(world, max(0.0, moment - world.clock.monotonic()), 0.5)
        if isinstance(step, str):
            _disturb(world, step)
        else:
            asked.append(_ask(world, step))
    await _pass(world, 1, 0.5)
    world.api.watches_open = True
    world.api.cut_watches()
    # What a person suspended, a person lets go on.
    asked.append(world.act("Resume", name="last"))
    _patch(world, {"spec": {"suspend": False}})
    for _ in range(100):
        if _is_over(world, asked):
            break
        await _pass(world, 30, 2)
    return asked


def _ask(world: World, step: Asked) -> str:
    of_tasks = step.verb in ("Clear", "Skip", "MarkSuccess", "MarkFailed")
    about_run = step.verb in ("Suspend", "Resume", "Cancel", "Terminate")
    fields: Body = {"downstream": step.downstream} if of_tasks else {}
    tasks = () if about_run else step.tasks or (("t0",) if of_tasks else ())
    return world.act(step.verb, *tasks, reason="so", **fields)


def _disturb(world: World, step: str) -> None:
    match step:
        case "kill":
            world.api.killed = True
        case "cut watches":
            world.api.cut_watches()
        case "silence":
            world.api.watches_open = False
        case "stop by the spec":
            _patch(world, {"spec": {"stop": "Cancel"}})
        case "suspend by the spec" | "resume by the spec":
            _patch(world, {"spec": {"suspend": step.startswith("suspend")}})


def _patch(world: World, patch: Body) -> None:
    try:
        world.store.patch(RUNS, NAMESPACE, "r1", patch)
    except ApiError:
        return


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


def _is_over(world: World, asked: list[str]) -> bool:
    answered = all(world.answer(name)[0] in ("Applied", "Refused") for name in asked)
    return world.phase() in ENDED and answered


def _ended(world: World) -> list[str]:
    return [] if world.phase() in ENDED else [f"the run has not ended: {world.told()}"]


def _launches(world: World) -> list[str]:
    twice = {key: count for key, count in Counter(world.kubelet.launched).items() if count > 1}
    return [f"{key} was launched {count} times" for key, count in twice.items()]


def _answers(world: World, asked: list[str]) -> list[str]:
    """Each action has its answer, and the run remembers those that were applied, each once."""
    broken = []
    applied = []
    for name in asked:
        phase, message = world.answer(name)
        if phase == "Applied":
            applied.append(world.store.get(ACTIONS, NAMESPACE, name)["metadata"]["uid"])
        elif phase != "Refused":
            broken.append(f"{name} is {phase} {message}")
        elif not message:
            broken.append(f"{name} was refused without a word")
    remembered = Counter(record["uid"] for record in world.status().get("actions") or ())
    if remembered != Counter(applied):
        broken.append(f"applied were {applied}, and the run remembers {remembered}")
    return broken


def _nothing_left(world: World) -> list[str]:
    broken = [f"pod {pod['metadata']['name']} is left" for pod in world.pods()]
    broken += [f"{what} is left: {count}" for what, count in world.leftovers().items()]
    return broken + [f"action {one['metadata']['name']} is left" for one in world.store.list(ACTIONS, NAMESPACE)]
