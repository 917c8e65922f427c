"""What is wrong with tasks that wait for something outside of their run or make an object, beyond their schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from windlass.models.common import parse_time
from windlass.models.external import ExternalResource, Make, Removal
from windlass.models.findings import Finding, Path, Severity
from windlass.models.task import Task
from windlass.models.wait import ObjectTest, WaitFor, WaitObject
from windlass.plan.external import manifest_problem
from windlass.plan.graph import ProgramError, has_pod, with_asking_pod
from windlass.plan.known_kinds import ends_of
from windlass.plan.sights import PathError, compile_path
from windlass.plan.templates import has_templates

_KINDS = ("object", "run", "time", "duration", "pod")


def check_wait(task: Task, path: Path) -> Iterator[Finding]:
    """Everything that is wrong with a task's `waitFor`."""
    wait = task.wait_for
    if wait is None:
        return
    at = (*path, "waitFor")
    given = [kind for kind in _KINDS if getattr(wait, kind) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "nothing is given"
        yield Finding(at, f"a task waits for one thing: {said}", f"give exactly one of {', '.join(_KINDS)}")
    if has_pod(task):
        yield Finding(at, "a task that waits has no container of its own", "put its fields under waitFor.pod")
    if wait.time is not None and not has_templates(wait.time):
        try:
            parse_time(wait.time)
        except ValueError:
            yield Finding(
                (*at, "time"), f"{wait.time!r} is no instant with a zone", "write 2025-04-01T17:00:00Z, or a template"
            )
    if wait.object is not None:
        yield from _check_object(wait.object, (*at, "object"))
    if wait.pod is not None:
        try:
            with_asking_pod(task)
        except ProgramError as error:
            yield Finding((*at, "pod"), str(error).removeprefix(f"task {task.name}: waitFor.pod."))
    yield from _check_times(wait, at)


def check_resource(task: Task, path: Path) -> Iterator[Finding]:
    """Everything that is wrong with the object that a task makes."""
    made = task.resource
    if made is None:
        return
    at = (*path, "resource")
    said = {field: made.manifest.get(field) for field in ("apiVersion", "kind")}
    templated = any(isinstance(value, str) and has_templates(value) for value in said.values())
    if not templated and (problem := manifest_problem(made.manifest)):
        yield Finding((*at, "manifest"), problem)
        return
    if made.make is Make.DELETE:
        yield from _check_deletion(made, at)
        return
    for field, tests in (("successWhen", made.success_when), ("failureWhen", made.failure_when)):
        for place, test in enumerate(tests or ()):
            yield from _check_said(test, (*at, field, place))
            yield from _check_test(test, (*at, field, place))
    for name, text in made.outputs.items():
        yield from _check_path(text, (*at, "outputs", name))
    if not templated:
        yield from _check_ends(made, at)
    yield from _check_name(task, made, at)


def _check_deletion(made: ExternalResource, at: Path) -> Iterator[Finding]:
    if not (made.manifest.get("metadata") or {}).get("name"):
        yield Finding((*at, "manifest", "metadata", "name"), "which object is to be deleted?", "give its name")
    given = {"successWhen": made.success_when, "failureWhen": made.failure_when, "outputs": made.outputs,
             "remove": made.remove}  # fmt: skip
    for field in [field for field, value in given.items() if value]:
        message = "it has no effect: the task ends when the object is gone"
        yield Finding((*at, field), message, "leave it out", Severity.WARNING)


def _check_ends(made: ExternalResource, at: Path) -> Iterator[Finding]:
    """A task that ends as soon as its object is made sees nothing of what becomes of it."""
    known = ends_of(made.manifest["apiVersion"], made.manifest["kind"])
    if made.success_when or (made.success_when is None and known.success):
        return
    fix, what = "add successWhen", f"the task has succeeded as soon as the {made.manifest['kind']} is made"
    if made.failure_when:
        yield Finding((*at, "failureWhen"), f"{what}: it will hardly have failed by then", fix, Severity.WARNING)
    for name, text in made.outputs.items():
        if text.strip("{$. ").startswith("status"):
            yield Finding((*at, "outputs", name), f"{what}: it will have no status by then", fix, Severity.WARNING)


def _check_name(task: Task, made: ExternalResource, at: Path) -> Iterator[Finding]:
    """A name of the author's meets the objects of other runs and attempts."""
    metadata: dict[str, Any] = made.manifest.get("metadata") or {}
    name, removal = metadata.get("name"), made.remove or Removal.WITH_RUN
    where = (*at, "manifest", "metadata", "name")
    if made.make is Make.APPLY:
        if made.remove is None:
            message = "what is applied is deleted with the run, also when it was there before"
            yield Finding(at, message, "say remove: Never, or remove: WithRun", Severity.WARNING)
        return
    if not name or removal is Removal.WHEN_DONE:
        return
    if removal is Removal.NEVER and task.retry is not None and task.retry.limit:
        message = "a retry can't make it again: the object of the attempt before is never deleted"
        yield Finding(where, message, "leave the name out, or say make: Apply", Severity.WARNING)
    elif not has_templates(name):
        message = f"the next run finds {name} there already as long as this run is kept"
        fix = "leave the name out, put {{ run.name }} into it, or say remove: WhenDone"
        yield Finding(where, message, fix, Severity.WARNING)


def _check_object(awaited: WaitObject, at: Path) -> Iterator[Finding]:
    if (awaited.name is None) == (awaited.selector is None):
        yield Finding(at, "which object is meant?", "give either its name or a selector of labels")
    if awaited.kind == "Secret" and awaited.api_version == "v1":
        yield Finding((*at, "kind"), "Secrets are not read", "wait for what is made with the Secret")
    yield from _check_test(awaited, at)
    if awaited.fails_when is not None:
        yield from _check_said(awaited.fails_when, (*at, "failsWhen"))
        yield from _check_test(awaited.fails_when, (*at, "failsWhen"))


def _check_said(test: ObjectTest, at: Path) -> Iterator[Finding]:
    if test.condition is None and test.json_path is None:
        yield Finding(at, "it says nothing", "give a condition or a jsonPath")


def _check_test(test: ObjectTest, at: Path) -> Iterator[Finding]:
    if test.equals is not None and test.json_path is None:
        yield Finding((*at, "equals"), "there is no jsonPath to compare with", "add jsonPath")
    if test.json_path is not None:
        yield from _check_path(test.json_path, (*at, "jsonPath"))


def _check_path(text: str, at: Path) -> Iterator[Finding]:
    try:
        compile_path(text)
    except PathError as error:
        fix = "write {.status.phase}; a name with dots in it is {.metadata.annotations['example.com/state']}"
        yield Finding(at, f"this is no path: {error}", fix)


def _check_times(wait: WaitFor, at: Path) -> Iterator[Finding]:
    if wait.on_timeout is not None and wait.timeout is None:
        yield Finding((*at, "onTimeout"), "it has no effect without a timeout", "add timeout", Severity.WARNING)
    if wait.interval is not None and wait.pod is None and wait.object is None:
        message = "it has no effect: times and runs are not asked again and again"
        yield Finding((*at, "interval"), message, "leave it out", Severity.WARNING)
