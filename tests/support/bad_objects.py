"""Named bad Workflows and WorkflowRuns: what each is told, by us and by the API server."""

from __future__ import annotations

from dataclasses import dataclass

from support.objects import ETC, Manifest, action, backfill, pool, run, task, without, workflow


@dataclass(frozen=True)
class Bad:
    """An object that is refused. `says` is in what we find at `at`; `server` in what the API server answers."""

    manifest: Manifest
    at: str
    says: str
    server: str = ""
    """`says`, when it is empty: the message of a rule."""

    @property
    def server_says(self) -> str:
        return self.server or self.says


ONE_THING = "a task is one thing: give it either script, or command and args"
EXACTLY_ONE = "a run names a workflow or brings a workflowSpec: give exactly one of them"

BAD: dict[str, Bad] = {
    "script and command": Bad(workflow(tasks=[task("a", script="x", command=["y"])]), "spec.tasks[0]", ONE_THING),
    "script and args": Bad(workflow(tasks=[task("b"), task("a", script="x", args=[])]), "spec.tasks[1]", ONE_THING),
    "two kinds in finally": Bad(
        workflow(**{"finally": [task("z", script="x", args=["y"])]}), "spec.finally[0]", ONE_THING
    ),
    "interpreter without script": Bad(
        workflow(tasks=[task("a", command=["x"], interpreter="sh")]),
        "spec.tasks[0].interpreter",
        "interpreter is for a script, and this task has none",
    ),
    "a reserved name": Bad(
        workflow(tasks=[task("windlass-source")]),
        "spec.tasks[0].name",
        "names that begin with windlass- are Windlass's own",
    ),
    "a task that waits for itself": Bad(
        workflow(tasks=[task("b"), task("a", dependsOn=["b", "a"])]),
        "spec.tasks[1].dependsOn[1]",
        "a task can't depend on itself",
    ),
    "finally with a task's name": Bad(
        workflow(**{"finally": [task("z"), task("a")]}),
        "spec.finally[1].name",
        "a task of finally has the name of another task: names are unique over tasks and finally",
    ),
    "a name of 50 characters": Bad(
        workflow("n" * 50),
        "metadata.name",
        "a Workflow's name has at most 49 characters, for its runs' names to fit a label",
    ),
    "a backfill's name of 64 characters": Bad(
        backfill("n" * 64), "metadata.name", "a Backfill's name has at most 63 characters, to fit a label"
    ),
    "a backfill without a range": Bad(
        without(backfill(), "spec", "to"), "spec.to", "is required", "spec.to: Required value"
    ),
    "a range that is no date": Bad(
        backfill(to="last week"),
        "spec.to",
        "is no day and no instant; write 2025-04-01, or 2025-04-01T17:00:00Z",
        "in body should match",
    ),
    "a range without a zone": Bad(
        backfill(**{"from": "2025-04-01T17:00:00"}),
        "spec.from",
        "is no day and no instant; write 2025-04-01, or 2025-04-01T17:00:00Z",
        "in body should match",
    ),
    "an order that there isn't": Bad(backfill(order="Latest"), "spec.order", "Oldest", "Unsupported value"),
    "no runs at once": Bad(
        backfill(maxActiveRuns=0),
        "spec.maxActiveRuns",
        "is 0: at least 1",
        "should be greater than or equal to 1",
    ),
    "a stop that there isn't": Bad(backfill(stop="Terminate"), "spec.stop", "Cancel", "Unsupported value"),
    "a name of 300 characters": Bad(
        workflow("n" * 300), "metadata.name", "at most 49 characters", "must be no more than 253"
    ),
    "a name with capitals": Bad(workflow("Sales"), "metadata.name", "is no name of an object", "lowercase RFC 1123"),
    "a schedule of all and of any": Bad(
        workflow(schedule={"after": {"all": [{"asset": "a"}], "any": [{"asset": "a"}]}}),
        "spec.schedule.after",
        "a schedule follows all of several sources or any of them: give exactly one of all and any",
    ),
    "a schedule that follows nothing": Bad(
        workflow(schedule={"after": {"any": []}}), "spec.schedule.after", "give exactly one of all and any"
    ),
    "a source of two kinds": Bad(
        workflow(schedule={"after": {"any": [{"asset": "a"}, {"asset": "a", "workflow": "b"}]}}),
        "spec.schedule.after.any[1]",
        "a source is a workflow or an asset: give exactly one of them",
    ),
    "a source of no kind": Bad(
        workflow(schedule={"after": {"all": [{"on": "Ended"}]}}), "spec.schedule.after.all[0]", "a source is a workflow"
    ),
    "a weekday by its whole name": Bad(
        workflow(schedule={"cron": "@daily", "exclude": {"weekdays": ["Monday"]}}),
        "spec.schedule.exclude.weekdays[0]",
        '"Monday" is none of MON, TUE, WED, THU, FRI, SAT, SUN',
        "Unsupported value",
    ),
    "a day that is none": Bad(
        workflow(schedule={"cron": "@daily", "exclude": {"dates": ["25.12.2026"]}}),
        "spec.schedule.exclude.dates[0]",
        '"25.12.2026" is no day; write 2026-12-25',
        "should match",
    ),
    "no expression in the list": Bad(
        workflow(schedule={"cron": []}), "spec.schedule.cron", "the list is empty", "should have at least 1 items"
    ),
    "an expression of 300 characters": Bad(
        workflow(schedule={"cron": "0" * 300}), "spec.schedule.cron", "at most 256 characters", "Too long"
    ),
    "a limit of catching up that is too high": Bad(
        workflow(schedule={"cron": "@daily", "catchUpLimit": 10001}),
        "spec.schedule.catchUpLimit",
        "at most 10000",
        "less than or equal to 10000",
    ),
    "a source path that leads out": Bad(
        workflow(source={"git": {"repo": "r", "path": "a/../.."}}),
        "spec.source.git.path",
        "path leads out of the repository",
    ),
    "an absolute source path": Bad(
        workflow(source={"git": {"repo": "r", "path": "/etc"}}),
        "spec.source.git.path",
        "path leads out of the repository",
    ),
    "a source in our own directory": Bad(
        workflow(source={"git": {"repo": "r", "mountPath": "/windlass/git"}}),
        "spec.source.git.mountPath",
        "/windlass in the containers is Windlass's own: choose another mountPath",
    ),
    "a workspace in our own directory": Bad(
        workflow(workspace={"mountPath": "/windlass"}),
        "spec.workspace.mountPath",
        "/windlass in the containers is Windlass's own: choose another mountPath",
    ),
    "source and workspace in one place": Bad(
        workflow(source={"git": {"repo": "r"}}, workspace={"mountPath": "/workspace/src"}),
        "spec.workspace.mountPath",
        "source and workspace have the same mountPath",
    ),
    "a run of nothing": Bad(run(), "spec", EXACTLY_ONE),
    "a run of two things": Bad(run(workflow="w", workflowSpec=ETC), "spec", EXACTLY_ONE),
    "a run's name of 64 characters": Bad(
        run("n" * 64, workflow="w"), "metadata.name", "a WorkflowRun's name has at most 63 characters, to fit a label"
    ),
    "a rule in a run's own definition": Bad(
        run(workflowSpec={"tasks": [task("a", script="x", args=["y"])]}), "spec.workflowSpec.tasks[0]", ONE_THING
    ),
    # What the schema refuses, the server in its own words.
    "no spec": Bad(without(workflow(), "spec"), "spec", "is required", "spec: Required value"),
    "no tasks": Bad(without(workflow(), "spec", "tasks"), "spec.tasks", "is required", "spec.tasks: Required value"),
    "an empty list of tasks": Bad(workflow(tasks=[]), "spec.tasks", "at least 1 entries", "at least 1 items"),
    "1,001 tasks": Bad(
        workflow(tasks=[{"name": f"t{n}"} for n in range(1001)]),
        "spec.tasks",
        "has 1,001 entries",
        "must have at most 1000 items",
    ),
    "a task without a name": Bad(
        workflow(tasks=[{"script": "x"}]), "spec.tasks[0].name", "is required", "spec.tasks[0].name: Required value"
    ),
    "a task's name of 64 characters": Bad(
        workflow(tasks=[task("n" * 64)]),
        "spec.tasks[0].name",
        "has 64 characters, and at most 63",
        "may not be more than 63",
    ),
    "a task's name with a blank": Bad(
        workflow(tasks=[task("a b")]),
        "spec.tasks[0].name",
        '"a b" is no name',
        "spec.tasks[0].name in body should match",
    ),
    "two tasks of one name": Bad(
        workflow(tasks=[task("a"), task("b"), task("a")]),
        "spec.tasks[2].name",
        '"a" is the name of tasks[0] too',
        "spec.tasks[2]: Duplicate value",
    ),
    "two tasks of one name in a run's own definition": Bad(
        run(workflowSpec={"tasks": [task("a"), task("a")]}),
        "spec.workflowSpec.tasks[1].name",
        '"a" is the name of tasks[0] too',
        "spec.workflowSpec.tasks[1]: Duplicate value",
    ),
    "an upstream task twice": Bad(
        workflow(tasks=[task("a"), task("b", dependsOn=["a", "a"])]),
        "spec.tasks[1].dependsOn[1]",
        '"a" is there twice',
        "spec.tasks[1].dependsOn[1]: Duplicate value",
    ),
    "a misspelt field": Bad(
        workflow(tasks=[task("a", dependOn=["b"])]),
        "spec.tasks[0].dependOn",
        'did you mean "dependsOn"?',
        'unknown field "spec.tasks[0].dependOn"',
    ),
    "a misspelt field of null": Bad(
        workflow(workspace={"sise": None}),
        "spec.workspace.sise",
        'did you mean "size"?',
        'unknown field "spec.workspace.sise"',
    ),
    "a field in Python's spelling": Bad(
        workflow(tasks=[task("a", depends_on=["b"])]),
        "spec.tasks[0].depends_on",
        'did you mean "dependsOn"?',
        'unknown field "spec.tasks[0].depends_on"',
    ),
    "a field of another system": Bad(
        workflow(tasks=[task("a", retries=3)]),
        "spec.tasks[0].retries",
        'did you mean "retry"?',
        'unknown field "spec.tasks[0].retries"',
    ),
    "a field beside spec": Bad(
        {**workflow(), "tasks": []}, "tasks", "fields of the definition go under spec", 'unknown field "tasks"'
    ),
    "a misspelt trigger rule": Bad(
        workflow(tasks=[task("a", triggerRule="all_done")]),
        "spec.tasks[0].triggerRule",
        'did you mean "AllDone"?',
        "spec.tasks[0].triggerRule: Unsupported value",
    ),
    "an unknown interpreter": Bad(
        workflow(tasks=[task("a", interpreter="perl")]),
        "spec.tasks[0].interpreter",
        '"perl" is none of sh, bash, python',
        "Unsupported value",
    ),
    "an unknown access mode": Bad(
        workflow(workspace={"accessModes": ["ReadWriteOnc"]}),
        "spec.workspace.accessModes[0]",
        'did you mean "ReadWriteOnce"?',
        "spec.workspace.accessModes[0]: Unsupported value",
    ),
    "a duration with a blank": Bad(
        workflow(timeout="5 m"),
        "spec.timeout",
        '"5 m" is no duration; write 500ms, 90s, 1h30m or 2d',
        "spec.timeout in body should match",
    ),
    "a duration without a unit": Bad(
        workflow(timeout="90"), "spec.timeout", "is no duration", "spec.timeout in body should match"
    ),
    "a negative duration": Bad(
        workflow(timeout="-5m"), "spec.timeout", "is no duration", "spec.timeout in body should match"
    ),
    "a duration beyond calendars": Bad(
        workflow(timeout="999999d"), "spec.timeout", "is no duration", "spec.timeout in body should match"
    ),
    "a duration as a number": Bad(
        workflow(timeout=90),
        "spec.timeout",
        "must be a string, not the number 90; write it in quotes",
        "must be of type string",
    ),
    "a number as a string": Bad(
        workflow(tasks=[task("a", retry={"limit": "3"})]),
        "spec.tasks[0].retry.limit",
        'must be a whole number, not the string "3"',
        "must be of type integer",
    ),
    "a truth as a string": Bad(
        workflow(tasks=[task("a", allowFailure="yes")]),
        "spec.tasks[0].allowFailure",
        'must be true or false, not the string "yes"',
        "must be of type boolean",
    ),
    "a condition that is no string": Bad(
        workflow(tasks=[task("a", when=False)]),
        "spec.tasks[0].when",
        "must be a string, not false; write it in quotes",
        "must be of type string",
    ),
    "an argument that is a number": Bad(
        workflow(tasks=[task("a", command=["sleep", 5])]),
        "spec.tasks[0].command[1]",
        "must be a string, not the number 5",
        "must be of type string",
    ),
    "env as an object": Bad(
        workflow(tasks=[task("a", env={"A": "b"})]),
        "spec.tasks[0].env",
        "must be a list, not an object",
        'unknown field "spec.tasks[0].env.A"',
    ),
    "a label that is a number": Bad(
        workflow(tasks=[task("a", labels={"v": 1})]),
        "spec.tasks[0].labels.v",
        "must be a string",
        "must be of type string",
    ),
    "a task that is a string": Bad(
        workflow(tasks=["a"]), "spec.tasks[0]", 'must be an object, not the string "a"', "must be of type object"
    ),
    "more retries than there can be": Bad(
        workflow(tasks=[task("a", retry={"limit": 101})]),
        "spec.tasks[0].retry.limit",
        "is 101: at most 100",
        "should be less than or equal to 100",
    ),
    "a jitter above one": Bad(
        workflow(tasks=[task("a", retry={"jitter": 1.5})]),
        "spec.tasks[0].retry.jitter",
        "at most 1",
        "should be less than or equal to 1",
    ),
    "an exit code of 0": Bad(
        workflow(tasks=[task("a", retry={"exitCodes": {"never": [0]}})]),
        "spec.tasks[0].retry.exitCodes.never[0]",
        "at least 1",
        "should be greater than or equal to 1",
    ),
    "a script that is too long": Bad(
        workflow(tasks=[task("a", script="x" * 102401)]),
        "spec.tasks[0].script",
        "at most 102,400",
        "may not be more than 102400",
    ),
    "an empty script": Bad(
        workflow(tasks=[task("a", script="")]), "spec.tasks[0].script", "is empty", "at least 1 chars long"
    ),
    "a size that Kubernetes doesn't know": Bad(
        workflow(workspace={"size": "1K"}),
        "spec.workspace.size",
        '"1K" is no amount of bytes',
        "spec.workspace.size in body should match",
    ),
    "a mount path that is relative": Bad(
        workflow(workspace={"mountPath": "data"}),
        "spec.workspace.mountPath",
        "is no mount path",
        "spec.workspace.mountPath in body should match",
    ),
    "a source without a repository": Bad(
        workflow(source={"git": {"ref": "main"}}),
        "spec.source.git.repo",
        "is required",
        "spec.source.git.repo: Required value",
    ),
    "a source of nothing": Bad(
        workflow(source={}), "spec.source.git", "is required", "spec.source.git: Required value"
    ),
    "a parameter that is no schema": Bad(
        workflow(params={"day": "today"}),
        "spec.params.day",
        'must be an object, not the string "today"',
        "must be of type object",
    ),
    "tasks of null": Bad(workflow(tasks=None), "spec.tasks", "is required", "spec.tasks: Required value"),
    "a spec of null": Bad({**workflow(), "spec": None}, "spec", "is required", "spec: Required value"),
    "a list of null": Bad(
        workflow(tasks=[task("a", dependsOn=[None])]),
        "spec.tasks[0].dependsOn[0]",
        "must be a string, not null",
        "spec.tasks[0].dependsOn[0]",
    ),
    "a date without a zone": Bad(
        run(workflow="w", logicalDate="2025-04-01T17:00:00"),
        "spec.logicalDate",
        "is no instant; write 2025-04-01T17:00:00Z",
        "spec.logicalDate in body",
    ),
    "a day that there is not": Bad(
        run(workflow="w", logicalDate="2025-02-30T00:00:00Z"),
        "spec.logicalDate",
        "is wrong: day is out of range",
        "spec.logicalDate in body must be of type date-time",
    ),
    "a date alone": Bad(
        run(workflow="w", logicalDate="2025-04-01"), "spec.logicalDate", "is no instant", "spec.logicalDate in body"
    ),
    "an unknown stop": Bad(
        run(workflow="w", stop="cancel"), "spec.stop", 'did you mean "Cancel"?', "spec.stop: Unsupported value"
    ),
    "a workflow's name that can't be": Bad(
        run(workflow="No_Such"), "spec.workflow", "is no name of an object", "spec.workflow in body should match"
    ),
    "a workflow's name that is too long": Bad(
        run(workflow="w" * 50), "spec.workflow", "has 50 characters", "may not be more than 49"
    ),
}

