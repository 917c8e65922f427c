"""Makers of Workflows and WorkflowRuns, named good ones, and named updates with what each is told."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


def workflow(name: str = "w", **spec: Any) -> Manifest:
    """A Workflow with this spec; with one task where it has none."""
    return _object("Workflow", name, {"tasks": [task("a")], **spec})


def run(name: str = "r", **spec: Any) -> Manifest:
    """A WorkflowRun with exactly this spec."""
    return _object("WorkflowRun", name, spec)


def backfill(name: str = "b", **spec: Any) -> Manifest:
    """A Backfill of a day with this spec."""
    return _object("Backfill", name, {"workflow": "w", "from": "2025-04-01", "to": "2025-04-01", **spec})


def pool(name: str = "p", **spec: Any) -> Manifest:
    """A Pool of one slot."""
    return _object("Pool", name, {"slots": 1, **spec})


def action(verb: str, name: str = "a", **spec: Any) -> Manifest:
    """A RunAction on the run `r`."""
    return _object("RunAction", name, {"run": "r", "verb": verb, "requestedBy": "ada", **spec})


def task(name: str, **fields: Any) -> dict[str, Any]:
    """A task that runs `true`, unless it is given something to run."""
    own = {"script", "command", "args", "image"} & set(fields)
    return {"name": name, **({} if own else {"script": "true"}), **fields}


def _object(kind: str, name: str, spec: Any) -> Manifest:
    return {"apiVersion": "windlass.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def without(manifest: Manifest, *path: str) -> Manifest:
    """The manifest less the field at `path`."""
    result = copy.deepcopy(manifest)
    place = result
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return result


ETC = {"tasks": [task("a")]}

GOOD: dict[str, Manifest] = {
    "one script": workflow(),
    "a command": workflow(tasks=[task("a", command=["sh", "-c", "true"], args=["x"])]),
    "an image alone": workflow(tasks=[task("a", image="busybox")]),
    "a join": workflow(tasks=[task("a"), {"name": "b", "dependsOn": ["a"]}]),
    "a script with an image and an interpreter": workflow(tasks=[task("a", script="x", image="i", interpreter="bash")]),
    "dependsOn an unknown task, which admission refuses": workflow(tasks=[task("a", dependsOn=["nobody"])]),
    "a cycle, which admission refuses": workflow(tasks=[task("a", dependsOn=["b"]), task("b", dependsOn=["a"])]),
    "a name of 49 characters": workflow("n" * 49),
    "a name with dots": workflow("acme.sales"),
    "finally of its own names": workflow(**{"finally": [task("z"), task("y", dependsOn=["z"])]}),
    "all of a source": workflow(
        source={"git": {
            "repo": "https://git.example.com/a.git", "ref": "main", "path": "a/..b", "secretName": "s",
            "mountPath": "/src", "depth": 0, "submodules": "Off", "follow": True, "period": "1m",
        }}
    ),
    "a workspace of defaults": workflow(workspace={}),
    "a workspace": workflow(
        workspace={"size": "1.5Gi", "mountPath": "/d", "accessModes": ["ReadWriteMany"], "keep": "OnFailure"}
    ),
    "a mount path that only begins like ours": workflow(workspace={"mountPath": "/windlasses"}),
    "a schedule": workflow(
        schedule={
            "cron": ["0 2 * * *", "@monthly"], "timeZone": "Asia/Seoul", "start": "2025-04-01T00:00:00Z",
            "end": "2035-04-01T00:00:00+09:00", "catchUp": "All", "catchUpLimit": 10000, "startingDeadline": "1h",
            "suspend": True, "interval": "DataInterval", "shift": "Previous",
            "exclude": {"weekdays": ["SAT", "SUN"], "dates": ["2026-12-25"], "configMap": {"name": "holidays"}},
            "include": {"configMap": {"name": "extra.days", "key": "de_2026"}},
        },
    ),
    "a schedule of one expression": workflow(schedule={"cron": "@daily"}),
    "a schedule that never fires, which admission refuses": workflow(schedule={"cron": "0 0 30 2 *"}),
    "a schedule that follows others": workflow(
        schedule={"after": {"all": [{"workflow": "a", "on": "Ended", "within": "24h"}, {"asset": "sales/daily"}]}}
    ),
    "on without quotes, as YAML reads it": workflow(schedule={"after": {"any": [{"workflow": "a", "true": "Failed"}]}}),
    "a retry": workflow(
        tasks=[task("a", retry={
            "limit": 3, "delay": "5m", "factor": 2, "maxDelay": "1h30m", "jitter": 0.5, "infraLimit": 0,
            "exitCodes": {"never": [2], "always": [75]}, "oom": {"factor": 1.5, "max": "8Gi"},
        })]
    ),
    "Kubernetes' own objects of any shape": workflow(
        tasks=[task(
            "a", env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            resources={"limits": {"memory": "1Gi", "cpu": 1}}, affinity={"x": [1, {"y": None}]},
            podTemplate={"spec": {"hostNetwork": True}}, volumes=[{"name": "v", "emptyDir": {}}],
            ports=[{"containerPort": 80}], securityContext={}, tolerations=[{"operator": "Exists"}],
        )]
    ),
    "parameters": workflow(params={"day": {"type": "string", "default": "{{ ds }}"}, "n": {"minimum": 1, "x": [None]}}),
    "durations": workflow(timeout="0", tasks=[task("a", timeout="0s", startTimeout="500ms", keepPodsFor="1.5d")]),
    "labels and tags": workflow(tags=["x", "x"], tasks=[task("a", labels={"a/b": "c"}, annotations={"a": ""})]),
    "null is no value": workflow(
        timeout=None, workspace={"size": None}, params={"day": None}, source=None,
        tasks=[task("a", script="x", command=None, labels={"v": None}, dependsOn=None, triggerRule=None, retry=None)],
    ),
    "null is a value in Kubernetes' own objects": workflow(tasks=[task("a", resources={"limits": None})]),
    "a whole number with a point": workflow(tasks=[task("a", retry={"limit": 2.0})]),
    "a number beyond 64 bits in Kubernetes' own objects": workflow(tasks=[task("a", resources={"x": 10**20})]),
    "null in a run": run(workflow="w", workflowSpec=None, suspend=None, params={"a": None}),
    "a script of 100 KiB": workflow(tasks=[task("a", script="x" * 102400)]),
    "a script of 34 K letters of three bytes": workflow(tasks=[task("a", script="日" * 34000)]),
    "all trigger rules": workflow(
        tasks=[task(f"t{number}", triggerRule=rule) for number, rule in enumerate((
            "AllSuccess", "AllFailed", "AllDone", "AllDoneMinOneSuccess", "AllSkipped", "OneSuccess", "OneFailed",
            "OneDone", "NoneFailed", "NoneFailedMinOneSuccess", "NoneSkipped", "Always",
        ))]
    ),
    "a run by reference": run(workflow="w"),
    "a run of its own": run(workflowSpec=ETC),
    "a run with everything": run(
        workflow="w", params={"a": 1, "b": [None], "c": {"secretKeyRef": {"name": "s", "key": "k"}}},
        logicalDate="2025-04-01T17:00:00Z", suspend=True, stop="Terminate",
    ),
    "a logical date with a zone": run(workflow="w", logicalDate="2024-02-29T23:59:59.123456+09:00"),
    "a run's name of 63 characters": run("n" * 63, workflow="w"),
    "a backfill of days": backfill(),
    "a backfill of instants, with everything": backfill(**{
        "from": "2025-04-01T17:00:00+09:00", "to": "2025-05-01T00:00:00.5Z", "order": "Newest", "reprocess": "All",
        "maxActiveRuns": 1000, "params": {"a": [None]}, "priority": -1000, "suspend": True, "stop": "Cancel",
        "dryRun": True, "stopAfterFailures": 1,
    }),
    "a backfill's name of 63 characters": backfill("n" * 63),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """An update. `refused` is the message that it gets, empty when it is legal."""

    old: Manifest
    new: Manifest
    refused: str = ""


IMMUTABLE = "the spec of a run can't be changed, but for suspend and stop: create another run"
NEVER_BACK = "stop goes from nothing to Cancel to Terminate, never back"
FIXED_BACKFILL = "the spec of a backfill can't be changed, but for suspend and stop: create another backfill"
STAYS_STOPPED = "a backfill that was stopped stays so: create another one"
DEEP = {"tasks": [task("a", env=[{"name": "A", "value": "1"}], resources={"limits": {"cpu": 1}})]}
OTHER = {"tasks": [task("a", env=[{"name": "A", "value": "2"}], resources={"limits": {"cpu": 1}})]}
LESS = {"tasks": [task("a", env=[{"name": "A", "value": "1"}])]}

CHANGES: dict[str, Change] = {
    "nothing": Change(run(workflow="w", params={"a": 1}), run(workflow="w", params={"a": 1})),
    "another verb": Change(action("Retry"), action("Cancel"), "an action can't be changed: create another one"),
    "the tasks of a run": Change(run(workflow="w", tasks=["a"]), run(workflow="w", tasks=["b"]), IMMUTABLE),
    "suspend": Change(run(workflow="w"), run(workflow="w", suspend=True)),
    "resume": Change(run(workflow="w", suspend=True), run(workflow="w")),
    "cancel": Change(run(workflow="w"), run(workflow="w", stop="Cancel")),
    "terminate": Change(run(workflow="w"), run(workflow="w", stop="Terminate")),
    "cancel, then terminate": Change(run(workflow="w", stop="Cancel"), run(workflow="w", stop="Terminate")),
    "cancel a run of its own": Change(run(workflowSpec=DEEP), run(workflowSpec=DEEP, stop="Cancel")),
    "terminate, then cancel": Change(run(workflow="w", stop="Terminate"), run(workflow="w", stop="Cancel"), NEVER_BACK),
    "take a cancel back": Change(run(workflow="w", stop="Cancel"), run(workflow="w"), NEVER_BACK),
    "another workflow": Change(run(workflow="w"), run(workflow="v"), IMMUTABLE),
    "a definition instead of a name": Change(run(workflow="w"), run(workflowSpec=ETC), IMMUTABLE),
    "another parameter": Change(run(workflow="w", params={"a": 1}), run(workflow="w", params={"a": 2}), IMMUTABLE),
    "one more parameter": Change(
        run(workflow="w", params={"a": 1}), run(workflow="w", params={"a": 1, "b": 1}), IMMUTABLE
    ),
    "the first parameter": Change(run(workflow="w"), run(workflow="w", params={"a": 1}), IMMUTABLE),
    "a parameter, deep inside": Change(
        run(workflow="w", params={"a": {"b": [1]}}), run(workflow="w", params={"a": {"b": [2]}}), IMMUTABLE
    ),
    "a logical date": Change(run(workflow="w"), run(workflow="w", logicalDate="2025-04-01T17:00:00Z"), IMMUTABLE),
    "another task": Change(run(workflowSpec=ETC), run(workflowSpec={"tasks": [task("b")]}), IMMUTABLE),
    "an environment, in Kubernetes' own object": Change(run(workflowSpec=DEEP), run(workflowSpec=OTHER), IMMUTABLE),
    "resources away": Change(run(workflowSpec=DEEP), run(workflowSpec=LESS), IMMUTABLE),
    "a backfill, suspended": Change(backfill(params={"a": 1}), backfill(params={"a": 1}, suspend=True)),
    "a backfill, resumed": Change(backfill(suspend=True), backfill()),
    "a backfill, stopped": Change(backfill(), backfill(stop="Cancel")),
    "a backfill, stopped and taken back": Change(backfill(stop="Cancel"), backfill(), STAYS_STOPPED),
    "a backfill's range": Change(backfill(), backfill(to="2025-04-02"), FIXED_BACKFILL),
    "a backfill's other fields": Change(backfill(), backfill(maxActiveRuns=2), FIXED_BACKFILL),
    "a backfill that makes runs after all": Change(backfill(dryRun=True), backfill(), FIXED_BACKFILL),
    "anything of a Workflow": Change(workflow(timeout="1h"), workflow(tasks=[task("z")])),
}


def thousand_tasks() -> Manifest:
    """The largest Workflow: 1,000 tasks with many edges between them, and a join of them all in `finally`."""
    tasks = [task(f"task-{n:04}", dependsOn=[f"task-{up:04}" for up in range(max(0, n - 10), n)]) for n in range(999)]
    join = {"name": "join", "dependsOn": [one["name"] for one in tasks]}
    last = [task(f"last-{n:02}") for n in range(100)]
    return workflow("thousand", tasks=[*tasks, join], **{"finally": last})
