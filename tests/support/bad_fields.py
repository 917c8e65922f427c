"""Named bad objects whose fields are missing, misspelt, of another type, or beyond their bounds."""

from __future__ import annotations

from support.bad import Bad
from support.objects import run, task, without, workflow

FIELDS: dict[str, Bad] = {
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
