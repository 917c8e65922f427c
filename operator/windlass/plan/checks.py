"""What is wrong with a definition beyond its schema: the graph, names, templates, parameters, and likely slips.

`check_spec` finds everything at once, for `windlass lint` and for admission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from windlass.models.common import JsonObject, seconds
from windlass.models.findings import Finding, Path, Severity, suggestion
from windlass.models.task import Retry, Task, TaskDefaults, TriggerRule
from windlass.models.workflow import RunPolicy, WorkflowSpec
from windlass.plan import scope
from windlass.plan.approval_checks import check_approval
from windlass.plan.branch_checks import check_groups, check_switch, check_teardown
from windlass.plan.graph import ProgramError, compile_program, find_cycle, has_pod, is_join
from windlass.plan.injection import unquoted
from windlass.plan.outside_checks import check_resource, check_wait
from windlass.plan.params import check_schemas, sensitive_read
from windlass.plan.template_syntax import parse
from windlass.plan.templates import Known, TemplateError, check, has_templates
from windlass.plan.types import Program

MAX_SCRIPT: Final = 102_400
MAX_EXPRESSIONS: Final = 20_000
"""Expressions of a definition: what is more would take the controller seconds to check."""
MAX_FINDINGS: Final = 500
"""Wrong templates that are told."""
_NO_TEMPLATES: Final = {"name", "description", "depends_on", "trigger_rule", "group", "teardown_of", "produces"}


@dataclass(frozen=True, slots=True)
class _Text:
    """A string of a task that holds a template."""

    path: Path
    text: str


def check_spec(spec: WorkflowSpec, path: Path = ("spec",)) -> list[Finding]:
    """Everything that is wrong with a definition; `path` is where it stands in its object."""
    found = [*_check_graph(spec, path), *check_schemas(spec, (*path, "params")), *_check_parts(spec, path)]
    found += _check_turns(spec, path)
    for part, place, task in _tasks(spec):
        at = (*path, part, place)
        found += [
            *_check_task(task, at),
            *check_switch(task, spec, at),
            *check_teardown(task, spec, at, part),
            *check_wait(task, at),
            *check_resource(task, at),
        ]
    program = _program(spec)
    found += check_groups(spec, path, program)
    found += islice(_check_templates(spec, path, program), MAX_FINDINGS)
    return list(dict.fromkeys(found))


def _tasks(spec: WorkflowSpec) -> Iterator[tuple[str, int, Task]]:
    for part, tasks in (("tasks", spec.tasks), ("finally", spec.finally_)):
        for place, task in enumerate(tasks):
            yield part, place, task


def _program(spec: WorkflowSpec) -> Program | None:
    try:
        return compile_program(spec)
    except ProgramError:
        return None


def _check_graph(spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    places: dict[str, Path] = {}
    finals = {task.name for task in spec.finally_}
    for part, place, task in _tasks(spec):
        at = (*path, part, place, "name")
        if task.name in places:
            yield Finding(at, f"two tasks are named {task.name}", "names are unique over tasks and finally")
        places.setdefault(task.name, at)
    for part, place, task in _tasks(spec):
        for number, name in enumerate(task.depends_on):
            at = (*path, part, place, "dependsOn", number)
            if name not in places:
                yield Finding(at, f"there is no task {name}", suggestion(name, places.keys() - {task.name}))
            elif part == "tasks" and name in finals:
                yield Finding(at, f"{name} runs in finally, after all tasks", "no task can depend on it")
            elif part == "finally" and name not in finals:
                yield Finding(at, f"{name} has ended before any task of finally starts", "leave it out")
    yield from _check_cycles(spec, path)


def _check_cycles(spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    upstream = {task.name: [name for name in task.depends_on if name != task.name] for _, _, task in _tasks(spec)}
    while (cycle := find_cycle(upstream)) is not None:
        arrows = " → ".join(cycle)
        yield Finding(
            (*path, "tasks"), f"these tasks wait for each other: {arrows}", "take one of the dependencies out"
        )
        for name in cycle:
            upstream.pop(name, None)


def _check_parts(spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    if spec.source is not None:
        source = spec.source.model_dump(mode="json", by_alias=True, exclude_none=True)
        yield from _no_templates(source, (*path, "source"))
    if spec.workspace is not None:
        yield from _no_templates(
            spec.workspace.model_dump(mode="json", by_alias=True, exclude_none=True), (*path, "workspace")
        )
    if spec.task_defaults is not None:
        yield from _check_retry(spec.task_defaults.retry, (*path, "taskDefaults", "retry"))
        yield from _check_env(spec.task_defaults.env, (*path, "taskDefaults", "env"))


def _check_turns(spec: WorkflowSpec, path: Path) -> Iterator[Finding]:
    if spec.depends_on_past and spec.run_policy is RunPolicy.REPLACE:
        message = "a run that is replaced has not succeeded, so the slot after it waits until somebody retries it"
        yield Finding((*path, "dependsOnPast"), message, "choose the policy Queue, or leave it out", Severity.WARNING)


def _no_templates(value: Any, path: Path) -> Iterator[Finding]:
    for text in _texts(value, path):
        yield Finding(text.path, "templates are not rendered here", "write the value out")


def _check_task(task: Task, path: Path) -> Iterator[Finding]:
    yield from check_approval(task, path)
    yield from _check_retry(task.retry, (*path, "retry"))
    yield from _check_env(task.env, (*path, "env"))
    for number, sidecar in enumerate(task.sidecars or ()):
        yield from _check_env(_list(sidecar, "env"), (*path, "sidecars", number, "env"))
    if task.script is not None and len(task.script.encode()) > MAX_SCRIPT:
        size = len(task.script.encode())
        fix = "put it into the repository of `source`, or into the image"
        yield Finding((*path, "script"), f"the script has {size} bytes, and may have {MAX_SCRIPT}", fix)
    if task.when is not None and not _is_condition(task.when):
        fix = 'write "{{ tasks.a.outputs.rows > 0 }}", the comparison inside of the braces'
        yield Finding((*path, "when"), "this is no single expression, so it is neither true nor false", fix)
    if not task.depends_on and task.trigger_rule not in (TriggerRule.ALL_SUCCESS, TriggerRule.ALWAYS):
        message = f"{task.trigger_rule} has no effect: a task that depends on nothing starts at once"
        yield Finding((*path, "triggerRule"), message, "add dependsOn", Severity.WARNING)
    if task.for_each is not None and not has_pod(task):
        what = "there is nothing to repeat" if is_join(task) else "only what runs in pods can be repeated"
        yield Finding((*path, "forEach"), what, "give the task an image, command, args or script")
    if is_join(task) and (task.env or task.resources or task.retry):
        message = "this task runs nothing: it has neither image, command, args nor script"
        yield Finding(path, message, "give it one of them", Severity.WARNING)


def _is_condition(when: str) -> bool:
    text = when.strip()
    if not has_templates(text):
        return text.lower() in ("true", "false")
    try:
        return parse(text).single is not None
    except TemplateError:
        return True  # told with the other templates


def _check_retry(retry: Retry | None, path: Path) -> Iterator[Finding]:
    if retry is None:
        return
    if retry.delay and retry.max_delay and seconds(retry.max_delay) < seconds(retry.delay):
        message = f"maxDelay {retry.max_delay} is shorter than delay {retry.delay}"
        yield Finding((*path, "maxDelay"), message, "no wait will be longer than maxDelay", Severity.WARNING)
    codes = retry.exit_codes
    for code in sorted(set(codes.never) & set(codes.always)) if codes else ():
        yield Finding((*path, "exitCodes"), f"exit code {code} is in never and in always", "take it out of one of them")


def _check_env(env: Sequence[JsonObject] | None, path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, entry in enumerate(env or ()):
        at = (*path, number)
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            yield Finding(at, "an env entry needs a name")
            continue
        if name in seen:
            yield Finding((*at, "name"), f"{name} is there twice: the last one counts", "", Severity.WARNING)
        seen.add(name)
        if name.startswith("WINDLASS_"):
            yield Finding((*at, "name"), "names that begin with WINDLASS_ are Windlass's own", "choose another name")
        if "value" in entry and not isinstance(entry["value"], str):
            yield Finding((*at, "value"), f"the value of {name} is no string", f'write "{entry["value"]}" in quotes')
        unknown = sorted(set(entry) - {"name", "value", "valueFrom"})
        for key in unknown:
            yield Finding((*at, key), f"an env entry has no {key}", suggestion(key, ("name", "value", "valueFrom")))


def _check_templates(spec: WorkflowSpec, path: Path, program: Program | None) -> Iterator[Finding]:
    """Without a program nobody knows what is upstream: then each task may read all."""
    if (count := _count(spec)) > MAX_EXPRESSIONS:
        message = f"the definition has {count} templates, and may have {MAX_EXPRESSIONS}"
        yield Finding(path, message, "pass lists as a whole")
        return
    for name, schema in spec.params.items():
        for text in _texts(schema.get("default"), (*path, "params", name, "default")):
            yield from _found(text, scope.known_to_defaults())
    defaults = list(_texts(_fields(spec.task_defaults), (*path, "taskDefaults")))
    for part, place, task in _tasks(spec):
        own = list(_texts(_fields(task), (*path, part, place)))
        inherited = defaults if has_pod(task) else []
        if not own and not inherited:
            continue
        known = scope.known_to_task(program, task.name) if program is not None else scope.known_to_any(spec)
        for text in (*own, *inherited):
            if _is_sensitive_entry(text, spec):
                continue
            of_items = text.path[len(path) + 2 : len(path) + 3] == ("forEach",)
            yield from _found(text, scope.known_before_items(known) if of_items else known)
        yield from unquoted(task, spec, (*path, part, place))


def _count(spec: WorkflowSpec) -> int:
    defaults = sum(text.text.count("{{") for text in _texts(_fields(spec.task_defaults), ()))
    own = sum(text.text.count("{{") for _, _, task in _tasks(spec) for text in _texts(_fields(task), ()))
    return own + defaults


def _fields(task: Task | TaskDefaults | None) -> Any:
    if task is None:
        return None
    return task.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_NO_TEMPLATES)


def _texts(value: Any, path: Path) -> Iterator[_Text]:
    """The strings below `value` that hold templates. Deep values are walked without recursion."""
    waiting: list[tuple[Any, Path]] = [(value, path)]
    while waiting:
        part, at = waiting.pop()
        if isinstance(part, str) and has_templates(part):
            yield _Text(at, part)
        elif isinstance(part, Mapping):
            waiting += [(item, (*at, str(key))) for key, item in reversed(list(part.items()))]
        elif isinstance(part, list):
            waiting += [(item, (*at, place)) for place, item in reversed(list(enumerate(part)))]


def _is_sensitive_entry(text: _Text, spec: WorkflowSpec) -> bool:
    """The one place where a sensitive parameter may stand: the value of an env entry."""
    if text.path[-1] != "value" or len(text.path) < 3 or text.path[-3] != "env":
        return False
    try:
        return sensitive_read(text.text, spec) is not None
    except TemplateError:
        return False


def _found(text: _Text, known: Known) -> Iterator[Finding]:
    for problem in check(text.text, known):
        yield Finding(text.path, problem)


def _list(value: Mapping[str, Any], key: str) -> list[JsonObject]:
    found = value.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
