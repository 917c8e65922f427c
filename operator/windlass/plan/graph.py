"""The DAG of a definition: defaults merged in, checked, in topological order. What runs when is decided elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from windlass.models.common import JsonObject, delta
from windlass.models.task import ContainerFields, Retry, Task, TaskDefaults
from windlass.models.workflow import WorkflowSpec
from windlass.names import SOURCE_STEP
from windlass.plan.types import Node, Program

DEFAULT_START_TIMEOUT: Final = timedelta(minutes=10)
DEFAULT_KEEP: Final = timedelta(hours=1)
_MERGED_BY_KEY: Final = ("labels", "annotations", "node_selector")
_OF_CHILDREN: Final = ("retry", "timeout", "service_account_name")
"""What a task without a pod that can be tried again takes from `taskDefaults`."""
_OF_SOURCE_STEP: Final = (
    "image_pull_secrets", "labels", "annotations", "node_selector", "affinity", "tolerations", "service_account_name",
    "priority_class_name", "scheduler_name", "host_aliases", "dns_config", "dns_policy", "runtime_class_name", "retry",
    "start_timeout", "keep_pods", "keep_pods_for",
)  # fmt: skip
"""What the source step takes from `taskDefaults`: where its pod runs, and how often it is tried."""


class ProgramError(ValueError):
    """A definition that no program can be made of."""


class CycleError(ProgramError):
    """Tasks that wait for each other. `cycle` begins and ends with the same task."""

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__(f"the tasks wait for each other: {' → '.join(cycle)}")
        self.cycle = tuple(cycle)


class UnknownDependencyError(ProgramError):
    """A task depends on a name that it can't depend on."""

    def __init__(self, task: str, dependency: str, message: str) -> None:
        super().__init__(message)
        self.task = task
        self.dependency = dependency


def compile_program(spec: WorkflowSpec) -> Program:
    """The definition as the planner uses it. ProgramError when its tasks make no DAG."""
    tasks = [*spec.tasks, *spec.finally_]
    finals = {task.name for task in spec.finally_}
    _check_names(tasks, finals)
    upstream = {task.name: tuple(dict.fromkeys((*task.depends_on, *task.teardown_of))) for task in tasks}
    downstream: dict[str, list[str]] = {task.name: [] for task in tasks}
    for name, dependencies in upstream.items():
        for dependency in dependencies:
            downstream[dependency].append(name)
    defaults = spec.task_defaults
    by_name = {task.name: merge_defaults(with_asking_pod(task), defaults) for task in tasks}
    order = _topological(upstream, downstream)
    order.sort(key=lambda name: name in finals)
    nodes = {
        name: _node(by_name[name], upstream[name], tuple(downstream[name]), is_finally=name in finals) for name in order
    }
    past = any(task.depends_on_past for task in tasks)
    awaited = frozenset(task.wait_for.run.workflow for task in tasks if task.wait_for and task.wait_for.run)
    step = _source_step(spec)
    produces = tuple(name for name in order if by_name[name].produces)
    return Program(spec=spec, nodes=nodes, source_step=step, depends_on_past=past, awaited=awaited, produces=produces)


def transitive_upstream(program: Program, name: str) -> frozenset[str]:
    """All tasks that have ended before `name` starts: its upstream, theirs and so on; for `finally` the tasks too."""
    node = program.nodes[name]
    found = {other for other, its in program.nodes.items() if not its.is_finally} if node.is_finally else set()
    todo = [task for task in node.upstream if task not in found]
    while todo:
        task = todo.pop()
        if task not in found:
            found.add(task)
            todo.extend(program.nodes[task].upstream)
    return frozenset(found)


