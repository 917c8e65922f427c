"""What an object can say about itself, and an update about what it changes: each rule in CEL for the API server and in
Python for us, with one message.

Servers below Kubernetes 1.25 know no CEL, so the controller checks all of them again. What needs another object, or a
search of the graph (unknown names, cycles), belongs to admission in `plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from windlass.models.action_rules import ACTION_RULES
from windlass.models.findings import Path, format_path
from windlass.models.rule import Rule as Rule
from windlass.names import MAX_NAME, MAX_WORKFLOW_NAME

Value = Mapping[str, Any]
RESERVED_PREFIX: Final = "windlass-"
RESERVED_PATH: Final = "/windlass"
_OF_BACKFILL: Final = (
    "workflow", "from", "to", "order", "reprocess", "maxActiveRuns", "params", "priority", "dryRun",
    "stopAfterFailures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and where."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{format_path(self.path)}: {self.message}" if self.path else self.message


def violations(kind: str, new: Value, old: Value | None = None) -> list[Violation]:
    """The rules that an object of `kind` (Workflow or WorkflowRun) breaks; with `old`, also as an update of it.

    The object may be of any shape: what is not as the schema wants it is passed over here, and found by `parse`.
    """
    found = [*_broken(kind, (), new, None)]
    spec = new.get("spec")
    if isinstance(spec, Mapping):
        found += _broken(f"{kind}Spec", ("spec",), spec, None if old is None else _object(old, "spec"))
        definition = spec if kind == "Workflow" else spec.get("workflowSpec")
        if isinstance(definition, Mapping):
            found += _of_definition(("spec",) if kind == "Workflow" else ("spec", "workflowSpec"), definition)
    return found


def _of_definition(path: Path, spec: Value) -> Iterator[Violation]:
    """The rules of a WorkflowSpec at `path` and of what is in it."""
    if path != ("spec",):
        yield from _broken("WorkflowSpec", path, spec, None)
    yield from _broken("GitSource", (*path, "source", "git"), _object(_object(spec, "source"), "git"), None)
    yield from _broken("Workspace", (*path, "workspace"), _object(spec, "workspace"), None)
    yield from _of_after((*path, "schedule", "after"), _object(spec, "schedule").get("after"))
    for part in ("tasks", "finally"):
        for place, task in enumerate(_list(spec, part)):
            if isinstance(task, Mapping):
                yield from _broken("Task", (*path, part, place), task, None)


def _of_after(path: Path, after: Any) -> Iterator[Violation]:
    """The rules of what a schedule follows."""
    if not isinstance(after, Mapping):
        return
    yield from _broken("After", path, after, None)
    for part in ("all", "any"):
        for place, source in enumerate(_list(after, part)):
            if isinstance(source, Mapping):
                yield from _broken("AfterSource", (*path, part, place), source, None)


def _broken(model: str, path: Path, value: Value, old: Value | None) -> Iterator[Violation]:
    for rule in RULES.get(model, ()):
        places: list[Path] = []
        if rule.breaks is not None:
            places += rule.breaks(value)
        if rule.breaks_change is not None and old is not None:
            places += rule.breaks_change(value, old)
        yield from (Violation((*path, *place), rule.message) for place in places)


def _list(value: Value, key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _object(value: Value, key: str) -> Value:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Value, key: str, default: str = "") -> str:
    found = value.get(key, default)
    return found if isinstance(found, str) else default


def _when(broken: bool, *place: str | int) -> list[Path]:
    return [place] if broken else []


def _name_longer_than(limit: int) -> Callable[[Value], list[Path]]:
    return lambda whole: _when(len(_text(_object(whole, "metadata"), "name")) > limit, "metadata", "name")


def _finally_names_taken(spec: Value) -> list[Path]:
    taken = {_text(task, "name") for task in _list(spec, "tasks") if isinstance(task, Mapping)} - {""}
    last = enumerate(_list(spec, "finally"))
    return [("finally", n, "name") for n, task in last if isinstance(task, Mapping) and _text(task, "name") in taken]


def _mounts_collide(spec: Value) -> list[Path]:
    if "workspace" not in spec or "git" not in _object(spec, "source"):
        return []
    source = _text(_object(_object(spec, "source"), "git"), "mountPath", "/workspace/src")
    return _when(source == _text(_object(spec, "workspace"), "mountPath", "/workspace/data"), "workspace", "mountPath")


def _mount_reserved(part: Value) -> list[Path]:
    path = _text(part, "mountPath")
    return _when(path == RESERVED_PATH or path.startswith(f"{RESERVED_PATH}/"), "mountPath")


def _path_leads_out(git: Value) -> list[Path]:
    path = _text(git, "path")
    return _when(path.startswith("/") or ".." in path.split("/"), "path")


def _depends_on_itself(task: Value) -> list[Path]:
    return [("dependsOn", n) for n, name in enumerate(_list(task, "dependsOn")) if name == task.get("name")]


def _stop_goes_back(new: Value, old: Value) -> list[Path]:
    order = (None, "Cancel", "Terminate")
    before, after = old.get("stop"), new.get("stop")
    return _when(before in order and after in order and order.index(after) < order.index(before), "stop")


def _more_than_switches_changed(new: Value, old: Value) -> list[Path]:
    fixed = sorted({*new, *old} - {"suspend", "stop"})
    return [(field,) for field in fixed if new.get(field) != old.get(field)]


def _unchanged(*fields: str) -> str:
    """CEL: each of the fields is as it was."""
    one = "has(self.{0}) == has(oldSelf.{0}) && (!has(self.{0}) || self.{0} == oldSelf.{0})"
    return " && ".join(one.format(field) for field in fields)


_MOUNT_IS_FREE: Final = Rule(
    cel=f"self.mountPath != '{RESERVED_PATH}' && !self.mountPath.startsWith('{RESERVED_PATH}/')",
    message=f"{RESERVED_PATH} in the containers is Windlass's own: choose another mountPath",
    breaks=_mount_reserved,
    field="mountPath",
)

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "Workflow": (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_WORKFLOW_NAME}",
            message=f"a Workflow's name has at most {MAX_WORKFLOW_NAME} characters, for its runs' names to fit a label",
            breaks=_name_longer_than(MAX_WORKFLOW_NAME),
        ),
    ),
    "WorkflowRun": (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_NAME}",
            message=f"a WorkflowRun's name has at most {MAX_NAME} characters, to fit a label",
            breaks=_name_longer_than(MAX_NAME),
        ),
    ),
    "Pool": (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_NAME}",
            message=f"a Pool's name has at most {MAX_NAME} characters, to fit a label",
            breaks=_name_longer_than(MAX_NAME),
        ),
    ),
    "WorkflowSpec": (
        Rule(
            cel="!has(self.finally) || !sets.intersects(self.finally.map(f, f.name), self.tasks.map(t, t.name))",
            message="a task of finally has the name of another task: names are unique over tasks and finally",
            breaks=_finally_names_taken,
            field="finally",
        ),
        Rule(
            cel="!has(self.workspace) || !has(self.source) || self.workspace.mountPath != self.source.git.mountPath",
            message="source and workspace have the same mountPath",
            breaks=_mounts_collide,
            field="workspace.mountPath",
        ),
    ),
    "GitSource": (
        Rule(
            cel="!has(self.path) || (!self.path.startsWith('/') && !('..' in self.path.split('/')))",
            message="path leads out of the repository: write it relative to the repository's root, without '..'",
            breaks=_path_leads_out,
            field="path",
        ),
        _MOUNT_IS_FREE,
    ),
    "Workspace": (_MOUNT_IS_FREE,),
    "After": (
        Rule(
            cel="(has(self.all) && self.all.size() > 0) != (has(self.any) && self.any.size() > 0)",
            message="a schedule follows all of several sources or any of them: give exactly one of all and any",
            breaks=lambda after: _when(bool(_list(after, "all")) == bool(_list(after, "any"))),
        ),
    ),
    "AfterSource": (
        Rule(
            cel="has(self.workflow) != has(self.asset)",
            message="a source is a workflow or an asset: give exactly one of them",
            breaks=lambda source: _when(("workflow" in source) == ("asset" in source)),
        ),
    ),
    "Task": (
        Rule(
            cel=f"!self.name.startsWith('{RESERVED_PREFIX}')",
            message=f"names that begin with {RESERVED_PREFIX} are Windlass's own",
            breaks=lambda task: _when(_text(task, "name").startswith(RESERVED_PREFIX), "name"),
            field="name",
        ),
        Rule(
            cel="!has(self.script) || !(has(self.command) || has(self.args))",
            message="a task is one thing: give it either script, or command and args",
            breaks=lambda task: _when("script" in task and ("command" in task or "args" in task)),
        ),
        Rule(
            cel="!has(self.interpreter) || has(self.script)",
            message="interpreter is for a script, and this task has none",
            breaks=lambda task: _when("interpreter" in task and "script" not in task, "interpreter"),
            field="interpreter",
        ),
        Rule(
            cel="!has(self.dependsOn) || !(self.name in self.dependsOn)",
            message="a task can't depend on itself",
            breaks=_depends_on_itself,
            field="dependsOn",
        ),
        Rule(
            cel="!has(self.approval) || !(has(self.script) || has(self.command) || has(self.args) || has(self.image))",
            message="a task is one thing: an approval runs nothing, so it has no script, command, args or image",
            breaks=lambda task: _when("approval" in task and bool({"script", "command", "args", "image"} & {*task})),
        ),
        Rule(
            cel="!has(self.switch) || !(has(self.script) || has(self.command) || has(self.args) || has(self.image) || "
            "has(self.approval) || has(self.run) || has(self.forEach))",
            message="switch is for a join: a task that runs nothing itself",
            breaks=lambda task: _when(
                "switch" in task
                and bool({"script", "command", "args", "image", "approval", "run", "forEach"} & {*task}),
                "switch",
            ),
            field="switch",
        ),
        Rule(
            cel="!has(self.waitFor) || !(has(self.script) || has(self.command) || has(self.args) || has(self.image) || "
            "has(self.approval) || has(self.run) || has(self.switch) || has(self.forEach) || has(self.resource))",
            message="a task is one thing: one that waits runs nothing else (a pod that is asked goes into waitFor.pod)",
            breaks=lambda task: _when(
                "waitFor" in task
                and bool(
                    {"script", "command", "args", "image", "approval", "run", "switch", "forEach", "resource"} & {*task}
                ),
            ),
        ),
        Rule(
            cel="!has(self.resource) || !(has(self.script) || has(self.command) || has(self.args) || has(self.image) "
            "|| has(self.approval) || has(self.run) || has(self.switch) || has(self.forEach))",
            message="a task is one thing: one that makes an object runs nothing else, and has no forEach",
            breaks=lambda task: _when(
                "resource" in task
                and bool({"script", "command", "args", "image", "approval", "run", "switch", "forEach"} & {*task}),
            ),
        ),
        Rule(
            cel="!has(self.teardownOf) || !(self.name in self.teardownOf)",
            message="a task can't put away what it has set up itself: teardownOf names other tasks",
            breaks=lambda task: _when(task.get("name") in _list(task, "teardownOf"), "teardownOf"),
            field="teardownOf",
        ),
        Rule(
            cel="!has(self.run) || !(has(self.script) || has(self.command) || has(self.args) || has(self.image) || "
            "has(self.approval) || has(self.forEach))",
            message="a task is one thing: a run of another Workflow has no pod, approval or forEach of its own",
            breaks=lambda task: _when(
                "run" in task and bool({"script", "command", "args", "image", "approval", "forEach"} & {*task})
            ),
        ),
    ),
    "WorkflowRunSpec": (
        Rule(
            cel="has(self.workflow) != has(self.workflowSpec)",
            message="a run names a workflow or brings a workflowSpec: give exactly one of them",
            breaks=lambda spec: _when(("workflow" in spec) == ("workflowSpec" in spec)),
        ),
        Rule(
            cel=_unchanged(
                "workflow",
                "workflowSpec",
                "params",
                "logicalDate",
                "priority",
                "slot",
                "parent",
                "tasks",
                "outputsFrom",
            ),
            message="the spec of a run can't be changed, but for suspend and stop: create another run",
            breaks_change=_more_than_switches_changed,
        ),
        Rule(
            cel="!has(oldSelf.stop) || (has(self.stop) && (oldSelf.stop == 'Cancel' || self.stop == 'Terminate'))",
            message="stop goes from nothing to Cancel to Terminate, never back",
            breaks_change=_stop_goes_back,
        ),
        Rule(
            cel="!has(self.slot) || has(self.workflow)",
            message="slot is for the runs of a Workflow: leave it out, and give logicalDate",
            breaks=lambda spec: _when("slot" in spec and "workflow" not in spec, "slot"),
            field="slot",
        ),
    ),
    "Backfill": (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_NAME}",
            message=f"a Backfill's name has at most {MAX_NAME} characters, to fit a label",
            breaks=_name_longer_than(MAX_NAME),
        ),
    ),
    "BackfillSpec": (
        Rule(
            cel=_unchanged(*_OF_BACKFILL),
            message="the spec of a backfill can't be changed, but for suspend and stop: create another backfill",
            breaks_change=_more_than_switches_changed,
        ),
        Rule(
            cel="!has(oldSelf.stop) || has(self.stop)",
            message="a backfill that was stopped stays so: create another one",
            breaks_change=lambda new, old: _when("stop" in old and "stop" not in new, "stop"),
        ),
    ),
    "RunActionSpec": ACTION_RULES,
}
"""The rules by the name of the model that each speaks of."""