_KINDS = {
    "an approval with a script": ({"approval": {"message": "may it?"}}, "an approval runs nothing"),
    "a run with a script": (
        {"run": {"workflow": "b"}}, "a run of another Workflow has no pod, approval or forEach of its own"
    ),
    "a wait with a script": ({"waitFor": {"duration": "1m"}}, "one that waits runs nothing else"),
    "an object with a script": (
        {"resource": {"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}},
        "one that makes an object runs nothing else, and has no forEach",
    ),
}  # fmt: skip
BAD |= {
    name: Bad(workflow(tasks=[task("a", script="x", **fields)]), "spec.tasks[0]", says)
    for name, (fields, says) in _KINDS.items()
}
BAD |= {
    "a switch with a script": Bad(
        workflow(tasks=[task("a", script="x", switch=[{"then": []}])]),
        "spec.tasks[0].switch",
        "switch is for a join: a task that runs nothing itself",
    ),
    "a teardown of itself": Bad(
        workflow(tasks=[task("a", teardownOf=["a"])]),
        "spec.tasks[0].teardownOf",
        "a task can't put away what it has set up itself: teardownOf names other tasks",
    ),
    "a pool's name of 64 characters": Bad(
        pool("n" * 64), "metadata.name", "a Pool's name has at most 63 characters, to fit a label"
    ),
    "a slot of a definition of its own": Bad(
        run(workflowSpec=ETC, slot={"trigger": "Schedule", "scheduledAt": "2025-04-01T00:00:00Z"}),
        "spec.slot",
        "slot is for the runs of a Workflow: leave it out, and give logicalDate",
    ),
    "a failure without a reason": Bad(
        action("MarkFailed", tasks=["a"]),
        "spec.reason",
        "MarkFailed needs a reason: say why the tasks are to count as failed",
    ),
    "values that nobody asked for": Bad(
        action("Retry", values={"a": 1}), "spec.values", "values are for Approve: they fill in the form of an approval"
    ),
    "tasks of what is about the run": Bad(
        action("Cancel", tasks=["a"]), "spec.tasks", "Suspend, Resume, Cancel and Terminate are about the whole run"
    ),
    "no tasks where they are needed": Bad(
        action("Clear"), "spec.tasks", "say which tasks: Clear, Skip, MarkSuccess and MarkFailed need them"
    ),
    "instances of two tasks": Bad(
        action("Clear", tasks=["a", "b"], indices=[1]),
        "spec.indices",
        "indices are instances of one task, a forEach: name it in tasks, and no other",
    ),
}