def find_cycle(upstream: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """The names of one cycle, each depended on by the one before it, beginning and ending with the same."""
    done: set[str] = set()
    for root in upstream:
        path: dict[str, None] = {}
        stack = [(root, iter(upstream[root]))] if root not in done else []
        while stack:
            name, rest = stack[-1]
            path[name] = None
            following = next((other for other in rest if other not in done and other in upstream), None)
            if following is None:
                done.add(name)
                del path[name]
                stack.pop()
            elif following in path:
                names = list(path)
                return (*names[names.index(following) :], following)
            else:
                stack.append((following, iter(upstream[following])))
    return None


def merge_defaults(task: Task, defaults: TaskDefaults | None) -> Task:
    """The task with the defaults where it says nothing itself. A join stays a join."""
    if defaults is None:
        return task
    update: dict[str, Any] = {}
    for field in _inherited(task):
        default, own = getattr(defaults, field), getattr(task, field)
        if default is None:
            continue
        if own is None:
            update[field] = default
        elif field in _MERGED_BY_KEY:
            update[field] = {**default, **own}
        elif field == "env":
            update[field] = _merge_by_name(default, own)
        elif field == "retry":
            update[field] = _merge_retry(default, own)
    return task.model_copy(update=update) if update else task


def _inherited(task: Task) -> Iterable[str]:
    """The fields that a task of its kind takes from `taskDefaults`."""
    if has_pod(task):
        return ContainerFields.model_fields
    if task.run is not None or task.resource is not None:
        return _OF_CHILDREN
    return ("service_account_name",) if task.wait_for is not None and task.wait_for.object is not None else ()


def has_pod(task: Task) -> bool:
    """Whether it runs a container, before defaults are merged in."""
    return not (task.script is None and task.command is None and task.args is None and task.image is None)


def is_join(task: Task) -> bool:
    """Nothing to run, before defaults are merged in."""
    return (
        not has_pod(task)
        and task.approval is None
        and task.run is None
        and task.wait_for is None
        and task.resource is None
    )


def with_asking_pod(task: Task) -> Task:
    """The task with the fields of the pod that its `waitFor` asks. ProgramError when they are none of a task's."""
    pod = task.wait_for.pod if task.wait_for is not None else None
    if pod is None:
        return task
    try:
        fields = Task.model_validate({**pod, "name": task.name}, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ProgramError(f"task {task.name}: waitFor.pod.{place}: {first['msg']}") from None
    given = {name: getattr(fields, name) for name in fields.model_fields_set - {"name"}}
    if not_of_pods := given.keys() - ContainerFields.model_fields.keys() - {"command", "args", "script"}:
        raise ProgramError(f"task {task.name}: waitFor.pod has no {min(not_of_pods)}: it takes a container's fields")
    return task.model_copy(update=given)


def _merge_by_name(default: Sequence[JsonObject], own: Sequence[JsonObject]) -> list[JsonObject]:
    named = {entry.get("name"): entry for entry in own}
    kept = [entry for entry in default if entry.get("name") not in named]
    return [*kept, *own]


def _merge_retry(default: Retry, own: Retry) -> Retry:
    said = {field: getattr(own, field) for field in Retry.model_fields if getattr(own, field) is not None}
    return default.model_copy(update=said)


def _check_names(tasks: Sequence[Task], finals: set[str]) -> None:
    known: set[str] = set()
    for task in tasks:
        if task.name in known:
            raise ProgramError(f"two tasks are named {task.name}")
        known.add(task.name)
    for task in tasks:
        for dependency in (*task.depends_on, *task.teardown_of):
            if dependency not in known:
                message = f"task {task.name} depends on {dependency}, which is no task of the workflow"
                raise UnknownDependencyError(task.name, dependency, message)
            if dependency in finals and task.name not in finals:
                message = f"task {task.name} depends on {dependency}, which runs in finally, after all tasks"
                raise UnknownDependencyError(task.name, dependency, message)


def _topological(upstream: Mapping[str, tuple[str, ...]], downstream: Mapping[str, Sequence[str]]) -> list[str]:
    open_upstream = {name: len(dependencies) for name, dependencies in upstream.items()}
    ready = deque(name for name, count in open_upstream.items() if count == 0)
    order: list[str] = []
    while ready:
        name = ready.popleft()
        order.append(name)
        for follower in downstream[name]:
            open_upstream[follower] -= 1
            if open_upstream[follower] == 0:
                ready.append(follower)
    if len(order) < len(upstream):
        raise CycleError(find_cycle(upstream) or ())
    return order


def _node(task: Task, upstream: tuple[str, ...], downstream: tuple[str, ...], *, is_finally: bool) -> Node:
    return Node(
        task=task,
        upstream=upstream,
        downstream=downstream,
        is_finally=is_finally,
        timeout=delta(task.timeout) if task.timeout else None,
        start_timeout=delta(task.start_timeout) if task.start_timeout else DEFAULT_START_TIMEOUT,
        keep_pods_for=delta(task.keep_pods_for) if task.keep_pods_for else DEFAULT_KEEP,
    )


def _source_step(spec: WorkflowSpec) -> Node | None:
    if spec.source is None:
        return None
    fields: dict[str, Any] = {}
    if spec.task_defaults is not None:
        said = {field: getattr(spec.task_defaults, field) for field in _OF_SOURCE_STEP}
        fields = {field: value for field, value in said.items() if value is not None}
    return _node(Task(name=SOURCE_STEP).model_copy(update=fields), (), (), is_finally=False)
