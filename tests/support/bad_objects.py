"""Named bad Workflows, WorkflowRuns and their like: what each is told, by us and by the API server."""

from __future__ import annotations

from support.bad import Bad
from support.bad_fields import FIELDS
from support.objects import ETC, action, backfill, pool, run, task, without, workflow

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
BAD |= FIELDS
