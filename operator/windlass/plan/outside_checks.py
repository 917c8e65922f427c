"""What is wrong with tasks that wait for something outside of their run, beyond their schema."""

from __future__ import annotations

from collections.abc import Iterator

from windlass.models.common import parse_time
from windlass.models.findings import Finding, Path, Severity
from windlass.models.task import Task
from windlass.models.wait import ObjectTest, WaitFor, WaitObject
from windlass.plan.graph import ProgramError, has_pod, with_asking_pod
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
        except ValueError as error:
            yield Finding((*at, "time"), str(error), "write 2025-04-01T17:00:00Z, or a template")
    if wait.object is not None:
        yield from _check_object(wait.object, (*at, "object"))
    if wait.pod is not None:
        try:
            with_asking_pod(task)
        except ProgramError as error:
            yield Finding((*at, "pod"), str(error).removeprefix(f"task {task.name}: waitFor.pod."))
    yield from _check_times(wait, at)


def _check_object(awaited: WaitObject, at: Path) -> Iterator[Finding]:
    if (awaited.name is None) == (awaited.selector is None):
        yield Finding(at, "which object is meant?", "give either its name or a selector of labels")
    if awaited.kind == "Secret" and awaited.api_version == "v1":
        yield Finding((*at, "kind"), "Secrets are not read", "wait for what is made with the Secret")
    yield from _check_test(awaited, at)
    if awaited.fails_when is not None:
        if awaited.fails_when.condition is None and awaited.fails_when.json_path is None:
            yield Finding((*at, "failsWhen"), "it says nothing", "give a condition or a jsonPath")
        yield from _check_test(awaited.fails_when, (*at, "failsWhen"))


def _check_test(test: ObjectTest, at: Path) -> Iterator[Finding]:
    if test.equals is not None and test.json_path is None:
        yield Finding((*at, "equals"), "there is no jsonPath to compare with", "add jsonPath")
    if test.json_path is None:
        return
    try:
        compile_path(test.json_path)
    except PathError as error:
        yield Finding((*at, "jsonPath"), f"this is no path: {error}", "write {.status.phase}")


def _check_times(wait: WaitFor, at: Path) -> Iterator[Finding]:
    if wait.on_timeout is not None and wait.timeout is None:
        yield Finding((*at, "onTimeout"), "it has no effect without a timeout", "add timeout", Severity.WARNING)
    if wait.interval is not None and wait.pod is None and wait.object is None:
        message = "it has no effect: times and runs are not asked again and again"
        yield Finding((*at, "interval"), message, "leave it out", Severity.WARNING)
